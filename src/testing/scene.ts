/** Given, when, then: a domain's rules tried on the real gate, with the store in memory, a fixed clock and spy executors. */
import type { ReviewOutcome } from '../approvals/desk.ts'
import type { AuditRecord } from '../core/audit-record.ts'
import type { TypesOf } from '../core/contract.ts'
import type { Domain } from '../core/domain.ts'
import type { Duration } from '../core/duration.ts'
import type { AllowedAction, Evaluation } from '../core/evaluation.ts'
import { refuse, type ActionResult } from '../core/outcome.ts'
import type { ExecutorsOf, LoadersOf } from '../gate/binding.ts'
import type { Claim } from '../core/claim.ts'
import { eventRequest, proposalRequest, type ProposalRequest, type Step, type Trace } from '../core/proposal.ts'
import type { GateAnswer } from '../core/store.ts'
import type { AuditFilter } from '../evidence/audit-records.ts'
import type { EventRecord } from './memory/views.ts'
import { allowedActions, evaluateProposal } from '../gate/evaluate.ts'
import { propose } from '../gate/gate.ts'
import { ofReport, recordUnknown } from '../gate/refuse-unknown.ts'
import { report } from '../gate/report.ts'
import { aFixedClock } from './clock.ts'
import type { GivenExecutor, GivenLoader, SpiedEffect } from './spies.ts'
import { createWorkflows } from './steps.ts'
import { createTestGate, type Past, type TestGateOptions } from './test-gate.ts'

export interface SceneOptions<D extends Domain> extends TestGateOptions<D> {
  /** When the scene begins, RFC 3339; the first of January 2026 unless told. */
  readonly now?: string
  /** How long an executor may take; milliseconds, 5,000 unless told. */
  readonly executorMs?: number
}

/** What may stand beside a proposal. */
export interface Proposing extends Partial<Claim> {
  /** The same workflow as other proposals of this name; a workflow of its own unless told. */
  readonly workflow?: string
  /** A key within the workflow: with the same one, the same effect. */
  readonly key?: string
  /** The idempotency key of an API caller: in any workflow, the same effect. */
  readonly callerKey?: string
  readonly trace?: Trace
  /** The person the actor acts for; a mandate is issued that says so. */
  readonly onBehalfOf?: string
  /** A mandate of the test's own. */
  readonly mandate?: string
}

/** An approval, by its id or by the answer that asked for it. */
export type Asked = string | GateAnswer

export interface Reviewing {
  readonly by: string
  readonly reason?: string
}

/** The domain's actions, each as a function, in the name of one actor. */
export type ActingAs<D extends Domain> = {
  readonly [Action in keyof D['actions'] & string]: (entityId: string, params: TypesOf<D['actions'][Action]>['input'], proposing?: Proposing) => Promise<GateAnswer>
}

