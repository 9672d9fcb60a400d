/**
 * Starting the workflow that asks. With a key of the caller's, the key names the workflow: whoever asks the same by the same key
 * takes up the run there is, its answer included. That it is done once does not rest on this: the gate knows the key as well.
 */
import { randomUUID } from 'node:crypto'
import { WorkflowExecutionAlreadyStartedError, type Client, type WorkflowHandle } from '@temporalio/client'
import { digestOf } from '../core/digest.ts'
import { exit, Failure } from './exit.ts'

export interface AskingRun {
  readonly workflowId: string
  readonly runId: string
  readonly handle: WorkflowHandle
  /** Where its tasks wait for a worker. */
  readonly taskQueue: string
  /** It was there already. */
  readonly takenUp: boolean
}

/** A key of the caller's, and what it stands for. */
export interface Once {
  readonly key: string
  readonly asked: unknown
}

/** What is asked, for telling whether a run there is asks the same. */
const askedMemo = 'kiff_asked'

/** @throws Failure when the workflow id is taken: by a run, or, with a key, by one that asks something else */
export async function startAsking(client: Client, { command, domain, workflow, args, workflowId: given, once }: {
  readonly command: string
  readonly domain: string
  readonly workflow: string
  readonly args: readonly unknown[]
  readonly workflowId: string | undefined
  readonly once: Once | undefined
}): Promise<AskingRun> {
  const workflowId = given ?? `cli-${command}-${once === undefined ? randomUUID() : `${domain}-${once.key}`}`
  const taskQueue = `kiff-cli-${randomUUID()}`
  const asked = once === undefined ? null : digestOf(once.asked)
  try {
    const handle = await client.workflow.start(workflow, {
      workflowId, taskQueue, args: [...args],
      ...(asked === null ? {} : { memo: { [askedMemo]: asked }, workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' as const }),
    })
    return { workflowId, runId: handle.firstExecutionRunId, handle, taskQueue, takenUp: false }
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
    if (once === undefined) throw new Failure(`a workflow ${workflowId} is running already`)
    const { runId, taskQueue: its, memo } = await client.workflow.getHandle(workflowId).describe()
    if (memo?.[askedMemo] !== asked) throw new Failure(`key ${once.key} was used for something else, in workflow ${workflowId}`, exit.usage)
    return { workflowId, runId, handle: client.workflow.getHandle(workflowId, runId), taskQueue: its, takenUp: true }
  }
}
