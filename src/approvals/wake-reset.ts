/**
 * Wakes runs that wait for a request which is decided: such a run was reset afterwards, and the signals were left out. The relay
 * sends no more for a closed round, and so it would sleep until the deadline, though nobody is asked any more.
 */
import type { Client, WorkflowExecutionInfo } from '@temporalio/client'
import type { ApprovalRow, ReviewStore } from '../postgres/review-store.ts'
import { reviewSignal, searchAttributes } from '../temporal/names.ts'

/** Remembered runs; forgotten, they are looked at once more. */
const maxRemembered = 10_000
/** As many open requests as the store hands out at once. */
const fullPage = 1_000

/**
 * Looks once at each run that waits: where more of its calls wait than it has open requests, they are told to ask the gate again.
 * A reset makes a new run, so that a run which was in order once stays so. @param inOrder what it remembers from one look to the next
 */
export async function wakeReset({ store, client }: { readonly store: ReviewStore; readonly client: Client }, inOrder: Set<string>): Promise<void> {
  const unknown: WorkflowExecutionInfo[] = []
  for await (const run of client.workflow.list({ query: `${searchAttributes.status} = 'waiting_for_approval' AND ExecutionStatus = 'Running'` })) {
    if (!inOrder.has(run.runId)) unknown.push(run)
  }
  if (unknown.length === 0) return
  if (inOrder.size > maxRemembered) inOrder.clear()
  const open = await store.openRounds()
  if (open.length >= fullPage) return // it says nothing of the requests that are not on it: nobody is disturbed
  for (const run of unknown) {
    const handle = client.workflow.getHandle(run.workflowId, run.runId)
    const { raw } = await handle.describe()
    const asked = open.filter(({ request }) => isOf(request, client.options.namespace, run.workflowId, raw.workflowExecutionInfo?.firstRunId))
    if (asked.length >= waitsOf(run)) inOrder.add(run.runId)
    else await handle.signal(reviewSignal, { approval_id: null, jws: [] })
  }
}

function isOf(request: ApprovalRow['request'], namespace: string, workflowId: string, firstRunId: string | null | undefined): boolean {
  return request.namespace === namespace && request.workflow_id === workflowId && request.first_execution_run_id === firstRunId
}

function waitsOf({ searchAttributes: known }: WorkflowExecutionInfo): number {
  return Number(known[searchAttributes.pending]?.[0] ?? 0)
}
