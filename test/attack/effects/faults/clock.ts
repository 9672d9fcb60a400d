/** Fault 11: gate processes whose clocks are wrong by an hour, either way; every deadline here is of half an hour, and the database's clock decides. */
import { setTimeout as pause } from 'node:timers/promises'
import { points } from '../points.ts'
import type { Fault } from '../run.ts'
import { anyEffect, backlog, high, keepGates, propose, settle, type Batch } from '../session.ts'

const trialsEach = 30
const hour = 3_600_000

export const clock: Fault = {
  name: 'clock',
  says: "a gate's clock wrong by an hour, either way",
  plan: (_, trials) => Array.from({ length: Math.ceil(trials / trialsEach) }, (__, index) => (index % 3 === 2 ? expired : wrongly)),
}

/** Grants are used, executions taken up again, and leases respected, as if the clock were right. */
async function wrongly(batch: Batch): Promise<void> {
  const { draw } = batch
  const clockMs = draw.pick([hour, -hour])
  await propose(batch, 'clock', trialsEach, () => ({ ...anyEffect(draw), manners: { review: 'granted' }, conduct: [{ how: 'pay', delayMs: draw.int(300, 1_200) }] }))
  const fall = { point: draw.pick(points.filter((point) => /open_execution|complete_execution|paying/.test(point))), nth: draw.int(3, 8), how: 'SIGKILL', delayMs: 1 } as const
  await backlog(batch)
  keepGates(batch, [{ clockMs, fall }, { clockMs: -clockMs }], [{ clockMs: draw.pick([hour, -hour]) }])
  await settle(batch)
  for (const trial of batch.trials) {
    trial.hits.push('judged by a wrong clock')
    const told = String(Reflect.get(Object(trial.told[0]), 'reason') ?? Reflect.get(Object(trial.told[0]), 'outcome'))
    if (told !== 'allowed' && told !== 'outcome_unknown') batch.violated(`${trial.order}: told ${told} by a gate whose clock is wrong`)
  }
}

/** A grant whose time is over is not used, also where the gate's clock says that there is an hour left. */
async function expired(batch: Batch): Promise<void> {
  const { draw, world } = batch
  const trials = await propose(batch, 'clock', trialsEach, () => ({ action: anyEffect(draw).action, amountCents: high, manners: { review: 'silent' } }))
  keepGates(batch, [{ clockMs: -hour }])
  await Promise.all(trials.map(async (trial) => {
    for (const until = Date.now() + 20_000; Date.now() < until; await pause(100)) {
      const asked = (await world.desk.pending()).find(({ request }) => request.entity_id === trial.order)
      if (asked === undefined) continue
      const { approval_id: approvalId } = asked.request
      // As if that long had gone by. The relay delivers the grant in the same moment; it is too late by the database's clock.
      await world.db.pool('owner').query("update kiff.approvals set answer_by = answer_by - interval '1 hour', use_by = use_by - interval '1 hour' where approval_id = $1", [approvalId])
      await trial.workflows[0]?.signal('kiff.review', { approval_id: approvalId, jws: 'to look at it' })
      trial.hits.push('expired by the right clock')
      batch.count()
      return
    }
  }))
  await settle(batch)
  for (const trial of trials) if (world.ground.books.paid(trial.order).length > 0) batch.violated(`${trial.order}: paid after the time was over`)
}
