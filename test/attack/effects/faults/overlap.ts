/** Fault 2: two workers on one task. The first is frozen until the server has given its task to another, or its payment is slower than the server waits; then it goes on. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Conduct } from '../books.ts'
import { points, type Point } from '../points.ts'
import type { Draw } from '../random.ts'
import type { Fault } from '../run.ts'
import { anyEffect, backlog, keepGates, noteHits, propose, settle, type Batch } from '../session.ts'

const trialsEach = 36
/** Where a process is frozen: round all that an action does. */
const around: readonly Point[] = points.filter((point) => /read_facts|open_execution|complete_execution|paying|telling|request_approval/.test(point))

export const overlap: Fault = {
  name: 'overlap',
  says: 'two workers at one task: frozen, or slower than the server waits, and back later',
  plan: (draw, trials) => Array.from({ length: Math.ceil(trials / trialsEach) }, (_, index) => (index % 3 === 2 ? slow : frozenAt(draw.pick(around)))),
}

function frozenAt(point: Point): (batch: Batch) => Promise<void> {
  return async (batch) => {
    const { draw } = batch
    const frozenMs = draw.int(3_500, 6_000)
    await propose(batch, 'overlap', trialsEach, () => ({ ...anyEffect(draw), conduct: [{ how: 'pay', delayMs: draw.int(300, 1_200) }] }))
    // Patient: an executor that thaws does not learn that its time is over.
    await backlog(batch)
    const [frozen] = keepGates(batch, [{ fall: { point, nth: draw.int(4, 10), how: 'SIGSTOP', delayMs: draw.int(0, 2), company: draw.int(6, 12) }, patient: draw.chance(0.5) }, {}])
    const stopping = new AbortController()
    const thawing = (async () => {
      while (frozen?.lastWords() === undefined && !stopping.signal.aborted) await pause(50)
      if (frozen?.lastWords() === undefined) return
      noteHits(batch, frozen)
      // Whoever looks meanwhile finds nothing on the books, and cannot know that it is still on its way.
      for (const { order } of frozen.lastWords()?.under_way ?? []) batch.trialOf(order)?.excused.add('person_wrong')
      await pause(frozenMs)
      frozen.signal('SIGCONT')
    })()
    await settle(batch, { lingerMs: frozenMs + 4_000 })
    stopping.abort()
    await thawing
    }
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
