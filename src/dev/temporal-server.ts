/** A real Temporal server for development and tests: one that runs already, or Temporal's own development server. */
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { connect as connectTcp } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js'
import { searchAttributes } from '../temporal/names.ts'
import { claimFolder } from './claim.ts'
import { keepUp } from './keep-up.ts'
import { logTail, orStopped, startLeashed, type Leashed } from './leash.ts'
import { freePort } from './ports.ts'
import { SetupError } from './setup-error.ts'
import { findTemporal } from './temporal-binary.ts'

export interface TemporalOptions {
  /** Holds the server's log and, if `persistent`, its state. */
  readonly stateDir: string
  /** A server that runs already (`host:port`, without TLS): it is checked and used; nothing is started. */
  readonly address?: string | undefined
  readonly namespace: string
  readonly ui: boolean
  /** Keep workflows over a restart. Default: in memory. */
  readonly persistent?: boolean | undefined
  /** Taken when free, with the UI 1000 above it, as Temporal's own are; 0 for any. Default: 7233. */
  readonly preferredPort?: number | undefined
  readonly onProgress: (line: string) => void
  /** Given: a server of ours that dies is started again at its address if it is persistent; told when it does not come back. */
  readonly onLost?: ((sentence: string) => void) | undefined
}

export interface RunningTemporal {
  readonly address: string
  readonly namespace: string
  /** `undefined` without `ui`, and for a server that ran already. */
  readonly uiUrl: string | undefined
  /** Whether `stop` stops it. */
  readonly started: boolean
  stop(): Promise<void>
}

const defaultPort = 7233
const readyWithinMs = 60_000
const answerWithinMs = 3_000
/** The development server forgets closed workflows after a day; yesterday's must still replay. */
const retentionMs = 7 * 24 * 3_600_000

const attributes = [
  `${searchAttributes.status}=Keyword`, `${searchAttributes.entity}=Keyword`, `${searchAttributes.action}=Keyword`, `${searchAttributes.pending}=Int`,
]

/**
 * Brings Temporal up and returns when it answers for the namespace. A server of ours listens on 127.0.0.1 only, is not reached
 * by Ctrl-C in the terminal, and ends with us even if we are killed (see `leash.ts`).
 * @throws SetupError with one sentence when there is no way to one
 */
export async function startTemporal(options: TemporalOptions): Promise<RunningTemporal> {
  const { namespace } = options
  if (options.address !== undefined && options.address !== '') {
    const address = checkedAddress(options.address)
    await checkServer(address, namespace)
    return { address, namespace, uiUrl: undefined, started: false, stop: async () => {} }
  }
  const stateDir = resolve(options.stateDir)
  await mkdir(stateDir, { recursive: true, mode: 0o700 })
  const command = await findTemporal({ onProgress: options.onProgress })
  const claim = options.persistent === true ? await claimFolder(stateDir, 'temporal', options.onProgress) : undefined
  let server: { stop(): Promise<void> } | undefined
  const stop = async (): Promise<void> => {
    await server?.stop()
    await claim?.release()
  }
  try {
    const { port, uiPort } = await ports(options)
    const logFile = join(stateDir, 'temporal.log')
    const address = `127.0.0.1:${port}`
    const launch = async (): Promise<Leashed> => {
      const leashed = await startLeashed({
        command, args: startArgs(options, stateDir, port, uiPort), env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? stateDir },
        logFile, stopSignal: 'TERM', graceSeconds: 10,
      })
      return orStopped(leashed, async () => {
        await claim?.holds(leashed.pid)
        await answers(address, namespace, leashed, logFile)
        await keepHistories(address, namespace)
      })
    }
    const once = options.persistent === true ? undefined : 'it kept its workflows in memory only'
    server = await keepUp({ name: 'the Temporal server', launch, once, onProgress: options.onProgress, onLost: options.onLost })
    return { address, namespace, uiUrl: uiPort === undefined ? undefined : `http://127.0.0.1:${uiPort}`, started: true, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function ports({ ui, preferredPort = defaultPort, onProgress }: TemporalOptions): Promise<{ readonly port: number; readonly uiPort: number | undefined }> {
  const take = async (what: string, wanted: number): Promise<number> => {
    const port = await freePort(wanted)
    if (wanted !== 0 && port !== wanted) onProgress(`${wanted} is taken, using ${port} for ${what}`)
    return port
  }
  const port = await take('the Temporal server', preferredPort)
  return { port, uiPort: ui ? await take("Temporal's UI", preferredPort === 0 ? 0 : preferredPort + 1000) : undefined }
}

function startArgs({ namespace, persistent }: TemporalOptions, stateDir: string, port: number, uiPort: number | undefined): readonly string[] {
  return [
    'server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'error',
    ...(uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort)]),
    ...(namespace === 'default' ? [] : ['--namespace', namespace]),
    ...(persistent === true ? ['--db-filename', join(stateDir, 'temporal.db')] : []),
    ...attributes.flatMap((attribute) => ['--search-attribute', attribute]),
    // Otherwise any worker could signal into any namespace.
    '--dynamic-config-value', 'system.enableCrossNamespaceCommands=false',
  ]
}

