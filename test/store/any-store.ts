/** A store as its tests use it, whichever it is: what a test needs to go through it as the gate and the human-facing service do. */
import { randomUUID } from 'node:crypto'
import type { JSONWebKeySet } from 'jose'
import { createDesk } from '../../src/approvals/review.ts'
import type { Desk, ReconcileOutcome, ReviewOutcome } from '../../src/approvals/desk.ts'
import { createReviewSigner, generateDevReviewKey, type ReviewSigner } from '../../src/approvals/signing.ts'
import type { ApprovalRequest, Verdict } from '../../src/core/approval.ts'
import type { AuditRecord } from '../../src/core/audit-record.ts'
import type { Domain } from '../../src/core/domain.ts'
import type { AuditEntry, RecordedEvent } from '../../src/core/ledger-row.ts'
import { ledgerBody } from '../../src/core/ledger-row.ts'
import type { ActionResult } from '../../src/core/outcome.ts'
import { evaluate } from '../../src/core/gate.ts'
import type { ProposalRequest, Step, Trace } from '../../src/core/proposal.ts'
import type { Committed, Facts, GateAnswer, GateStore, Lease, Unrecorded } from '../../src/core/store.ts'
import type { AuditFilter } from '../../src/evidence/audit-records.ts'
import { ask, type NeedsApproval } from '../../src/gate/ask.ts'
import { guardOf, rowOf, toProposal, toQuery, type GovernedProposal } from '../../src/gate/proposal.ts'
import type { Reconciling } from '../../src/gate/reconcile.ts'
import { createReconciliationVerifier } from '../../src/temporal/verify-review.ts'
import type { ReviewStore } from '../../src/postgres/review-store.ts'
import type { MembershipChange } from '../../src/core/registration.ts'
import type { AuditedRow, DecisionRecord, EventRecord } from '../../src/testing/memory/views.ts'
import { ledgers } from './a-domain.ts'

/** Who holds which role in `ledgers`; olga and otto may both review. */
export const members = { 'bot-1': 'bot', 'bot-2': 'bot', olga: 'reviewer', otto: 'reviewer', shop: 'reporter' }

/** A lease's token that nobody was given. */
export const noToken = '00000000-0000-4000-8000-000000000000'

/** What a store under test has to bring: its two ports, what the owner and an auditor do, and a way to let time pass. */
export interface Backing {
  readonly store: GateStore
  readonly reviews: ReviewStore
  /** As the owner. */
  readonly register: (domain: Domain) => Promise<void>
  readonly change: (change: MembershipChange) => Promise<boolean>
  /** Lets time pass for one approval (`answer`: only its time to answer), or one execution, in the store's eyes. */
  readonly later: (what: { readonly approval: string } | { readonly answer: string } | { readonly lease: string } | { readonly idempotence: string }) => Promise<void>
  /** As an auditor: every row, chain by chain. */
  readonly ledger: () => Promise<readonly AuditedRow[]>
  readonly chains: () => Promise<readonly { readonly kind: string; readonly key: string; readonly seq: number; readonly head: string }[]>
  readonly auditRecords: (filter?: AuditFilter) => Promise<readonly AuditRecord[]>
  readonly events: () => Promise<readonly EventRecord[]>
  readonly decisions: () => Promise<readonly DecisionRecord[]>
  readonly close: () => Promise<void>
}

