/**
 * Starting the workflow that asks: one of this command's own, by an id that nobody can have taken before. What was answered
 * elsewhere is never handed out; whether it was asked before, under a key of the caller's, the gate alone knows.
 */
import { randomUUID } from 'node:crypto'
import { WorkflowExecutionAlreadyStartedError, type Client, type WorkflowHandle } from '@temporalio/client'
import { askQueue } from './ask-code.ts'
import { Failure } from './exit.ts'

export interface AskingRun {
  readonly workflowId: string
  readonly runId: string
  readonly handle: WorkflowHandle
  /** Where its tasks wait for a worker. */
  readonly taskQueue: string
}

/** @throws Failure when a workflow of the given id is running */
export async function startAsking(client: Client, { command, workflow, args, workflowId: given }: {
  readonly command: string
  readonly workflow: string
  readonly args: readonly unknown[]
  readonly workflowId: string | undefined
}): Promise<AskingRun> {
  const workflowId = given ?? `cli-${command}-${randomUUID()}`
  const taskQueue = askQueue()
  try {
    const handle = await client.workflow.start(workflow, { workflowId, taskQueue, args: [...args] })
    return { workflowId, runId: handle.firstExecutionRunId, handle, taskQueue }
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) throw new Failure(`a workflow ${workflowId} is running already`)
    throw error
  }
}
