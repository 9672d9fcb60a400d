/** The inbox's port: what its pages read and the two things they write. The store behind it is `review.ts`. */
import type { Verdict } from '../core/approval.ts'
import type { ApprovalRow, InDoubt } from '../postgres/review-store.ts'

export type { ApprovalRequest, ApprovalStatus, Verdict } from '../core/approval.ts'
export type { ApprovalRow, InDoubt } from '../postgres/review-store.ts'

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

export interface Desk {
  readonly pending: () => Promise<readonly ApprovalRow[]>
  /** Those no longer pending, latest first. */
  readonly recent: (limit: number) => Promise<readonly ApprovalRow[]>
  readonly show: (approvalId: string) => Promise<ApprovalRow | undefined>
  readonly inDoubt: () => Promise<readonly InDoubt[]>
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
