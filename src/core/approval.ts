/** Approvals: what a person is asked, what they sign, and whether that consent still fits the one action (I3, I5, I6). */
import { canonical } from './canonical.ts'

/**
 * What one approval asks for: the canonical pre-image whose SHA-256 a review signs. The page shows nothing else, the
 * gate compares every field with what it would execute. Wire form, snake_case.
 */
export interface ApprovalRequest {
  readonly format: 1
  readonly namespace: string
  readonly workflow_id: string
  readonly first_execution_run_id: string
  readonly domain: string
  /** The contract's hash. */
  readonly contract: string
  readonly entity_type: string
  readonly entity_id: string
  readonly state: string | null
  readonly state_version: number
  readonly action: string
  readonly params: unknown
  readonly actor: string
  readonly on_behalf_of: string | null
  readonly approval_id: string
  readonly round: number
  readonly nonce: string
  readonly requested_at: string
  readonly answer_by: string
  readonly use_by: string
  /** The permission a reviewer needs. */
  readonly reviewers: string
  /** The contract's words: what will happen. */
  readonly summary: string
  readonly risk: string
  /** Why approval is needed. */
  readonly rule: string
  /** What changed since the last round. */
  readonly changed: string | null
  /** The agent's words: a claim. */
  readonly claim: { readonly why: string; readonly evidence: readonly string[]; readonly confidence: number | null } | null
}

/** KIFF's `pending | granted | denied`, and ours. */
export type ApprovalStatus = 'pending' | 'granted' | 'denied' | 'expired' | 'revoked' | 'withdrawn' | 'void' | 'consumed'

export type Verdict = 'granted' | 'denied'

/** What a review's JWS carries. Header: `alg` EdDSA, `typ` kiff-review+jws, `kid`. */
export interface SignedReview {
  readonly purpose: 'approval'
  readonly approval_id: string
  /** SHA-256 of the request's canonical text, hex. */
  readonly digest: string
  readonly verdict: Verdict
  readonly reviewer: string
  readonly reason: string
  readonly reviewed_at: string
}

/** The `typ` of a review's JWS. */
export const reviewType = 'kiff-review+jws'

/** Most signals one gate call judges, and the longest one, in UTF-16 units. Here, since the sandbox counts them too. */
export const maxReviews = 20
export const maxReviewLength = 8_192

/** Most rounds in which one proposal asks for consent. */
export const maxRounds = 3

/** An approval as the gate reads it. */
export interface ApprovalFacts {
  readonly approvalId: string
  readonly proposalDigest: string
  /** The stored pre-image, as text. */
  readonly request: string
  readonly status: ApprovalStatus
  /** The round has ended, and the gate, or the service, has recorded so. */
  readonly closed: boolean
  /** Milliseconds left by the database's clock; negative when over. */
  readonly answerRemainingMs: number
  readonly useRemainingMs: number
  /** The review's row, if one was recorded by the reviewer login; `permitted` is their role now. */
  readonly review: { readonly jws: string; readonly verdict: Verdict; readonly reviewer: string; readonly reason: string; readonly permitted: boolean } | null
}

/** What the gate would execute now; each field must equal the request's. */
export type Binding = Pick<
  ApprovalRequest,
  | 'namespace' | 'workflow_id' | 'first_execution_run_id' | 'domain' | 'contract' | 'entity_type' | 'entity_id'
  | 'state_version' | 'action' | 'params' | 'actor' | 'on_behalf_of'
>

export type Consent =
  | { readonly status: 'waiting' }
  | { readonly status: 'granted'; readonly reviewer: string; readonly reason: string }
  | { readonly status: 'denied'; readonly reviewer: string; readonly reason: string }
  | { readonly status: 'expired'; readonly message: string }
  /** It no longer fits: close the round, ask again. */
  | { readonly status: 'void'; readonly changed: string }
  /** Closed by someone: revoked, withdrawn, used up. */
  | { readonly status: 'closed'; readonly by: ApprovalStatus }

/**
 * Judges one approval against what would be executed now. `verified` is the row's signature, checked with keys from the
 * worker's configuration; `delivered` says that the same signed review came by signal: the gate needs both. A denial needs
 * only the row, since withholding is always safe.
 */
export function judgeConsent(
  approval: ApprovalFacts,
  request: ApprovalRequest,
  now: Binding,
  signed: { readonly verified: boolean; readonly delivered: boolean },
): Consent {
  if (approval.status === 'denied') {
    return { status: 'denied', reviewer: approval.review?.reviewer ?? 'unknown', reason: approval.review?.reason ?? '' }
  }
  if (approval.status !== 'pending' && approval.status !== 'granted') return { status: 'closed', by: approval.status }
  if (approval.useRemainingMs <= 0) return { status: 'expired', message: 'the grant was not used in time' }
  if (approval.status === 'pending' && approval.answerRemainingMs <= 0) return { status: 'expired', message: 'nobody answered in time' }
  const changed = whatChanged(request, now)
  if (changed !== null) return { status: 'void', changed }
  const { review } = approval
  if (approval.status === 'pending' || review === null || review.verdict !== 'granted') return { status: 'waiting' }
  if (!signed.verified || !signed.delivered) return { status: 'waiting' }
  if (review.reviewer === now.actor || review.reviewer === now.on_behalf_of) return { status: 'waiting' }
  if (!review.permitted) return { status: 'void', changed: `${review.reviewer}, who granted it, may no longer review` }
  return { status: 'granted', reviewer: review.reviewer, reason: review.reason }
}

/** In words, what of the action is no longer as it was asked; `null` when every bound field is equal. */
function whatChanged(request: ApprovalRequest, now: Binding): string | null {
  if (request.state_version !== now.state_version) {
    return `${now.entity_type} ${now.entity_id} has moved since: it was at version ${request.state_version}, now it is at ${now.state_version}`
  }
  if (request.contract !== now.contract) return `the rules of ${now.action} have changed since`
  for (const [field, value] of Object.entries(now)) {
    if (canonical(Reflect.get(request, field)) !== canonical(value)) return `${field} is not what was asked`
  }
  return null
}
