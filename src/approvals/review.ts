/** Recording what a person decided: a review, signed, with its ledger row and its outbox entry in one commit; or that a grant is taken back. */
import type { ApprovalRequest, SignedReview } from '../core/approval.ts'
import { sha256 } from '../core/digest.ts'
import { ledgerBody, printable, type AuditEntry, type RowKind } from '../core/ledger-row.ts'
import type { ReviewStore } from '../postgres/review-store.ts'
import type { Desk, ReviewOutcome, RevokeOutcome } from './desk.ts'
import { reconcileAt } from './reconcile.ts'
import { refusedAs } from './refused-as.ts'
import type { ReviewSigner } from './signing.ts'

const refusals = {
  already_reviewed: 'it has been answered already; nobody answers twice',
  expired: 'the time to answer is over',
  permission_denied: 'you do not hold the permission that reviewers of this action need',
  self_review: 'whoever asks may not review',
  not_found: 'there is no such approval',
  closed: 'it is no longer open, or no longer what you were shown',
} as const

const revocationRefusals = {
  permission_denied: 'you do not hold the permission that reviewers of this action need',
  self_review: 'whoever asks may neither grant nor revoke',
  not_found: 'there is no such approval',
  closed: 'it is no grant that waits for its use: it has been used, or is over',
} as const

/** @param now for the signed time only; deadlines are judged by the database's clock */
export function createDesk(store: ReviewStore, sign: ReviewSigner, now: () => Date = () => new Date()): Desk {
  return {
    pending: () => store.list('pending', 500),
    recent: (limit) => store.list('closed', limit),
    show: (approvalId) => (isUuid(approvalId) ? store.show(approvalId) : Promise.resolve(undefined)),
    inDoubt: () => store.inDoubt(),
    showInDoubt: (executionKey, ordinal) => store.showInDoubt(executionKey, ordinal),
    reconcile: reconcileAt(store, sign, now),
    async review({ approvalId, digest, verdict, reason, reviewer }): Promise<ReviewOutcome> {
      const row = isUuid(approvalId) ? await store.show(approvalId) : undefined
      if (row === undefined) return refusedAs(refusals, 'not_found')
      if (row.digest !== digest) return refusedAs(refusals, 'closed')
      const { request } = row
      const review: SignedReview = {
        purpose: 'approval', approval_id: approvalId, digest, verdict, reviewer, reason: printable(reason), reviewed_at: now().toISOString(),
      }
      const message = verdict === 'granted' ? 'approval granted' : 'approval denied'
      const entry: AuditEntry = {
        kind: verdict === 'granted' ? 'approval_granted' : 'approval_denied',
        message,
        data: { approval_id: approvalId, action: request.action, requested_by: request.actor, reviewed_by: reviewer, status: verdict, reason: review.reason },
        actor_id: reviewer,
      }
      const jws = await sign(review)
      // The chain holds the signature's hash: the row that keeps the signature cannot be exchanged unnoticed.
      const recorded = await store.recordReview(approvalBody(request, 'reviewed', reviewer, [entry], { ...review, jws_sha256: sha256(jws) }), jws)
      if (recorded.status === 'committed') return { outcome: 'recorded', verdict }
      return refusedAs(refusals, await recordRefusal(store, request, reviewer, recorded.reason, 'approval review rejected'))
    },
    async revoke({ approvalId, reviewer, reason }): Promise<RevokeOutcome> {
      const row = isUuid(approvalId) ? await store.show(approvalId) : undefined
      if (row === undefined) return refusedAs(revocationRefusals, 'not_found')
      const { request } = row
      const entry: AuditEntry = {
        kind: 'approval_revoked',
        message: 'approval revoked',
        data: { approval_id: approvalId, action: request.action, requested_by: request.actor, revoked_by: reviewer, reason: printable(reason) },
        actor_id: reviewer,
      }
      // Not signed: it only withholds, which nobody has to prove the right to.
      const recorded = await store.revokeApproval(approvalBody(request, 'approval_revoked', reviewer, [entry]))
      if (recorded.status === 'committed') return { outcome: 'revoked' }
      return refusedAs(revocationRefusals, await recordRefusal(store, request, reviewer, recorded.reason, 'approval revocation rejected'))
    },
  }
}

/** An attempt that did not count is a fact too. @returns why it did not */
async function recordRefusal(store: ReviewStore, request: ApprovalRequest, reviewer: string, reason: string, message: string): Promise<string> {
  await store.recordRefusedReview(approvalBody(request, 'review_refused', reviewer, [{
    kind: 'approval_review_rejected',
    message,
    data: { approval_id: request.approval_id, action: request.action, requested_by: request.actor, reviewer, reason },
    actor_id: reviewer,
  }]))
  return reason
}

/** A ledger row about an approval, written by the human-facing service: of no activity, hence without run and call. */
export function approvalBody(request: ApprovalRequest, kind: RowKind, actor: string, audit: readonly AuditEntry[], review?: Readonly<Record<string, string>>): string {
  return ledgerBody({
    kind, actor, audit,
    step: { namespace: request.namespace, workflowId: request.workflow_id, firstExecutionRunId: request.first_execution_run_id, runId: '', activityId: '' },
    domain: request.domain,
    entityType: request.entity_type,
    entityId: request.entity_id,
    action: request.action,
    approvalId: request.approval_id,
    causation: request.approval_id,
    review,
  })
}

function isUuid(text: string): boolean {
  return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(text)
}
