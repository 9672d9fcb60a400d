/** Answers, as they were recorded. */
import type { ActionResult } from '../../core/outcome.ts'
import type { GateAnswer } from '../../core/store.ts'
import { recordRef } from './ledger.ts'
import type { Execution, Transaction } from './tables.ts'

/** What a call has answered before; `null` for one that is new. */
export function answerOf(tx: Transaction, namespace: unknown, runId: unknown, activityId: unknown): GateAnswer | null {
  const call = tx.calls.get(namespace, runId, activityId)
  return call === undefined ? null : { ...(JSON.parse(call.answer) as GateAnswer), record: recordRef(tx, call.chain, call.seq) }
}

/** What a finished execution answered. */
export function answerOfExecution(tx: Transaction, { chain, closedSeq, answer }: Execution): ActionResult | null {
  return answer === null || closedSeq === null ? null : { ...(JSON.parse(answer) as ActionResult), record: recordRef(tx, chain, closedSeq) }
}
