/** Brings everything up, in order, each process with only its own secrets; and takes it down again. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client, Connection } from '@temporalio/client'
import { bootstrapDatabase, type Login } from '../postgres/bootstrap.ts'
import { openPool } from '../postgres/connect.ts'
import { migrate } from '../postgres/migrate.ts'
import { changeMembership, registerDomain } from '../postgres/registry.ts'
import type { DevApp } from './app.ts'
import { startChild, type Child } from './child.ts'
import { claimFolder } from './claim.ts'
import { freePort } from './ports.ts'
import { startPostgres } from './postgres-server.ts'
import { devSecrets } from './secrets.ts'
import { startTemporal } from './temporal-server.ts'

export interface StackOptions {
  readonly app: DevApp
  /** Everything that lasts lives below this folder. */
  readonly stateDir: string
  readonly databaseUrl?: string | undefined
  readonly temporalAddress?: string | undefined
  readonly namespace?: string | undefined
  /** Where the development secrets are kept; the state folder unless told. */
  readonly secretsDir?: string
  /** `kiff` unless told. */
  readonly databaseName?: string
  /** Keep Temporal's history over a restart. */
  readonly persistent: boolean
  readonly onProgress: (line: string) => void
  /** What the processes print, for the log. */
  readonly onOutput?: (process: string, line: string) => void
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
  readonly stop: () => Promise<void>
}

