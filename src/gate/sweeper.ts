/**
 * Open executions that nobody will take up again (their workflow was terminated) come to be in doubt, and ask a person; and what a
 * person has then found out is applied.
 */
import { WorkflowNotFoundError, type Client, type WorkflowExecutionDescription } from '@temporalio/client'
import type { GateStore, OverdueExecution } from '../core/store.ts'
import { repeat, type Repeated } from '../temporal/repeat.ts'
import { openedText, rowOfOpened } from './opened-row.ts'
import { applyReconciliations, type Reconciling } from './reconcile.ts'

const everyMs = 2_000
/** How long after its lease those who could propose the same again may take to do so; nobody can tell whether they will. */
const patienceMs = 60_000

/** Looks every two seconds; a fault (a database or server that is down) only delays it. */
export function startSweeper(store: GateStore, client: Client, reconciling: Reconciling): Repeated {
  return repeat(everyMs, async () => {
    // Neither holds the other up.
    await Promise.allSettled([sweep(store, client), applyReconciliations(store, reconciling)])
  })
}

/** Marks every execution past its lease whose activity is no longer there to take it up; other namespaces have sweepers of their own. */
export async function sweep(store: GateStore, client: Client): Promise<void> {
  for (const overdue of await store.overdueExecutions()) {
    if (overdue.namespace !== client.options.namespace) continue
    if (await willBeTakenUp(client, overdue)) continue
    const { executionKey } = overdue
    const data = { action: openedText(overdue, 'action'), error: 'its workflow run is over, and it was not heard of again', idempotency_key: executionKey }
    const body = rowOfOpened(overdue, 'in_doubt', [{ kind: 'action_in_doubt', message: 'outcome unknown', data }])
    await store.markInDoubt({ body, executionKey, token: null })
  }
}

/**
 * Its activity still comes again. Or there is somebody who can propose the same under the same key, and has had little time yet:
 * whoever brings an API caller's key, the run that goes on in place of its own or of one of its parents (a reset, a retry).
 */
async function willBeTakenUp(client: Client, { workflowId, runId, activityId, firstExecutionRunId, callerKey, leaseRemainingMs }: OverdueExecution): Promise<boolean> {
  const run = await describe(client, workflowId, runId)
  const isRunning = run?.status.name === 'RUNNING'
  if (isRunning && (run.raw.pendingActivities ?? []).some((pending) => pending.activityId === activityId)) return true
  if (leaseRemainingMs < -patienceMs) return false
  if (callerKey !== null) return true
  return (!isRunning && (await isFollowed(client, { workflowId, runId, firstExecutionRunId }))) || hasFollowedParent(client, run)
}

/** True where another run of the same chain goes on in place of this one. */
async function isFollowed(client: Client, { workflowId, runId, firstExecutionRunId }: Pick<OverdueExecution, 'workflowId' | 'runId' | 'firstExecutionRunId'>): Promise<boolean> {
  const current = await describe(client, workflowId)
  return current?.status.name === 'RUNNING' && current.runId !== runId && current.raw.workflowExecutionInfo?.firstRunId === firstExecutionRunId
}

/** A parent that was reset starts its child anew, in another run chain, and leaves the one it had. */
async function hasFollowedParent(client: Client, child: WorkflowExecutionDescription | null): Promise<boolean> {
  const { workflowId, runId } = child?.parentExecution ?? {}
  if (!workflowId || !runId) return false
  const parent = await describe(client, workflowId, runId)
  const firstExecutionRunId = parent?.raw.workflowExecutionInfo?.firstRunId
  if (firstExecutionRunId && (await isFollowed(client, { workflowId, runId, firstExecutionRunId }))) return true
  return hasFollowedParent(client, parent)
}

async function describe(client: Client, workflowId: string, runId?: string): Promise<WorkflowExecutionDescription | null> {
  try {
    return await client.workflow.getHandle(workflowId, runId).describe()
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null
    throw error
  }
}
