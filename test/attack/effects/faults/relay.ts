/** Fault 9: the relay killed between sending a review and marking that it was sent, and around everything else that it asks the database; several relays at once. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startRelay } from '../../../../src/approvals/relay.ts'
import type { Draw } from '../random.ts'
import type { Fault } from '../run.ts'
import { external, idempotent } from '../domain.ts'
import { points } from '../points.ts'
import { high, keepGates, propose, settle, type Batch } from '../session.ts'

const trialsEach = 40

export const relay: Fault = {
  name: 'relay',
  says: 'the relay killed between send and mark',
  relay: false,
  plan: (_, trials) => Array.from({ length: Math.ceil(trials / trialsEach) }, (__, index) => (index % 3 === 0 ? killed : unmarked)),
}

const falls = (draw: Draw): string => `${draw.pick(['before', 'before', 'during', 'after'])} ${draw.pick(['delivery_attempted', 'delivery_attempted', 'delivery_attempted', 'due_deliveries', 'open_rounds'])} ${draw.int(1, 4)}`
const held = (draw: Draw) => () => ({ action: draw.pick([...idempotent, ...external]), amountCents: high })

/** Processes that die. */
async function killed(batch: Batch): Promise<void> {
  const { draw } = batch
  await propose(batch, 'relay', trialsEach / 2, held(draw))
  keepGates(batch, [draw.chance(0.3) ? { fall: { point: draw.pick(points), nth: 5, how: 'SIGKILL', delayMs: 0 } } : {}])
  const relays = keepRelays(batch, Array.from({ length: 6 }, () => falls(draw)))
  await settle(batch)
  await relays.stop()
}

/** One in this process, whose marks fail after the signal has been sent, as if it had died there each time. */
async function unmarked(batch: Batch): Promise<void> {
  const { draw, world } = batch
  await propose(batch, 'relay', trialsEach, held(draw))
  keepGates(batch, [{}])
  const failing = draw.fork('marks')
  const relaying = startRelay({
    client: world.ground.client, everyMs: 150,
    store: { ...world.reviews, async deliveryAttempted(approvalId, nextMs, error) {
      if (failing.chance(0.5)) return world.reviews.deliveryAttempted(approvalId, nextMs, error)
      batch.count()
      batch.reached('the mark fails')
      const request = (await world.desk.show(approvalId))?.request
      batch.trialOf(request?.entity_id ?? '')?.hits.push('sent, and not marked')
      throw new Error('killed between send and mark')
    } },
  })
  await settle(batch)
  await relaying.stop()
}

/** Two relays: a dead one is replaced; by one that lives, when there are no falls left. */
function keepRelays(batch: Batch, fallsLeft: string[]): { readonly stop: () => Promise<void> } {
  const { ground, db } = batch.world
  const alive = new Set<ChildProcess>()
  let stopping = false
  let count = 0
  const keep = (fall = ''): void => {
    const words = join(ground.folder, `relay-${batch.queue}-${count += 1}.json`)
    const child = spawn(process.execPath, ['--conditions=kiff-source', new URL('../relay.ts', import.meta.url).pathname], {
      env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], TEMPORAL_ADDRESS: ground.temporalAddress, KIFF_REVIEWER_DATABASE_URL: db.urls.reviewer, KIFF_FALL: fall, KIFF_LAST_WORDS: words },
      stdio: ['pipe', 'ignore', 'inherit'],
    })
    child.stdin.on('error', () => {})
    alive.add(child)
    void replace(child, fall, words)
  }
  const replace = async (child: ChildProcess, fall: string, words: string): Promise<void> => {
    await once(child, 'exit')
    alive.delete(child)
    if (existsSync(words)) await noteFall(batch, fall, words)
    if (!stopping) keep(fallsLeft.shift())
  }
  keep(fallsLeft.shift())
  keep(fallsLeft.shift())
  return {
    async stop() {
      stopping = true
      const dying = [...alive].map((child) => once(child, 'exit'))
      for (const child of alive) child.kill('SIGKILL')
      await Promise.all(dying)
    },
  }
}

/** Around a mark, one approval was hit; around the list of what is due, all that were due. */
async function noteFall(batch: Batch, fall: string, words: string): Promise<void> {
  batch.count()
  batch.reached(fall.split(' ').slice(0, 2).join(' '))
  const approvalId = JSON.parse(readFileSync(words, 'utf8')) as string
  rmSync(words)
  const { rows } = await batch.world.db.pool('auditor').query<{ order: string }>(
    "select a.request::jsonb ->> 'entity_id' as order from kiff.approvals a join kiff.deliveries d using (approval_id) where a.approval_id::text = $1 or ($1 = '' and a.closed_seq is null)", [approvalId])
  for (const { order } of rows) batch.trialOf(order)?.hits.push(`relay killed ${fall}`)
}
