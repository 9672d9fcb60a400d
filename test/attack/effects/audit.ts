/** The audit of a world: everything that is on record about each trial, by the auditor's login, beside the provider's books. */
import { verifyChains } from '../../../src/evidence/chain.ts'
import { readHistory } from '../../../src/evidence/history.ts'
import { accepts } from '../../model/accepts.ts'
import type { Booked } from './books.ts'
import { limitCents, payments } from './domain.ts'
import { readRecords, type Execution, type Records } from './records.ts'
import type { Trial } from './trial.ts'
import type { World } from './world.ts'

export interface Violation {
  readonly trial: Trial | null
  readonly what: string
}

/** Holds everything against everything. @returns what is not as it must be */
export async function audit(world: World, trials: readonly Trial[]): Promise<readonly Violation[]> {
  const records = await readRecords(world.db.pool('auditor'))
  const ledger = await verifyChains(world.db.pool('auditor'), { domains: [payments] })
  const booked = Map.groupBy(world.ground.books.paid(), ({ order }) => order)
  const violations: Violation[] = ledger.findings.map((finding) => ({ trial: null, what: `the ledger does not verify: ${finding.chain}#${finding.seq} ${finding.kind}: ${finding.message}` }))
  for (const trial of trials) {
    const paid = booked.get(trial.order) ?? []
    const executions = records.executions.get(trial.order) ?? []
    const found = [
      ...tooManyEffects(trial, paid, executions),
      ...unrecordedEffects(trial, paid, executions),
      ...unconsented(executions),
      ...unaccepted(trial, paid, records),
      ...(await lostRecords(trial, records)),
    ]
    for (const what of new Set(found)) violations.push({ trial, what })
  }
  return violations
}

const executionKeyOf = (key: string): string => key.slice(0, 64)
const ordinalOf = (key: string): number => (key.length === 64 ? 1 : Number(key.slice(65)))

/** I8. Where the key is honoured, effects are distinct keys; where it is not, every request is one. A second needs a definitive failure before it. */
function tooManyEffects(trial: Trial, paid: readonly Booked[], executions: readonly Execution[]): string[] {
  const wrong: string[] = []
  const moving = trial.action === 'REFUND' || trial.action === 'WIRE'
  const effects = paid.filter(({ effect }) => effect)
  if (moving && effects.length > 1) wrong.push(`${effects.length} effects on an order that is refunded once: ${effects.map(({ key }) => key.slice(0, 8) + key.slice(64)).join(', ')}`)
  const byKey = Map.groupBy(effects, ({ key }) => executionKeyOf(key))
  // A key that is another after a retry or a reset would hide the second effect.
  if (byKey.size > trial.proposals) wrong.push(`${byKey.size} effects under different keys, of ${trial.proposals} proposals`)
  for (const [executionKey, ofKey] of byKey) {
    if (ofKey.length > 1) wrong.push(`${ofKey.length} effects of one proposal (${executionKey.slice(0, 8)}): ${ofKey.map(({ key }) => `ordinal ${ordinalOf(key)}`).join(', ')}`)
  }
  for (const key of new Set(paid.map((entry) => entry.key))) {
    const failed = executions.filter((each) => each.executionKey === executionKeyOf(key) && each.ordinal < ordinalOf(key) && each.status === 'failed').length
    if (failed !== ordinalOf(key) - 1) wrong.push(`attempt ${ordinalOf(key)} was paid, though ${failed} before it had definitively failed`)
  }
  return wrong
}

/** I7. Each payment has its row, committed before it, and an end that says so. */
function unrecordedEffects(trial: Trial, paid: readonly Booked[], executions: readonly Execution[]): string[] {
  return paid.flatMap(({ key, at }) => {
    const of = executions.find((each) => each.executionKey === executionKeyOf(key) && each.ordinal === ordinalOf(key))
    if (of === undefined) return [`paid under ${key.slice(0, 8)}, of which there is no record`]
    // The books count whole milliseconds.
    if (of.openedAt > at + 1) return [`paid ${Math.round(of.openedAt - at)} ms before it was on record`]
    const isTold = of.status === 'succeeded' || of.status === 'in_doubt' || (of.status === 'reserved' && of.leaseLives) || trial.excused.has('person_wrong')
    return isTold ? [] : [`paid, and on record as ${of.status}`]
  })
}

/** I5: above the limit, each execution has used a grant of its own, which somebody else than the proposer recorded. */
function unconsented(executions: readonly Execution[]): string[] {
  const needing = executions.filter(({ amountCents }) => amountCents > limitCents)
  const used = needing.map(({ approvalId }) => approvalId)
  return [
    ...needing.filter(({ consented }) => !consented).map(({ ordinal }) => `attempt ${ordinal} was opened without a grant that was used for it`),
    ...(new Set(used).size < used.length ? ['one grant was used for two attempts'] : []),
  ]
}

/** Every history of rows and effects must be one that the model of the protocol can have. */
function unaccepted({ order, excused }: Trial, paid: readonly Booked[], records: Records): string[] {
  return (records.traces.get(order) ?? []).flatMap(({ executionKey, rows }) => {
    const effects = [...new Set(paid.filter(({ key }) => executionKeyOf(key) === executionKey).map(({ key }) => key))]
    const told = accepts({ rows, effects }, { peopleAreRight: !excused.has('person_wrong') })
    return told.ok ? [] : [`the model has no such history: ${rows.join(' ')} | ${effects.map(ordinalOf).join(' ')}: after ${told.after}, ${told.why}`]
  })
}

/** What a workflow was told to be on record is on record, with that hash. */
async function lostRecords(trial: Trial, records: Records): Promise<string[]> {
  const refs: unknown[] = [...trial.told]
  for (const workflow of trial.workflows) {
    const { activities } = await readHistory(await workflow.fetchHistory())
    for (const { end } of activities) if (end?.status === 'completed') refs.push(end.result)
  }
  return refs.flatMap((answer) => recordsIn(answer)).flatMap(({ chain, seq, hash }) => {
    if (trial.excused.has('answer_forged') && chain === 'forged') return []
    const kept = records.hashes.get(`${chain}#${seq}`)
    return kept === hash ? [] : [`the workflow was told of ${chain}#${seq}, ${kept === undefined ? 'which is not there' : 'which has another hash'}`]
  })
}

interface Ref { readonly chain: string; readonly seq: number; readonly hash: string }

function recordsIn(answer: unknown): Ref[] {
  if (Array.isArray(answer)) return answer.flatMap(recordsIn)
  const record: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'record') : undefined
  return record === undefined ? [] : [record as Ref]
}