export interface AnyStore extends Backing {
  readonly desk: Desk
  /** By the key that the desk signs with. */
  readonly sign: ReviewSigner
  readonly publicKeys: JSONWebKeySet
  readonly reconciling: Reconciling
  /** An execution that has come to be in doubt. */
  readonly inDoubt: (over?: Parameters<typeof aProposal>[1]) => Promise<GovernedProposal>
  /** What somebody says of an execution: of its first attempt, and that it happened, unless told. */
  readonly reconcile: (proposal: GovernedProposal, by: string, how?: { readonly ordinal?: number; readonly verdict?: 'not_happened'; readonly output?: unknown; readonly digest?: string }) => Promise<ReconcileOutcome>
  /** An account in state OPEN, as its reporter told. */
  readonly anAccount: (entityId?: string) => Promise<string>
  readonly facts: (proposal: GovernedProposal) => Promise<Facts>
  /** Commits of the gate, each from the facts it is given or else reads. */
  readonly refuse: (proposal: GovernedProposal, facts?: Facts) => Promise<Committed>
  readonly open: (proposal: GovernedProposal, how?: { readonly facts?: Facts; readonly leaseMs?: number; readonly idempotentForMs?: number | null; readonly approvalId?: string }) => Promise<Committed<Lease>>
  /** Takes up an open execution; `executionKey`: another than the proposal's own. */
  readonly resume: (proposal: GovernedProposal, executionKey?: string) => Promise<Committed<Lease>>
  readonly doubt: (proposal: GovernedProposal, token?: string) => Promise<Committed>
  readonly pure: (proposal: GovernedProposal, how?: { readonly facts?: Facts; readonly approvalId?: string; readonly events?: readonly RecordedEvent[] }) => Promise<Committed>
  readonly complete: (proposal: GovernedProposal, end?: Parameters<GateStore['completeExecution']>[0]['end'], events?: readonly RecordedEvent[]) => ReturnType<GateStore['completeExecution']>
  readonly report: (event: Partial<RecordedEvent>, entityId: string, how?: { readonly facts?: Facts; readonly step?: Step; readonly actor?: string; readonly entityType?: string; readonly action?: string; readonly more?: readonly RecordedEvent[]; readonly trace?: Trace; readonly audit?: readonly AuditEntry[] }) => ReturnType<GateStore['reportEvent']>
  /** Asks for approval. @returns its id, or what the store answered instead */
  readonly ask: (proposal: GovernedProposal, how?: { readonly facts?: Facts; readonly round?: number; readonly voids?: string }) => Promise<GateAnswer | 'stale'>
  readonly asked: (proposal: GovernedProposal) => Promise<string>
  readonly review: (approvalId: string, verdict: Verdict, reviewer: string) => Promise<ReviewOutcome>
  readonly granted: (proposal: GovernedProposal) => Promise<string>
  readonly revoke: (actor: string, role: string) => Promise<boolean>
  readonly grant: (actor: string, role: string) => Promise<boolean>
  /** Rows in the whole ledger. */
  readonly ledgerLength: () => Promise<number>
}

/** A step of a workflow run of its own. */
export function aStep(over: Partial<Step> = {}): Step {
  const runId = over.runId ?? randomUUID()
  return { namespace: 'default', workflowId: `ticket-${runId}`, firstExecutionRunId: runId, activityId: '1', ...over, runId }
}

/** The same run's next activity. */
export function nextActivity(step: Step): Step {
  return { ...step, activityId: String(Number(step.activityId) + 1) }
}

/** A gate that is configured to serve whoever asks. */
const serves = { problem: null, onBehalfOf: null, from: null, until: null, mandate: undefined }

export type Action = keyof typeof ledgers.actions

export function aProposal(entityId: string, over: { readonly action?: Action; readonly step?: Step; readonly note?: string; readonly actor?: string; readonly occurrence?: number; readonly callerKey?: string } = {}): GovernedProposal {
  const action = over.action ?? 'CALL'
  const step = over.step ?? aStep()
  const request: ProposalRequest = {
    entityId, params: { note: over.note ?? 'hello' }, actor: over.actor ?? 'bot-1',
    chain: { firstExecutionRunId: step.firstExecutionRunId, generation: 0, occurrence: over.occurrence ?? 0 },
    ...(over.callerKey === undefined ? {} : { callerKey: over.callerKey }),
  }
  return toProposal(step, 'ledgers', action, ledgers.actions[action], request, serves)
}

/** The same proposal, asked again by the run's next activity. */
export function again(proposal: GovernedProposal): GovernedProposal {
  return { ...proposal, step: nextActivity(proposal.step) }
}

export function noted(proposal: GovernedProposal, over: Partial<RecordedEvent> = {}): RecordedEvent {
  return { id: `${proposal.executionKey}-0`, type: 'NOTED', payload: { note: 'hello' }, from: 'OPEN', to: 'OPEN', ...over }
}

