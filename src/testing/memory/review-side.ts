/** What the human-facing service does, as `0004-reviews.sql` has it. */
import type { ApprovalRequest, Verdict } from '../../core/approval.ts'
import { sha256 } from '../../core/digest.ts'
import type { RunChain } from '../../core/proposal.ts'
import type { ApprovalRow, Delivery, RecordedReview } from '../../postgres/review-store.ts'
import { parseBody, type Body } from './body.ts'
import { append } from './ledger.ts'
import { mayReview } from './registry.ts'
import { StoreError, type Approval, type Transaction } from './tables.ts'

export function toApprovalRow(tx: Transaction, a: Approval): ApprovalRow {
  const reviews = reviewsOf(tx, a.approvalId).map(({ verdict, reviewer, reason, at }) => ({ verdict, reviewer, reason, at: new Date(at).toISOString() }))
  return { request: JSON.parse(a.request) as ApprovalRequest, digest: a.digest, status: a.status, reviews, revoked: revocationOf(tx, a.approvalId) }
}

/** Told by the ledger alone: who took the grant back, when, and why. */
function revocationOf(tx: Transaction, id: string): ApprovalRow['revoked'] {
  for (const { body, at } of tx.ledger.all()) {
    const { kind, approval_id: approvalId, actor, audit } = parseBody(body)
    if (kind !== 'approval_revoked' || approvalId !== id) continue
    const reason: unknown = Reflect.get(Object(audit?.[0]?.data), 'reason')
    return { reviewer: actor ?? '', reason: typeof reason === 'string' ? reason : '', at: new Date(at).toISOString() }
  }
  return null
}

const reviewsOf = (tx: Transaction, id: string) => tx.reviews.all().filter(({ approvalId }) => approvalId === id)

const soonest = (a: Approval, b: Approval): number => a.answerBy - b.answerBy || (a.approvalId < b.approvalId ? -1 : 1)
const latest = (a: Approval, b: Approval): number => b.answerBy - a.answerBy || (a.approvalId < b.approvalId ? -1 : 1)

export function listApprovals(tx: Transaction, which: 'pending' | 'closed', limit: number): readonly ApprovalRow[] {
  const isPending = ({ status, answerBy }: Approval): boolean => status === 'pending' && answerBy > tx.now
  const found = tx.approvals.all().filter((a) => isPending(a) === (which === 'pending'))
  return found.sort(which === 'pending' ? soonest : latest).slice(0, limit).map((a) => toApprovalRow(tx, a))
}

/** Records one review: row, ledger row, outbox, in this one commit. */
export function recordReview(tx: Transaction, body: string, jws: string): RecordedReview {
  const b = parseBody(body)
  const review = b.review ?? {}
  const a = tx.approvals.get(b.approval_id)
  if (a === undefined) return { status: 'refused', reason: 'not_found' }
  if (review['jws_sha256'] !== sha256(jws)) throw new StoreError('23514', 'the row does not hold the hash of this signature')
  const reason = whyRefused(tx, a, review)
  if (reason !== null) return { status: 'refused', reason }
  const { verdict } = review
  if (verdict !== 'granted' && verdict !== 'denied') throw new StoreError('23514', `${verdict} is no verdict`)
  tx.reviews.insert({ approvalId: a.approvalId, verdict, reviewer: review['reviewer'] ?? '', reason: required(review['reason'], 'a reason'), jws, at: tx.now })
  settle(tx, a, verdict)
  append(tx, a.chain, body, ['reviewed'])
  return { status: 'committed' }
}

/** One denial is final; a grant counts when as many people as the contract asks for have agreed. */
function settle(tx: Transaction, a: Approval, verdict: Verdict): void {
  if (verdict !== 'denied' && reviewsOf(tx, a.approvalId).length < a.quorum) return
  tx.approvals.put({ ...a, status: verdict })
  tx.deliveries.insert({ approvalId: a.approvalId, attempts: 0, nextAt: tx.now })
}

function whyRefused(tx: Transaction, a: Approval, review: NonNullable<Body['review']>): string | null {
  const { reviewer } = review
  if (['granted', 'denied', 'consumed'].includes(a.status) || tx.reviews.get(a.approvalId, reviewer) !== undefined) return 'already_reviewed'
  if (a.status === 'expired') return 'expired'
  if (a.status !== 'pending' || a.digest !== review['digest']) return 'closed'
  if (!mayReview(tx, a.domain, reviewer, a.reviewers)) return 'permission_denied'
  if (isOwn(a, reviewer)) return 'self_review'
  return tx.now >= a.answerBy ? 'expired' : null
}

function isOwn(a: Approval, reviewer: string | null | undefined): boolean {
  return reviewer === a.requester || reviewer === a.onBehalfOf
}

