/** Fault 1: a gate process killed before, during and after each function of the database that it calls, around each payment, and before it tells the server. */
import { randomUUID } from 'node:crypto'
import type { Conduct } from '../books.ts'
import { external, idempotent } from '../domain.ts'
import { points, type DatabaseFunction, type Fall, type Point } from '../points.ts'
import type { Draw } from '../random.ts'
import type { Fault } from '../run.ts'
import { anyEffect, backlog, high, keepGates, low, propose, settle, type Batch, type Wanted } from '../session.ts'

/** What leads a gate to some of the points. */
interface Scenario {
  readonly at: readonly (DatabaseFunction | 'paying' | 'telling')[]
  readonly wanted: (draw: Draw) => Wanted
  /** How many trials a batch has. */
  readonly trials: number
  /** At which passage of a point a process falls: late enough for others to be under way. */
  readonly nth: readonly [number, number]
  /** At how many points of it gates fall in one batch. */
  readonly falls: number
  /** Executors that do not heed their deadline. */
  readonly patient?: boolean
  /** Something comes so late. */
  readonly lingerMs?: number
}

const slowly = (draw: Draw): readonly Conduct[] => [{ how: 'pay', delayMs: draw.int(300, 1_200) }]
const cutFirst = (draw: Draw): readonly Conduct[] => [{ how: draw.pick(['cut', 'pay_and_cut']), delayMs: draw.int(0, 300) }, { how: 'pay', delayMs: 0 }]

const plain = { trials: 36, nth: [4, 14], falls: 4, wanted: (draw: Draw): Wanted => ({ ...anyEffect(draw), conduct: slowly(draw) }) } as const
const doubtful = { ...plain, trials: 20, nth: [1, 4], falls: 3 } as const
const inDoubt = (draw: Draw): Wanted => ({ action: draw.pick(external), amountCents: draw.pick([low, high]), workflow: 'proposeAgain', conduct: cutFirst(draw) })

const scenarios: readonly Scenario[] = [
  { ...plain, at: ['read_facts', 'open_execution', 'complete_execution', 'paying', 'telling'] },
  // A sweeper looks every two seconds, first when its process starts.
  { ...plain, at: ['overdue_executions', 'due_reconciliations'], nth: [2, 2], falls: 3, trials: 20, wanted: (draw) => ({ ...anyEffect(draw), conduct: [{ how: 'pay', delayMs: draw.int(1_200, 2_000) }] }) },
  { ...plain, at: ['request_approval'], falls: 3, trials: 16, wanted: (draw) => ({ ...anyEffect(draw), amountCents: high }) },
  { ...plain, at: ['record_answer'], falls: 3, trials: 20, nth: [2, 6], wanted: (draw) => ({ ...anyEffect(draw), twice: true, key: 'the-same', state: draw.chance(0.4) ? 'CREATED' : 'PAID', conduct: slowly(draw) }) },
  { ...plain, at: ['execute_pure'], falls: 3, trials: 12, wanted: (draw) => ({ action: 'WAIVE', amountCents: draw.pick([low, high]) }) },
  { ...plain, at: ['report_event'], nth: [1, 3], falls: 3, trials: 12, wanted: () => ({ action: 'WAIVE', amountCents: low, workflow: 'reportDelivery', key: 'parcel' }) },
  { ...doubtful, at: ['resume_execution', 'yield_lease'], wanted: (draw) => ({ action: draw.pick(idempotent), amountCents: draw.pick([low, high]), conduct: cutFirst(draw) }) },
  { ...doubtful, at: ['mark_in_doubt', 'apply_reconciliation'], wanted: inDoubt },
  { ...doubtful, at: ['reject_reconciliation'], trials: 8, nth: [1, 2], wanted: (draw) => ({ ...inDoubt(draw), manners: { reconcile: 'unusable' }, conduct: [{ how: 'pay_and_cut', delayMs: 0 }] }) },
  // Somebody says that it did not happen, and then its executor returns.
  {
    ...doubtful, at: ['record_contradiction'], trials: 12, nth: [1, 2], patient: true, lingerMs: 9_500,
    wanted: (draw) => ({ action: draw.pick(external), amountCents: low, manners: { reconcile: 'wrong' }, conduct: [{ how: 'pay', delayMs: draw.int(6_500, 7_500) }] }),
  },
]

export const kill: Fault = {
  name: 'kill',
  says: 'a gate process is killed at every await point',
  mustReach: points,
  plan(draw, trials) {
    const batches: ((batch: Batch) => Promise<void>)[] = []
    for (let planned = 0; planned < trials; ) {
      for (const scenario of scenarios) {
        const there = draw.shuffled(points.filter((point) => scenario.at.some((where) => point.endsWith(` ${where}`))))
        for (let from = 0; from < there.length; from += scenario.falls) {
          batches.push(killAt(there.slice(from, from + scenario.falls), scenario))
          planned += scenario.trials
        }
      }
    }
    return draw.shuffled(batches)
  },
}

/** A gate falls at each of the points, one after the other or side by side; what was not reached so is reached alone. */
function killAt(wanted: readonly Point[], scenario: Scenario): (batch: Batch) => Promise<void> {
  return async (batch) => {
    const { draw } = batch
    const settings = wanted.map((point) => {
      const fall: Fall = { point, nth: draw.int(...scenario.nth), how: 'SIGKILL', delayMs: draw.int(0, 2), company: draw.int(4, 12) }
      return { slots: 14, patient: scenario.patient === true, fall }
    })
    await propose(batch, 'kill', scenario.trials, () => scenario.wanted(draw))
    await backlog(batch)
    keepGates(batch, settings.slice(0, 2), settings.slice(2))
    await settle(batch, { lingerMs: scenario.lingerMs ?? 0 })
    await Promise.all(wanted.filter((point) => !hasFallen(batch, point)).map((point) => reach(batch, point, scenario)))
  }
}

const hasFallen = ({ world, queue }: Batch, point: Point): boolean => world.gates.started(queue).some((gate) => gate.lastWords()?.under_way[0]?.point === point)

/** On a queue with one gate, which falls the first time it comes by. Only what its sweeper does may be done by another's; then again. */
async function reach(batch: Batch, point: Point, scenario: Scenario): Promise<void> {
  const own = batch.draw.fork(point)
  for (let attempt = 0; attempt < 8; attempt++) {
    let done = false
    const alone: Batch = { ...batch, draw: own, queue: `gate-${randomUUID()}`, trials: [], isOver: () => done || batch.isOver() }
    keepGates(alone, [{ patient: scenario.patient === true, fall: { point, nth: 1, how: 'SIGKILL', delayMs: 0 } }])
    await propose(alone, 'kill', 3, () => scenario.wanted(own))
    batch.trials.push(...alone.trials)
    await settle(alone, { lingerMs: scenario.lingerMs ?? 0 })
    done = true
    for (const gate of batch.world.gates.started(alone.queue)) gate.signal('SIGKILL')
    if (hasFallen(alone, point)) return
  }
}
