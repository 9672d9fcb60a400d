/** What a batch works with: a world, its draw, its people; and what all batches of one fault come to. */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Conduct } from './books.ts'
import { external, idempotent } from './domain.ts'
import type { GateProcess, GateSettings } from './gates.ts'
import type { Manners, Person } from './person.ts'
import type { Draw } from './random.ts'
import { anOrder, ended, type Trial } from './trial.ts'
import type { Call } from './workflows/index.ts'
import type { World } from './world.ts'

export interface Batch {
  readonly world: World
  readonly draw: Draw
  readonly person: Person
  readonly number: number
  readonly queue: string
  readonly trials: Trial[]
  /** Of any batch in this world: relays and sweepers serve them all. */
  readonly trialOf: (order: string) => Trial | undefined
  /** Faults injected: kills, freezes, forgeries, resets. */
  readonly count: (faults?: number) => void
  /** Something is not as it must be. */
  readonly violated: (what: string) => void
  /** From then on its gates are not replaced. */
  readonly isOver: () => boolean
  /** Names something that was reached, so that it can be told what was not. */
  readonly reached: (what: string) => void
}

export interface Wanted {
  readonly action: string
  readonly amountCents: number
  readonly workflow?: 'proposeOne' | 'proposeAgain' | 'reportDelivery'
  readonly manners?: Manners
  readonly state?: 'CREATED' | 'PAID'
  /** Start-to-close of its gate activities. */
  readonly timeout?: string
  /** How the provider answers, in turn. */
  readonly conduct?: readonly Conduct[]
  /** The caller's own key. */
  readonly key?: string
  /** Left out: one, however often it is called, retried, or reset. */
  readonly proposals?: number
  /** Proposed twice in turn, under the same key. */
  readonly twice?: boolean
}

export const low = 4_200
export const high = 99_900

/** An action with an effect outside, and an amount that needs nobody, or somebody. */
export function anyEffect(draw: Draw): { readonly action: string; readonly amountCents: number } {
  return { action: draw.pick([...idempotent, ...external]), amountCents: draw.pick([low, low, high]) }
}

export function callOf({ queue }: Pick<Batch, 'queue'>, order: string, { action, amountCents, timeout, key }: Pick<Wanted, 'action' | 'amountCents' | 'timeout' | 'key'>): Call {
  return { queue, order, action, amountCents, timeout: timeout ?? '3 seconds', ...(key === undefined ? {} : { key }) }
}

/** An order and its trial, whose workflow is not started yet. */
export async function aTrial(batch: Batch, fault: string, wanted: Wanted): Promise<Trial> {
  const order = await anOrder(batch.world, wanted.state)
  if (wanted.manners !== undefined) batch.person.manners.set(order, wanted.manners)
  const trial: Trial = { order, action: wanted.action, amountCents: wanted.amountCents, proposals: wanted.proposals ?? 1, fault, batch: batch.number, workflows: [], hits: [], told: [], excused: new Set() }
  if (wanted.manners?.reconcile === 'wrong') trial.excused.add('person_wrong')
  batch.trials.push(trial)
  return trial
}

/** So many trials, each with its workflow under way. Everything is drawn before anything is waited for, so that the order of the draws is always the same. */
export async function propose(batch: Batch, fault: string, howMany: number, want: () => Wanted): Promise<readonly Trial[]> {
  const wanted = Array.from({ length: howMany }, want)
  const made = await Promise.all(wanted.map(async (each) => ({ wanted: each, trial: await aTrial(batch, fault, each) })))
  await batch.world.ground.books.conduct(Object.fromEntries(made.flatMap(({ trial, wanted: { conduct } }) => (conduct === undefined ? [] : [[trial.order, conduct]]))))
  await Promise.all(made.map(async ({ trial, wanted: each }) => {
    const call = callOf(batch, trial.order, each)
    if (each.twice === true) await startFor(batch, trial, 'proposeInTurn', [[call, call]])
    else await startFor(batch, trial, each.workflow ?? 'proposeOne', [call])
  }))
  return made.map(({ trial }) => trial)
}

/** Starts a workflow of a trial. */
export async function startFor(batch: Batch, trial: Trial, workflow: string, args: readonly unknown[], more: { readonly taskQueue?: string; readonly workflowTaskTimeout?: '1 second' } = {}): Promise<void> {
  const { client, agents } = batch.world.ground
  trial.workflows.push(await client.workflow.start(workflow, { taskQueue: agents, ...more, workflowId: `${workflow}-${randomUUID()}`, args: [...args] }))
}

/** Waits until the server has something to hand out for each trial, so that a gate that starts then has its hands full at once. */
export async function backlog(batch: Batch): Promise<void> {
  const idle = async (): Promise<boolean> => {
    const described = await Promise.all(batch.trials.flatMap(({ told, workflows }) => (told.length > 0 ? [] : workflows.map((workflow) => workflow.describe()))))
    return described.some(({ raw, status }) => status.name === 'RUNNING' && (raw.pendingActivities ?? []).length === 0)
  }
  for (const until = Date.now() + 10_000; Date.now() < until && (await idle()); ) await pause(100)
}

type Setting = Omit<GateSettings, 'queue'>

/**
 * Keeps gate processes on the batch's queue until the batch is over: one that has died is replaced, by one that falls as well while
 * there are any left among the replacements. @returns those it starts with
 */
