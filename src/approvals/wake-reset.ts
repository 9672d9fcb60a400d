/**
 * Wakes runs that wait for a request which is decided: such a run was reset afterwards, and the signals were left out. The relay
 * sends no more for a closed round, and so it would sleep until the deadline, though nobody is asked any more.
 */
import { WorkflowNotFoundError, type Client, type WorkflowExecutionInfo } from '@temporalio/client'
import type { ReviewStore } from '../postgres/review-store.ts'
import { reviewSignal, searchAttributes } from '../temporal/names.ts'
import { oneByOne } from '../temporal/one-by-one.ts'

interface Waking {
  readonly store: ReviewStore
  readonly client: Client
  readonly onFault?: (fault: unknown) => void
}

/**
 * Looks at each run that waits, once for the number of its calls that do: where there are more of them than open requests, they are
 * told to ask the gate again. That is told once, since a signal lasts; and a reset makes a new run. One that has never asked here
 * waits for another database's people. One that cannot be looked at is told to `onFault`, and tried again at the next look.
 * @param known what it remembers from one look to the next: of each run that waits, in how many calls
 */
export async function wakeReset({ store, client, onFault }: Waking, known: Map<string, number>): Promise<void> {
  const listed = new Set<string>()
  const unknown: WorkflowExecutionInfo[] = []
  for await (const run of client.workflow.list({ query: `${searchAttributes.status} = 'waiting_for_approval' AND ExecutionStatus = 'Running'` })) {
    listed.add(run.runId)
    if (known.get(run.runId) !== waitsOf(run)) unknown.push(run)
  }
  for (const runId of known.keys()) {
    if (!listed.has(runId)) known.delete(runId)
  }
  await oneByOne(unknown, async (run) => {
    await wake(store, client, run)
    known.set(run.runId, waitsOf(run))
  }, onFault)
}

const waitsOf = ({ searchAttributes: its }: WorkflowExecutionInfo): number => Number(its[searchAttributes.pending]?.[0] ?? 0)

async function wake(store: ReviewStore, client: Client, run: WorkflowExecutionInfo): Promise<void> {
  try {
    if (!(await isInOrder(store, client, run))) await client.workflow.getHandle(run.workflowId, run.runId).signal(reviewSignal, { approval_id: null, jws: [] })
  } catch (error) {
    // It has ended since it was listed.
    if (!(error instanceof WorkflowNotFoundError)) throw error
  }
}

async function isInOrder(store: ReviewStore, client: Client, run: WorkflowExecutionInfo): Promise<boolean> {
  const { raw } = await client.workflow.getHandle(run.workflowId, run.runId).describe()
  const { all, open } = await store.roundsOf({ namespace: client.options.namespace, workflowId: run.workflowId, firstExecutionRunId: raw.workflowExecutionInfo?.firstRunId ?? '' })
  return all === 0 || open >= waitsOf(run)
}
