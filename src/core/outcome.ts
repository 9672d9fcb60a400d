/**
 * The closed vocabulary of the gate's answers: KIFF's outcomes and reasons, and ours beside them.
 * Code compares only with `allowed`; whatever else an answer says, it withholds.
 */

import { printable } from './canonical.ts'

export type Outcome = 'allowed' | 'approval_required' | 'blocked' | 'invalid'

/** What whoever proposed can usefully do next. */
export type NextStep = 'fix_proposal' | 'do_not_retry' | 'try_later' | 'request_approval' | 'ask_operator'

interface ReasonRule {
  readonly outcome: Exclude<Outcome, 'allowed'>
  readonly nextStep: NextStep
  readonly meaning: string
}

/** Every reason the gate gives, once. README's table is compared with this one by a test. */
export const REASONS = {
  // KIFF's
  unknown_action: { outcome: 'invalid', nextStep: 'fix_proposal', meaning: 'the domain has no action of this name' },
  state_not_allowed: { outcome: 'blocked', nextStep: 'do_not_retry', meaning: "the entity's state does not permit it" },
  missing_parameter: { outcome: 'invalid', nextStep: 'fix_proposal', meaning: 'a required parameter is absent' },
  invalid_parameter: { outcome: 'invalid', nextStep: 'fix_proposal', meaning: 'a parameter is not what the contract says' },
  permission_denied: { outcome: 'blocked', nextStep: 'ask_operator', meaning: 'the actor holds no role that permits it' },
  approval_required: { outcome: 'approval_required', nextStep: 'request_approval', meaning: 'a person has to agree first' },
  approval_policy_error: { outcome: 'blocked', nextStep: 'ask_operator', meaning: "the contract's approval rule failed" },
  executor_missing: { outcome: 'invalid', nextStep: 'ask_operator', meaning: 'no executor is bound for the action' },
  error: { outcome: 'blocked', nextStep: 'ask_operator', meaning: 'something failed that has no better name' },
  // ours
  actor_unproven: { outcome: 'blocked', nextStep: 'ask_operator', meaning: 'the gate does not serve this actor, or its mandate does not hold' },
  unknown_entity: { outcome: 'invalid', nextStep: 'fix_proposal', meaning: 'no event has ever been accepted for it' },
  forbidden: { outcome: 'blocked', nextStep: 'do_not_retry', meaning: 'a rule of the contract forbids it, whoever agrees' },
  event_not_reportable: { outcome: 'blocked', nextStep: 'do_not_retry', meaning: 'this actor may not report this event' },
  approval_denied: { outcome: 'blocked', nextStep: 'do_not_retry', meaning: 'a person has said no' },
  approval_expired: { outcome: 'blocked', nextStep: 'do_not_retry', meaning: 'nobody answered, or used the grant, in time' },
  approval_void: { outcome: 'blocked', nextStep: 'do_not_retry', meaning: 'people were asked as often as may be, and no consent held (or the request was taken back each time); or a grant was revoked' },
  execution_failed: { outcome: 'blocked', nextStep: 'try_later', meaning: 'the executor says that nothing was done' },
  outcome_unknown: { outcome: 'blocked', nextStep: 'ask_operator', meaning: 'nobody knows whether it happened; a person must' },
} as const satisfies Record<string, ReasonRule>

export type Reason = keyof typeof REASONS

/** A refusal as the gate decides it, before it is recorded. */
export interface Refusal {
  readonly outcome: 'blocked' | 'invalid'
  readonly reason: Reason
  readonly message: string
  readonly nextStep: NextStep
}

/** Longest message of a refusal, in UTF-16 units: it may quote what was proposed. */
const maxMessage = 1_000

/** The refusal for `reason`, with outcome and next step from the one table; its message is made recordable. */
export function refuse(reason: Exclude<Reason, 'approval_required'>, message: string): Refusal {
  const { outcome, nextStep } = REASONS[reason]
  return { outcome, reason, message: printable(message.slice(0, maxMessage)), nextStep }
}

/** Where the ledger keeps an answer. Standing in Temporal's history, it anchors the ledger there. */
export interface RecordRef {
  /** `refunds/Order/order-2`, or the run's own chain for a refusal about an entity that does not exist. */
  readonly chain: string
  readonly seq: number
  /** SHA-256 of the ledger row, chained over the row before it; hex. */
  readonly hash: string
}

/** What a workflow gets back. Refusals are values; faults are exceptions (`ApplicationFailure`). */
export type ActionResult<Output = unknown> =
  | { readonly outcome: 'allowed'; readonly output: Output; readonly summary: string; readonly record: RecordRef }
  | (Refusal & { readonly record: RecordRef })
