/** Fault 2: two workers on one task. The first is frozen until the server has given its task to another, or its payment is slower than the server waits; then it goes on. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Conduct } from '../books.ts'
import { points, type Point } from '../points.ts'
import type { GateProcess } from '../gates.ts'
import type { Draw } from '../random.ts'
import type { Fault } from '../run.ts'
import { anyEffect, backlog, high, keepGates, noteHits, propose, settle, type Batch } from '../session.ts'

const trialsEach = 24
/** Where a process is frozen: round all that an action does. */
const around: readonly Point[] = points.filter((point) => /read_facts|open_execution|complete_execution|paying|telling|request_approval/.test(point))

export const overlap: Fault = {
  name: 'overlap',
  says: 'two workers at one task: frozen, or slower than the server waits, and back later',
  plan: (draw, trials) => Array.from({ length: Math.ceil(trials / trialsEach) }, (_, index) => (index % 3 === 2 ? slow : frozenAt(draw.pick(around)))),
}

function frozenAt(point: Point): (batch: Batch) => Promise<void> {
  const asks = point.endsWith(' request_approval')
  return async (batch) => {
    const { draw } = batch
    const frozenMs = draw.int(3_500, 6_000)
    await propose(batch, 'overlap', trialsEach, () => {
      const wanted = anyEffect(draw)
      return { ...wanted, amountCents: asks ? high : wanted.amountCents, conduct: [{ how: 'pay', delayMs: draw.int(300, 1_200) }] }
    })
    await backlog(batch)
    // Alone at first, so that it comes by; patient: an executor that thaws does not learn that its time is over.
    const [frozen] = keepGates(batch, [{ fall: { point, nth: draw.int(1, 4), how: 'SIGSTOP', delayMs: draw.int(0, 2), company: draw.int(6, 10) }, patient: draw.chance(0.5) }])
    for (const until = Date.now() + 30_000; Date.now() < until && frozen?.lastWords() === undefined; ) await pause(50)
    keepGates(batch, [{}])
    const thawing = thaw(batch, frozen, frozenMs)
    await settle(batch, { lingerMs: frozenMs + 4_000 })
    await thawing
  }
}

async function thaw(batch: Batch, frozen: GateProcess | undefined, frozenMs: number): Promise<void> {
  const words = frozen?.lastWords()
  if (frozen === undefined || words === undefined) return
  noteHits(batch, frozen)
  // Whoever looks meanwhile finds nothing on the books, and cannot know that it is still on its way.
  for (const { order } of words.under_way) batch.trialOf(order)?.excused.add('person_wrong')
  await pause(frozenMs)
  frozen.signal('SIGCONT')
}

const late = (from: Draw): readonly Conduct[] => [{ how: 'pay', delayMs: from.int(2_500, 5_500) }, { how: 'pay', delayMs: from.chance(0.3) ? 2_700 : 0 }, { how: 'pay', delayMs: 0 }]

/** Late by less than another time-out, or by more; a late success still counts, the first attempt's or the second's. */
async function slow(batch: Batch): Promise<void> {
  const { draw } = batch
  await propose(batch, 'overlap', trialsEach, () => ({ ...anyEffect(draw), conduct: late(draw), manners: { reconcile: 'truthful' } }))
  keepGates(batch, [{ patient: true }, { patient: true }])
  await settle(batch, { lingerMs: 7_000 })
  const asked = batch.world.ground.books.asked()
  for (const trial of batch.trials) {
    if (!asked.some(({ order }) => order === trial.order)) continue
    trial.hits.push('paid later than the server waits')
    batch.count()
  }
}
