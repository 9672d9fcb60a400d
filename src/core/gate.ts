/**
 * The gate's judgement, as arithmetic: facts in, decision out. The order is documented behaviour, the first failing check
 * wins: contract known → actor proven → entity known → state → parameters' schema → permission → the domain's own check of the
 * parameters → forbidden → approval. The check comes after the permission, unlike KIFF's: it sees declared facts, and whoever may
 * not do a thing learns nothing of them.
 */
import type { ActionOnFacts, Contract, Inspection } from './contract.ts'
import { isStateless } from './entity.ts'
import { refuse, type Refusal } from './outcome.ts'
import type { EntityState } from './state.ts'
import { wordsOfThrown } from './thrown.ts'

/** What the gate has read itself. Nothing in here came with the proposal (I2). */
export interface GateFacts {
  /** The gate worker serves this actor on this task queue, or a mandate that holds names it (I13); else why it does not count. */
  readonly actorProven: true | string
  /** `null`: no event has ever been accepted for the entity. */
  readonly state: EntityState | null
  /** Permissions the actor holds through roles, now. */
  readonly permissions: readonly string[]
  /** The facts that the contract declares, read and parsed; `{}` where it declares none. */
  readonly declared: Readonly<Record<string, unknown>>
}

export interface Proposal {
  readonly action: string
  readonly entityId: string
  readonly actor: string
  /** Its parameters, parsed once. */
  readonly inspection: Inspection
}

export type GateDecision =
  | { readonly outcome: 'allowed'; readonly action: ActionOnFacts }
  /** All else holds; a person with `contract.approval.reviewers` has to agree. */
  | { readonly outcome: 'approval_required'; readonly action: ActionOnFacts; readonly rule: string }
  | Refusal

/** Decides one proposal. Pure: the same proposal and facts give the same decision. */
export function evaluate(contract: Contract | undefined, proposal: Proposal, facts: GateFacts): GateDecision {
  if (contract === undefined) return refuse('unknown_action', `there is no action ${proposal.action}`)
  const early = beforeFacts(contract, proposal, facts)
  if (early !== null) return early
  const { inspection } = proposal
  if (!inspection.ok) return refuse(inspection.reason, inspection.message)
  const unread = Object.keys(contract.facts).find((name) => !Object.hasOwn(facts.declared, name))
  if (unread !== undefined) return refuse('error', `fact ${unread} was not read`)
  const action = inspection.action.on(facts.declared)
  return (
    ruled(action.check, 'invalid_parameter', `the check of ${proposal.action}'s parameters`) ??
    ruled(action.forbid, 'forbidden', `the rule of ${proposal.action}`) ??
    approved(proposal, action)
  )
}

/** What can be said before any declared fact is read; `null` when nothing stands against it yet. */
export function beforeFacts(contract: Contract, { action, entityId, actor, inspection }: Proposal, { actorProven, state, permissions }: Omit<GateFacts, 'declared'>): Refusal | null {
  if (actorProven !== true) return refuse('actor_unproven', actorProven)
  if (state === null && !isStateless(contract.entity)) return refuse('unknown_entity', `there is no ${contract.entity.name} ${entityId}`)
  if (state !== null && contract.from !== 'any' && !contract.from.includes(state.value)) {
    return refuse('state_not_allowed', `${action} is not allowed in state ${state.value}, only in ${contract.from.join(', ')}`)
  }
  if (!inspection.ok) return refuse(inspection.reason, inspection.message)
  return permissions.includes(contract.permission) ? null : refuse('permission_denied', `${actor} does not hold ${contract.permission}`)
}

/** A rule of the contract's own: its words refuse, and so does its failure. */
function ruled(rule: () => string | false, reason: 'invalid_parameter' | 'forbidden', what: string): Refusal | null {
  try {
    const words = rule()
    return words === false ? null : refuse(reason, words)
  } catch (error) {
    return refuse('error', `${what} failed: ${wordsOfThrown(error)}`)
  }
}

function approved({ action: name }: Proposal, action: ActionOnFacts): GateDecision {
  let rule: string | false
  try {
    rule = action.approvalRule()
  } catch (error) {
    return refuse('approval_policy_error', `the approval rule of ${name} failed: ${wordsOfThrown(error)}`)
  }
  try {
    action.describe() // now, since after the effect it would be too late to find that it throws
  } catch (error) {
    return refuse('error', `${name} cannot be put into words: ${wordsOfThrown(error)}`)
  }
  return rule === false ? { outcome: 'allowed', action } : { outcome: 'approval_required', action, rule }
}
