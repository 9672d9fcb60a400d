/** The tables of the store in memory: those of `src/postgres/migrations`, with the same keys, and commits that happen whole or not at all. */
import type { ApprovalStatus, Verdict } from '../../core/approval.ts'
import type { ExecutionStatus } from '../../core/execution.ts'
import type { ReconciliationVerdict } from '../../core/reconciliation.ts'
import type { ActorType } from '../../core/permission.ts'

/** What Postgres would say: `code` is its SQLSTATE, so that the gate reads both stores alike. */
export class StoreError extends Error {
  readonly code: string
  constructor(code: '22P02' | '23502' | '23505' | '23514' | '40001' | 'P0001' | 'P0002', message: string) {
    super(message)
    this.name = 'StoreError'
    this.code = code
  }
}

export type ChainKind = 'entity' | 'run' | 'roles'
export interface Chain { readonly chain: number; readonly kind: ChainKind; readonly key: string; readonly seq: number; readonly head: string }
export interface EntityRow { readonly chain: number; readonly domain: string; readonly entityType: string; readonly entityId: string; readonly state: string; readonly version: number }
export interface LedgerRow { readonly chain: number; readonly seq: number; readonly at: number; readonly body: string; readonly digest: string; readonly prev: string; readonly hash: string }
export interface EventId { readonly chain: number; readonly eventId: string; readonly eventType: string; readonly seq: number; readonly content: string }
export interface Call { readonly namespace: string; readonly runId: string; readonly activityId: string; readonly chain: number; readonly seq: number; readonly answer: string }
export interface Approval {
  readonly approvalId: string; readonly executionKey: string; readonly round: number; readonly chain: number; readonly proposalDigest: string
  readonly namespace: string; readonly workflowId: string; readonly firstExecutionRunId: string; readonly domain: string; readonly requester: string
  readonly onBehalfOf: string | null; readonly reviewers: string; readonly quorum: number; readonly request: string; readonly digest: string
  readonly answerBy: number; readonly useBy: number; readonly status: ApprovalStatus; readonly closedSeq: number | null
}
export interface Review { readonly approvalId: string; readonly verdict: Verdict; readonly reviewer: string; readonly reason: string; readonly jws: string; readonly at: number }
export interface Execution {
  readonly executionKey: string; readonly ordinal: number; readonly chain: number; readonly status: ExecutionStatus; readonly completionRejected: string | null
  readonly leaseToken: string | null; readonly leaseUntil: number; readonly idempotentUntil: number | null; readonly proposalDigest: string
  /** The body of the row that opened it, without its audit entries. */
  readonly opened: string
  readonly openedSeq: number; readonly closedSeq: number | null; readonly answer: string | null
  readonly reconciling: number | null; readonly reconciliationRejected: string | null; readonly contradictedSeq: number | null
}
export interface Reconciliation {
  readonly executionKey: string; readonly ordinal: number; readonly round: number; readonly request: string; readonly verdict: ReconciliationVerdict
  readonly output: string | null; readonly reviewer: string; readonly reason: string; readonly jws: string; readonly seq: number; readonly at: number
}
export interface Delivery { readonly approvalId: string; readonly attempts: number; readonly nextAt: number }
export interface ContractRow {
  readonly domain: string; readonly action: string; readonly hash: string; readonly entityType: string; readonly permission: string; readonly from: readonly string[] | null
  readonly emits: readonly string[]; readonly reviewers: string | null; readonly quorum: number | null; readonly alwaysAsks: boolean; readonly reconcilers: string | null; readonly newest: boolean
}
export interface Transition { readonly domain: string; readonly entityType: string; readonly eventType: string; readonly from: string | null; readonly to: string; readonly reportedBy: string | null }

