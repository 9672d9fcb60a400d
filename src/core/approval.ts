/** Approvals: what a person is asked, what they sign, and whether that consent still fits the one action (I3, I5, I6). */
import { canonical } from './canonical.ts'
import type { ShownClaim } from './claim.ts'

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
  /** The declared facts, as they were when it was asked; consent is for these. */
  readonly facts: unknown
  /** `version`: for the entity exactly as it was. `state`: as long as it is in that state. */
  readonly binds: 'version' | 'state'
  readonly approval_id: string
  readonly round: number
  readonly nonce: string
  readonly requested_at: string
  readonly answer_by: string
  readonly use_by: string
  /** The permission a reviewer needs. */
  readonly reviewers: string
  /** How many different people have to agree. */
  readonly quorum: number
  /** The contract's words: what will happen. */
  readonly summary: string
  readonly risk: string
  /** Why approval is needed. */
  readonly rule: string
  /** What changed since the last round. */
  readonly changed: string | null
  /** The agent's words: a claim. */
  readonly claim: ShownClaim | null
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
  /** The reviews' rows, as recorded by the reviewer login, oldest first. */
  readonly reviews: readonly ReviewFacts[]
}

export interface ReviewFacts {
  readonly jws: string
  readonly verdict: Verdict
  readonly reviewer: string
  readonly reason: string
  /** They hold the role that permits it, now. */
  readonly permitted: boolean
}

/** What the gate would execute now; each field must equal the request's. */
export type Binding = Pick<
  ApprovalRequest,
  | 'namespace' | 'workflow_id' | 'first_execution_run_id' | 'domain' | 'contract' | 'entity_type' | 'entity_id'
  | 'state' | 'state_version' | 'action' | 'params' | 'actor' | 'on_behalf_of' | 'facts' | 'binds'
>

export type Consent =
  | { readonly status: 'waiting' }
  | { readonly status: 'granted'; readonly reviewers: readonly string[] }
  | { readonly status: 'denied'; readonly reviewer: string; readonly reason: string }
  | { readonly status: 'expired'; readonly message: string }
  /** It no longer fits: close the round, ask again. */
  | { readonly status: 'void'; readonly changed: string }
  /** Closed by someone: revoked, withdrawn, used up. */
  | { readonly status: 'closed'; readonly by: ApprovalStatus }

/**
 * Judges one approval against what would be executed now. `genuine` are the reviews whose signature was checked with keys from
 * the worker's configuration and which came by signal as well: the gate needs both. A denial needs only the row, since
 * withholding is always safe.
 */
export function judgeConsent(approval: ApprovalFacts, request: ApprovalRequest, now: Binding, genuine: readonly ReviewFacts[]): Consent {
  if (approval.status === 'denied') {
    return { status: 'denied', ...denialOf(approval) }
  }
  if (approval.status !== 'pending' && approval.status !== 'granted') return { status: 'closed', by: approval.status }
  if (approval.useRemainingMs <= 0) return { status: 'expired', message: 'the grant was not used in time' }
  if (approval.status === 'pending' && approval.answerRemainingMs <= 0) return { status: 'expired', message: 'nobody answered in time' }
  const changed = whatChanged(request, now)
  if (changed !== null) return { status: 'void', changed }
  if (approval.status === 'pending') return { status: 'waiting' }
  const agreed = agreedTo(now, genuine)
  const people = new Set(agreed.map(({ reviewer }) => reviewer))
  if (people.size === 0 || people.size < request.quorum) return { status: 'waiting' }
  const left = agreed.find(({ permitted }) => !permitted)
  if (left !== undefined) return { status: 'void', changed: `${left.reviewer}, who granted it, may no longer review` }
  return { status: 'granted', reviewers: [...people] }
}

/**
 * Why a grant that was used does not stand for what would be run again; `null` when it was for exactly that. By whatever contract, and
 * whichever run chain comes back to it: under one key those may be others by then. `genuine`: the reviews whose signature was checked.
 */
export function whyNotUsed(request: ApprovalRequest, now: Binding, genuine: readonly ReviewFacts[]): string | null {
  const { namespace, workflow_id, first_execution_run_id, contract, binds } = now
  const changed = whatChanged({ ...request, namespace, workflow_id, first_execution_run_id, contract, binds }, now)
  if (changed !== null) return changed
  const people = new Set(agreedTo(now, genuine).map(({ reviewer }) => reviewer))
  return people.size > 0 && people.size >= request.quorum ? null : 'too few have agreed to it'
}

/** The grants that count: of nobody who proposes it, or for whom it is proposed. */
function agreedTo(now: Binding, genuine: readonly ReviewFacts[]): readonly ReviewFacts[] {
  return genuine.filter(({ verdict, reviewer }) => verdict === 'granted' && reviewer !== now.actor && reviewer !== now.on_behalf_of)
}

/** Who said no to it, and why. */
export function denialOf({ reviews }: Pick<ApprovalFacts, 'reviews'>): { readonly reviewer: string; readonly reason: string } {
  const denial = reviews.find(({ verdict }) => verdict === 'denied')
  return { reviewer: denial?.reviewer ?? 'unknown', reason: denial?.reason ?? '' }
}

/** In words, what of the action is no longer as it was asked; `null` when every bound field is equal. */
function whatChanged(request: ApprovalRequest, now: Binding): string | null {
  const { entity_type: type, entity_id: id } = now
  if (request.binds === 'version' && request.state_version !== now.state_version) {
    return `${type} ${id} has moved since: it was at version ${request.state_version}, now it is at ${now.state_version}`
  }
  if (request.state !== now.state) return `${type} ${id} has moved since: it was ${request.state ?? 'unknown'}, now it is ${now.state ?? 'unknown'}`
  if (request.contract !== now.contract) return `the rules of ${now.action} have changed since`
  const fact = changedFact(request.facts, now.facts)
  if (fact !== null) return fact
  for (const [field, value] of Object.entries(now)) {
    if (field !== 'state_version' && canonical(Reflect.get(request, field)) !== canonical(value)) return `${field} is not what was asked`
  }
  return null
}

function changedFact(before: unknown, now: unknown): string | null {
  for (const [name, value] of Object.entries(Object(now))) {
    const was: unknown = Reflect.get(Object(before), name)
    if (canonical(was ?? null) !== canonical(value)) return `${name} has changed since: it was ${canonical(was ?? null).slice(0, 200)}, now it is ${canonical(value).slice(0, 200)}`
  }
  return null
}
