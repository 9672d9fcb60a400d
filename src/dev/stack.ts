/** Brings everything up, in order, each process with only its own secrets; and takes it down again. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client, Connection } from '@temporalio/client'
import type { Login } from '../postgres/bootstrap.ts'
import { createChildren } from './children.ts'
import { claimFolder } from './claim.ts'
import { keptPorts } from './kept-ports.ts'
import { freePort } from './ports.ts'
import { prepareDatabase, type PrepareOptions } from './prepare-database.ts'
import { devSecrets } from './secrets.ts'
import { createStops, type Stops } from './stops.ts'
import { startTemporal } from './temporal-server.ts'

/** Everything that lasts lives below `stateDir`; `persistent`: also Temporal's history. */
export interface StackOptions extends Omit<PrepareOptions, 'onLost'> {
  readonly temporalAddress?: string | undefined
  readonly namespace?: string | undefined
  /** Where the development secrets are kept; the state folder unless told. */
  readonly secretsDir?: string
  /** What the processes print, for the log. */
  readonly onOutput?: (process: string, line: string) => void
  /** Aborted while it comes up: what has been started is stopped. */
  readonly signal: AbortSignal
}

export interface Stack {
  readonly client: Client
  readonly temporal: { readonly address: string; readonly namespace: string; readonly ui: string | null }
  readonly inbox: { readonly url: string; readonly login: string }
  readonly database: Readonly<Record<Login, string>>
  readonly provider: { readonly url: string; readonly token: string }
  /** Process ids, by name: what a test looks at to see which secrets each was started with. */
  readonly pids: () => Readonly<Record<string, number>>
  /** SIGKILL, as an operator's worst day has it. */
  readonly killGate: () => Promise<void>
  readonly startGate: () => Promise<void>
  /** Fulfils, with one sentence, when a server is gone and does not come back. */
  readonly lost: Promise<string>
  readonly stop: () => Promise<void>
}

/** How long an interrupted start is waited for; what it leaves ends with this process. */
const abortGraceMs = 3_000

/** @throws Error, one sentence, when something is missing, taken, or `signal` aborts; what had been started by then is stopped */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { signal } = options
  const stops = createStops(options.onProgress)
  const coming = bringUp(options, stops)
  const aborted = new Promise<never>((_, reject) => {
    const abort = (): void => reject(new Error('interrupted while it started'))
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
  aborted.catch(() => {})
  try {
    return await Promise.race([coming, aborted])
  } catch (error) {
    await stops.stop()
    await Promise.race([coming.catch(() => {}), pause(abortGraceMs, undefined, { ref: false })])
    throw error
  }
}

async function bringUp(options: StackOptions, stops: Stops): Promise<Stack> {
  const { app, onProgress, signal, stateDir } = options
  // Passable, so that the `postgres` user reaches its cluster below it; secrets are readable by their owner only.
  await mkdir(stateDir, { recursive: true, mode: 0o711 })
  const ours = await claimFolder(stateDir, 'stack', onProgress)
  await stops.add(() => ours.release())
  const secrets = await devSecrets(options.secretsDir ?? stateDir)
  const loss = Promise.withResolvers<string>()
  const onLost = loss.resolve
  // Each registers its own stop, so that the one that comes up is stopped when the other fails.
  const both = await Promise.allSettled([
    prepareDatabase({ ...options, onLost }, secrets.passwords, stops),
    startTemporal({ stateDir, ui: true, persistent: options.persistent, namespace: options.namespace ?? 'default', onProgress, onLost, address: options.temporalAddress, preferredPort: options.persistent ? undefined : 0 }).then(async (started) => {
      await stops.add(() => started.stop())
      return started
    }),
  ])
  const [prepared, started] = both
  if (prepared.status === 'rejected') throw prepared.reason
  if (started.status === 'rejected') throw started.reason
  signal.throwIfAborted()
  const database = prepared.value
  const temporal = started.value
  const connection = await Connection.connect({ address: temporal.address })
  await stops.add(() => connection.close())
  const client = new Client({ connection, namespace: temporal.namespace })

  onProgress('starting the gate worker, the agent worker, the inbox, and the example payment provider, each as its own process')
  const inTemporal = { TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: temporal.namespace }
  const children = createChildren({ onProgress, onOutput: options.onOutput, signal })
  await stops.add(() => children.stop())
  // Nobody keeps a link of what does not last: it leaves the usual ports to who does.
  const ports = options.persistent ? await keptPorts(stateDir, onProgress) : { inbox: await freePort(), payments: await freePort() }
  const inboxUrl = `http://127.0.0.1:${ports.inbox}`
  const provider = await children.start({
    name: 'payment provider', entry: app.processes.provider, readyLine: /^payment provider ready on /,
    env: { PAYMENTS_PORT: String(ports.payments), PAYMENTS_LEDGER: join(stateDir, 'payments.jsonl'), PAYMENTS_TOKEN: secrets.paymentsToken },
  })
  const providerUrl = provider.replace('payment provider ready on ', '')
  const startGate = async (): Promise<void> => {
    await children.start({
      name: 'gate worker', entry: app.processes.gate, readyLine: /^gate worker ready/,
      env: {
        ...inTemporal,
        KIFF_GATE_DATABASE_URL: database.gate,
        KIFF_REVIEW_KEYS: JSON.stringify(secrets.reviewKeys),
        KIFF_INBOX_URL: inboxUrl,
        PAYMENTS_URL: providerUrl,
        PAYMENTS_TOKEN: secrets.paymentsToken,
      },
    })
  }
  const [, , login] = await Promise.all([
    startGate(),
    children.start({ name: 'agent worker', entry: app.processes.agent, env: inTemporal, readyLine: /^agent worker ready/ }),
    children.start({
      name: 'inbox', entry: fileURLToPath(new URL(`../cli/main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)), args: ['serve'], readyLine: /^log in once at /,
      env: {
        ...inTemporal,
        KIFF_REVIEWER_DATABASE_URL: database.reviewer,
        KIFF_REVIEW_PRIVATE_KEY: JSON.stringify(secrets.reviewKey),
        KIFF_INBOX_PORT: String(ports.inbox),
        KIFF_INBOX_PERSON: app.person,
        ...(temporal.uiUrl === undefined ? {} : { KIFF_TEMPORAL_UI: temporal.uiUrl }),
      },
    }),
  ])

  return {
    client, database, startGate,
    temporal: { address: temporal.address, namespace: temporal.namespace, ui: temporal.uiUrl ?? null },
    inbox: { url: inboxUrl, login: login.replace('log in once at ', '') },
    provider: { url: providerUrl, token: secrets.paymentsToken },
    pids: children.pids,
    killGate: () => children.kill('gate worker'),
    lost: loss.promise,
    stop: () => stops.stop(),
  }
}
