/** Fault 10: Postgres killed (SIGKILL to the server and every process of it) in the middle of commits, and started again on its port and folder. A cluster of its own, with fsync. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { startPostgres } from '../../../../src/dev/postgres-server.ts'
import type { Fault } from '../run.ts'
import { anyEffect, keepGates, propose, settle, type Batch } from '../session.ts'
import { aWorld, type Ground, type World } from '../world.ts'

const trialsEach = 60
const adminUrls = new WeakMap<World, string>()

export const database: Fault = {
  name: 'database',
  says: 'Postgres killed in the middle of commits, and restarted',
  alone: true,
  world: onOwnCluster,
  plan: (_, trials) => Array.from({ length: Math.ceil(trials / trialsEach) }, () => lost),
}

async function onOwnCluster(ground: Ground): Promise<World> {
  const postgres = await startPostgres({ dataDir: join(ground.folder, 'cluster-to-kill'), fsync: true, temporary: true, onProgress: () => {}, onLost: (sentence) => process.stderr.write(`${sentence}\n`) })
  const world = await aWorld(ground, postgres.adminUrl)
  const own: World = { ...world, async close() { await world.close(); await postgres.stop() } }
  adminUrls.set(own, postgres.adminUrl)
  return own
}

/** Three waves of trials, and a kill in the middle of each. */
async function lost(batch: Batch): Promise<void> {
  const { draw } = batch
  const waves = Array.from({ length: 3 }, () => ({ wave: draw.fork(String(draw.int(0, 1_000_000))), afterMs: draw.int(0, 400) }))
  const adminUrl = adminUrls.get(batch.world) ?? ''
  keepGates(batch, [{ slots: 20 }, { slots: 20 }])
  for (const { wave, afterMs } of waves) {
    await propose(batch, 'database', trialsEach / waves.length, () => ({ ...anyEffect(wave), workflow: 'proposeAgain', conduct: [{ how: 'pay', delayMs: wave.int(300, 1_500) }] }))
    for (const until = Date.now() + 6_000; Date.now() < until && (await ordersUnderWay(batch)).size < 14; ) await pause(100)
    await pause(afterMs)
    const under = await ordersUnderWay(batch)
    await killPostgres(adminUrl)
    batch.count()
    for (const trial of batch.trials) if (under.has(trial.order)) trial.hits.push('Postgres killed while it was under way')
    await isBack(adminUrl)
  }
  await settle(batch, { withinMs: 120_000 })
}

/** Up again, and for so long that it counts as well: one that dies at once would not be started a second time. */
async function isBack(adminUrl: string): Promise<void> {
  for (const until = Date.now() + 60_000; Date.now() < until; await pause(100)) {
    const admin = new Client({ connectionString: adminUrl })
    admin.on('error', () => {})
    const answers = await admin.connect().then(() => true, () => false)
    await admin.end().catch(() => {})
    if (answers) return pause(2_500)
  }
}

/** `PendingActivityState` on the wire. */
const started = 2

/** Whose activities the server has handed out. */
async function ordersUnderWay(batch: Batch): Promise<ReadonlySet<string>> {
  const under = await Promise.all(batch.trials.map(async (trial) => {
    const described = await Promise.all(trial.workflows.map((workflow) => workflow.describe()))
    return described.some(({ raw }) => raw.pendingActivities?.some(({ state }) => Number(state) === started)) ? [trial.order] : []
  }))
  return new Set(under.flat())
}

/** Every process of the server, so that none of them can finish its work. */
async function killPostgres(adminUrl: string): Promise<void> {
  const admin = new Client({ connectionString: adminUrl })
  admin.on('error', () => {})
  await admin.connect()
  const { rows } = await admin.query<{ folder: string }>("select current_setting('data_directory') as folder")
  const postmaster = Number((await readFile(join(rows[0]?.folder ?? '', 'postmaster.pid'), 'utf8')).split('\n')[0])
  for (const pid of [postmaster, ...(await childrenOf(postmaster))]) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has just ended by itself.
    }
  }
  await admin.end().catch(() => {})
}

async function childrenOf(parent: number): Promise<readonly number[]> {
  const all = await readdir('/proc')
  const found = await Promise.all(all.filter((name) => /^\d+$/.test(name)).map(async (pid) => {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent ? [Number(pid)] : []
  }))
  return found.flat()
}
