/** Fault 12: five equal proposals on one order, by five workflows, by one, and under one key; and a hundred on a hundred orders; all under kills. */
import type { Fault } from '../run.ts'
import { idempotent } from '../domain.ts'
import { points, type Fall } from '../points.ts'
import type { Draw } from '../random.ts'
import { aTrial, backlog, callOf, keepGates, low, propose, settle, startFor, type Batch } from '../session.ts'

const five = [0, 1, 2, 3, 4]
const familiesEach = 12

export const crowd: Fault = {
  name: 'crowd',
  says: 'five refunds of one order at once, a hundred on a hundred orders, under kills',
  plan: (_, trials) => [...Array.from({ length: Math.max(1, Math.floor(trials / 125)) }, () => hundred), ...Array.from({ length: Math.max(1, Math.ceil((trials % 125) / familiesEach)) }, () => families)],
}

const busy = points.filter((point) => /read_facts|open_execution|complete_execution|paying|telling/.test(point))
const aFall = (draw: Draw): Fall => ({ point: draw.pick(busy), nth: draw.int(2, 10), how: 'SIGKILL', delayMs: draw.int(0, 2), company: draw.int(3, 10) })

/** Of five on one order, one is paid: the state has moved for the others, or they are the same. */
async function families(batch: Batch): Promise<void> {
  const { draw, world } = batch
  const wanted = Array.from({ length: familiesEach }, () => ({ action: draw.pick(['REFUND', 'WIRE']), amountCents: low, shape: draw.pick(['five workflows', 'one workflow', 'one key'] as const), delayMs: draw.int(20, 300) }))
  const made = await Promise.all(wanted.map(async (each) => ({ ...each, trial: await aTrial(batch, 'crowd', each) })))
  await world.ground.books.conduct(Object.fromEntries(made.map(({ trial, delayMs }) => [trial.order, [{ how: 'pay', delayMs }]])))
  await Promise.all(made.map(async ({ trial, shape }) => {
    const call = callOf(batch, trial.order, { ...trial, ...(shape === 'one key' ? { key: 'the-same' } : {}) })
    if (shape === 'five workflows') await Promise.all(five.map(() => startFor(batch, trial, 'proposeOne', [call])))
    else await startFor(batch, trial, 'proposeAtOnce', [five.map(() => call)])
  }))
  await backlog(batch)
  keepGates(batch, [{ fall: aFall(draw) }, { fall: aFall(draw) }], [{ fall: aFall(draw) }])
  await settle(batch)
}

async function hundred(batch: Batch): Promise<void> {
  const { draw, world } = batch
  const trials = await propose(batch, 'crowd', 100, () => ({ action: draw.pick(idempotent), amountCents: low, conduct: [{ how: 'pay', delayMs: draw.int(20, 200) }] }))
  await backlog(batch)
  keepGates(batch, [{ fall: aFall(draw), slots: 30 }, { fall: aFall(draw), slots: 30 }], [{ fall: aFall(draw), slots: 30 }, { fall: aFall(draw), slots: 30 }, { slots: 30 }])
  await settle(batch)
  const effects = trials.map((trial) => world.ground.books.paid(trial.order).filter(({ effect }) => effect).length)
  if (effects.some((count) => count !== 1)) batch.violated(`a hundred orders have ${effects.filter((count) => count === 1).length} times one effect`)
}

