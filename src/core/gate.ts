/**
 * The gate's judgement, as arithmetic: facts in, decision out. The order is documented behaviour, the first failing check
 * wins: contract known → actor proven → entity known → state → parameters → permission → approval.
 */
import type { Contract, ParsedAction } from './contract.ts'
import { refuse, type Refusal } from './outcome.ts'
import type { EntityState } from './state.ts'

/** What the gate has read itself. Nothing in here came with the proposal (I2). */
export interface GateFacts {
  /** The gate worker is configured to serve this actor on this task queue (I13). */
  readonly actorProven: boolean
  /** `null`: no event has ever been accepted for the entity. */
  readonly state: EntityState | null
  /** Permissions the actor holds through roles, now. */
  readonly permissions: readonly string[]
}

export interface Proposal {
  readonly action: string
  readonly entityId: string
  readonly params: unknown
  readonly actor: string
}

export type GateDecision =
  | { readonly outcome: 'allowed'; readonly action: ParsedAction; readonly state: EntityState }
  /** All else holds; a person with `contract.approval.reviewers` has to agree. */
  | { readonly outcome: 'approval_required'; readonly action: ParsedAction; readonly state: EntityState; readonly rule: string }
  | Refusal

/** Decides one proposal. Pure: the same proposal and facts give the same decision. */
export function evaluate(contract: Contract | undefined, proposal: Proposal, facts: GateFacts): GateDecision {
  if (contract === undefined) return refuse('unknown_action', `there is no action ${proposal.action}`)
  if (!facts.actorProven) return refuse('actor_unproven', `this gate does not serve ${proposal.actor}`)
  const { state } = facts
  if (state === null) return refuse('unknown_entity', `there is no ${contract.entity.name} ${proposal.entityId}`)
  if (!contract.from.includes(state.value)) {
    return refuse('state_not_allowed', `${proposal.action} is not allowed in state ${state.value}, only in ${contract.from.join(', ')}`)
  }
  const inspection = contract.inspect(proposal.entityId, proposal.params)
  if (!inspection.ok) return refuse(inspection.reason, inspection.message)
  if (!facts.permissions.includes(contract.permission)) {
    return refuse('permission_denied', `${proposal.actor} does not hold ${contract.permission}`)
  }
  const { action } = inspection
  let rule: string | false
  try {
    rule = action.approvalRule()
  } catch (error) {
    return refuse('approval_policy_error', `the approval rule of ${proposal.action} failed: ${textOf(error)}`)
  }
  try {
    action.describe() // now, since after the effect it would be too late to find that it throws
  } catch (error) {
    return refuse('error', `${proposal.action} cannot be put into words: ${textOf(error)}`)
  }
  return rule === false ? { outcome: 'allowed', action, state } : { outcome: 'approval_required', action, state, rule }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
