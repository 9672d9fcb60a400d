/** Fault 10: Postgres killed (SIGKILL to the server and every process of it) in the middle of commits, and started again on its port and folder. A cluster of its own, with fsync. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { startPostgres } from '../../../../src/dev/postgres-server.ts'
import { childrenOf, killNow } from '../processes.ts'
import type { Fault } from '../run.ts'
import { anyEffect, hitWhileUnderWay, keepGates, propose, settle, type Batch } from '../session.ts'
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
    await hitWhileUnderWay(batch, 'Postgres killed while it was under way', afterMs, () => killPostgres(adminUrl))
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

/** Every process of the server, so that none of them can finish its work. */
async function killPostgres(adminUrl: string): Promise<void> {
  const admin = new Client({ connectionString: adminUrl })
  admin.on('error', () => {})
  await admin.connect()
  const { rows } = await admin.query<{ folder: string }>("select current_setting('data_directory') as folder")
  const postmaster = Number((await readFile(join(rows[0]?.folder ?? '', 'postmaster.pid'), 'utf8')).split('\n')[0])
  for (const pid of [postmaster, ...(await childrenOf(postmaster))]) killNow(pid)
  await admin.end().catch(() => {})
}
