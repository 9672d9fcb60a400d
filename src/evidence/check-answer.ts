/** The answer in history ↔ the row that decided it ↔ what a person has signed. */
import type { ApprovalRequest } from '../core/approval.ts'
import { contractHash } from '../core/contract-hash.ts'
import { sha256 } from '../core/digest.ts'
import { evaluate } from '../core/gate.ts'
import { difference } from './difference.ts'
import { actionOf, type RecordedAnswer } from './governed-step.ts'
import { placeOf, type ApprovalRecord, type RunRow } from './run-ledger.ts'
import { contractOf, isOwn, keysOf, type StepContext, type Verdict } from './step-context.ts'

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

/** The consent that an execution used: asked for exactly this, granted by a person, delivered by signal, used once. */
export function checkReview(context: StepContext): Verdict {
  const { own } = context
  // The row that opens an execution uses the grant up; where nothing is opened, the one that executes does.
  const using = own.some(({ body }) => body.kind === 'opened' || body.kind === 'resumed') ? 'opened' : 'executed'
  let verdict: Verdict
  for (const row of own) {
    const { kind, approval_id: approvalId } = row.body
    if (approvalId == null || ![using, 'approval_denied'].includes(kind)) continue
    verdict = null
    const approval = context.ledger.approval(approvalId)
    if (approval === undefined) return `row ${row.chain}#${row.seq} rests on approval ${approvalId}, which does not exist`
    const problem = reviewProblem(context, row, approval, kind === 'approval_denied' ? 'denied' : 'granted')
    if (problem !== null) return `approval ${approvalId}: ${problem}`
  }
  return verdict
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

function reviewProblem(context: StepContext, row: RunRow, approval: ApprovalRecord, verdict: 'granted' | 'denied'): string | null {
  const { step } = context
  if (step.asked.kind !== 'action') return 'it is of no action'
  const request = JSON.parse(approval.request) as ApprovalRequest
  const keys = keysOf(context, row.body.entity_type ?? '')
  if (approval.executionKey !== keys?.key) return 'it was asked for under another execution key'
  const asked = difference(
    { workflow_id: context.workflowId, first_execution_run_id: context.history.firstExecutionRunId, action: row.body.action, entity_id: row.body.entity_id, actor: row.body.actor, params: row.body.params },
    { workflow_id: request.workflow_id, first_execution_run_id: request.first_execution_run_id, action: request.action, entity_id: request.entity_id, actor: request.actor, params: request.params })
  if (asked !== null) return `it asked for something else: ${asked}`
  const circumstances = {
    contract: row.body.contract,
    on_behalf_of: row.body.on_behalf_of ?? null,
    facts: row.body.facts ?? {},
    state: row.body.state?.value ?? null,
    ...(request.binds === 'version' ? { state_version: row.body.state?.version ?? 0 } : {}),
  }
  const bound = difference(circumstances, pick(request, Object.keys(circumstances)))
  if (verdict === 'granted' && bound !== null) return `it was granted for other circumstances: ${bound}`
  const reviews = approval.reviews.filter((review) => review.verdict === verdict)
  if (reviews.length === 0) return `no person has ${verdict} it`
  if (verdict === 'granted') {
    const people = new Set(reviews.map(({ reviewer }) => reviewer)).size
    if (people < request.quorum) return `${people} of the ${request.quorum} people it needs have granted it`
    if (approval.consumedBy !== keys.key) return 'its grant was not used up by this execution'
  }
  return reviews.map((review) => signatureProblem(context, approval, request, review)).find((problem) => problem !== null) ?? null
}

/** What is wrong with one review that an execution, or a refusal, rests on. */
function signatureProblem({ step, ledger }: StepContext, approval: ApprovalRecord, request: ApprovalRequest, review: ApprovalRecord['reviews'][number]): string | null {
  const { verdict } = review
  if (review.reviewer === request.actor || review.reviewer === request.on_behalf_of) return 'whoever asked has reviewed it'
  const signed = difference({ approval_id: approval.approvalId, digest: sha256(approval.request), verdict, reviewer: review.reviewer }, claimsOf(review.jws))
  if (signed !== null) return `the signed review is of something else: ${signed}`
  if (!ledger.reviewedRows(approval.approvalId).some(({ body }) => difference({ digest: sha256(approval.request), verdict, reviewer: review.reviewer }, pick(body.review, ['digest', 'verdict', 'reviewer'])) === null)) {
    return 'its review has no ledger row'
  }
  if (verdict === 'denied') return null
  const delivered = step.asked.kind === 'action' ? step.asked.request.reviews : undefined
  return delivered?.includes(review.jws) === true ? null : 'the signed review did not come to this step by signal'
}

/** What a compact JWS carries. Whose signature it is, the gate has judged with its own keys; here it must be the stored one. */
function claimsOf(jws: string): unknown {
  try {
    return pick(JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8')), ['approval_id', 'digest', 'verdict', 'reviewer'])
  } catch {
    return null
  }
}

function pick(value: unknown, names: readonly string[]): unknown {
  return typeof value === 'object' && value !== null ? Object.fromEntries(names.map((name) => [name, Reflect.get(value, name)])) : value
}

function prefixed(where: string, problem: string | null): string | null {
  return problem === null ? null : `the result in history is not what ${where} says: ${problem}`
}
