/** Servers of ours that die: told of, and back at the same place; or one clear sentence. */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startPostgres } from '../../src/dev/postgres-server.ts'
import { startTemporal } from '../../src/dev/temporal-server.ts'
import { openPool } from '../../src/postgres/connect.ts'
import { eventually } from '../a-stack.ts'

let folder: string
let told: string[]
let stops: (() => Promise<void>)[]
const onProgress = (line: string): void => { told.push(line) }
const onLost = (sentence: string): void => { told.push(`lost: ${sentence}`) }

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kiff-keep-up-'))
  told = []
  stops = []
})
afterEach(async () => {
  for (const stop of stops.toReversed()) await stop()
  await rm(folder, { recursive: true, force: true })
})

/** The server itself, not the shell that holds it. */
function killServer(named: RegExp, about: string): void {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,args=']).toString().split('\n')
  const found = lines.filter((line) => line.includes(about) && !line.includes('/bin/sh') && named.test(line))
  expect(found).toHaveLength(1)
  process.kill(Number(found[0]?.trim().split(' ')[0]), 'SIGKILL')
}

/** Longer than a server is taken to be ill for dying. */
const longEnough = (): Promise<void> => new Promise((resolve) => { setTimeout(resolve, 2_200) })

test('Postgres comes back at its address, with what was committed', async () => {
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), fsync: false, temporary: true, onProgress, onLost })
  stops.push(() => postgres.stop())
  const pool = openPool(postgres.adminUrl, { max: 1 })
  stops.push(() => pool.end())
  await pool.query('create table kept as select 42 as answer')
  await longEnough()
  told = []
  killServer(/bin\/postgres -D/, `-c port=${new URL(postgres.adminUrl).port}`)
  await eventually(async () => told.includes('Postgres is back'))
  expect(told).toEqual(['Postgres has ended (killed); starting it again', 'Postgres is back'])
  expect((await pool.query('select answer from kept')).rows).toEqual([{ answer: 42 }])
})

test('Temporal comes back at its address, with its workflows', async () => {
  const temporal = await startTemporal({ stateDir: folder, namespace: 'default', ui: false, persistent: true, preferredPort: 0, onProgress, onLost })
  stops.push(() => temporal.stop())
  const client = new Client({ connection: await Connection.connect({ address: temporal.address }) })
  stops.push(() => client.connection.close())
  await client.workflow.start('any', { taskQueue: 'nobody', workflowId: 'kept' })
  await longEnough()
  killServer(/server start-dev/, `--port ${temporal.address.split(':')[1]} `)
  await eventually(async () => told.includes('the Temporal server is back'))
  expect(told).toEqual(['the Temporal server has ended (killed); starting it again', 'the Temporal server is back'])
  expect((await client.workflow.getHandle('kept').describe()).status.name).toBe('RUNNING')
})

test('a Temporal that kept its workflows in memory is lost, in one sentence', async () => {
  const temporal = await startTemporal({ stateDir: folder, namespace: 'default', ui: false, preferredPort: 0, onProgress, onLost })
  stops.push(() => temporal.stop())
  await longEnough()
  killServer(/server start-dev/, `--port ${temporal.address.split(':')[1]} `)
  await eventually(async () => told.length > 0)
  expect(told).toEqual(['lost: the Temporal server has ended (killed): it kept its workflows in memory only'])
})

test('one that dies as soon as it is up is not started for ever', async () => {
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), fsync: false, temporary: true, onProgress: () => {}, onLost })
  stops.push(() => postgres.stop())
  killServer(/bin\/postgres -D/, `-c port=${new URL(postgres.adminUrl).port}`)
  await eventually(async () => told.length > 0)
  expect(told).toEqual(['lost: Postgres has ended (killed) as soon as it was up'])
})

test('one that is stopped is not announced', async () => {
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), fsync: false, temporary: true, onProgress: () => {}, onLost })
  await postgres.stop()
  expect(told).toEqual([])
})
