/** Fault 3: payments that go wrong in every way, and are tried again; workflows that are terminated meanwhile, so that nobody tries again. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Conduct } from '../books.ts'
import { points } from '../points.ts'
import type { Draw } from '../random.ts'
import type { Fault } from '../run.ts'
import { anyEffect, keepGates, propose, settle, type Batch } from '../session.ts'

const trialsEach = 40

export const retry: Fault = {
  name: 'retry',
  says: 'payments cut, declined, answered with rubbish, and tried again; workflows terminated meanwhile',
  plan: (_, trials) => Array.from({ length: Math.ceil(trials / trialsEach) }, (__, index) => (index % 4 === 3 ? terminated : wrongly)),
}

const turn = (draw: Draw): Conduct => ({ how: draw.pick(['cut', 'cut', 'pay_and_cut', 'pay_and_cut', 'decline', 'garbage']), delayMs: draw.chance(0.2) ? draw.int(2_500, 3_500) : draw.int(0, 50) })

async function wrongly(batch: Batch): Promise<void> {
  const { draw } = batch
  await propose(batch, 'retry', trialsEach, () => ({
    ...anyEffect(draw), workflow: 'proposeAgain',
    conduct: [...Array.from({ length: draw.int(1, 3) }, () => turn(draw)), { how: 'pay', delayMs: 0 }],
  }))
  keepGates(batch, [{}, draw.chance(0.5) ? { fall: { point: draw.pick(points), nth: draw.int(2, 10), how: 'SIGKILL', delayMs: 1 } } : {}])
  await settle(batch)
  noteRequests(batch, ({ how }) => how !== 'pay')
}

async function terminated(batch: Batch): Promise<void> {
  const { draw } = batch
  await propose(batch, 'retry', trialsEach, () => ({ ...anyEffect(draw), conduct: [{ how: 'pay', delayMs: draw.int(500, 3_000) }, { how: 'pay', delayMs: 0 }] }))
  keepGates(batch, [{}, draw.chance(0.5) ? { fall: { point: 'during paying', nth: draw.int(1, 6), how: 'SIGKILL', delayMs: 1 } } : {}])
  for (const until = Date.now() + 8_000; Date.now() < until; await pause(100)) {
    const asked = new Set(batch.world.ground.books.asked().map(({ order }) => order))
    for (const trial of batch.trials) {
      if (!asked.has(trial.order) || trial.excused.has('workflow_terminated')) continue
      trial.excused.add('workflow_terminated')
      await Promise.all(trial.workflows.map((workflow) => workflow.terminate('a fault').catch(() => {})))
    }
  }
  await settle(batch, { lingerMs: 5_000 })
  noteRequests(batch, () => true)
}

/** A trial is hit if one of its requests went so. */
function noteRequests(batch: Batch, wrong: (asked: { readonly how: Conduct['how'] }) => boolean): void {
  const asked = Map.groupBy(batch.world.ground.books.asked(), ({ order }) => order)
  for (const trial of batch.trials) {
    for (const request of asked.get(trial.order) ?? []) {
      if (!wrong(request)) continue
      trial.hits.push(request.how)
      batch.count()
    }
  }
}
