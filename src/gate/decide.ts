/**
 * What the gate does about one proposal, given one reading of the facts. The acting gate and the read-only evaluation both ask
 * here, so that they cannot come to different answers.
 */
import { denialOf, type ApprovalFacts } from '../core/approval.ts'
import type { ActionOnFacts } from '../core/contract.ts'
import { evaluate } from '../core/gate.ts'
import { refuse, type Refusal } from '../core/outcome.ts'
import type { Closing, Facts } from '../core/store.ts'
import type { NeedsApproval } from './ask.ts'
import { provenAt } from './authority.ts'
import type { BoundDomain } from './binding.ts'
import { isOpen, isOwn, type GovernedProposal } from './proposal.ts'

export type Decided =
  /** It happened under this very key: the same answer again. */
  | { readonly do: 'repeat' }
  /** Its own execution is open, or was left open. */
  | { readonly do: 'take_up' }
  /** Another execution holds the entity. */
  | { readonly do: 'wait'; readonly leaseRemainingMs: number }
  | { readonly do: 'refuse'; readonly refusal: Refusal; readonly closing?: Closing | undefined; readonly declared?: Readonly<Record<string, unknown>> }
  | { readonly do: 'execute'; readonly action: ActionOnFacts }
  | { readonly do: 'consent'; readonly decision: NeedsApproval }

/** Decides. `readDeclared` is called only where the decision rests on declared facts. @throws whatever `readDeclared` throws */
export async function decide(bound: BoundDomain, proposal: GovernedProposal, facts: Facts, readDeclared: () => Promise<Readonly<Record<string, unknown>>>): Promise<Decided> {
  const { action, contract, request, inspection } = proposal
  const proven = provenAt(proposal.authority, facts.now)
  if (proven === true || facts.begun) {
    const before = earlier(proposal, facts)
    if (before !== null) return before
  }
  const declared = await readDeclared()
  const decision = evaluate(contract, { action, entityId: request.entityId, actor: request.actor, inspection }, {
    actorProven: proven, state: facts.state, permissions: facts.permissions, declared,
  })
  if (decision.outcome !== 'allowed' && decision.outcome !== 'approval_required') {
    return { do: 'refuse', refusal: decision, closing: closingOf(proposal, facts.approval), declared }
  }
  if (contract.effect !== 'none' && bound.executorOf(action) === undefined) {
    return { do: 'refuse', refusal: refuse('executor_missing', `no executor is bound for ${action}`), closing: closingOf(proposal, facts.approval), declared }
  }
  if (facts.holder !== null) {
    if (facts.holder.status === 'reserved') return { do: 'wait', leaseRemainingMs: facts.holder.leaseRemainingMs }
    return { do: 'refuse', refusal: refuse('outcome_unknown', `an earlier action on ${request.entityId} has an unknown outcome; a person must look first`), closing: closingOf(proposal, facts.approval), declared }
  }
  if (decision.outcome === 'approval_required') return { do: 'consent', decision }
  const no = saidNo(facts.approval)
  return no === null ? { do: 'execute', action: decision.action } : { do: 'refuse', refusal: no, closing: closingOf(proposal, facts.approval), declared }
}

/** What was decided before under this key and stays so. `null`: judge afresh. */
function earlier(proposal: GovernedProposal, { execution, begun, approval, denied: equal }: Facts): Decided | null {
  const { action, proposalDigest, request, authority } = proposal
  for (const known of [execution, approval]) {
    if (known !== null && known.proposalDigest !== proposalDigest) return refusing('invalid_parameter', 'this key was used for another proposal')
  }
  if (execution !== null && execution.status !== 'failed') {
    if (execution.actor !== request.actor || execution.onBehalfOf !== authority.onBehalfOf) {
      // Never in words that say that nothing was done.
      return begun ? refusing('outcome_unknown', `${action} on ${request.entityId} was begun by this call, and ${request.actor} cannot be proven any more; a person must look`) : refusing('permission_denied', 'another actor proposed this')
    }
    if (execution.status === 'in_doubt' || execution.completionRejected !== null) {
      return refusing('outcome_unknown', `nobody knows whether ${action} on ${request.entityId} happened; a person must look`)
    }
    // Its end has to be known, whatever has been said of an equal one since.
    return { do: execution.status === 'succeeded' ? 'repeat' : 'take_up' }
  }
  if (execution?.status === 'failed' && execution.contradicted) {
    return refusing('outcome_unknown', `a person had found that ${action} on ${request.entityId} had not happened, and then it had; a person must look`)
  }
  if (equal !== null && approval?.status !== 'denied') {
    return { ...refusing('approval_denied', `${equal.reviewer} denied an equal proposal: ${equal.reason}`), closing: closingOf(proposal, approval) }
  }
  return null
}

function refusing(...why: Parameters<typeof refuse>): Extract<Decided, { do: 'refuse' }> {
  return { do: 'refuse', refusal: refuse(...why) }
}

/** What a person has said against this very proposal stays said, also where the rules have moved and nobody has to be asked any more. */
function saidNo(approval: ApprovalFacts | null): Refusal | null {
  if (approval?.status === 'denied') return denied(denialOf(approval))
  return approval?.status === 'revoked' ? revoked() : null
}

/** Somebody has been asked, and said no. */
export function denied({ reviewer, reason }: { readonly reviewer: string; readonly reason: string }): Refusal {
  return refuse('approval_denied', `${reviewer} said no: ${reason}`)
}

/** Somebody had agreed, and took it back. */
export function revoked(): Refusal {
  return refuse('approval_void', 'the grant was revoked')
}

/** Ends the open round when the proposal itself is refused meanwhile. */
function closingOf(proposal: GovernedProposal, approval: ApprovalFacts | null): Closing | undefined {
  if (approval === null || !isOwn(proposal, approval)) return undefined
  if (isOpen(approval)) return { approvalId: approval.approvalId, status: 'void' }
  if (approval.closed) return undefined
  return approval.status === 'denied' || approval.status === 'revoked' ? { approvalId: approval.approvalId, status: approval.status } : undefined
}
