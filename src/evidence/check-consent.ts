/** An execution, or a refusal ↔ what people have signed. */
import type { ApprovalRequest } from '../core/approval.ts'
import { sha256 } from '../core/digest.ts'
import { difference } from './difference.ts'
import { claimsIn } from './jws-claims.ts'
import type { ApprovalRecord, RunRow } from './run-ledger.ts'
import { keysOf, type StepContext, type Verdict } from './step-context.ts'

/** The consent that an execution used: asked for exactly this, granted by as many people as it takes, delivered by signal, used once. */
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

function reviewProblem(context: StepContext, row: RunRow, approval: ApprovalRecord, verdict: 'granted' | 'denied'): string | null {
  if (context.step.asked.kind !== 'action') return 'it is of no action'
  const request = JSON.parse(approval.request) as ApprovalRequest
  const keys = keysOf(context, row.body.entity_type ?? '')
  if (approval.executionKey !== keys?.key) return 'it was asked for under another execution key'
  const asked = {
    workflow_id: context.workflowId, first_execution_run_id: context.history.firstExecutionRunId, action: row.body.action,
    entity_id: row.body.entity_id, actor: row.body.actor, params: row.body.params,
  }
  const different = difference(asked, pick(request, Object.keys(asked)))
  if (different !== null) return `it asked for something else: ${different}`
  const reviews = approval.reviews.filter((review) => review.verdict === verdict)
  if (reviews.length === 0) return `no person has ${verdict} it`
  const problem = verdict === 'granted' ? grantProblem(context, row, approval, request) : null
  return problem ?? reviews.map((review) => signatureProblem(context, approval, request, review)).find((found) => found !== null) ?? null
}

/** Why the grant as a whole does not let this very row run. */
function grantProblem({ ledger }: StepContext, { body }: RunRow, approval: ApprovalRecord, request: ApprovalRequest): string | null {
  const circumstances = {
    contract: body.contract,
    on_behalf_of: body.on_behalf_of ?? null,
    facts: body.facts ?? {},
    state: body.state?.value ?? null,
    ...(request.binds === 'version' ? { state_version: body.state?.version ?? 0 } : {}),
  }
  const bound = difference(circumstances, pick(request, Object.keys(circumstances)))
  if (bound !== null) return `it was granted for other circumstances: ${bound}`
  if (approval.reviews.some(({ verdict }) => verdict === 'denied')) return 'a person has denied it'
  if (ledger.reviewedRows(approval.approvalId).some((row) => row.body.kind === 'approval_revoked')) return 'its grant was revoked'
  const people = new Set(approval.reviews.map(({ reviewer }) => reviewer)).size
  if (people < request.quorum) return `${people} of the ${request.quorum} people it needs have granted it`
  return approval.consumedBy === approval.executionKey ? null : 'its grant was not used up by this execution'
}

/** What is wrong with one review that an execution, or a refusal, rests on. */
function signatureProblem({ step, ledger, signatures }: StepContext, approval: ApprovalRecord, request: ApprovalRequest, { verdict, reviewer, jws }: ApprovalRecord['reviews'][number]): string | null {
  if (reviewer === request.actor || reviewer === request.on_behalf_of) return 'whoever asked has reviewed it'
  const expected = { approval_id: approval.approvalId, digest: sha256(approval.request), verdict, reviewer }
  const signed = difference(expected, pick(claimsIn(jws), Object.keys(expected)))
  if (signed !== null) return `the signed review is of something else: ${signed}`
  if (signatures?.get(jws) === false) return `the review by ${reviewer} is not signed by any of the review keys`
  const recorded = ledger.reviewedRows(approval.approvalId).some(({ body }) => body.kind === 'reviewed' && difference(expected, pick(body.review, Object.keys(expected))) === null)
  if (!recorded) return `the review by ${reviewer} has no ledger row`
  if (verdict === 'denied') return null
  const delivered = step.asked.kind === 'action' ? step.asked.request.reviews : undefined
  return delivered?.includes(jws) === true ? null : `the signed review by ${reviewer} did not come to this step by signal`
}

function pick(value: unknown, names: readonly string[]): unknown {
  return typeof value === 'object' && value !== null ? Object.fromEntries(names.map((name) => [name, Reflect.get(value, name)])) : value
}
