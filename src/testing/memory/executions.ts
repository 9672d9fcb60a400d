/** Executions, from open to their end. */
import { randomUUID } from 'node:crypto'
import type { ExecutionStatus } from '../../core/execution.ts'
import type { Committed, GateStore, Lease, OverdueExecution } from '../../core/store.ts'
import { answerOfExecution } from './answers.ts'
import { parseBody, toText, type Body } from './body.ts'
import { foldEvents } from './events.ts'
import { appendAnswer, callKey, contractPermits, guardHolds, holderOf, isAbout, newestExecution, putExecution, recordedCall, stale, wasContradicted } from './guards.ts'
import { append, chainById, lockChainOf } from './ledger.ts'
import { closeRound, consumeGrant, mayVoid } from './rounds.ts'
import { StoreError, type Execution, type Transaction } from './tables.ts'

const unreconciled = { reconciling: null, reconciliationRejected: null, contradictedSeq: null } as const

type Commit<Name extends 'openExecution' | 'resumeExecution' | 'completeExecution' | 'executePure' | 'markInDoubt'> = Parameters<GateStore[Name]>[0]

/** The guards and the registry, as every effect needs them. */
function mayAct(tx: Transaction, chain: number, b: Body, { guard, approvalId, voids }: Pick<Commit<'openExecution'>, 'guard' | 'approvalId' | 'voids'>): boolean {
  return mayVoid(tx, voids) && guardHolds(tx, chain, b, guard) && holderOf(tx, chain) === undefined && contractPermits(tx, chain, b, approvalId) === 'permitted'
    && !tx.executions.all().some(({ executionKey, status, contradictedSeq }) => executionKey === b.execution_key && (status !== 'failed' || contradictedSeq !== null))
}

function openedBy(text: string): string {
  const { audit: _, ...opened } = parseBody(text)
  return toText(opened)
}

export function openExecution(tx: Transaction, commit: Commit<'openExecution'>): Committed<Lease> {
  const { body, leaseMs, idempotentForMs, approvalId, voids } = commit
  const b = parseBody(body)
  const chain = lockChainOf(tx, b)
  const done = recordedCall(tx, b)
  if (done !== null) return done
  if (!mayAct(tx, chain, b, commit)) return stale
  const ordinal = (newestExecution(tx, b.execution_key)?.ordinal ?? 0) + 1
  const record = append(tx, chain, body, ['opened'])
  if (approvalId !== null) consumeGrant(tx, approvalId, b, record.seq)
  if (voids != null) closeRound(tx, { approvalId: voids, status: 'void' }, b, chain, record.seq)
  const token = randomUUID()
  putExecution(tx, {
    executionKey: b.execution_key ?? '', ordinal, chain, status: 'reserved', completionRejected: null, leaseToken: token, leaseUntil: tx.now + Math.ceil(leaseMs),
    idempotentUntil: idempotentForMs === null ? null : tx.now + idempotentForMs, proposalDigest: b.proposal_digest ?? '', opened: openedBy(body),
    openedSeq: record.seq, closedSeq: null, answer: null, ...unreconciled,
  })
  return { status: 'committed', record, token, ordinal }
}

export function resumeExecution(tx: Transaction, { body, executionKey, leaseMs }: Commit<'resumeExecution'>): Committed<Lease> {
  const b = parseBody(body)
  const chain = lockChainOf(tx, b)
  const e = reserved(tx, executionKey)
  if (e === undefined || e.chain !== chain || !isAbout(e, b) || e.leaseUntil > tx.now || e.idempotentUntil === null || e.idempotentUntil < tx.now + Math.ceil(leaseMs)) return stale
  if (wasContradicted(tx, executionKey)) return stale
  const token = randomUUID()
  putExecution(tx, { ...e, leaseToken: token, leaseUntil: tx.now + Math.ceil(leaseMs) })
  return { status: 'committed', record: append(tx, chain, body, ['resumed']), token, ordinal: e.ordinal }
}

function reserved(tx: Transaction, key: string): Execution | undefined {
  return tx.executions.all().find(({ executionKey, status }) => executionKey === key && status === 'reserved')
}

export function yieldLease(tx: Transaction, key: string, token: string): void {
  const e = reserved(tx, key)
  if (e !== undefined && e.leaseToken === token) putExecution(tx, { ...e, leaseUntil: Math.min(e.leaseUntil, tx.now) })
}

const rowKinds = { succeeded: 'executed', failed: 'failed', rejected: 'completion_rejected' } as const

