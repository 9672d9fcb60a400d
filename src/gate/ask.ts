/** Asking a person: opening a round of approval, and judging what has come back for the open one. */
import { randomBytes, randomUUID } from 'node:crypto'
import { judgeConsent, maxRounds, type ApprovalFacts, type ApprovalRequest, type Consent, type ReviewFacts } from '../core/approval.ts'
import { canonical } from '../core/canonical.ts'
import { shownClaim } from '../core/claim.ts'
import type { ActionOnFacts } from '../core/contract.ts'
import { sha256 } from '../core/digest.ts'
import type { GateDecision } from '../core/gate.ts'
import { printable, type AuditEntry } from '../core/ledger-row.ts'
import type { Closing, Facts, GateAnswer, GateStore, Unrecorded, Waiting } from '../core/store.ts'
import { inShort } from '../core/thrown.ts'
import { proposed } from './audit-entries.ts'
import { bindingOf, guardOf, parseRequest, rowOf, type GovernedProposal } from './proposal.ts'
import type { ReviewVerifier } from '../temporal/verify-review.ts'

export type NeedsApproval = Extract<GateDecision, { outcome: 'approval_required' }>

/** What the open round has come to, and which of the signals that arrived were not genuine, in words. */
export interface Judgement {
  readonly consent: Consent
  readonly rejected: readonly string[]
}

/** Judges the newest round with what the database holds and what the signals brought; it takes both. */
export async function judge(proposal: GovernedProposal, facts: Facts, { approval, action }: { readonly approval: ApprovalFacts; readonly action: ActionOnFacts }, verify: ReviewVerifier): Promise<Judgement> {
  const delivered = proposal.request.reviews ?? []
  const verified = await genuineReviews(approval, verify)
  const consent = judgeConsent(approval, parseRequest(approval.request), bindingOf(proposal, facts, action), verified.filter(({ jws }) => delivered.includes(jws)))
  const rejected: string[] = []
  for (const jws of delivered) {
    if (verified.some((review) => review.jws === jws)) continue
    rejected.push(await whyRejected(jws, approval, verify))
  }
  return { consent, rejected }
}

/** The recorded reviews of a round that somebody has signed as they stand there. */
export async function genuineReviews(approval: ApprovalFacts, verify: ReviewVerifier): Promise<readonly ReviewFacts[]> {
  const genuine: ReviewFacts[] = []
  for (const review of approval.reviews) if (await isGenuine(review, approval, verify)) genuine.push(review)
  return genuine
}

/** The row's signature is by a key this gate trusts, for this very request, and says what the row says. */
async function isGenuine(review: ReviewFacts, approval: ApprovalFacts, verify: ReviewVerifier): Promise<boolean> {
  const signed = await verify(review.jws)
  return (
    signed !== null &&
    signed.digest === sha256(approval.request) && signed.approval_id === approval.approvalId &&
    signed.verdict === review.verdict && signed.reviewer === review.reviewer
  )
}

async function whyRejected(jws: string, approval: ApprovalFacts, verify: ReviewVerifier): Promise<string> {
  const signed = await verify(jws)
  if (signed === null) return 'not signed by a key this gate trusts'
  if (signed.approval_id !== approval.approvalId) return 'signed for another approval'
  if (signed.digest !== sha256(approval.request)) return 'signed for another action'
  return 'no such review was recorded by the human-facing service'
}

/** Opens the next round; in the same commit closes the one before, where that is still open. */
export async function ask(
  store: GateStore,
  proposal: GovernedProposal,
  facts: Facts,
  decision: NeedsApproval,
  round: { readonly number: number; readonly changed: string | null; readonly keepDeadlineOf?: ApprovalRequest; readonly closing?: Closing; readonly before: readonly AuditEntry[]; readonly link: (approvalId: string) => string | null },
): Promise<GateAnswer | 'stale'> {
  const request = newRequest(proposal, facts, decision, round)
  const answer = waiting(request, Date.parse(request.answer_by) - Date.parse(facts.now), 0, round.link(request.approval_id))
  const closed: AuditEntry[] = round.closing
    ? [{ kind: 'approval_void', message: 'approval void', data: { approval_id: round.closing.approvalId, action: proposal.action, reason: round.changed } }]
    : []
  const body = rowOf(proposal, facts, 'approval_requested', [
    ...(round.number === 1 ? [proposed(proposal)] : []),
    ...round.before,
    ...closed,
    { kind: 'approval_required', message: 'approval required', data: { action: proposal.action, approval_id: request.approval_id, requires_approval: true, quorum: request.quorum, idempotency_key: proposal.executionKey, error: decision.rule } },
    { kind: 'approval_recorded', message: 'approval recorded', data: { approval_id: request.approval_id, action: proposal.action, requested_by: proposal.request.actor, status: 'pending', quorum: request.quorum, reason: decision.rule } },
  ], { approvalId: request.approval_id, facts: decision.action.facts, decision: { outcome: 'approval_required', reason: 'approval_required', message: decision.rule } })
  const committed = await store.requestApproval({ body, answer, request: canonical(request), guard: guardOf(facts, proposal.authority), closing: round.closing })
  if (committed.status === 'committed') return { ...answer, record: committed.record }
  return committed.status === 'repeat' ? committed.answer : 'stale'
}

/** The number of the round after this one, or `null` when no more are left. */
export function nextRound(request: ApprovalRequest | null): number | null {
  const next = (request?.round ?? 0) + 1
  return next > maxRounds ? null : next
}

/** What the workflow is told while a person is asked. */
export function waiting(request: ApprovalRequest, remainingMs: number, rejected: number, link: string | null): Unrecorded<Waiting> {
  const { approval_id: approvalId, round, reviewers, changed, answer_by: answerBy } = request
  // The page shows them in full; Temporal would fail the workflow for an answer that is too large.
  const [summary, rule] = [inShort(request.summary), inShort(request.rule)]
  return { outcome: 'approval_required', approvalId, round, summary, rule, reviewers, changed, answerBy, remainingMs, link, rejected }
}

function newRequest(
  proposal: GovernedProposal,
  facts: Facts,
  decision: NeedsApproval,
  round: { readonly number: number; readonly changed: string | null; readonly keepDeadlineOf?: ApprovalRequest },
): ApprovalRequest {
  const { contract, request } = proposal
  if (contract.approval === null) throw new TypeError(`${proposal.action} has no approval rule`)
  const { until } = proposal.authority
  // Consent lasts no longer than the mandate of the one who asks.
  const bounded = (ms: number): number => (until === null ? ms : Math.min(ms, Date.parse(until)))
  const answerBy = bounded(round.keepDeadlineOf === undefined ? Date.parse(facts.now) + contract.approval.answerWithinMs : Date.parse(round.keepDeadlineOf.answer_by))
  const { claim } = request
  return {
    format: 1,
    ...bindingOf(proposal, facts, decision.action),
    approval_id: randomUUID(),
    round: round.number,
    nonce: randomBytes(16).toString('hex'),
    requested_at: facts.now,
    answer_by: new Date(answerBy).toISOString(),
    use_by: new Date(bounded(answerBy + contract.approval.useWithinMs)).toISOString(),
    reviewers: contract.approval.reviewers,
    quorum: contract.approval.quorum,
    summary: printable(decision.action.describe()),
    risk: contract.risk,
    rule: printable(decision.rule),
    changed: round.changed === null ? null : printable(round.changed),
    claim: claim === undefined ? null : shownClaim(claim),
  }
}
