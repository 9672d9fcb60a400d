/**
 * Open executions that nobody will take up again (their workflow was terminated) come to be in doubt, and ask a person; and what a
 * person has then found out is applied.
 */
import { WorkflowNotFoundError, type Client, type WorkflowExecutionDescription } from '@temporalio/client'
import type { GateStore, OverdueExecution } from '../core/store.ts'
import { oneByOne } from '../temporal/one-by-one.ts'
import { repeat, type Repeated } from '../temporal/repeat.ts'
import { openedText, rowOfOpened } from './opened-row.ts'
import { applyReconciliations, type Reconciling } from './reconcile.ts'

const everyMs = 2_000
/** How long after its lease those who could propose the same again may take to do so; nobody can tell whether they will. */
const patienceMs = 60_000

/** Looks every two seconds; a database or server that is down only delays it. What is wrong with one execution is a warning of the process. */
export function startSweeper(store: GateStore, client: Client, reconciling: Reconciling): Repeated {
  const [untold, unapplied] = [warnOnceEach('whether it will be taken up cannot be told'), warnOnceEach('what a person has found out about it cannot be applied')]
  return repeat(everyMs, async () => {
    // Neither holds the other up.
    await Promise.allSettled([sweep(store, client, untold), applyReconciliations(store, reconciling, unapplied)])
  })
}

/**
 * Marks every execution past its lease whose activity is no longer there to take it up; other namespaces have sweepers of their
 * own. One that fails is told to `onFault`, and holds up no other.
 */
export async function sweep(store: GateStore, client: Client, onFault?: (fault: unknown, of: OverdueExecution) => void): Promise<void> {
  await oneByOne(await store.overdueExecutions(client.options.namespace), async (overdue) => {
    if (await willBeTakenUp(client, overdue)) return
    const { executionKey } = overdue
    const data = { action: openedText(overdue, 'action'), error: 'nobody has taken it up again in time', idempotency_key: executionKey }
    const body = rowOfOpened(overdue, 'in_doubt', [{ kind: 'action_in_doubt', message: 'outcome unknown', data }])
    await store.markInDoubt({ body, executionKey, token: null })
  }, onFault)
}

function warnOnceEach(what: string): (fault: unknown, of: { readonly executionKey: string }) => void {
  const told = new Set<string>()
  return (fault, { executionKey }) => {
    if (told.has(executionKey)) return
    told.add(executionKey)
    process.emitWarning(`execution ${executionKey}: ${what}: ${inWords(fault)}`, 'KiffSweeper')
  }
}

/** Temporal's client says what the server answered only in the cause. */
function inWords(fault: unknown): string {
  return fault instanceof Error ? [fault.message, ...(fault.cause === undefined ? [] : [inWords(fault.cause)])].join(': ') : String(fault)
}

/**
 * Its activity comes again soon. Or there is somebody who can take it up, and has had little time yet: its activity, which comes
 * again some time; whoever brings an API caller's key; the run that goes on in place of its own or of one of its parents (a
 * reset, a retry).
 */
async function willBeTakenUp(client: Client, { workflowId, runId, activityId, firstExecutionRunId, callerKey, leaseRemainingMs }: OverdueExecution): Promise<boolean> {
  const run = await describe(client, workflowId, runId)
  const isRunning = run?.status.name === 'RUNNING'
  const pending = isRunning ? run.raw.pendingActivities?.find((each) => each.activityId === activityId) : undefined
  if (pending !== undefined && comesSoon(pending)) return true
  if (leaseRemainingMs < -patienceMs) return false
  if (pending !== undefined) return true
  if (callerKey !== null) return true
  return (!isRunning && (await isFollowed(client, { workflowId, runId, firstExecutionRunId }))) || hasFollowedParent(client, run)
}

type Pending = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number]

/** Neither paused, which nobody need ever end, nor far away. */
function comesSoon({ paused, nextAttemptScheduleTime }: Pending): boolean {
  return paused !== true && Number(nextAttemptScheduleTime?.seconds ?? 0) * 1_000 <= Date.now() + patienceMs
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