/** @throws Error, one sentence, when something is missing or taken; what had been started by then is stopped */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { app, onProgress, stateDir } = options
  // Passable, so that the `postgres` user reaches its cluster below it; secrets are readable by their owner only.
  await mkdir(stateDir, { recursive: true, mode: 0o711 })
  const ours = await claimFolder(stateDir, 'stack', onProgress)
  const stops: (() => Promise<void>)[] = [() => ours.release()]
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).toReversed()) await each().catch((error: unknown) => onProgress(`while stopping: ${error instanceof Error ? error.message : String(error)}`))
  }
  try {
    const secrets = await devSecrets(options.secretsDir ?? stateDir)
    // Each registers its own stop, so that the one that comes up is stopped when the other fails.
    const both = await Promise.allSettled([
      prepareDatabase(options, secrets.passwords, stops),
      startTemporal({ stateDir, ui: true, persistent: options.persistent, namespace: options.namespace ?? 'default', onProgress, address: options.temporalAddress }).then((started) => {
        stops.push(() => started.stop())
        return started
      }),
    ])
    const [prepared, started] = both
    if (prepared.status === 'rejected') throw prepared.reason
    if (started.status === 'rejected') throw started.reason
    const database = prepared.value
    const temporal = started.value
    const connection = await Connection.connect({ address: temporal.address })
    stops.push(() => connection.close())
    const client = new Client({ connection, namespace: temporal.namespace })

    onProgress('starting the gate worker, the agent worker, the inbox, and the example payment provider, each as its own process')
    const inTemporal = { TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: temporal.namespace }
    const children = new Map<string, Child>()
    const start = async (name: string, entry: string, env: Record<string, string>, readyLine: RegExp, args: readonly string[] = []): Promise<string> => {
      let ready = ''
      const child = await startChild({
        name, entry, env, readyLine, args: [...args],
        onLine: (line) => {
          if (readyLine.test(line)) ready = line
          options.onOutput?.(name, line)
        },
      })
      children.set(name, child)
      const comeBack = async (): Promise<void> => {
        const code = await child.exited
        if (children.get(name) !== child) return // ended on purpose
        onProgress(`${name} has ended (${code === null ? 'killed' : `exit ${code}`}); starting it again`)
        try {
          onProgress(`${name} is back: ${await start(name, entry, env, readyLine, args)}`)
        } catch (error) {
          onProgress(`${name} does not start again: ${error instanceof Error ? error.message : String(error)}`)
        }
      }
      void comeBack()
      return ready
    }
    stops.push(async () => {
      const running = [...children.values()]
      children.clear()
      await Promise.all(running.map((child) => child.stop(4_000)))
    })

    const ports = await keptPorts(stateDir)
    const inboxUrl = `http://127.0.0.1:${ports.inbox}`
    const provider = await start('payment provider', app.processes.provider, { PAYMENTS_PORT: String(ports.payments), PAYMENTS_LEDGER: join(stateDir, 'payments.jsonl'), PAYMENTS_TOKEN: secrets.paymentsToken }, /^payment provider ready on /)
    const providerUrl = provider.replace('payment provider ready on ', '')
    const startGate = async (): Promise<void> => {
      await start('gate worker', app.processes.gate, {
        ...inTemporal,
        KIFF_GATE_DATABASE_URL: database.gate,
        KIFF_REVIEW_KEYS: JSON.stringify(secrets.reviewKeys),
        KIFF_INBOX_URL: inboxUrl,
        PAYMENTS_URL: providerUrl,
        PAYMENTS_TOKEN: secrets.paymentsToken,
      }, /^gate worker ready/)
    }
    const links: string[] = []
    const [, , login] = await Promise.all([
      startGate(),
      start('agent worker', app.processes.agent, inTemporal, /^agent worker ready/),
      start('inbox', fileURLToPath(new URL(`../cli/main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)), {
        ...inTemporal,
        KIFF_REVIEWER_DATABASE_URL: database.reviewer,
        KIFF_REVIEW_PRIVATE_KEY: JSON.stringify(secrets.reviewKey),
        KIFF_INBOX_PORT: String(ports.inbox),
        KIFF_INBOX_PERSON: app.person,
        ...(temporal.uiUrl === undefined ? {} : { KIFF_TEMPORAL_UI: temporal.uiUrl }),
      }, /^log in once at /, ['serve']),
    ])
    links.push(login.replace('log in once at ', ''))

    return {
      client, database,
      temporal: { address: temporal.address, namespace: temporal.namespace, ui: temporal.uiUrl ?? null },
      inbox: { url: inboxUrl, login: links[0] ?? inboxUrl },
      provider: { url: providerUrl, token: secrets.paymentsToken },
      pids: () => Object.fromEntries([...children].map(([name, child]) => [name, child.pid])),
      async killGate() {
        const gate = children.get('gate worker')
        children.delete('gate worker')
        gate?.kill('SIGKILL')
        await gate?.exited
      },
      startGate, stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function prepareDatabase(options: StackOptions, passwords: Readonly<Record<Login, string>>, stops: (() => Promise<void>)[]): Promise<Readonly<Record<Login, string>>> {
  const { app, onProgress, databaseUrl } = options
  const postgres = await startPostgres({ dataDir: join(options.stateDir, 'postgres'), databaseUrl, temporary: !options.persistent, onProgress })
  stops.push(() => postgres.stop())
  const urls = await bootstrapDatabase(postgres.adminUrl, options.databaseName ?? 'kiff', passwords)
  const applied = await migrate(urls.owner)
  if (applied.length > 0) onProgress(`applied ${applied.length} migrations`)
  const owner = openPool(urls.owner, { max: 1, name: 'kiff-dev' })
  try {
    for (const domain of app.domains) await registerDomain(owner, domain)
    for (const { domain, actor, role } of app.members) await changeMembership(owner, { kind: 'role_granted', domain, actor, role, by: 'dev' })
  } finally {
    await owner.end()
  }
  return urls
}

/** The ports of the last start, where they are free: links that people have kept go on working. */
async function keptPorts(stateDir: string): Promise<{ readonly inbox: number; readonly payments: number }> {
  const file = join(stateDir, 'ports.json')
  const kept: unknown = JSON.parse(await readFile(file, 'utf8').catch(() => '{}'))
  const before = (name: string, fallback: number): number => {
    const port: unknown = typeof kept === 'object' && kept !== null ? Reflect.get(kept, name) : undefined
    return typeof port === 'number' ? port : fallback
  }
  const ports = { inbox: await freePort(before('inbox', 4080)), payments: await freePort(before('payments', 4081)) }
  await writeFile(file, JSON.stringify(ports))
  return ports
}
