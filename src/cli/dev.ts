/** `dev` (`npm start`): brings everything up, runs the reference agent over sample tickets, and tells what happens. */
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client'
import type { Command } from 'commander'
import { defaultApp, loadApp, type DevApp } from '../dev/app.ts'
import { startStack, type Stack } from '../dev/stack.ts'
import { watchLedger, type Change } from '../dev/watch.ts'
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
    .addHelpText('after', `
Environment: DATABASE_URL (a Postgres administrator) and TEMPORAL_ADDRESS use servers that run already; KIFF_STATE is the
folder for everything that lasts (.kiff). Ctrl-C stops what was started; the next start goes on where this one stopped.`)
    .action(async (options: { app: string; json?: true; verbose?: true }) => {
      const stop = new AbortController()
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())
      const app = await loadApp(options.app)
      const stack = await startStack({
        app, persistent: true,
        stateDir: resolve(stateDir()),
        databaseUrl: setIn('DATABASE_URL'),
        temporalAddress: setIn('TEMPORAL_ADDRESS'),
        namespace: setIn('TEMPORAL_NAMESPACE'),
        onProgress: say,
        onOutput: (name, line) => { if (options.verbose) say(`[${name}] ${line}`) },
      })
      try {
        const since = new Date()
        await startWorkflows(stack, app)
        const ready = await readyLine(stack, app)
        await writeFile(join(stateDir(), 'ready.json'), JSON.stringify(ready, null, 2), { mode: 0o600 })
        if (options.json) console.log(JSON.stringify(ready))
        else tellReady(ready)
        const aborted = once(stop.signal, 'abort')
        await Promise.race([stop.signal.aborted ? undefined : aborted, tellChanges(stack, since, stop.signal, options.json === true)])
      } finally {
        say('stopping')
        await rm(join(stateDir(), 'ready.json'), { force: true }) // other commands must not look for what has gone
        await stack.stop()
      }
      process.exit(0) // whatever a server's library has left open
    })
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
}

async function readyLine(stack: Stack, app: DevApp): Promise<Ready> {
  const { auditor, gate, owner } = stack.database
  const workflows = await Promise.all(app.workflows.map(async ({ id, entity }) => ({ id, entity, status: (await stack.client.workflow.getHandle(id).describe()).status.name.toLowerCase() })))
  return { ready: true, temporal: stack.temporal, inbox: stack.inbox, database: { auditor, gate, owner }, task_queues: app.queues, workflows }
}

function tellReady(ready: Ready): void {
  const { temporal, inbox } = ready
  console.log(`\n${notProtected}\n`)
  console.log(`Temporal     ${temporal.address}, namespace ${temporal.namespace}${temporal.ui === null ? '' : `, UI ${temporal.ui}`}`)
  for (const { id } of ready.workflows) if (temporal.ui !== null) console.log(`             ${id.padEnd(14)} ${temporal.ui}/namespaces/${temporal.namespace}/workflows/${id}`)
  console.log(`Inbox        ${inbox.url}`)
  console.log(`Log in once  ${inbox.login}\n`)
}

async function tellChanges(stack: Stack, since: Date, signal: AbortSignal, json: boolean): Promise<void> {
  for await (const change of watchLedger(stack.database.auditor, since, signal)) {
    if (json) console.log(JSON.stringify(change))
    else {
      const line = inWords(change, stack.inbox.url)
      if (line !== null) console.log(line)
    }
  }
}

/** One change in a line, or `null` for one that only the records need. */
function inWords(change: Change, inbox: string): string | null {
  const subject = `${change.at.slice(11, 19)}  ${(change.entity ?? change.workflow ?? '').padEnd(10)}`
  switch (change.change) {
    case 'event':
      return `${subject} ${change.event} (reported by ${change.actor})`
    case 'opened':
      return `${subject} ${change.action} allowed${change.approval_id === null ? ', within what the agent may do alone' : ': a person has granted it'}; it runs`
    case 'executed':
      return `${subject} ${change.action} done`
    case 'approval_requested':
      return `${subject} ${change.action} waits for a person: ${change.message}\n${' '.repeat(21)}decide at ${inbox}/approvals/${change.approval_id}`
    case 'reviewed':
      return `${subject} ${change.actor} has reviewed ${change.action}`
    case 'refused':
    case 'approval_denied':
    case 'event_refused':
      return `${subject} ${change.action ?? change.event} ${change.outcome}: ${change.reason} (${change.message})`
    case 'in_doubt':
    case 'completion_rejected':
      return `${subject} ${change.action}: nobody knows how it ended; ${change.entity} is held until a person has looked`
    case 'approval_expired':
    case 'approval_withdrawn':
    case 'signal_rejected':
    case 'failed':
      return `${subject} ${change.action} ${change.change.replaceAll('_', ' ')}`
    default:
      return null
  }
}
