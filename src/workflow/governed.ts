/**
 * Governed calls, for workflow code. The workflow decides when; the gate decides whether (I1): a call proposes, waits while a
 * person is asked, and returns the gate's recorded answer. Built from a domain's type alone: no schema, executor, or Node module
 * enters the sandbox.
 */
import { CancellationScope, isCancellation, proxyActivities, type ActivityOptions } from '@temporalio/workflow'
import type { Duration } from '@temporalio/common'
import type { Contract, TypesOf } from '../core/contract.ts'
import type { AllowedAction, Evaluation } from '../core/evaluation.ts'
import type { ActionResult } from '../core/outcome.ts'
import type { Claim } from '../core/claim.ts'
import type { AllowedActionsRequest, EvaluateRequest, EventRequest, ProposalRequest, Trace, WithdrawRequest } from '../core/proposal.ts'
import type { GateAnswer } from '../core/store.ts'
import { actionActivity, allowedActionsActivity, evaluateActivity, gateQueue, reportActivity, unnamedActivity, withdrawActivity } from '../temporal/names.ts'
import { openStep, standing, whileRunning } from './chain.ts'
import { plain } from './equal.ts'
import { Wait } from './wait.ts'

/** What `governed` needs to know of a domain; `typeof myDomain` fits. */
interface DomainShape {
  readonly name: string
  readonly actions: Readonly<Record<string, Contract>>
}

export interface GovernedOptions {
  /** Who proposes. It counts only if the gate worker of that task queue serves this actor (I13). */
  readonly actor: string
  /** How long one attempt at an action may take, its executor's time included. */
  readonly startToCloseTimeout: Duration
  /** A JWT that proves the actor, and whom it acts for, to a gate that is not configured to serve it. */
  readonly mandate?: string
  /** What this workflow is part of; left out, trace and correlation are the run chain's own. */
  readonly trace?: Trace
  /** Another task queue than the domain's own, `kiff.<domain>`. */
  readonly taskQueue?: string
}

/** What may go beside a proposal. */
export interface ProposeOptions extends Partial<Claim> {
  /** Your own idempotency key within this workflow, for a model the tool-call id: the same key is the same proposal. */
  readonly key?: string | undefined
  /** The idempotency key of an API caller for whom this workflow proposes: it counts for the actor and the action, for all time, whichever workflow brings it. */
  readonly callerKey?: string | undefined
  /** What caused this very proposal, above all `causationId`: the event or message it answers. */
  readonly trace?: Trace | undefined
}

/** What may go beside a reported event, in the reporter's words. */
export interface ReportOptions {
  /** The reporter's own id of the event: the same id is the same event. Not 64 hex digits, a hyphen and a number: such are the ids of events that actions emit. */
  readonly id?: string | undefined
  readonly source?: string | undefined
  /** When it happened, RFC 3339. */
  readonly occurredAt?: string | undefined
  readonly trace?: Trace | undefined
}

export type Governed<D extends DomainShape> = {
  readonly [Action in keyof D['actions'] & string]: (
    entityId: string,
    params: TypesOf<D['actions'][Action]>['input'],
    options?: ProposeOptions,
  ) => Promise<ActionResult<TypesOf<D['actions'][Action]>['output']>>
} & {
  /** A choice that a model made: unchecked by types, checked by the gate. */
  readonly propose: (action: string, entityId: string, params: unknown, options?: ProposeOptions) => Promise<ActionResult>
  /** Reports an event that has happened. */
  readonly report: (event: string, entityId: string, payload: unknown, options?: ReportOptions) => Promise<ActionResult>
  /** What `propose` would be answered now. Writes nothing, does nothing, decides nothing: it is judged anew when it is proposed. */
  readonly evaluate: (action: string, entityId: string, params: unknown) => Promise<Evaluation>
  /** What could be proposed now, with the actor's roles, in the state the entity is in. */
  readonly allowedActions: (entityId: string) => Promise<readonly AllowedAction[]>
}

/**
 * The governed calls of one domain. Each resolves to a result: `allowed` with the executor's output, or a refusal with its
 * reason. A call never times out by itself and is never given up; while a person is asked it waits, durably. Cancelling the
 * workflow ends the wait and withdraws the request (the call then throws `CancelledFailure`); an action under way is finished.
 */