export interface Scene<D extends Domain> {
  /** An entity's past, each event as `['ORDER_PAID', payload]`: also those that only an action emits. @throws Error when one cannot happen there */
  readonly given: (entityType: keyof D['entities'] & string, entityId: string, events: Past) => Promise<void>
  /** The gate's answer to a proposal, whatever it says. @throws ApplicationFailure where Temporal would try again */
  readonly propose: (actor: string, action: string, entityId: string, params: unknown, proposing?: Proposing) => Promise<GateAnswer>
  /** The same with types: `scene.as('support-agent-1').REFUND_ORDER('order-1', { … })`. */
  readonly as: (actor: string) => ActingAs<D>
  /** The gate's answer to a reported event. `id`: the reporter's own. */
  readonly report: (actor: string, event: string, entityId: string, payload?: unknown, how?: { readonly id?: string; readonly source?: string; readonly trace?: Trace }) => Promise<ActionResult>
  /** One person's verdict, signed and recorded; the workflow has not come back to the gate yet. */
  readonly review: (asked: Asked, verdict: 'granted' | 'denied', reviewing: Reviewing) => Promise<ReviewOutcome>
  /** The gate's answer when the workflow comes back with all that was signed. */
  readonly again: (asked: Asked) => Promise<GateAnswer>
  /** A person agrees, and the workflow comes back. @throws Error when the review is refused */
  readonly granted: (asked: Asked, reviewing: Reviewing) => Promise<GateAnswer>
  /** A person says no, and the workflow comes back. @throws Error when the review is refused */
  readonly denied: (asked: Asked, reviewing: Reviewing) => Promise<GateAnswer>
  /** Takes back a grant that was not used yet. @throws Error when that is refused */
  readonly revokeGrant: (asked: Asked, reviewing: Reviewing) => Promise<void>
  /** What the gate would say; nothing happens, nothing is recorded. */
  readonly evaluate: (actor: string, action: string, entityId: string, params: unknown) => Promise<Evaluation>
  readonly allowedActions: (actor: string, entityId: string) => Promise<readonly AllowedAction[]>
  readonly grantRole: (actor: string, role: keyof D['roles'] & string) => Promise<void>
  readonly revokeRole: (actor: string, role: keyof D['roles'] & string) => Promise<void>
  /** Another executor from now on: what it returns, or does. */
  readonly executes: <Action extends keyof ExecutorsOf<D> & string>(action: Action, given: GivenExecutor<ExecutorsOf<D>[Action]>) => void
  /** Another loader from now on: what it loads, or how. */
  readonly loads: <Name extends keyof LoadersOf<D> & string>(fact: Name, given: GivenLoader<LoadersOf<D>[Name]>) => void
  /** Lets time pass. */
  readonly advance: (by: Duration) => void
  /** The state an entity is in; `null` when there is no such entity. */
  readonly state: (entityType: keyof D['entities'] & string, entityId: string) => string | null
  /** The events recorded of an entity, oldest first, with what they carry. */
  readonly events: (entityType: keyof D['entities'] & string, entityId: string) => readonly EventRecord[]
  /** Every effect that was begun, in order. */
  readonly effects: readonly SpiedEffect[]
  /** The audit records about an entity, or those that agree with a filter, in order; all there are unless told. */
  readonly timeline: (of?: string | AuditFilter) => readonly AuditRecord[]
}

interface Proposed {
  readonly step: Step
  readonly action: string
  readonly request: ProposalRequest
}