export function keepGates(batch: Batch, settings: readonly Setting[], replacements: readonly Setting[] = []): readonly GateProcess[] {
  const next = [...replacements]
  const keep = (setting: Setting): GateProcess => {
    const gate = batch.world.gates.start({ ...setting, queue: batch.queue })
    void replace(gate)
    return gate
  }
  const replace = async (gate: GateProcess): Promise<void> => {
    await gate.dead
    noteHits(batch, gate)
    // One that cannot start (its database is down) is not replaced at once.
    if (gate.lastWords() === undefined) await pause(1_000)
    if (!batch.isOver()) keep(next.shift() ?? {})
  }
  return settings.map(keep)
}

const noted = new WeakSet<GateProcess>()

/** What was under way in a process when it fell has been hit. */
export function noteHits(batch: Batch, gate: GateProcess): void {
  const words = gate.lastWords()
  if (words === undefined || noted.has(gate)) return
  noted.add(gate)
  batch.count()
  for (const [index, { order, point }] of words.under_way.entries()) {
    if (index === 0) batch.reached(point)
    batch.trialOf(order)?.hits.push(`${words.fallen.how} ${point}`)
  }
}

/** Strikes at a server when many activities are under way, after six seconds when there are any, and notes whose. */
export async function hitWhileUnderWay(batch: Batch, how: string, afterMs: number, strike: () => Promise<unknown>): Promise<void> {
  const since = Date.now()
  for (let size = 0; Date.now() - since < 30_000 && (size === 0 || (size < 14 && Date.now() - since < 6_000)); size = (await ordersUnderWay(batch)).size) await pause(100)
  await pause(afterMs)
  const under = await ordersUnderWay(batch)
  await strike()
  batch.count()
  for (const trial of batch.trials) if (under.has(trial.order)) trial.hits.push(how)
}

/** `PendingActivityState` on the wire. */
const handedOut = 2

/** Whose activities the server has handed out. */
async function ordersUnderWay(batch: Batch): Promise<ReadonlySet<string>> {
  const under = await Promise.all(batch.trials.map(async (trial) => {
    const described = await Promise.all(trial.workflows.map((workflow) => workflow.describe()))
    return described.some(({ raw }) => raw.pendingActivities?.some(({ state }) => Number(state) === handedOut)) ? [trial.order] : []
  }))
  return new Set(under.flat())
}

/** Waits for all workflows, and until nothing holds their orders any more; those who wait to be told so are told to propose again. */
export async function settle(batch: Batch, { withinMs = 90_000, lingerMs = 0 } = {}): Promise<void> {
  const until = Date.now() + withinMs
  const waiting = batch.trials.filter(({ excused, told }) => told.length === 0 && !excused.has('still_waits') && !excused.has('workflow_terminated'))
  const ending = ended(waiting, withinMs)
  const over = new AbortController()
  void ending.finally(() => over.abort())
  const orders = new Map(batch.trials.map((trial) => [trial.order, trial]))
  const toldOf = new Map<string, number>()
  let left: readonly string[] = []
  const quietFrom = Date.now() + lingerMs
  while (!over.signal.aborted || left.length > 0 || Date.now() < quietFrom) {
    if (Date.now() > until) break
    await pause(400)
    left = (await heldOrders(batch.world)).filter((order) => orders.has(order))
    for (const [order, said] of batch.person.reconciled) {
      // Told once for each time that somebody has said something.
      if (left.includes(order) || said.length === (toldOf.get(order) ?? 0)) continue
      toldOf.set(order, said.length)
      for (const workflow of orders.get(order)?.workflows ?? []) if (workflow.workflowId.startsWith('proposeAgain')) await workflow.signal('again').catch(() => {})
    }
  }
  for (const late of await ending) batch.violated(`waits for nobody: ${late}`)
  await movesOn(batch)
  if (left.length > 0) batch.violated(`still held after ${withinMs} ms, and nobody comes: ${left.join(', ')}`)
}

/** What a person has settled holds nothing any more: something else can be proposed there. Tried on a few. */
async function movesOn(batch: Batch): Promise<void> {
  const { client, agents } = batch.world.ground
  const settled = batch.trials.filter(({ order, excused }) => batch.person.reconciled.has(order) && !excused.has('person_wrong')).slice(0, 3)
  const held = new Set(await heldOrders(batch.world))
  await Promise.all(settled.filter(({ order }) => !held.has(order)).map(async ({ order }) => {
    const args = [callOf(batch, order, { action: 'WAIVE', amountCents: low })]
    const told: unknown = await client.workflow.execute('proposeOne', { taskQueue: agents, workflowId: `after-${order}`, args, workflowIdReusePolicy: 'ALLOW_DUPLICATE' })
    if (Reflect.get(Object(told), 'reason') === 'outcome_unknown') batch.violated(`${order} does not move on, though a person has said what became of it`)
  }))
}

/** Orders that an execution holds. */
async function heldOrders(world: World): Promise<readonly string[]> {
  const { rows } = await world.db.pool('auditor').query<{ order: string }>(
    "select opened ->> 'entity_id' as order from kiff.executions where status in ('reserved', 'in_doubt') or completion_rejected is not null")
  return rows.map(({ order }) => order)
}