export interface Table<Row> {
  readonly get: (...key: readonly unknown[]) => Row | undefined
  /** Replaces the row of the same key, or adds it. */
  readonly put: (row: Row) => void
  /** @throws StoreError 23505 when its key is taken */
  readonly insert: (row: Row) => void
  readonly remove: (row: Row) => void
  /** In the order in which they came. */
  readonly all: () => readonly Row[]
}

/** What undoes what a commit has written so far, latest last. */
type Journal = (() => void)[]

function createTable<Row>(name: string, keyOf: (row: Row) => readonly unknown[], journal: Journal): Table<Row> {
  const rows = new Map<string, Row>()
  const write = (key: string, row: Row | undefined): void => {
    const before = rows.get(key)
    journal.push(() => (before === undefined ? rows.delete(key) : rows.set(key, before)))
    if (row === undefined) rows.delete(key)
    else rows.set(key, row)
  }
  return {
    get: (...key) => rows.get(JSON.stringify(key)),
    put: (row) => write(JSON.stringify(keyOf(row)), row),
    insert(row) {
      const key = JSON.stringify(keyOf(row))
      if (rows.has(key)) throw new StoreError('23505', `${name} ${key} is there already`)
      write(key, row)
    },
    remove: (row) => write(JSON.stringify(keyOf(row)), undefined),
    all: () => [...rows.values()],
  }
}

/** All of them, empty. `commit`: whatever `work` has written is undone when it throws. */
export function createTables() {
  const journal: Journal = []
  const table = <Row>(name: string, keyOf: (row: Row) => readonly unknown[]): Table<Row> => createTable(name, keyOf, journal)
  return {
    chains: table<Chain>('chain', ({ kind, key }) => [kind, key]),
    entities: table<EntityRow>('entity', ({ chain }) => [chain]),
    ledger: table<LedgerRow>('ledger row', ({ chain, seq }) => [chain, seq]),
    eventIds: table<EventId>('event id', ({ chain, eventId }) => [chain, eventId]),
    calls: table<Call>('call', ({ namespace, runId, activityId }) => [namespace, runId, activityId]),
    approvals: table<Approval>('approval', ({ approvalId }) => [approvalId]),
    reviews: table<Review>('review', ({ approvalId, reviewer }) => [approvalId, reviewer]),
    executions: table<Execution>('execution', ({ executionKey, ordinal }) => [executionKey, ordinal]),
    reconciliations: table<Reconciliation>('reconciliation', ({ executionKey, ordinal, round }) => [executionKey, ordinal, round]),
    consumptions: table<{ readonly approvalId: string; readonly executionKey: string }>('consumption', ({ approvalId }) => [approvalId]),
    deliveries: table<Delivery>('delivery', ({ approvalId }) => [approvalId]),
    contracts: table<ContractRow>('contract', ({ domain, action, hash }) => [domain, action, hash]),
    stateless: table<{ readonly domain: string; readonly entityType: string }>('stateless', ({ domain, entityType }) => [domain, entityType]),
    transitions: table<Transition>('transition', ({ domain, entityType, eventType, from }) => [domain, entityType, eventType, from]),
    rolePermissions: table<{ readonly domain: string; readonly role: string; readonly permission: string }>('role permission', ({ domain, role, permission }) => [domain, role, permission]),
    actors: table<{ readonly actor: string; readonly type: ActorType; readonly displayName: string | null }>('actor', ({ actor }) => [actor]),
    memberships: table<{ readonly domain: string; readonly actor: string; readonly role: string }>('membership', ({ domain, actor, role }) => [domain, actor, role]),
    roleEpochs: table<{ readonly domain: string; readonly epoch: number }>('role epoch', ({ domain }) => [domain]),
    commit<T>(work: () => T): T {
      journal.length = 0
      try {
        return work()
      } catch (error) {
        for (const undo of journal.splice(0).toReversed()) undo()
        throw error
      }
    },
  }
}

export type Tables = ReturnType<typeof createTables>

/** One commit under way: the tables, and the one time at which it happens. */
export interface Transaction extends Tables {
  readonly now: number
}
