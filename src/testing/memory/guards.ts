/** What must hold in the commit itself, whatever the gate has judged before: the guards of `0003-gate.sql`. */
import { canonical } from '../../core/canonical.ts'
import type { RowKind } from '../../core/ledger-row.ts'
import type { Committed, GateAnswer, Guard, Unrecorded } from '../../core/store.ts'
import { parseBody, toText, type Body } from './body.ts'
import { answerOf } from './answers.ts'
import { append } from './ledger.ts'
import { holds } from './registry.ts'
import { StoreError, type Execution, type Transaction } from './tables.ts'

export const stale = { status: 'stale' } as const

/** What the gate read still holds. A guard left out is not a guard that holds. */
export function guardHolds(tx: Transaction, chain: number, b: Body, guard: Guard): boolean {
  const version = tx.entities.get(chain)?.version ?? 0
  const epoch = tx.roleEpochs.get(b.domain)?.epoch ?? 0
  return version === guard.stateVersion && epoch === guard.rolesEpoch && (guard.mandateUntil === null || tx.now < Date.parse(guard.mandateUntil))
}

/** The execution that holds an entity: open, in doubt, or with a result that could not be accepted. */
export function holderOf(tx: Transaction, chain: number): Execution | undefined {
  return tx.executions.all().find((each) => each.chain === chain && isHolding(each))
}

function isHolding({ status, completionRejected }: Execution): boolean {
  return status === 'reserved' || status === 'in_doubt' || completionRejected !== null
}

/** Writes an execution. @throws StoreError 23505: a second one that holds the entity, or that lasts the key */
export function putExecution(tx: Transaction, execution: Execution): void {
  const others = tx.executions.all().filter(({ executionKey, ordinal }) => executionKey !== execution.executionKey || ordinal !== execution.ordinal)
  if (isHolding(execution) && others.some((each) => each.chain === execution.chain && isHolding(each))) throw new StoreError('23505', 'one open execution an entity')
  if (execution.status !== 'failed' && others.some((each) => each.executionKey === execution.executionKey && each.status !== 'failed')) {
    throw new StoreError('23505', 'one lasting execution a key')
  }
  tx.executions.put(execution)
}

/** In these fields a row says what was said before. */
export function saysTheSame(before: Readonly<Record<string, unknown>>, b: Body, fields: readonly (keyof Body)[]): boolean {
  return fields.every((field) => canonical(before[field] ?? null) === canonical(b[field] ?? null))
}

/** A row about an execution says what the row said that opened it. Its contract may be a newer one: another worker may have taken it up. */
export function isAbout({ opened }: Execution, b: Body): boolean {
  return saysTheSame({ ...parseBody(opened) }, b, ['domain', 'entity_type', 'entity_id', 'action', 'params', 'actor', 'on_behalf_of', 'execution_key', 'proposal_digest'])
}

/** An attempt under this key turned out to have happened, though it was on record that it had not. */
export function wasContradicted(tx: Transaction, key: string): boolean {
  return tx.executions.all().some(({ executionKey, contradictedSeq }) => executionKey === key && contradictedSeq !== null)
}

/** The newest execution under a key. */
export function newestExecution(tx: Transaction, executionKey: string | null | undefined): Execution | undefined {
  return tx.executions.all().filter((each) => each.executionKey === executionKey).sort((a, b) => b.ordinal - a.ordinal)[0]
}

/**
 * What the registry says of acting on this row's contract; the gate has judged all of it before, and is not believed.
 * @returns `stale` when a newer contract has been registered meanwhile. @throws StoreError 23514 for what it does not permit
 */
export function contractPermits(tx: Transaction, chain: number, b: Body, approvalId: string | null): 'permitted' | 'stale' {
  const contract = tx.contracts.get(b.domain, b.action, b.contract)
  const state = tx.entities.get(chain)?.state ?? null
  if (contract === undefined) throw new StoreError('23514', `contract ${b.contract} of ${b.action} is not registered`)
  if (!contract.newest) return 'stale'
  const { action, domain, entityType, from, permission, alwaysAsks } = contract
  const known = state !== null || tx.stateless.get(domain, entityType) !== undefined
  if (entityType !== b.entity_type || !known || (state !== null && from !== null && !from.includes(state))) {
    throw new StoreError('23514', `${action} is not allowed on ${b.entity_type} in state ${state ?? 'nothing'}`)
  }
  if (!holds(tx, domain, b.actor, permission)) throw new StoreError('23514', `${b.actor} does not hold ${permission}`)
  if (alwaysAsks && approvalId === null) throw new StoreError('23514', `${action} is never done without approval`)
  return 'permitted'
}

/** What this very call has answered before, as a commit tells it. */
export function recordedCall(tx: Transaction, b: Body): Extract<Committed, { status: 'repeat' }> | null {
  const answer = answerOf(tx, b.namespace, b.run_id, b.activity_id)
  return answer === null ? null : { status: 'repeat', answer }
}

/** Appends the row and remembers what its call answers. */
export function appendAnswer(tx: Transaction, chain: number, text: string, b: Body, kinds: readonly RowKind[], answer: Unrecorded<GateAnswer>): Extract<Committed, { status: 'committed' }> {
  const record = append(tx, chain, text, kinds)
  tx.calls.insert({ ...callKey(b), chain, seq: record.seq, answer: toText(answer) })
  return { status: 'committed', record }
}

export function callKey({ namespace, run_id: runId, activity_id: activityId }: Body): { readonly namespace: string; readonly runId: string; readonly activityId: string } {
  if (typeof namespace !== 'string' || typeof runId !== 'string' || typeof activityId !== 'string') throw new StoreError('23502', 'a call has a namespace, a run and an activity')
  return { namespace, runId, activityId }
}
