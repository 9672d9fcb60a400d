/** What has become of a proposal, as its audit entries tell it. A failed effect never reads as executed, nor a held one as over. */
import type { AuditKind } from './ledger-row.ts'

export type Disposition =
  // Judged, and nothing came of it.
  | 'proposed' | 'refused'
  // A person was asked; how that round stands, or ended.
  | 'awaiting_approval' | 'granted' | 'denied' | 'expired' | 'withdrawn' | 'revoked' | 'void'
  // It was begun. `completion_rejected`: it happened, and what came back could not be accepted.
  | 'executing' | 'in_doubt' | 'completion_rejected' | 'executed' | 'failed'

/** What each kind of entry says; a new kind has to be decided here. `null`: nothing about what became of a proposal. */
const words = {
  decision_proposed: 'proposed',
  approval_required: 'awaiting_approval',
  approval_recorded: 'awaiting_approval',
  approval_granted: 'granted',
  approval_denied: 'denied',
  approval_expired: 'expired',
  approval_withdrawn: 'withdrawn',
  approval_revoked: 'revoked',
  approval_void: 'void',
  action_validated: 'executing',
  action_resumed: 'executing',
  action_in_doubt: 'in_doubt',
  action_completion_rejected: 'completion_rejected',
  action_contradicted: 'in_doubt',
  action_executed: 'executed',
  action_failed: 'failed',
  // What a person has found out is so when the gate has applied it, and says `executed` or `failed`.
  action_reconciled: null,
  action_reconciliation_rejected: null,
  // A review that does not count leaves the question open; a repeated answer changes nothing; events are the entity's.
  approval_review_rejected: null,
  action_deduplicated: null,
  event_ingested: null,
  event_rejected: null,
  state_changed: null,
} satisfies Record<AuditKind, Disposition | null>

const known: Readonly<Record<string, Disposition | null>> = words

/** What an entry says of its proposal; `null`: nothing. An `action_executed` that does not say `succeeded` has failed. */
export function wordOf({ kind, data }: { readonly kind: string; readonly data: Readonly<Record<string, unknown>> }): Disposition | null {
  if (kind === 'action_executed' && data['status'] !== 'succeeded') return 'failed'
  if (kind === 'action_failed' && data['status'] === 'skipped') return 'refused'
  return Object.hasOwn(known, kind) ? (known[kind] ?? null) : null
}

const talk: readonly Disposition[] = ['proposed', 'refused']
const rounds: readonly Disposition[] = ['awaiting_approval', 'granted', 'denied', 'expired', 'withdrawn', 'revoked', 'void']
const endings: readonly Disposition[] = ['expired', 'withdrawn', 'void']

/**
 * Whether a word moves a proposal on from where it stands. What was executed stays so; what was begun is moved only by how it
 * went; a denial, or a revocation, stays one however its round is then closed; and a refusal (somebody asked again, or with the same key for something
 * else) moves nothing that is held, begun or over. `sameCommit`: the word stands beside the one that brought it there.
 */
export function moves(current: Disposition | undefined, word: Disposition, sameCommit: boolean): boolean {
  if (current === undefined) return true
  if (current === 'executed') return false
  if (talk.includes(word)) return talk.includes(current) || current === 'failed' || current === 'void' || (current === 'executing' && sameCommit)
  if (!rounds.includes(word)) return true
  if (current === 'executing' || current === 'in_doubt' || current === 'completion_rejected') return false
  return !((current === 'denied' || current === 'revoked') && endings.includes(word))
}
