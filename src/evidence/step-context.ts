/** What the checks of one step share: the step, its rows, and what surrounds them. */
import type { Contract } from '../core/contract.ts'
import type { Domain } from '../core/domain.ts'
import { eventIdOf, executionKey, proposalDigest } from '../core/keys.ts'
import { recordable } from '../core/ledger-row.ts'
import type { Step } from '../core/proposal.ts'
import type { ChainFinding } from './chain.ts'
import { actionOf, type GovernedStep } from './governed-step.ts'
import type { ReadHistory } from './history.ts'
import type { Replayed, ReplayedActivity } from './replay-bundle.ts'
import type { RunLedger, RunRow } from './run-ledger.ts'

/** A check's verdict: `null` it holds, a sentence why not, `undefined` there is nothing to compare. */
export type Verdict = string | null | undefined

/** What all steps of one workflow share. */
export interface Surroundings {
  readonly namespace: string
  readonly workflowId: string
  readonly history: ReadHistory
  readonly replayed: Replayed
  readonly ledger: RunLedger
  readonly domains: readonly Domain[]
  readonly chainFindings: readonly ChainFinding[]
  /** Whether each signed review is by one of the review keys; `null` where none were given. */
  readonly signatures: ReadonlyMap<string, boolean> | null
}

export interface StepContext extends Surroundings {
  readonly step: GovernedStep
  readonly replayedActivity: ReplayedActivity | undefined
  /** The rows this very call wrote. */
  readonly own: readonly RunRow[]
  /** The row that the answer in history names, where there is such a row. */
  readonly recorded: RunRow | undefined
}

export function contextOf(surroundings: Surroundings, step: GovernedStep): StepContext {
  const { ledger, replayed } = surroundings
  const { activity, answer } = step
  return {
    ...surroundings,
    step,
    replayedActivity: replayed.activities.get(activity.activityId),
    own: ledger.rows.filter(({ body }) => body.activity_id === activity.activityId && activity.runIds.includes(body.run_id ?? '')),
    recorded: answer === null ? undefined : ledger.at(answer.record),
  }
}

/** True for a row that this very call wrote. */
export function isOwn({ own }: StepContext, row: RunRow): boolean {
  return own.some(({ chain, seq }) => chain === row.chain && seq === row.seq)
}

/** The contract that a step's action has in the code at hand. */
export function contractOf({ domains, step }: StepContext): Contract | undefined {
  const actions = domains.find(({ name }) => name === step.domain)?.actions ?? {}
  const action = actionOf(step, step.domain)
  return Object.hasOwn(actions, action) ? actions[action] : undefined
}

/** Digest and execution key of a proposal, derived anew from its recorded input. */
export function keysOf(context: StepContext, entityType: string): { readonly digest: string; readonly key: string } | null {
  const { step } = context
  if (step.asked.kind !== 'action') return null
  const { request } = step.asked
  const { domain } = step
  const action = actionOf(step, domain)
  const digest = proposalDigest({ domain, entityType, entityId: request.entityId, action, params: recordable(request.params ?? null) })
  return { digest, key: executionKey(stepOf(context), request, { domain, action, digest }) }
}

/** The id of a reported event, derived anew. */
export function reportedIdOf(context: StepContext): string | null {
  const { asked } = context.step
  if (asked.kind !== 'report') return null
  return asked.request.eventId ?? eventIdOf(stepOf(context), { ...asked.request, payload: recordable(asked.request.payload ?? null) })
}

function stepOf({ namespace, workflowId, history, step }: StepContext): Step {
  return { namespace, workflowId, firstExecutionRunId: history.firstExecutionRunId, runId: history.runId, activityId: step.activity.activityId }
}
