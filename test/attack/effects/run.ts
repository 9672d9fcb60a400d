/** Runs one fault's batches, a few at a time, audits what is left, and tells what came of it. */
import { randomUUID } from 'node:crypto'
import { whenAborted } from '../../../src/cli/interrupts.ts'
import { audit } from './audit.ts'
import type { Draw } from './random.ts'
import { startPerson, type Person } from './person.ts'
import type { Batch } from './session.ts'
import type { Trial } from './trial.ts'
import { aWorld, type Ground, type World } from './world.ts'

/** One way to break it. */
export interface Fault {
  readonly name: string
  readonly says: string
  /** The batches, for at least so many trials: what each is, depends on the draw alone. */
  readonly plan: (draw: Draw, trials: number) => readonly ((batch: Batch) => Promise<void>)[]
  /** A world of another kind, where the fault needs one. */
  readonly world?: (ground: Ground) => Promise<World>
  /** What has to be reached at least once; only where every batch is run. */
  readonly mustReach?: readonly string[]
  /** Its batches run one after the other. */
  readonly alone?: boolean
  /** No review is delivered but by the batch. */
  readonly relay?: boolean
}

export interface FaultReport {
  readonly fault: string
  readonly trials: number
  /** Those that a fault has touched. */
  readonly hit: number
  readonly faults: number
  /** On the provider's books. */
  readonly effects: number
  readonly told: Readonly<Record<string, number>>
  /** Executions that came to be in doubt. */
  readonly inDoubt: number
  readonly reached: Readonly<Record<string, number>>
  readonly violations: readonly string[]
  readonly seconds: number
}

export interface RunOptions {
  readonly seed: number
  readonly trials: number
  /** Only this batch. */
  readonly batch?: number | undefined
  /** Aborted: what runs is cut off, and its world closed. */
  readonly signal?: AbortSignal
  readonly onProgress: (line: string) => void
}

/** A fault's batches, in their order. */
export function batchesOf(fault: Fault, draw: Draw, trials: number): ReturnType<Fault['plan']> {
  return fault.plan(draw.fork(fault.name).fork('plan'), trials)
}

/**
 * One fault: its batches in turn with those of the others that run on this ground.
 * @throws the signal's reason when it aborts
 */
export async function runFault(ground: Ground, draw: Draw, fault: Fault, { seed, trials: wanted, batch: only, signal = new AbortController().signal, onProgress }: RunOptions): Promise<FaultReport> {
  const own = draw.fork(fault.name)
  const repeatBy = (batch: number): string => `npm run effects -- --fault ${fault.name} --seed ${seed} --trials ${wanted} --batch ${batch}`
  const planned = batchesOf(fault, draw, wanted).map((run, number) => ({ run, number })).filter(({ number }) => only === undefined || number === only)
  const cutOff = whenAborted(signal)
  const batches: Batch[] = []
  const violations: string[] = []
  const reached: Record<string, number> = {}
  let faults = 0
  let startedAt = 0
  let opening: Promise<{ readonly world: World; readonly person: Person }> | undefined
  const open = async (): Promise<{ readonly world: World; readonly person: Person }> => {
    startedAt = Date.now()
    const world = await (fault.world ?? aWorld)(ground)
    return { world, person: startPerson(world, own.fork('person'), { relay: fault.relay ?? true }) }
  }
  const one = async ({ run, number }: (typeof planned)[number]): Promise<void> => {
    signal.throwIfAborted()
    const { world, person } = await (opening ??= open())
    let over = false
    const batch: Batch = {
      world, person, number, draw: own.fork(`batch ${number}`), queue: `gate-${randomUUID()}`, trials: [],
      count: (some = 1) => { faults += some },
      violated: (what) => { violations.push(`${what} [${repeatBy(number)}]`) },
      reached: (what) => { reached[what] = (reached[what] ?? 0) + 1 },
      trialOf: (order) => batches.flatMap((each) => each.trials).find((trial) => trial.order === order),
      isOver: () => over,
    }
    batches.push(batch)
    const running = run(batch).catch((error: unknown) => batch.violated(`the batch broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`))
    await Promise.race([running, cutOff])
    over = true
    const gates = world.gates.started(batch.queue)
    for (const gate of gates) gate.signal('SIGKILL')
    await Promise.all(gates.map(({ dead }) => dead))
    signal.throwIfAborted()
    onProgress(`${fault.name}: ${batch.trials.filter(({ hits }) => hits.length > 0).length} of ${batch.trials.length} trials hit in batch ${number} (${planned.length} in all)`)
  }
  try {
    let before: Promise<void> = Promise.resolve()
    await Promise.all(planned.map((batch) => {
      const turn = fault.alone === true ? before.then(() => ground.inTurn(() => one(batch))) : ground.inTurn(() => one(batch))
      before = turn
      return turn
    }))
    const { world, person } = await (opening ??= open())
    await person.stop()
    const trials = batches.flatMap((batch) => batch.trials)
    for (const { trial, what } of await audit(world, trials)) {
      violations.push(trial === null ? what : `${trial.action} ${trial.amountCents} on ${trial.order} (${trial.hits.join('; ') || 'not hit'}): ${what} [${repeatBy(trial.batch)}]`)
    }
    if (trials.length === 0) violations.push(`nothing was tried [seed ${seed}]`)
    if (only === undefined) for (const what of fault.mustReach ?? []) if (reached[what] === undefined) violations.push(`never reached: ${what} [seed ${seed}]`)
    const { rows } = await world.db.pool('auditor').query<{ count: number }>("select count(distinct execution_key)::int as count from kiff.ledger where kind in ('in_doubt', 'completion_rejected')")
    return {
      fault: fault.name, trials: trials.length, hit: trials.filter(({ hits }) => hits.length > 0).length, faults,
      effects: effectsOf(ground, trials), told: toldOf(trials), inDoubt: rows[0]?.count ?? 0, reached, violations,
      seconds: Math.round((Date.now() - startedAt) / 1000),
    }
  } finally {
    const opened = await opening?.catch(() => undefined)
    await opened?.person.stop()
    await opened?.world.close()
  }
}

function effectsOf(ground: Ground, trials: readonly Trial[]): number {
  const orders = new Set(trials.map(({ order }) => order))
  return ground.books.paid().filter(({ order, effect }) => effect && orders.has(order)).length
}

/** How often each answer was given; the last one of each workflow counts. */
function toldOf(trials: readonly Trial[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const told of trials.flatMap((trial) => trial.told)) {
    const last: unknown = Array.isArray(told) ? told.at(-1) : told
    const outcome = typeof last === 'string' ? 'ended otherwise' : String(Reflect.get(Object(last), 'reason') ?? Reflect.get(Object(last), 'outcome'))
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  return counts
}
