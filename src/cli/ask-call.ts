/** The gate's call that a workflow waits for, as the server knows it: what came of it so far. */
import type { WorkflowHandle } from '@temporalio/client'
import { failures } from '../temporal/names.ts'

/** `PENDING_ACTIVITY_STATE_SCHEDULED` and `_PAUSED`: nobody works on it now, and in the second case nobody will. */
const scheduled: number = 1
const paused: number = 4

/** The gate's activity that nobody works on now. */
export interface Unanswered {
  readonly id: string
  /** Whether a worker ever took it. */
  readonly taken: boolean
  /** What came of its last attempt, if there was one. */
  readonly last: Attempted | null
}

/** A person is `asked` by another workflow, under the same key; an action on the entity is `under_way`; or the gate cannot answer. */
export type Attempted =
  | { readonly is: 'asked'; readonly workflowId: string }
  | { readonly is: 'under_way' | 'fault'; readonly message: string }

export async function unanswered(handle: WorkflowHandle): Promise<Unanswered | undefined> {
  return callIn(handle, scheduled)
}

/**
 * Sees to it that a call which waits behind another workflow's request is not made again. @returns false when that is not certain:
 * made in between, it may by now have begun something, and goes on
 */
export async function heldBack(handle: WorkflowHandle, { id }: Unanswered): Promise<boolean> {
  const { workflowService, options: { namespace, identity } } = handle.client
  const call = { namespace, identity, execution: { workflowId: handle.workflowId }, id }
  const held = await workflowService.pauseActivity(call).then(() => true, () => false) // it has ended, or the server knows no such thing
  if (!held) return false
  if ((await callIn(handle, paused))?.last?.is === 'asked') return true
  await workflowService.unpauseActivity(call)
  return false
}

async function callIn(handle: WorkflowHandle, wanted: number): Promise<Unanswered | undefined> {
  const { raw } = await handle.describe()
  const pending = (raw.pendingActivities ?? []).find(({ state }) => Number(state) === wanted)
  if (pending === undefined) return undefined
  const { activityId, attempt, lastFailure } = pending
  return { id: activityId ?? '', taken: (attempt ?? 1) > 1, last: lastFailure == null ? null : attempted(lastFailure.message ?? '', lastFailure.applicationFailureInfo?.type ?? '') }
}

function attempted(message: string, type: string): Attempted {
  if (type !== failures.entityBusy) return { is: 'fault', message }
  const workflowId = / is being asked for by workflow (.+); waiting for its end$/.exec(message)?.[1]
  return workflowId === undefined ? { is: 'under_way', message } : { is: 'asked', workflowId }
}