const entry = (kind: AuditEntry['kind']): AuditEntry[] => [{ kind, message: kind.replaceAll('_', ' '), data: {} }]
const allowed: Unrecorded<ActionResult> = { outcome: 'allowed', output: {}, summary: 'done' }
export const blocked: Unrecorded<ActionResult> = { outcome: 'blocked', reason: 'state_not_allowed', message: 'no', nextStep: 'do_not_retry' }

/** The tests' way of speaking, over any store. */
export async function over(backing: Backing): Promise<AnyStore> {
  const { store, reviews } = backing
  const { privateKey, publicKeys } = await generateDevReviewKey()
  const sign = await createReviewSigner(privateKey)
  const desk = createDesk(reviews, sign)
  const facts: AnyStore['facts'] = (proposal) => store.readFacts(toQuery(proposal))

  const report: AnyStore['report'] = async (event, entityId, how = {}) => {
    const { step = aStep(), actor = 'shop', entityType = 'Account', action = null, more = [], trace, audit = entry('event_ingested') } = how
    const id = event.id ?? randomUUID()
    const read = how.facts ?? (await store.readFacts({ step, domain: 'ledgers', entityType, entityId, actor, executionKey: id, proposalDigest: id }))
    const recorded: RecordedEvent = { id, type: 'TOUCHED', payload: {}, from: 'OPEN', to: 'OPEN', ...event }
    const body = ledgerBody({ kind: 'event', step, domain: 'ledgers', entityType, entityId, action, actor, state: read.state, events: [recorded, ...more], audit, trace })
    return store.reportEvent({ body, answer: allowed, guard: guardOf(read) })
  }

  const askFor: AnyStore['ask'] = async (proposal, how = {}) => {
    const read = how.facts ?? (await facts(proposal))
    const decision = evaluate(proposal.contract, { action: proposal.action, entityId: proposal.request.entityId, actor: proposal.request.actor, inspection: proposal.inspection }, { actorProven: true, state: read.state, permissions: read.permissions, declared: {} })
    if (decision.outcome !== 'approval_required') throw new Error(`nobody has to be asked: ${JSON.stringify(decision)}`)
    const needs: NeedsApproval = decision
    return ask(store, proposal, read, needs, {
      number: how.round ?? 1, changed: how.voids === undefined ? null : 'a test', before: [], link: () => null,
      ...(how.voids === undefined ? {} : { closing: { approvalId: how.voids, status: 'void' as const } }),
    })
  }
  const asked: AnyStore['asked'] = async (proposal) => {
    const answer = await askFor(proposal)
    if (answer === 'stale' || answer.outcome !== 'approval_required') throw new Error(`not asked: ${JSON.stringify(answer)}`)
    return answer.approvalId
  }
  const review: AnyStore['review'] = async (approvalId, verdict, reviewer) => {
    const row = await reviews.show(approvalId)
    return desk.review({ approvalId, digest: row?.digest ?? '', verdict, reviewer, reason: 'because' })
  }

  const anAccount: AnyStore['anAccount'] = async (entityId = `account-${randomUUID()}`) => {
    const opened = await report({ type: 'OPENED', from: null, to: 'OPEN' }, entityId)
    if (opened.status !== 'committed') throw new Error(`not opened: ${opened.status}`)
    return entityId
  }
  const open: AnyStore['open'] = async (proposal, how = {}) => {
    const known = how.facts ?? (await facts(proposal))
    const approval = how.approvalId === undefined ? {} : { approvalId: how.approvalId }
    return store.openExecution({
      body: rowOf(proposal, known, 'opened', entry('action_validated'), approval),
      guard: guardOf(known), leaseMs: how.leaseMs ?? 60_000, idempotentForMs: how.idempotentForMs === undefined ? null : how.idempotentForMs, approvalId: how.approvalId ?? null,
    })
  }
  const doubt: AnyStore['doubt'] = async (proposal, token) => {
    const body = rowOf(proposal, await facts(proposal), 'in_doubt', entry('action_in_doubt'))
    return store.markInDoubt({ body, executionKey: proposal.executionKey, token: token ?? null })
  }

  return {
    ...backing, facts, report, asked, review, anAccount, open, doubt, desk, sign, publicKeys,
    ask: askFor,
    reconciling: { bound: { domain: ledgers, executorOf: () => undefined, loaderOf: () => undefined }, verify: createReconciliationVerifier(publicKeys) },
    async inDoubt(over) {
      const proposal = aProposal(await anAccount(), over)
      const { token } = leaseOf(await open(proposal))
      await doubt(proposal, token)
      return proposal
    },
    async reconcile({ executionKey }, reviewer, { ordinal = 1, verdict, output = { ok: true }, digest } = {}) {
      const row = await reviews.showInDoubt(executionKey, ordinal)
      const said = { executionKey, ordinal, digest: digest ?? row?.digest ?? '', reason: 'looked it up', reviewer }
      return desk.reconcile(verdict === undefined ? { ...said, verdict: 'happened', output } : { ...said, verdict })
    },
    async refuse(proposal, read) {
      const known = read ?? (await facts(proposal))
      return store.recordAnswer({ body: rowOf(proposal, known, 'refused', entry('action_failed'), { decision: blocked.outcome === 'allowed' ? undefined : blocked }), answer: blocked, guard: guardOf(known) })
    },
    async resume(proposal, executionKey = proposal.executionKey) {
      const body = rowOf(again(proposal), await facts(proposal), 'resumed', entry('action_resumed'))
      return store.resumeExecution({ body, executionKey, leaseMs: 60_000 })
    },
    async pure(proposal, how = {}) {
      const known = how.facts ?? (await facts(proposal))
      const approval = how.approvalId === undefined ? {} : { approvalId: how.approvalId }
      const body = rowOf(proposal, known, 'executed', entry('action_executed'), { ...approval, events: how.events ?? [noted(proposal)], output: {} })
      return store.executePure({ body, guard: guardOf(known), approvalId: how.approvalId ?? null, answer: allowed })
    },
    async complete(proposal, end = { status: 'succeeded' }, events = end.status === 'succeeded' ? [noted(proposal)] : []) {
      const kind = end.status === 'succeeded' ? 'executed' : end.status === 'failed' ? 'failed' : 'completion_rejected'
      const body = rowOf(proposal, await facts(proposal), kind, entry('action_executed'), { events })
      return store.completeExecution({ body, executionKey: proposal.executionKey, answer: end.status === 'succeeded' ? allowed : blocked, end })
    },
    async granted(proposal) {
      const approvalId = await asked(proposal)
      const outcome = await review(approvalId, 'granted', 'olga')
      if (outcome.outcome !== 'recorded') throw new Error(`not granted: ${outcome.reason}`)
      return approvalId
    },
    revoke: (actor, role) => backing.change({ kind: 'role_revoked', domain: 'ledgers', actor, role, by: 'test' }),
    grant: (actor, role) => backing.change({ kind: 'role_granted', domain: 'ledgers', actor, role, by: 'test' }),
    ledgerLength: async () => (await backing.ledger()).length,
  }
}

/** The lease of an execution just opened or resumed. @throws Error when it was not */
export function leaseOf(commit: Committed<Lease>): Lease {
  if (commit.status !== 'committed') throw new Error(`not opened: ${commit.status}`)
  return commit
}

/** The stored pre-image of an approval. */
export async function requestOf(test: AnyStore, approvalId: string): Promise<ApprovalRequest> {
  const row = await test.reviews.show(approvalId)
  if (row === undefined) throw new Error('there is no such approval')
  return row.request
}

/** What a row of the ledger says. */
export function bodyOf({ body }: Pick<AuditedRow, 'body'>): Readonly<Record<string, unknown>> {
  return JSON.parse(body) as Readonly<Record<string, unknown>>
}

/** What the last row about an account says, with its number in the chain. */
export async function lastRow(test: AnyStore, entityId: string): Promise<Readonly<Record<string, unknown>>> {
  const row = (await test.ledger()).findLast(({ chain }) => chain === `ledgers/Account/${entityId}`)
  if (row === undefined) throw new Error(`nothing is recorded of ${entityId}`)
  return { ...bodyOf(row), seq: row.seq }
}
