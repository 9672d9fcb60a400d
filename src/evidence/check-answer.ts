/** The answer in history ↔ the row that decided it ↔ the contract by which it was decided. */
import { contractHash } from '../core/contract-hash.ts'
import { evaluate } from '../core/gate.ts'
import { difference } from './difference.ts'
import { actionOf, type RecordedAnswer } from './governed-step.ts'
import { placeOf, type RunRow } from './run-ledger.ts'
import { contractOf, isOwn, type StepContext, type Verdict } from './step-context.ts'

/** The answer names a row that exists, by the very hash it has. */
export function checkRecord({ step, recorded }: StepContext): Verdict {
  const { answer, answered } = step
  if (!answered) return undefined
  if (answer === null) return 'the result in history carries no record: no gate gave it'
  const { chain, seq, hash } = answer.record
  if (recorded === undefined) return `history refers to row ${chain}#${seq}, which does not exist`
  return recorded.hash === hash ? null : `history holds hash ${hash.slice(0, 16)}… for row ${chain}#${seq}, the ledger ${recorded.hash.slice(0, 16)}…`
}

/** Kinds of row that a call writes on its way to an answer. */
const betweenAnswers = ['opened', 'resumed', 'in_doubt']

/** The answer is the one that its row records; and an execution was one the contract allows. */
export function checkOutcome(context: StepContext): Verdict {
  const { step, own, recorded, ledger } = context
  const rederived = own.map((row) => rederive(context, row)).find((problem) => problem !== null)
  if (rederived !== undefined) return rederived
  const { answer, activity } = step
  const row = recorded ?? own.findLast(({ body }) => !betweenAnswers.includes(body.kind))
  if (answer === null || row === undefined) return undefined
  const problem = answersDiffer(context, answer, row)
  if (problem !== null) return problem
  if (!isOwn(context, row)) return null
  const kept = ledger.answer(row.body.run_id ?? '', activity.activityId)
  if (kept === undefined) return null
  const { record: _, ...given } = Object(activity.end?.status === 'completed' ? activity.end.result : {})
  const different = difference(kept, given, 'result')
  return different === null ? null : `the result in history is not the answer that the gate keeps: ${different}`
}

function answersDiffer({ ledger }: StepContext, answer: RecordedAnswer, { chain, seq, body }: RunRow): string | null {
  const where = `row ${chain}#${seq}`
  switch (body.kind) {
    case 'executed':
      return answer.outcome === 'allowed' ? prefixed(where, difference(body.output, answer.output, 'output')) : `${where} was executed, but the result in history is ${answer.outcome}`
    case 'event':
      return answer.outcome === 'allowed' ? null : `${where} was accepted, but the result in history is ${answer.outcome}`
    case 'approval_requested':
    case 'signal_rejected':
      return prefixed(where, difference({ outcome: 'approval_required', approvalId: body.approval_id }, { outcome: answer.outcome, approvalId: answer.approvalId }))
    case 'repeated': {
      if (body.approval_id != null) return prefixed(where, difference({ outcome: 'approval_required', approvalId: body.approval_id }, { outcome: answer.outcome, approvalId: answer.approvalId }))
      if (answer.outcome !== 'allowed') return `${where} repeats an answer that was allowed, the result in history is ${answer.outcome}`
      const place = placeOf(body.causation_id)
      const original = place && ledger.at(place)
      if (place !== undefined && original?.body.kind !== 'executed') return `${where} repeats ${body.causation_id}, which is no execution`
      return original === undefined ? null : prefixed(where, difference(original.body.output, answer.output, 'output'))
    }
    case 'refused':
    case 'approval_denied':
    case 'event_refused':
    case 'failed':
    case 'completion_rejected': {
      const { outcome, reason, message } = body.decision ?? {}
      return prefixed(where, difference({ outcome, reason, message }, { outcome: answer.outcome, reason: answer.reason, message: answer.message }))
    }
    default:
      return `${where} is of kind ${body.kind}, which answers nothing`
  }
}

/** An execution that the contract at hand would not have let run as it did; `null` too where that cannot be told. */
function rederive(context: StepContext, { chain, seq, body }: RunRow): string | null {
  const { step } = context
  const contract = contractOf(context)
  if (contract === undefined || step.asked.kind !== 'action') return null
  if (body.kind !== 'opened' && !(body.kind === 'executed' && contract.effect === 'none')) return null
  const action = actionOf(step, step.domain)
  if (contractHash(step.domain, action, contract) !== body.contract) return null
  const { entityId, params, actor } = step.asked.request
  const decision = evaluate(contract, { action, entityId, actor, inspection: contract.inspect(entityId, params) }, {
    actorProven: true, state: body.state ?? null, permissions: [contract.permission], declared: body.facts ?? {},
  })
  if (decision.outcome === 'allowed' || (decision.outcome === 'approval_required' && body.approval_id != null)) return null
  const why = decision.outcome === 'approval_required' ? decision.rule : decision.message
  return `row ${chain}#${seq} let it run, but by its contract it is ${decision.outcome.replaceAll('_', ' ')}: ${why}`
}

function prefixed(where: string, problem: string | null): string | null {
  return problem === null ? null : `the result in history is not what ${where} says: ${problem}`
}
