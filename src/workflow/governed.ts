/**
 * Governed calls, for workflow code. The workflow decides when; the gate decides whether (I1): a call proposes, waits while a
 * person is asked, and returns the gate's recorded answer. Built from a domain's type alone: no schema, executor, or Node module
 * enters the sandbox.
 */
import { CancellationScope, isCancellation, proxyActivities, type ActivityOptions } from '@temporalio/workflow'
import type { Duration } from '@temporalio/common'
import type { Contract, TypesOf } from '../core/contract.ts'
import type { ActionResult } from '../core/outcome.ts'
import type { Claim, EventRequest, ProposalRequest, WithdrawRequest } from '../core/proposal.ts'
import type { GateAnswer } from '../core/store.ts'
import { actionActivity, gateQueue, reportActivity, unnamedActivity, withdrawActivity } from '../temporal/names.ts'
import { openStep, whileRunning } from './chain.ts'
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
  /** Another task queue than the domain's own, `kiff.<domain>`. */
  readonly taskQueue?: string
}

/** What may go beside a proposal. `key`: the caller's own idempotency key, for a model the tool-call id. */
export interface ProposeOptions extends Partial<Claim> {
  readonly key?: string | undefined
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
  /** Reports an event that has happened. `id`: the reporter's own; the same id is the same event. */
  readonly report: (event: string, entityId: string, payload: unknown, options?: { readonly id?: string }) => Promise<ActionResult>
}

/**
 * The governed calls of one domain. Each resolves to a result: `allowed` with the executor's output, or a refusal with its
 * reason. A call never times out by itself and is never given up; while a person is asked it waits, durably. Cancelling the
 * workflow ends the wait and withdraws the request (the call then throws `CancelledFailure`); an action under way is finished.
 */
export function governed<D extends DomainShape>(domain: D['name'], options: GovernedOptions): Governed<D> {
  const propose = async (action: string, entityId: string, params: unknown, beside: ProposeOptions = {}): Promise<ActionResult> =>
    decide(domain, options, action, entityId, params, beside)
  const report = async (event: string, entityId: string, payload: unknown, { id }: { readonly id?: string } = {}): Promise<ActionResult> =>
    reportEvent(domain, options, event, entityId, payload, id)
  return new Proxy({} as Governed<D>, {
    get(_, name) {
      if (name === 'propose') return propose
      if (name === 'report') return report
      if (typeof name === 'symbol' || !isActionName(name)) return undefined
      return async (entityId: string, params: unknown, beside?: ProposeOptions) => propose(name, entityId, params, beside)
    },
  })
}

async function decide(domain: string, options: GovernedOptions, action: string, entityId: string, params: unknown, beside: ProposeOptions): Promise<ActionResult> {
  const { why, evidence, confidence, key } = beside
  const { step: chain, close } = openStep({ domain, action, entityId, params: plain(params) })
  const request: ProposalRequest = {
    entityId, params, chain,
    actor: options.actor,
    ...(key === undefined ? {} : { key }),
    ...(why === undefined ? {} : { claim: { why, evidence: evidence === undefined ? undefined : [...evidence], confidence } }),
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
      const withdrawal: WithdrawRequest = { approvalId, action, entityId, actor: options.actor, chain }
      await callGate(withdrawActivity(domain), options, `withdraw ${action} ${entityId}`, withdrawal, domain)
    }
    throw error
  } finally {
    wait.end()
    close()
  }
}

async function reportEvent(domain: string, options: GovernedOptions, event: string, entityId: string, payload: unknown, id: string | undefined): Promise<ActionResult> {
  const { step: chain, close } = openStep({ domain, event, entityId, payload: plain(payload) })
  const request: EventRequest = { event, entityId, payload, actor: options.actor, chain, ...(id === undefined ? {} : { eventId: id }) }
  try {
    return await callGate<ActionResult>(reportActivity(domain), options, `${event} ${entityId}`, request, domain)
  } finally {
    close()
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

/** As it will stand in the activity's input: members that are `undefined` are gone. */
function plain(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value) ?? 'null')
}
