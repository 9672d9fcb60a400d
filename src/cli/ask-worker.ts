/** The short-lived worker that carries one question's workflow. */
import { Worker, type InjectedSinks, type NativeConnection } from '@temporalio/worker'
import type { Waiting } from '../core/store.ts'
import { KiffPlugin } from '../gate/plugin.ts'
import { askInterceptors, askWorkflows } from './ask-code.ts'
import type { AskSinks } from './ask-interceptors.ts'

export interface AskWorker extends AsyncDisposable {
  /** Never resolves; rejects when the worker ends by itself. */
  readonly failed: Promise<never>
}

export async function startWorker({ connection, namespace, taskQueue, onWaiting }: {
  readonly connection: NativeConnection
  readonly namespace: string
  readonly taskQueue: string
  readonly onWaiting: (waiting: Waiting) => void
}): Promise<AskWorker> {
  const sinks: InjectedSinks<AskSinks> = { kiffAsk: { waiting: { fn: (_, answer) => { onWaiting(answer) }, callDuringReplay: true } } } // a run that was taken up tells what it waits for
  const worker = await Worker.create({
    connection, namespace, taskQueue, sinks,
    workflowsPath: askWorkflows,
    interceptors: { workflowModules: [askInterceptors] },
    plugins: [new KiffPlugin()],
  })
  const run = worker.run()
  const failed = run.then(() => { throw new Error('the worker of this command has stopped') })
  failed.catch(() => {})
  return {
    failed,
    async [Symbol.asyncDispose]() {
      // Shutting down is refused to a worker that is still starting.
      while (worker.getState() === 'INITIALIZED') await Promise.race([run, new Promise((resolve) => { setTimeout(resolve, 20) })])
      if (worker.getState() === 'RUNNING') worker.shutdown()
      await run
    },
  }
}