export function governed<D extends DomainShape>(domain: D['name'], options: GovernedOptions): Governed<D> {
  const propose = async (action: string, entityId: string, params: unknown, beside: ProposeOptions = {}): Promise<ActionResult> =>
    decide(domain, options, action, entityId, params, beside)
  const calls: Readonly<Record<string, unknown>> = {
    propose,
    report: async (event: string, entityId: string, payload: unknown, beside: ReportOptions = {}) => reportEvent(domain, options, event, entityId, payload, beside),
    evaluate: async (action: string, entityId: string, params: unknown) => ask<Evaluation>(domain, options, evaluateActivity(domain), `what if: ${action} ${entityId}`, { action, entityId, params }),
    allowedActions: async (entityId: string) => ask<readonly AllowedAction[]>(domain, options, allowedActionsActivity(domain), `what can be done with ${entityId}`, { entityId }),
  }
  return new Proxy({} as Governed<D>, {
    get(_, name) {
      if (typeof name === 'string' && Object.hasOwn(calls, name)) return calls[name]
      if (typeof name === 'symbol' || !isActionName(name)) return undefined
      return async (entityId: string, params: unknown, beside?: ProposeOptions) => propose(name, entityId, params, beside)
    },
  })
}

async function decide(domain: string, options: GovernedOptions, action: string, entityId: string, params: unknown, beside: ProposeOptions): Promise<ActionResult> {
  const { why, evidence, confidence, key, callerKey, trace } = beside
  const { step: chain, close } = openStep({ domain, action, entityId, params: plain(params) })
  const request: ProposalRequest = {
    entityId, params, chain,
    actor: options.actor,
    ...carried(options, trace),
    ...(key === undefined ? {} : { key }),
    ...(callerKey === undefined ? {} : { callerKey }),
    ...(why === undefined && evidence === undefined && confidence === undefined ? {} : { claim: { why: why ?? '', evidence: evidence === undefined ? undefined : [...evidence], confidence } }),
    ...(isActionName(action) ? {} : { action: String(action).slice(0, 200) }),
  }
  const type = isActionName(action) ? actionActivity(domain, action) : unnamedActivity(domain)
  const wait = new Wait({ action, entityId })
  let approvalId: string | undefined
  try {
    let reviews: string[] = []
    for (;;) {
      const answer = await callGate<GateAnswer>(type, options, `${action} ${entityId}`, reviews.length > 0 ? { ...request, reviews } : request, domain)
      if (answer.outcome !== 'approval_required') return answer
      approvalId = answer.approvalId
      reviews = await wait.forReviews(answer)
    }
  } catch (error) {
    if (isCancellation(error) && approvalId !== undefined) {
      const withdrawal: WithdrawRequest = { approvalId, action, entityId, actor: options.actor, chain, ...(options.mandate === undefined ? {} : { mandate: options.mandate }) }
      await callGate(withdrawActivity(domain), options, `withdraw ${action} ${entityId}`, withdrawal, domain)
    }
    throw error
  } finally {
    wait.end()
    close()
  }
}

async function reportEvent(domain: string, options: GovernedOptions, event: string, entityId: string, payload: unknown, { id, source, occurredAt, trace }: ReportOptions): Promise<ActionResult> {
  const { step: chain, close } = openStep({ domain, event, entityId, payload: plain(payload) })
  const request: EventRequest = {
    event, entityId, payload, chain,
    actor: options.actor,
    ...carried(options, trace),
    ...(id === undefined ? {} : { eventId: id }),
    ...(source === undefined ? {} : { source }),
    ...(occurredAt === undefined ? {} : { occurredAt }),
  }
  try {
    return await callGate<ActionResult>(reportActivity(domain), options, `${event} ${entityId}`, request, domain)
  } finally {
    close()
  }
}

/** A question to the gate. */
async function ask<Answer>(domain: string, options: GovernedOptions, type: string, summary: string, asked: Pick<EvaluateRequest, 'entityId'> & Partial<EvaluateRequest>): Promise<Answer> {
  const { actor, mandate } = options
  const request: AllowedActionsRequest & Partial<EvaluateRequest> = { ...asked, actor, chain: standing(), ...(mandate === undefined ? {} : { mandate }) }
  return callGate<Answer>(type, options, summary, request, domain)
}

/** The mandate, and the trace: a call's own words over those of the workflow. */
function carried({ mandate, trace }: GovernedOptions, own: Trace | undefined): { readonly mandate?: string; readonly trace?: Trace } {
  return {
    ...(mandate === undefined ? {} : { mandate }),
    ...(trace === undefined && own === undefined ? {} : { trace: { ...trace, ...own } }),
  }
}

/** One gate activity. Not cancellable: once it may have opened an execution, its end must be known. */
async function callGate<Answer>(type: string, options: GovernedOptions, summary: string, request: unknown, domain: string): Promise<Answer> {
  const activityOptions: ActivityOptions = {
    taskQueue: options.taskQueue ?? gateQueue(domain),
    startToCloseTimeout: options.startToCloseTimeout,
    summary: summary.slice(0, 100),
    // Unlimited: a fault is retried until the gate has given its answer.
    retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '10s' },
  }
  const activity = proxyActivities<Record<string, (request: unknown) => Promise<Answer>>>(activityOptions)[type]
  if (activity === undefined) throw new TypeError(`no activity ${type}`)
  return whileRunning(async () => CancellationScope.nonCancellable(async () => activity(request)))
}

function isActionName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(name)
}
