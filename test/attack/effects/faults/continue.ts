/** Fault 7: workflows that continue as new while somebody is asked, or while it is paid, under a kill. */
import type { Fault } from '../run.ts'
import { anyEffect, aTrial, callOf, keepGates, settle, startFor, type Batch } from '../session.ts'
import { points } from '../points.ts'

const trialsEach = 30

export const continued: Fault = {
  name: 'continue',
  says: 'continued as new with an approval pending or a payment under way',
  plan: (_, trials) => Array.from({ length: Math.ceil(trials / trialsEach) }, () => continueMeanwhile),
}

async function continueMeanwhile(batch: Batch): Promise<void> {
  const { draw, world } = batch
  const wanted = Array.from({ length: trialsEach }, () => {
    const turns = draw.int(1, 3)
    // A run that is continued after its answer proposes anew.
    return { ...anyEffect(draw), turns, proposals: turns + 1, afterMs: draw.int(50, 1_200), delayMs: draw.int(0, 1_000) }
  })
  const made = await Promise.all(wanted.map(async (each) => ({ ...each, trial: await aTrial(batch, 'continue', each) })))
  await world.ground.books.conduct(Object.fromEntries(made.map(({ trial, delayMs }) => [trial.order, [{ how: 'pay', delayMs }]])))
  await Promise.all(made.map(({ trial, turns, afterMs }) => startFor(batch, trial, 'continueMeanwhile', [callOf(batch, trial.order, trial), turns, afterMs])))
  keepGates(batch, [{ fall: { point: draw.pick(points), nth: draw.int(2, 10), how: 'SIGKILL', delayMs: 1 } }, {}])
  await settle(batch)
  await Promise.all(batch.trials.map(async (trial) => {
    const [workflow] = trial.workflows
    const { raw } = (await workflow?.describe()) ?? {}
    const runs = raw?.workflowExecutionInfo?.firstRunId === raw?.workflowExecutionInfo?.execution?.runId
    if (runs) return
    trial.hits.push('continued as new')
    batch.count()
  }))
}