function required(text: string | null | undefined, what: string): string {
  if (typeof text !== 'string') throw new StoreError('23502', `a review has ${what}`)
  return text
}

/** Takes back a grant that has not been used. The round stays open until the gate has taken note. */
export function revokeApproval(tx: Transaction, body: string): RecordedReview {
  const b = parseBody(body)
  const a = tx.approvals.get(b.approval_id)
  if (a === undefined) return { status: 'refused', reason: 'not_found' }
  if (!mayReview(tx, a.domain, b.actor, a.reviewers)) return { status: 'refused', reason: 'permission_denied' }
  if (isOwn(a, b.actor)) return { status: 'refused', reason: 'self_review' }
  if (a.status !== 'granted' || a.closedSeq !== null) return { status: 'refused', reason: 'closed' }
  tx.approvals.put({ ...a, status: 'revoked' })
  const delivery = tx.deliveries.get(a.approvalId)
  if (delivery !== undefined) tx.deliveries.put({ ...delivery, nextAt: tx.now })
  append(tx, a.chain, body, ['approval_revoked'])
  return { status: 'committed' }
}

/** A review that was refused is a fact too. */
export function recordRefusedReview(tx: Transaction, body: string): void {
  const a = tx.approvals.get(parseBody(body).approval_id)
  if (a !== undefined) append(tx, a.chain, body, ['review_refused'])
}

const isOpen = ({ closedSeq, status }: Approval): boolean => closedSeq === null && ['pending', 'granted', 'denied', 'revoked'].includes(status)

export function overdueRounds(tx: Transaction): readonly ApprovalRow[] {
  const isOver = (a: Approval): boolean => (a.status === 'pending' ? a.answerBy : a.useBy) < tx.now
  return tx.approvals.all().filter((a) => isOpen(a) && isOver(a)).slice(0, 100).map((a) => toApprovalRow(tx, a))
}

export function openRounds(tx: Transaction, after: string | null, limit: number): readonly ApprovalRow[] {
  const open = tx.approvals.all().filter((a) => a.closedSeq === null && (after === null || a.approvalId > after))
  return open.sort((a, b) => (a.approvalId < b.approvalId ? -1 : 1)).slice(0, limit).map((a) => toApprovalRow(tx, a))
}

export function roundsOf(tx: Transaction, { namespace, workflowId, firstExecutionRunId }: RunChain): { readonly all: number; readonly open: number } {
  const all = tx.approvals.all().filter((a) => a.namespace === namespace && a.workflowId === workflowId && a.firstExecutionRunId === firstExecutionRunId)
  return { all: all.length, open: all.filter(({ closedSeq }) => closedSeq === null).length }
}

/** Expires or withdraws a round, as the row's kind says. @returns false when it is closed already, or not over */
export function closeApproval(tx: Transaction, body: string): boolean {
  const b = parseBody(body)
  if (b.kind !== 'approval_expired' && b.kind !== 'approval_withdrawn') throw new StoreError('P0001', `unknown kind ${b.kind}`)
  const a = tx.approvals.get(b.approval_id)
  if (a === undefined || !isOpen(a)) return false
  // A denial stays a denial, and a revocation one.
  const settled = a.status === 'denied' || a.status === 'revoked'
  const status = b.kind === 'approval_expired' ? 'expired' : 'withdrawn'
  if (status === 'expired' && tx.now < (a.status === 'pending' ? a.answerBy : a.useBy)) return false
  const { seq } = append(tx, a.chain, body, ['approval_expired', 'approval_withdrawn'])
  tx.approvals.put({ ...a, status: settled ? a.status : status, closedSeq: seq })
  return true
}

export function dueDeliveries(tx: Transaction): readonly Delivery[] {
  const due = tx.deliveries.all().filter(({ nextAt }) => nextAt <= tx.now).sort((a, b) => a.nextAt - b.nextAt)
  return due.flatMap(({ approvalId, attempts }) => {
    const a = tx.approvals.get(approvalId)
    if (a === undefined || a.closedSeq !== null) return []
    const { namespace, workflowId, firstExecutionRunId } = a
    return [{ approvalId, namespace, workflowId, firstExecutionRunId, attempts, reviews: reviewsOf(tx, approvalId).map(({ jws }) => jws) }]
  }).slice(0, 50)
}

export function deliveryAttempted(tx: Transaction, approvalId: string, waitMs: number): void {
  const delivery = tx.deliveries.get(approvalId)
  if (delivery !== undefined) tx.deliveries.put({ ...delivery, attempts: delivery.attempts + 1, nextAt: tx.now + Math.round(waitMs) })
}
