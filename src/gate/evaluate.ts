/** Asking what would happen: the decision that acting would take now, with no audit, no effect, and nothing written. */
import type { AllowedActionsRequest, EvaluateRequest, Step } from '../core/proposal.ts'
import type { AllowedAction, Evaluation } from '../core/evaluation.ts'
import { REASONS, refuse } from '../core/outcome.ts'
import { inShort } from '../core/thrown.ts'
import { authorityOf, provenAt } from './authority.ts'
import { decide, type Decided } from './decide.ts'
import { readDeclaredFacts } from './declared-facts.ts'
import type { GateOptions } from './gate.ts'
import { toProposal, toQuery } from './proposal.ts'

/** Longest time for the loaders of declared facts, in milliseconds. */
const loadWithinMs = 10_000

/** The gate's answer to a fresh proposal, now. @throws ApplicationFailure (retryable) when a declared fact cannot be read */
export async function evaluateProposal(gate: GateOptions, step: Step, request: EvaluateRequest): Promise<Evaluation> {
  const { domain } = gate.bound
  const { action, actor, mandate } = request
  const contract = Object.hasOwn(domain.actions, action) ? domain.actions[action] : undefined
  if (contract === undefined) return evaluation({ do: 'refuse', refusal: refuse('unknown_action', `${domain.name} has no action ${action}`) }, null)
  const authority = await authorityOf(gate, step, { domain: domain.name, actor, action, mandate })
  const { action: _, ...asked } = request
  const proposal = toProposal(step, domain.name, action, contract, { ...asked, key: unusedKey }, authority)
  const facts = await gate.store.readFacts(toQuery(proposal))
  const decided = await decide(gate.bound, proposal, facts, () => readDeclaredFacts(gate.bound, proposal, facts, loadWithinMs))
  return evaluation(decided, facts.state)
}

/** KIFF's allowed actions: what the contracts say of the state the entity is in now, and of the actor's roles. Unproven actors may nothing. */
export async function allowedActions(gate: GateOptions, step: Step, request: AllowedActionsRequest): Promise<readonly AllowedAction[]> {
  const { domain } = gate.bound
  const authority = await authorityOf(gate, step, { domain: domain.name, actor: request.actor, action: null, mandate: request.mandate })
  const allowed: AllowedAction[] = []
  for (const entity of Object.values(domain.entities)) {
    const facts = await gate.store.readFacts({
      step, domain: domain.name, entityType: entity.name, entityId: request.entityId, actor: request.actor, executionKey: unusedKey, proposalDigest: unusedKey,
    })
    if (provenAt(authority, facts.now) !== true) return []
    for (const [action, contract] of Object.entries(domain.actions)) {
      if (contract.entity.name !== entity.name || !facts.permissions.includes(contract.permission)) continue
      const inState = entity.states.length === 0 || (facts.state !== null && (contract.from === 'any' || contract.from.includes(facts.state.value)))
      if (!inState) continue
      const { description, risk, paramsSchema: params, approval } = contract
      allowed.push({ action, description, risk, params, approval: approval === null ? 'never' : approval.always === null ? 'by_rule' : 'always' })
    }
  }
  return allowed
}

/** A key that no proposal has: an evaluation is of a fresh one. */
const unusedKey = '\u0001evaluate' // no caller's key can hold a control character

function evaluation(decided: Decided, state: { readonly value: string; readonly version: number } | null): Evaluation {
  const where = { state: state?.value ?? null, stateVersion: state?.version ?? 0 }
  switch (decided.do) {
    case 'execute':
      return { outcome: 'allowed', reason: null, message: 'allowed', nextStep: null, summary: inShort(decided.action.describe()), ...where }
    case 'consent':
      return { outcome: 'approval_required', reason: 'approval_required', message: inShort(decided.decision.rule), nextStep: REASONS.approval_required.nextStep, summary: inShort(decided.decision.action.describe()), ...where }
    case 'refuse':
      return { ...decided.refusal, summary: null, ...where }
    case 'wait':
      return { outcome: 'blocked', reason: null, message: 'another action on it is under way; it would wait for that', nextStep: 'try_later', summary: null, ...where }
    case 'repeat':
    case 'take_up':
      throw new Error('a fresh proposal has no execution')
  }
}
