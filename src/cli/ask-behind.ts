/**
 * The workflow that this command waits behind: it asks a person under the same key. Where it is one of a command that was killed,
 * nobody would take the person's answer there, and so this command does. A command that is alive goes on with its own.
 */
import type { Client } from '@temporalio/client'
import type { NativeConnection } from '@temporalio/worker'
import type { Waiting } from '../core/store.ts'
import { isAskQueue } from './ask-code.ts'
import { startWorker, type AskWorker } from './ask-worker.ts'

export interface Behind extends AsyncDisposable {
  readonly takeUp: (workflowId: string) => void
}

/** `onWaiting`: told what a workflow that was taken up waits for. */
export function takingUp(client: Client, connection: NativeConnection, onWaiting: (waiting: Waiting) => void): Behind {
  const workers: Promise<AskWorker | null>[] = []
  let over = false
  const serve = async (workflowId: string): Promise<AskWorker | null> => {
    const other = client.workflow.getHandle(workflowId)
    const { status, taskQueue } = await other.describe()
    if (status.name !== 'RUNNING' || !isAskQueue(taskQueue)) return null
    // The server hands the tasks of a workflow to the worker that has it in memory, as long as that worker is there.
    const worker = await startWorker({ connection, namespace: client.options.namespace, taskQueue, onWaiting })
    other.query('__temporal_workflow_metadata').catch(() => {}) // any query has our worker replay it, and so tell what it waits for
    return worker
  }
  return {
    takeUp(workflowId) {
      if (!over) workers.push(serve(workflowId).catch(() => null)) // without it, the other's own worker is waited for
    },
    async [Symbol.asyncDispose]() {
      over = true
      for (const worker of workers) await (await worker)?.[Symbol.asyncDispose]()
    },
  }
}
