/** Fault 13: the Temporal server killed (SIGKILL) while gates are at work, and started again on its port and file. One of its own, which keeps its state on disk. */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startTemporal } from '../../../../src/dev/temporal-server.ts'
import { killNow, whoseCommand } from '../processes.ts'
import type { Fault } from '../run.ts'
import { anyEffect, hitWhileUnderWay, keepGates, propose, settle, type Batch } from '../session.ts'
import { aWorld, onTemporal, type Ground, type World } from '../world.ts'

const trialsEach = 40

export const server: Fault = {
  name: 'server',
  says: 'the Temporal server killed while gates are at work, and restarted',
  alone: true,
  world: onOwnServer,
  plan: (_, trials) => Array.from({ length: Math.ceil(trials / trialsEach) }, () => lost),
}

async function onOwnServer(ground: Ground): Promise<World> {
  const temporal = await startTemporal({
    stateDir: join(ground.folder, 'server-to-kill'), namespace: 'default', ui: false, persistent: true, preferredPort: 0, onProgress: () => {}, onLost: (sentence) => process.stderr.write(`${sentence}\n`),
  })
  const own = await onTemporal(temporal.address, ground.bundle)
  const world = await aWorld({ ...ground, ...own })
  return { ...world, async close() { await world.close(); await own.close(); await temporal.stop() } }
}

/** Two waves of trials, and a kill in the middle of each. */
async function lost(batch: Batch): Promise<void> {
  const { draw, world } = batch
  const waves = Array.from({ length: 2 }, () => ({ wave: draw.fork(String(draw.int(0, 1_000_000))), afterMs: draw.int(0, 400) }))
  keepGates(batch, [{ slots: 20 }, { slots: 20 }])
  for (const { wave, afterMs } of waves) {
    await propose(batch, 'server', trialsEach / waves.length, () => ({ ...anyEffect(wave), conduct: [{ how: 'pay', delayMs: wave.int(300, 1_500) }] }))
    await hitWhileUnderWay(batch, 'the Temporal server killed while it was under way', afterMs, () => killServer(world.ground.temporalAddress))
    await isBack(world)
  }
  await settle(batch, { withinMs: 120_000 })
}

async function killServer(address: string): Promise<void> {
  for (const pid of await whoseCommand('start-dev', `--port ${address.split(':')[1]}`)) killNow(pid)
}

/** Up again, and for so long that it counts as well: one that dies at once would not be started a second time. */
async function isBack({ ground: { client } }: World): Promise<void> {
  for (const until = Date.now() + 60_000; Date.now() < until; await pause(200)) {
    const answers = await client.withDeadline(Date.now() + 1_000, () => client.workflowService.describeNamespace({ namespace: 'default' })).then(() => true, () => false)
    if (answers) return pause(2_500)
  }
}
