import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { startChild } from '../../src/dev/child.ts'
import { freePort } from '../../src/dev/ports.ts'
import { startPostgres, type RunningPostgres } from '../../src/dev/postgres-server.ts'
import { SetupError } from '../../src/dev/setup-error.ts'
import { isAlive } from './is-alive.ts'

// Made with mode 0700, as a repository's folder may be: root's Postgres user cannot enter it.
let folder: string
let dataDir: string
let running: RunningPostgres | undefined
const progress: string[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kiff-postgres-test-'))
  dataDir = join(folder, 'state', 'postgres')
})

afterAll(async () => {
  await running?.stop()
  await rm(folder, { recursive: true })
})

async function start(more: { temporary?: boolean; databaseUrl?: string } = {}): Promise<RunningPostgres> {
  running = await startPostgres({ dataDir, fsync: false, onProgress: (line) => { progress.push(line) }, ...more })
  return running
}

async function query(url: string, text: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

async function clusterFolder(): Promise<string> {
  return (await readFile(join(dataDir, 'cluster-is-at'), 'utf8').catch(() => join(dataDir, 'cluster'))).trim()
}

async function postmaster(): Promise<number> {
  return Number((await readFile(join(await clusterFolder(), 'postmaster.pid'), 'utf8')).split('\n')[0])
}

/** How a start with this DATABASE_URL fails. */
async function told(databaseUrl: string): Promise<string> {
  const error: unknown = await startPostgres({ dataDir, databaseUrl, onProgress: () => {} }).then(() => 'it started', (reason: unknown) => reason)
  expect(error).toBeInstanceOf(SetupError)
  expect(error).toMatchObject({ exitCode: 2 })
  const message = error instanceof Error ? error.message : ''
  expect(message).not.toMatch(/s3cret|\n/)
  return message
}

test('what was written is there after a restart, and the server listens on this machine only', async () => {
  const first = await start()
  expect(progress).toContainEqual(expect.stringMatching(/^creating a Postgres database in .* \(once/))
  expect((await stat(join(dataDir, 'admin-password'))).mode & 0o777).toBe(0o600)
  await query(first.adminUrl, 'create table kept as select 42 as answer')
  expect(await query(first.adminUrl, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }])
  await first.stop()
  await expect(query(first.adminUrl, 'select')).rejects.toMatchObject({ code: 'ECONNREFUSED' })

  const second = await start()
  expect(await query(second.adminUrl, 'select answer from kept')).toEqual([{ answer: 42 }])
})

test('a second start in the same folder is told who has it', async () => {
  await expect(startPostgres({ dataDir, onProgress: () => {} })).rejects.toThrow(new SetupError(`${dataDir} is in use by another kiff-temporal, process ${process.pid}; stop that one first`))
  expect(running && await query(running.adminUrl, 'select 1 as one')).toEqual([{ one: 1 }])
})

test('stop ends a server with open connections, and stopping twice does no harm', async () => {
  const client = new Client({ connectionString: running?.adminUrl })
  const lost = new Promise((resolve) => { client.on('error', resolve) })
  await client.connect()
  await running?.stop()
  await lost
  await running?.stop()
})

test('a postmaster.pid that SIGKILL left behind, its number now somebody else\'s, does not prevent a start', async () => {
  await start()
  const pidFile = join(await clusterFolder(), 'postmaster.pid')
  process.kill(await postmaster(), 'SIGKILL')
  await running?.stop()
  // Postgres believes the file only of a process of its own user.
  const { uid, gid } = await stat(pidFile)
  const somebody = spawn('sleep', ['60'], process.getuid?.() === 0 ? { uid, gid } : {})
  const left = await readFile(pidFile, 'utf8')
  await writeFile(pidFile, left.replace(/^\d+/, String(somebody.pid)))
  const { adminUrl } = await start({ temporary: true })
  expect(await query(adminUrl, 'select answer from kept')).toEqual([{ answer: 42 }])
  expect(somebody.exitCode).toBeNull()
  somebody.kill()
  await running?.stop()
})

test('when we are killed, everything we started ends, and the next start finds what was committed', async () => {
  dataDir = join(folder, 'crashed')
  const lines: string[] = []
  const doomed = await startChild({ name: 'doomed', entry: 'test/dev/start-and-die.ts', args: [dataDir], env: {}, readyLine: /^up /, onLine: (line) => { lines.push(line) } })
  const { grandchild } = z.object({ grandchild: z.int() }).parse(JSON.parse(lines.at(-1)?.slice(3) ?? ''))
  const pids = [grandchild, await postmaster()]
  expect(pids.map(isAlive)).toEqual([true, true])
  doomed.kill('SIGKILL')
  await doomed.exited

  const { adminUrl } = await start({ temporary: true })
  expect(await query(adminUrl, 'select word from kept')).toEqual([{ word: 'before the crash' }])
  await expect.poll(() => pids.map(isAlive), { timeout: 5_000 }).toEqual([false, false])
})

test('a DATABASE_URL that leads nowhere is told in one sentence, without its password', async () => {
  const good = new URL(running?.adminUrl ?? '')
  const variant = (change: (url: URL) => void): string => {
    const url = new URL(good)
    url.password = 's3cret'
    change(url)
    return url.toString()
  }
  const free = await freePort()
  expect(await told('s3cret')).toBe('DATABASE_URL cannot be read; it must look like postgres://user:password@host:5432/database')
  expect(await told('mysql://a:s3cret@localhost/b')).toMatch(/^DATABASE_URL cannot be read/)
  expect(await told(variant((url) => { url.port = String(free) }))).toBe(`DATABASE_URL: nothing answers at 127.0.0.1:${free} (ECONNREFUSED); start that Postgres or correct the address`)
  expect(await told(variant(() => {}))).toBe(`DATABASE_URL: ${good.host} refuses the password of "postgres"; correct it`)
  expect(await told(variant((url) => { url.password = good.password; url.pathname = '/nowhere' }))).toBe(`DATABASE_URL: ${good.host} has no database "nowhere"; name one that exists, such as postgres`)
  expect(await told(variant((url) => { url.hostname = 'no.such.host.invalid' }))).toBe('DATABASE_URL: the host "no.such.host.invalid" is not known; correct it')
})

test('a DATABASE_URL that works is used as it is, and not stopped; a temporary server leaves nothing behind', async () => {
  const temporary = running
  const databaseUrl = temporary?.adminUrl ?? ''
  const given = await startPostgres({ dataDir, databaseUrl, onProgress: () => {} })
  expect(given).toMatchObject({ adminUrl: databaseUrl, embedded: false })
  await given.stop()
  expect(await query(databaseUrl, 'select 1 as one')).toEqual([{ one: 1 }])

  const files = await clusterFolder()
  await temporary?.stop()
  await expect(stat(files)).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(stat(dataDir)).rejects.toMatchObject({ code: 'ENOENT' })
})
