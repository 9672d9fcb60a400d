/** DATABASE_URL on a server that somebody else's installation is on. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { prepareDatabase, type PrepareOptions } from '../../src/dev/prepare-database.ts'
import { startPostgres, type RunningPostgres } from '../../src/dev/postgres-server.ts'
import { devSecrets } from '../../src/dev/secrets.ts'
import { createStops } from '../../src/dev/stops.ts'
import { urlsOf, type Passwords } from '../../src/postgres/bootstrap.ts'
import { openPool } from '../../src/postgres/connect.ts'
import { aDatabase } from '../a-database.ts'
import { aCommand } from '../e2e/a-command.ts'

let folder: string
let postgres: RunningPostgres

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kiff-take-over-'))
  postgres = await startPostgres({ dataDir: join(folder, 'postgres'), fsync: false, temporary: true, onProgress: () => {} })
  await (await aDatabase(postgres.adminUrl, [refunds], { maria: 'finance' })).close() // theirs
})
afterAll(async () => {
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
})

const theirs: Passwords = { owner: 'owner-test', gate: 'gate-test', reviewer: 'reviewer-test', auditor: 'auditor-test' }
async function letsIn(passwords: Passwords, login: keyof Passwords): Promise<boolean> {
  const pool = openPool(urlsOf(postgres.adminUrl, 'postgres', passwords)[login], { max: 1 })
  try {
    return await pool.query('select').then(() => true, () => false)
  } finally {
    await pool.end()
  }
}
async function databases(): Promise<string[]> {
  const pool = openPool(postgres.adminUrl, { max: 1 })
  try {
    const { rows } = await pool.query<{ name: string }>("select datname as name from pg_database where datname in ('kiff', 'kiff_other') order by 1")
    return rows.map(({ name }) => name)
  } finally {
    await pool.end()
  }
}

/** What `dev` does with the database, with the secrets of a state folder of its own. */
async function prepare(state: string, more: Partial<PrepareOptions> = {}): Promise<Passwords> {
  const { passwords } = await devSecrets(join(folder, state))
  const stops = createStops(() => {})
  const app = { domains: [refunds], members: [], person: 'maria', processes: { provider: '', gate: '', agent: '' }, queues: { agent: '', gate: '' }, workflows: [] }
  await prepareDatabase({ app, stateDir: join(folder, state), databaseUrl: postgres.adminUrl, persistent: true, onProgress: () => {}, onLost: () => {}, ...more }, passwords, stops)
  await stops.stop()
  return passwords
}

const refusal = /^DATABASE_URL: 127\.0\.0\.1:\d+ has the logins kiff_auditor, kiff_gate, kiff_owner, kiff_reviewer already, and they were not made from here; use a server .* or say --take-over .*$/

test.each(['dev', 'tour'])('%s refuses it in one sentence, and changes nothing', async (name) => {
  const command = aCommand([name], { KIFF_STATE: join(folder, name), DATABASE_URL: postgres.adminUrl, TEMPORAL_ADDRESS: inject('temporalAddress') })
  expect(await command.exited).toBe(2)
  expect(command.stderr().trim()).toMatch(refusal)
  expect(await letsIn(theirs, 'gate')).toBe(true)
  expect(await databases()).toEqual([])
})

test('it is taken over only when that is asked for; from then on it is ours, and no other folder\'s', async () => {
  await expect(prepare('a')).rejects.toThrow(refusal)
  const ours = await prepare('a', { takeOver: true })
  expect([await letsIn(ours, 'owner'), await letsIn(theirs, 'owner')]).toEqual([true, false])
  await prepare('a')
  await expect(prepare('b')).rejects.toThrow(refusal)
  expect(await databases()).toEqual(['kiff'])
})

test('a database of that name, on a server without our logins, is somebody else\'s as well', async () => {
  const other = await startPostgres({ dataDir: join(folder, 'other'), fsync: false, temporary: true, onProgress: () => {} })
  const admin = openPool(other.adminUrl, { max: 1 })
  try {
    await admin.query('create database kiff')
    await expect(prepare('c', { databaseUrl: other.adminUrl })).rejects.toThrow(/has a database "kiff" already, and it was not made from here/)
    expect((await admin.query("select from pg_roles where rolname like 'kiff%'")).rowCount).toBe(0)
    await admin.query("create role clerk login password 'clerk'")
    const clerk = new URL(other.adminUrl)
    clerk.username = 'clerk'
    clerk.password = 'clerk'
    await expect(prepare('c', { databaseUrl: clerk.toString(), databaseName: 'kiff_other' })).rejects.toThrow(/^DATABASE_URL: "clerk" may not make logins and databases; name an administrator$/)
  } finally {
    await admin.end()
    await other.stop()
  }
})

test('what is not meant to last leaves no database behind', async () => {
  await prepare('a', { persistent: false, databaseName: 'kiff_other' })
  expect(await databases()).toEqual(['kiff'])
})
