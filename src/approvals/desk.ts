/** The inbox's port: what its pages read and the three things they write. The store behind it is `review.ts`. */
import type { Verdict } from '../core/approval.ts'
import type { ReconciliationVerdict } from '../core/reconciliation.ts'
import type { ApprovalRow, InDoubt, InDoubtRow } from '../postgres/review-store.ts'

export type { ApprovalRequest, ApprovalStatus, Verdict } from '../core/approval.ts'
export type { ReconciliationRequest } from '../core/reconciliation.ts'
export type { ApprovalRow, InDoubt, InDoubtRow } from '../postgres/review-store.ts'

export type ReviewOutcome =
  | { readonly outcome: 'recorded'; readonly verdict: Verdict }
  | {
      readonly outcome: 'refused'
      readonly reason: 'already_reviewed' | 'expired' | 'permission_denied' | 'self_review' | 'not_found' | 'closed'
      readonly message: string
    }

export type RevokeOutcome =
  | { readonly outcome: 'revoked' }
  | {
      readonly outcome: 'refused'
      readonly reason: 'permission_denied' | 'self_review' | 'not_found' | 'closed'
      readonly message: string
    }

export type ReconcileOutcome =
  | { readonly outcome: 'recorded'; readonly verdict: ReconciliationVerdict }
  | {
      readonly outcome: 'refused'
      readonly reason: 'already_reconciled' | 'output_unusable' | 'permission_denied' | 'self_review' | 'not_found' | 'closed'
      readonly message: string
    }

/** What one person has found out about an execution, for exactly this digest. */
export type Reconciliation = {
  readonly executionKey: string
  readonly ordinal: number
  readonly digest: string
  readonly reason: string
  readonly reviewer: string
} & ({ readonly verdict: 'happened'; readonly output: unknown } | { readonly verdict: 'not_happened' })

export interface Desk {
  readonly pending: () => Promise<readonly ApprovalRow[]>
  /** Those no longer pending, latest first. */
  readonly recent: (limit: number) => Promise<readonly ApprovalRow[]>
  readonly show: (approvalId: string) => Promise<ApprovalRow | undefined>
  readonly inDoubt: () => Promise<readonly InDoubt[]>
  /** An execution in doubt, or one that was and about which somebody has answered. */
  readonly showInDoubt: (executionKey: string, ordinal: number) => Promise<InDoubtRow | undefined>
  /** Records what one person has found out; the gate applies it. A throw means that nobody knows whether it was recorded. */
  readonly reconcile: (reconciliation: Reconciliation) => Promise<ReconcileOutcome>
  /** Records one person's verdict on exactly this digest. A throw means that nobody knows whether it was recorded. */
  readonly review: (review: {
    readonly approvalId: string
    readonly digest: string
    readonly verdict: Verdict
    readonly reason: string
    readonly reviewer: string
  }) => Promise<ReviewOutcome>
  /** Takes back a grant that has not been used; who may grant it, may. A throw means that nobody knows whether it was. */
  readonly revoke: (revocation: { readonly approvalId: string; readonly reviewer: string; readonly reason: string }) => Promise<RevokeOutcome>
}