function checkedAddress(address: string): string {
  const [, host, port] = /^([\w.-]+|\[[\da-fA-F:]+\])(?::(\d{1,5}))?$/.exec(address) ?? []
  if (host === undefined || Number(port ?? defaultPort) > 65_535) {
    throw new SetupError(`TEMPORAL_ADDRESS is "${address}", which cannot be read; it must look like localhost:${defaultPort}`, { exitCode: 2 })
  }
  return `${host}:${port ?? defaultPort}`
}

async function checkServer(address: string, namespace: string): Promise<void> {
  const silent = (cause?: unknown): SetupError =>
    new SetupError(`no Temporal server answers at ${address} (TEMPORAL_ADDRESS); start it, correct the address, or unset it to have one started here`, { cause })
  // gRPC tries a refused connection again for as long as it may; the bare port says so at once.
  if (!(await listens(address))) throw silent()
  const connection = await Connection.connect({ address, connectTimeout: answerWithinMs }).catch((cause: unknown) => { throw silent(cause) })
  try {
    await connection.withDeadline(Date.now() + 5000, () => connection.workflowService.describeNamespace({ namespace }))
  } catch (cause) {
    throw new SetupError(`the Temporal server at ${address} does not give access to the namespace "${namespace}" (${cause instanceof Error ? cause.message : String(cause)}); create it with: temporal operator namespace create --namespace ${namespace} --address ${address}`, { cause })
  } finally {
    await connection.close()
  }
}

async function answers(address: string, namespace: string, server: Leashed, logFile: string): Promise<void> {
  const exited = server.exited.then(() => true)
  for (const until = Date.now() + readyWithinMs; Date.now() < until; ) {
    if (await checkServer(address, namespace).then(() => true, () => false)) return
    if (await Promise.race([exited, pause(25, false)])) throw new SetupError(`the Temporal server ended while it started, see ${logFile}: ${await logTail(logFile)}`)
  }
  throw new SetupError(`the Temporal server did not answer at ${address} within ${readyWithinMs / 1000} s, see ${logFile}: ${await logTail(logFile)}`)
}

function listens(address: string): Promise<boolean> {
  const { hostname, port } = new URL(`tcp://${address}`)
  return new Promise((done) => {
    const socket = connectTcp({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), timeout: answerWithinMs })
    const end = (answer: boolean) => () => { socket.destroy(); done(answer) }
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false))
  })
}

async function keepHistories(address: string, namespace: string): Promise<void> {
  const connection = await Connection.connect({ address })
  try {
    const { config } = await connection.workflowService.describeNamespace({ namespace })
    if (tsToMs(config?.workflowExecutionRetentionTtl ?? null) >= retentionMs) return
    await connection.workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl: msToTs(retentionMs) } })
  } finally {
    await connection.close()
  }
}
