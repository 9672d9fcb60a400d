/**
 * One question to a gate, from the command line, by the one way there is: a workflow. The command runs a worker for it, on a
 * task queue of its own, and leaves nothing behind. It holds an agent's rights: Temporal's credentials, and no others.
 */
import { Client } from '@temporalio/client'
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker'
import type { Waiting } from '../core/store.ts'
import { checkSearchAttributes } from '../temporal/search-attributes.ts'
import { takingUp } from './ask-behind.ts'
import { endingOf, onInterrupt } from './ask-end.ts'
import { askingFrom, type AskFlags } from './ask-flags.ts'
import { checkServed, tellProgress } from './ask-progress.ts'
import { startAsking } from './ask-start.ts'
import { startWorker } from './ask-worker.ts'
import type { Asking } from './ask-workflow.ts'
import { Failure } from './exit.ts'
import { temporalAt } from './where.ts'

type Asked = (...args: never[]) => Promise<unknown>

/** What to ask; `Call` is the type of one of the workflows in `ask-workflow.ts`. */
export interface Question<Call extends Asked> {
  /** The command, which the workflow id begins with. */
  readonly command: string
  readonly domain: string
  readonly flags: AskFlags
  /** The workflow's exported name. */
  readonly workflow: string
  readonly args: (asking: Asking) => Parameters<Call>
  /** Nothing can be lost by giving it up. */
  readonly readOnly: boolean
  /** Told whenever a person is asked; `withdraw` takes the request back, unless it is another workflow's. */
  readonly onWaiting?: (waiting: Waiting, withdraw: (() => void) | null) => void
}

/** The gate's answer, and the run in whose history it stands. */
export interface Answered<Call extends Asked> {
  readonly workflowId: string
  readonly runId: string
  readonly answer: Awaited<ReturnType<Call>>
}

const say = (line: string): void => { console.error(line) }

/** @throws Failure with one sentence: no server, no gate, a workflow id that is taken, interrupted */
export async function ask<Call extends Asked>(question: Question<Call>): Promise<Answered<Call>> {
  const asking = await askingFrom(question.domain, question.flags)
  const { address, namespace } = await temporalAt(question.flags)
  // The SDK's own signal handlers would stop our worker at Ctrl-C, before the workflow could take anything back.
  Runtime.install({ shutdownSignals: [], logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } })
  const connection = await NativeConnection.connect({ address }).catch((error: unknown) => {
    throw new Failure(`there is no Temporal server at ${address} (${error instanceof Error ? error.message : String(error)})`)
  })
  try {
    const client = new Client({ connection, namespace })
    await checkServed(client, namespace, asking.taskQueue)
    await checkSearchAttributes(client, namespace)
    return await answered(client, connection, question, asking)
  } finally {
    await connection.close()
  }
}

async function answered<Call extends Asked>(client: Client, connection: NativeConnection, question: Question<Call>, asking: Asking & { readonly taskQueue: string }): Promise<Answered<Call>> {
  const { command, workflow, flags, readOnly } = question
  const { handle, taskQueue, workflowId, runId } = await startAsking(client, { command, workflow, args: question.args(asking), workflowId: flags.workflowId })
  say(`asking ${asking.taskQueue} as ${asking.actor}, in workflow ${workflowId}`)
  let waited = false
  let withdrawn = false
  const interrupt = onInterrupt(handle, { readOnly, say })
  const onWaiting = (waiting: Waiting): void => {
    waited = true
    question.onWaiting?.(waiting, () => {
      withdrawn = true
      interrupt.cancel()
    })
  }
  await using behind = takingUp(client, connection, (waiting) => question.onWaiting?.(waiting, null))
  const stopTelling = tellProgress(handle, { taskQueue: asking.taskQueue, say, onBehind: behind.takeUp })
  try {
    await using worker = await startWorker({ connection, namespace: client.options.namespace, taskQueue, onWaiting })
    const answer = await Promise.race([handle.result(), worker.failed])
    return { workflowId, runId, answer: answer as Awaited<ReturnType<Call>> } // what that workflow returns
  } catch (error) {
    throw endingOf(error, { workflowId, waited, withdrawn, left: interrupt.left() })
  } finally {
    interrupt.forget()
    stopTelling()
  }
}
