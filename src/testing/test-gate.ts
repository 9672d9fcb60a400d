/** The real gate on the store in memory, with keys of its own: what `testDomain` and `createKit` are both made from. */
import { randomUUID } from 'node:crypto'
import { createMandateSigner } from '../approvals/mandates.ts'
import { createDesk } from '../approvals/review.ts'
import type { ReviewOutcome, RevokeOutcome } from '../approvals/desk.ts'
import { createReviewSigner, generateDevReviewKey } from '../approvals/signing.ts'
import type { Verdict } from '../core/approval.ts'
import type { AuditRecord } from '../core/audit-record.ts'
import type { Domain } from '../core/domain.ts'
import type { ActorType } from '../core/permission.ts'
import type { Step } from '../core/proposal.ts'
import type { EntityState } from '../core/state.ts'
import type { AuditFilter } from '../evidence/audit-records.ts'
import type { EventRecord } from './memory/views.ts'
import type { GateOptions } from '../gate/gate.ts'
import type { Reconciling } from '../gate/reconcile.ts'
import { createMandateVerifier, type MandateIssuer } from '../gate/mandate.ts'
import { createReconciliationVerifier, createReviewVerifier } from '../temporal/verify-review.ts'
import type { Clock } from './clock.ts'
import { createMemoryStore, type MemoryStore } from './memory-store.ts'
import { pastBody } from './past.ts'
import { createSpies, type GivenExecutors, type GivenLoaders, type Spies } from './spies.ts'

/** Who somebody is: one role, several, or none, and what kind of actor. Without a kind nothing is known of it, as in the database. */
export type Member = string | readonly string[] | { readonly roles: readonly string[]; readonly type?: ActorType; readonly name?: string }

export interface TestGateOptions<D extends Domain> {
  /** Who holds which role: `{ 'support-agent-1': 'support-agent', maria: 'finance' }`. */
  readonly members: Readonly<Record<string, Member>>
  /** What each executor returns, or does. One that is left out refuses its action (`executor_missing`). */
  readonly executors?: GivenExecutors<D>
  /** What each loader loads, or how. */
  readonly loaders?: GivenLoaders<D>
  /** Those that the gate serves without a mandate (I13); all members unless told. */
  readonly actors?: readonly string[]
  /** Who may issue mandates, beside the kit itself. */
  readonly mandateIssuers?: readonly MandateIssuer[]
}

/** What has happened to an entity, oldest first; an event whose payload is left out has an empty one. */
export type Past = readonly (readonly [type: string, payload?: unknown])[]

export interface TestGate {
  readonly gate: GateOptions
  /** How the sweeper ends executions about which somebody has found out. */
  readonly reconciling: Reconciling
  readonly memory: MemoryStore
  readonly spies: Spies
  /** Signs and records a review, as the human-facing service does. */
  readonly review: (approvalId: string, verdict: Verdict, by: string, reason: string) => Promise<ReviewOutcome>
  readonly revoke: (approvalId: string, by: string, reason: string) => Promise<RevokeOutcome>
  readonly changeRole: (kind: 'role_granted' | 'role_revoked', actor: string, role: string) => Promise<boolean>
  /** @see Scene.given */
  readonly given: (entityType: string, entityId: string, events: Past) => Promise<void>
  readonly state: (entityType: string, entityId: string) => string | null
  readonly timeline: (of?: string | AuditFilter) => readonly AuditRecord[]
  readonly events: (entityType: string, entityId: string) => readonly EventRecord[]
  /** The reviews' signatures of an approval, as they arrive by signal. */
  readonly signaturesOf: (approvalId: string) => readonly string[]
  /** A mandate by the kit's own issuer, for an hour: this actor, for this person, in this workflow. */
  readonly issueMandate: (step: Pick<Step, 'namespace' | 'workflowId'>, actor: string, onBehalfOf: string) => Promise<string>
}

const issuer = 'kiff-testing'

/** @throws Error when a member holds a role that the domain does not have */
export async function createTestGate<D extends Domain>(domain: D, options: TestGateOptions<D>, clock: Clock): Promise<TestGate> {
  const memory = createMemoryStore([domain], clock)
  const spies = createSpies(domain, options.executors, options.loaders)
  const { privateKey, publicKeys } = await generateDevReviewKey()
  const desk = createDesk(memory.reviews, await createReviewSigner(privateKey))
  const mandateKey = await generateDevReviewKey()
  const signMandate = await createMandateSigner(issuer, mandateKey.privateKey)
  const changeRole: TestGate['changeRole'] = (kind, actor, role) => memory.changeMembership({ kind, domain: domain.name, actor, role, by: issuer })
  for (const [actor, member] of Object.entries<Member>(options.members)) {
    const { roles, type, name } = asMember(member)
    for (const role of roles) await memory.changeMembership({ kind: 'role_granted', domain: domain.name, actor, role, by: issuer, actorType: type, displayName: name })
  }
  const gate: GateOptions = {
    bound: spies.bound,
    store: memory.gate,
    verify: createReviewVerifier(publicKeys),
    actors: options.actors ?? Object.keys(options.members),
    verifyMandate: createMandateVerifier([...(options.mandateIssuers ?? []), { issuer, keys: mandateKey.publicKeys }]),
  }
  return {
    gate, memory, spies, changeRole,
    reconciling: { bound: spies.bound, verify: createReconciliationVerifier(publicKeys) },
    async review(approvalId, verdict, by, reason) {
      const row = await memory.reviews.show(approvalId)
      return desk.review({ approvalId, digest: row?.digest ?? '', verdict, reviewer: by, reason })
    },
    revoke: (approvalId, by, reason) => desk.revoke({ approvalId, reviewer: by, reason }),
    async given(entityType, entityId, events) {
      const entity = domain.entities[entityType]
      if (entity === undefined) throw new TypeError(`${domain.name} has no entity ${entityType}`)
      for (const [type, payload = {}] of events) {
        await memory.recordPast(pastBody(domain, entity, entityId, stateOf(memory, entityType, entityId), { id: randomUUID(), type, payload }))
      }
    },
    state: (entityType, entityId) => stateOf(memory, entityType, entityId)?.value ?? null,
    events: (entityType, entityId) => memory.events().filter((event) => event.entity_type === entityType && event.entity_id === entityId),
    timeline: (of = {}) => memory.auditRecords(typeof of === 'string' ? { entityId: of } : of),
    signaturesOf: (id) => memory.tables.reviews.all().filter(({ approvalId }) => approvalId === id).map(({ jws }) => jws),
    async issueMandate({ namespace, workflowId }, actor, onBehalfOf) {
      return signMandate({ actor, onBehalfOf, namespace, workflowId, expiresAt: new Date((await clock()) + 3_600_000) })
    },
  }
}

function stateOf({ tables }: MemoryStore, entityType: string, entityId: string): EntityState | null {
  const row = tables.entities.all().find((each) => each.entityType === entityType && each.entityId === entityId)
  return row === undefined ? null : { value: row.state, version: row.version }
}

function asMember(member: Member): { readonly roles: readonly string[]; readonly type?: ActorType | undefined; readonly name?: string | undefined } {
  if (typeof member === 'string') return { roles: [member] }
  return 'roles' in member ? member : { roles: member }
}
