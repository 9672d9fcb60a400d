/** `dev` (`npm start`): brings everything up, runs the reference agent over sample tickets, and tells what happens. */
import { rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client'
import type { Command } from 'commander'
import { visible } from '../approvals/visible-text.ts'
import { defaultApp, loadApp, type DevApp } from '../dev/app.ts'
import { startStack, type Stack } from '../dev/stack.ts'
import { waitingSince, type Waiting } from '../dev/waiting.ts'
import { watchLedger } from '../dev/watch.ts'
import { changeInWords } from './change-words.ts'
import { exit, Failure } from './exit.ts'
import { endWith, stopOnSignal, whenAborted } from './interrupts.ts'
import { setIn, stateDir } from './where.ts'

const notProtected = `This is development mode. It does not protect: whoever can open the state folder has every secret, the login link logs in whoever opens it
first, and all processes run as one user of this machine. README, "What it guarantees", says what production has to add.`

function say(line: string): void {
  console.error(line)
}

export function devCommand(program: Command): void {
  program
    .command('dev')
    .description('bring up Postgres, Temporal, the workers and the inbox, and run the sample agent (npm start)')
    .option('--app <module>', 'what to bring up', defaultApp)
    .option('--json', 'print one ready line, then one line a change')
    .option('--verbose', 'print what the processes print')
    .option('--take-over', 'with DATABASE_URL: also on a server whose kiff_* logins were made elsewhere; their passwords change')
    .addHelpText('after', `
Environment: DATABASE_URL (an administrator of a Postgres that is only for trying) and TEMPORAL_ADDRESS use servers that run
already; KIFF_STATE is the folder for everything that lasts (.kiff). Ctrl-C stops what was started; the next start goes on
where this one stopped.`)
    .action(async (options: DevFlags) => {
      const stopped = stopOnSignal(say)
      try {
        await run(options, stopped)
      } catch (error) {
        if (!stopped.aborted) endWith(error) // what an interrupted start says is of no use
      }
      process.exit(exit.ok) // whatever a server's library has left open
    })
}

interface DevFlags {
  readonly app: string
  readonly json?: true
  readonly verbose?: true
  readonly takeOver?: true
}

async function run(options: DevFlags, stopped: AbortSignal): Promise<void> {
  const app = await loadApp(options.app)
  const stack = await startStack({
    app, persistent: true, signal: stopped,
    stateDir: resolve(stateDir()),
    databaseUrl: setIn('DATABASE_URL'),
    takeOver: options.takeOver === true,
    temporalAddress: setIn('TEMPORAL_ADDRESS'),
    namespace: setIn('TEMPORAL_NAMESPACE'),
    onProgress: say,
    onOutput: (name, line) => { if (options.verbose) say(visible(`[${name}] ${line}`, { limit: Infinity })) },
  })
  try {
    const since = new Date()
    await Promise.race([told(stack, app, since, stopped, options.json === true), whenAborted(stopped), stack.lost.then((sentence) => { throw new Failure(`${sentence}; start again with "npm start"`) })])
  } finally {
    await rm(join(stateDir(), 'ready.json'), { force: true }) // other commands must not look for what has gone
    await stack.stop()
  }
}

async function told(stack: Stack, app: DevApp, since: Date, stopped: AbortSignal, json: boolean): Promise<void> {
  await startWorkflows(stack, app)
  const ready = await readyLine(stack, app, since)
  await writeFile(join(stateDir(), 'ready.json'), JSON.stringify(ready, null, 2), { mode: 0o600 })
  if (json) console.log(JSON.stringify(ready))
  else tellReady(ready)
  await tellChanges(stack, since, stopped, json)
}

async function startWorkflows(stack: Stack, app: DevApp): Promise<void> {
  for (const { id, type, args, entity } of app.workflows) {
    try {
      const handle = await stack.client.workflow.start(type, { taskQueue: app.queues.agent, workflowId: id, args, workflowIdReusePolicy: 'REJECT_DUPLICATE', ...(entity === null ? {} : { staticSummary: entity }) })
      if (entity === null) await handle.result() // what the agents' tickets are about has to have happened
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error // started by an earlier `npm start`
    }
  }
}

interface Ready {
  readonly ready: true
  readonly temporal: Stack['temporal']
  readonly inbox: Stack['inbox']
  readonly database: { readonly auditor: string; readonly gate: string; readonly owner: string }
  readonly task_queues: DevApp['queues']
  readonly workflows: readonly { readonly id: string; readonly entity: string | null; readonly status: string }[]
  /** What a person was asked before this start, and has not decided. */
  readonly waiting: readonly Waiting[]
}

async function readyLine(stack: Stack, app: DevApp, since: Date): Promise<Ready> {
  const { auditor, gate, owner } = stack.database
  const workflows = await Promise.all(app.workflows.map(async ({ id, entity }) => ({ id, entity, status: (await stack.client.workflow.getHandle(id).describe()).status.name.toLowerCase() })))
  return { ready: true, temporal: stack.temporal, inbox: stack.inbox, database: { auditor, gate, owner }, task_queues: app.queues, workflows, waiting: await waitingSince(auditor, since) }
}

function tellReady(ready: Ready): void {
  const { temporal, inbox } = ready
  console.log(`\n${notProtected}\n`)
  console.log(`Temporal     ${temporal.address}, namespace ${temporal.namespace}${temporal.ui === null ? '' : `, UI ${temporal.ui}`}`)
  for (const { id } of ready.workflows) if (temporal.ui !== null) console.log(`             ${id.padEnd(14)} ${temporal.ui}/namespaces/${temporal.namespace}/workflows/${id}`)
  console.log(`Inbox        ${inbox.url}`)
  console.log(`Log in once  ${inbox.login}\n`)
  const { waiting } = ready
  if (waiting.length === 0) return
  console.log(waiting.length === 1 ? '1 action waits for a person:' : `${waiting.length} actions wait for a person:`)
  for (const { entity, summary, approval_id } of waiting) console.log(visible(`  ${entity.padEnd(10)} ${summary}: ${inbox.url}/approvals/${approval_id}`))
  console.log('')
}

async function tellChanges(stack: Stack, since: Date, signal: AbortSignal, json: boolean): Promise<void> {
  for await (const change of watchLedger(stack.database.auditor, since, signal)) {
    if (json) console.log(JSON.stringify(change))
    else {
      const line = changeInWords(change, stack.inbox.url)
      if (line !== null) console.log(line)
    }
  }
}