/** Sets the scene. @throws Error when a member holds a role that the domain does not have */
export async function testDomain<D extends Domain>(domain: D, options: SceneOptions<D>): Promise<Scene<D>> {
  const clock = aFixedClock(options.now)
  const { gate, spies, ...kit } = await createTestGate(domain, options, clock.now)
  const workflows = createWorkflows()
  const byApproval = new Map<string, Proposed>()
  const executorMs = options.executorMs ?? 5_000
  const timing = () => ({ executorMs, leaseMs: executorMs + 500, until: Date.now() + executorMs + 1_000 })

  async function ask(proposed: Proposed): Promise<GateAnswer> {
    const answer = await propose(gate, proposed.step, proposed.action, proposed.request, timing)
    if (answer.outcome === 'approval_required') byApproval.set(answer.approvalId, proposed)
    return answer
  }

  const proposing: Scene<D>['propose'] = async (actor, action, entityId, params, how = {}) => {
    const { workflow, why, evidence, confidence, key, callerKey, trace, onBehalfOf } = how
    const { step, occurrence } = workflows.next(workflow, JSON.stringify([action, entityId, params]))
    const mandate = how.mandate ?? (onBehalfOf === undefined ? undefined : await kit.issueMandate(step, actor, onBehalfOf))
    const claim = why === undefined && evidence === undefined && confidence === undefined ? undefined : { why: why ?? '', evidence, confidence }
    const chain = { firstExecutionRunId: step.firstExecutionRunId, generation: 0, occurrence }
    const request = proposalRequest.safeParse(asJson({ entityId, params, actor, chain, claim, key, callerKey, trace, mandate }))
    if (request.success) return ask({ step, action, request: request.data })
    return recordUnknown(gate.store, step, domain.name, { action, actor, input: params }, refuse('invalid_parameter', request.error.message))
  }

  const again: Scene<D>['again'] = async (asked) => {
    const approvalId = approvalIdOf(asked)
    const proposed = byApproval.get(approvalId)
    if (proposed === undefined) throw new Error(`no proposal of this scene asked for approval ${approvalId}`)
    return ask({ ...proposed, step: workflows.nextActivity(proposed.step), request: { ...proposed.request, reviews: [...kit.signaturesOf(approvalId)] } })
  }

  const review: Scene<D>['review'] = (asked, verdict, { by, reason = '' }) => kit.review(approvalIdOf(asked), verdict, by, reason)
  const reviewed = (verdict: 'granted' | 'denied') => async (asked: Asked, reviewing: Reviewing): Promise<GateAnswer> => {
    const outcome = await review(asked, verdict, reviewing)
    if (outcome.outcome === 'refused') throw new Error(`${reviewing.by} cannot review it: ${outcome.message}`)
    return again(asked)
  }

  return {
    given: kit.given,
    propose: proposing,
    as: (actor) => {
      const acting = Object.keys(domain.actions).map((action) => [action, (entityId: string, params: unknown, how?: Proposing) => proposing(actor, action, entityId, params, how)])
      return Object.fromEntries(acting) as ActingAs<D>
    },
    async report(actor, event, entityId, payload = {}, { id, source, trace } = {}) {
      const { step, occurrence } = workflows.next(undefined, '')
      const chain = { firstExecutionRunId: step.firstExecutionRunId, generation: 0, occurrence }
      const request = eventRequest.safeParse(asJson({ event, entityId, payload, actor, eventId: id, source, trace, chain }))
      if (request.success) return report(gate, step, request.data)
      return ofReport(await recordUnknown(gate.store, step, domain.name, { action: event, actor, input: payload }, refuse('invalid_parameter', request.error.message)))
    },
    review, again,
    granted: reviewed('granted'),
    denied: reviewed('denied'),
    async revokeGrant(asked, { by, reason = '' }) {
      const outcome = await kit.revoke(approvalIdOf(asked), by, reason)
      if (outcome.outcome === 'refused') throw new Error(`${by} cannot revoke it: ${outcome.message}`)
    },
    evaluate(actor, action, entityId, params) {
      const { step } = workflows.next(undefined, '')
      return evaluateProposal(gate, step, { action, entityId, params, actor, chain: { firstExecutionRunId: step.firstExecutionRunId, generation: 0, occurrence: 0 } })
    },
    allowedActions(actor, entityId) {
      const { step } = workflows.next(undefined, '')
      return allowedActions(gate, step, { entityId, actor, chain: { firstExecutionRunId: step.firstExecutionRunId, generation: 0, occurrence: 0 } })
    },
    async grantRole(actor, role) {
      await kit.changeRole('role_granted', actor, role)
    },
    async revokeRole(actor, role) {
      await kit.changeRole('role_revoked', actor, role)
    },
    executes: (action, given) => spies.execute(action, given),
    loads: (fact, given) => spies.load(fact, given),
    advance: (by) => clock.advance(by),
    state: kit.state,
    events: kit.events,
    effects: spies.effects,
    timeline: kit.timeline,
  }
}

/** What is left of a value when it has crossed Temporal. */
function asJson(value: object): unknown {
  return JSON.parse(JSON.stringify(value))
}

function approvalIdOf(asked: Asked): string {
  if (typeof asked === 'string') return asked
  if (asked.outcome === 'approval_required') return asked.approvalId
  throw new Error(`nobody was asked: ${JSON.stringify(asked)}`)
}