/** Succeeded: from any attempt, also out of doubt; failed: by the lease's holder only; rejected: it happened, and a person has to look. */
export function completeExecution(tx: Transaction, { body, executionKey, answer, end }: Commit<'completeExecution'>): Committed | { readonly status: 'contradicted' } {
  const b = parseBody(body)
  const chain = lockChainOf(tx, b)
  if (!Object.hasOwn(rowKinds, end.status)) throw new StoreError('P0001', `an execution cannot end as ${end.status}`)
  const e = end.ordinal === undefined ? newestExecution(tx, executionKey) : tx.executions.get(executionKey, end.ordinal)
  if (e === undefined || e.chain !== chain) throw new StoreError('P0001', `execution ${executionKey} is not of this entity`)
  if (!isAbout(e, b)) throw new StoreError('23514', 'the row is not of what was opened')
  if (e.status === 'succeeded') {
    const before = answerOfExecution(tx, e)
    if (before !== null) return { status: 'repeat', answer: before }
  }
  if (end.status === 'failed' && (e.status !== 'reserved' || e.leaseToken !== end.token)) return stale
  if (e.status === 'failed') return { status: 'contradicted' }
  const record = append(tx, chain, body, [rowKinds[end.status]])
  if (end.status === 'succeeded') foldEvents(tx, chain, b, record.seq)
  const status: ExecutionStatus = end.status === 'failed' ? 'failed' : 'succeeded'
  putExecution(tx, { ...e, status, completionRejected: end.status === 'rejected' ? end.why : null, closedSeq: record.seq, answer: toText(answer) })
  const call = callKey(b)
  if (tx.calls.get(call.namespace, call.runId, call.activityId) === undefined) tx.calls.insert({ ...call, chain, seq: record.seq, answer: toText(answer) })
  return { status: 'committed', record }
}

/** An action that only emits: everything in this one commit. */
export function executePure(tx: Transaction, commit: Commit<'executePure'>): Committed {
  const { body, approvalId, voids, answer } = commit
  const b = parseBody(body)
  const chain = lockChainOf(tx, b)
  const done = recordedCall(tx, b)
  if (done !== null) return done
  if (!mayAct(tx, chain, b, commit)) return stale
  const committed = appendAnswer(tx, chain, body, b, ['executed'], answer)
  const { seq } = committed.record
  if (approvalId !== null) consumeGrant(tx, approvalId, b, seq)
  if (voids != null) closeRound(tx, { approvalId: voids, status: 'void' }, b, chain, seq)
  foldEvents(tx, chain, b, seq)
  const executionKey = b.execution_key ?? ''
  putExecution(tx, {
    executionKey, ordinal: (newestExecution(tx, executionKey)?.ordinal ?? 0) + 1, chain, status: 'succeeded', completionRejected: null, leaseToken: null, leaseUntil: tx.now, idempotentUntil: null,
    proposalDigest: b.proposal_digest ?? '', opened: openedBy(body), openedSeq: seq, closedSeq: seq, answer: toText(answer), ...unreconciled,
  })
  return committed
}

export function markInDoubt(tx: Transaction, { body, executionKey, token }: Commit<'markInDoubt'>): Committed {
  const b = parseBody(body)
  const chain = lockChainOf(tx, b)
  const e = reserved(tx, executionKey)
  if (e === undefined || e.chain !== chain || !isAbout(e, b) || !(e.leaseUntil <= tx.now || (token !== null && e.leaseToken === token))) return stale
  putExecution(tx, { ...e, status: 'in_doubt' })
  return { status: 'committed', record: append(tx, chain, body, ['in_doubt']) }
}

export function overdueExecutions(tx: Transaction, namespace: string): readonly OverdueExecution[] {
  const overdue = tx.executions.all().filter(({ status, leaseUntil, opened }) => status === 'reserved' && leaseUntil < tx.now && parseBody(opened).namespace === namespace)
  return overdue.sort((a, b) => a.leaseUntil - b.leaseUntil).slice(0, 100).map(({ executionKey, chain, opened, openedSeq, leaseUntil }) => {
    const b = parseBody(opened)
    return {
      executionKey, namespace: b.namespace ?? '', workflowId: b.workflow_id ?? '', firstExecutionRunId: b.first_execution_run_id ?? '', runId: b.run_id ?? '', activityId: b.activity_id ?? '',
      callerKey: b.caller_key ?? null, opened: { ...b }, record: `${chainById(tx, chain).key}#${openedSeq}`, leaseRemainingMs: leaseUntil - tx.now,
    }
  })
}
