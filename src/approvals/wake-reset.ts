/**
 * Wakes runs that wait for a request which is decided: such a run was reset afterwards, and the signals were left out. The relay
 * sends no more for a closed round, and so it would sleep until the deadline, though nobody is asked any more.
 */
import { WorkflowNotFoundError, type Client, type WorkflowExecutionInfo } from '@temporalio/client'
import type { ReviewStore } from '../postgres/review-store.ts'
import { reviewSignal, searchAttributes } from '../temporal/names.ts'

/** Remembered runs; forgotten, they are looked at once more. */
const maxRemembered = 10_000

/**
 * Looks once at each run that waits: where more of its calls wait than it has open requests, they are told to ask the gate again.
 * A reset makes a new run, so that a run which was in order once stays so. One that has never asked here waits for another
 * database's people. @param inOrder what it remembers from one look to the next
 */
export async function wakeReset({ store, client }: { readonly store: ReviewStore; readonly client: Client }, inOrder: Set<string>): Promise<void> {
  const unknown: WorkflowExecutionInfo[] = []
  for await (const run of client.workflow.list({ query: `${searchAttributes.status} = 'waiting_for_approval' AND ExecutionStatus = 'Running'` })) {
    if (!inOrder.has(run.runId)) unknown.push(run)
  }
  if (inOrder.size > maxRemembered) inOrder.clear()
  for (const run of unknown) {
    try {
      if (await isInOrder(store, client, run)) inOrder.add(run.runId)
      else await client.workflow.getHandle(run.workflowId, run.runId).signal(reviewSignal, { approval_id: null, jws: [] })
    } catch (error) {
      // It has ended since it was listed.
      if (!(error instanceof WorkflowNotFoundError)) throw error
    }
  }
}

async function isInOrder(store: ReviewStore, client: Client, { workflowId, runId, searchAttributes: known }: WorkflowExecutionInfo): Promise<boolean> {
  const { raw } = await client.workflow.getHandle(workflowId, runId).describe()
  const { all, open } = await store.roundsOf({ namespace: client.options.namespace, workflowId, firstExecutionRunId: raw.workflowExecutionInfo?.firstRunId ?? '' })
  return all === 0 || open >= Number(known[searchAttributes.pending]?.[0] ?? 0)
}
