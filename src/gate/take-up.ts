/**
 * Our own key's execution is open, and its lease over: run again with the same key, or left in doubt. That a row says so is not enough
 * to run anything: what it rests on is found again, in the contract, in signed reviews, and in the entity's past.
 */
import { whyNotUsed } from '../core/approval.ts'
import { canonical } from '../core/canonical.ts'
import type { ActionOnFacts } from '../core/contract.ts'
import { durationMs } from '../core/duration.ts'
import type { ExecutionFacts } from '../core/execution.ts'
import type { Facts, GateAnswer } from '../core/store.ts'
import { wordsOfThrown } from '../core/thrown.ts'
import { genuineReviews } from './ask.ts'
import { busy } from './busy.ts'
import { inDoubt, overWithin, resume, type Timing } from './execute.ts'
import type { GateOptions } from './gate.ts'
import { bindingOf, parseRequest, type GovernedProposal } from './proposal.ts'

/** What a commit may take of the time that is left for an attempt. */
const commitMs = 100

/** Waits for the lease, then takes it up, or says that nobody knows. @throws ApplicationFailure (retryable) while the lease lasts */
export async function takeUp(gate: GateOptions, proposal: GovernedProposal, facts: Facts, timing: Timing): Promise<GateAnswer | 'stale'> {
  const open = facts.execution
  if (open === null) return 'stale'
  if (open.leaseRemainingMs > 0) throw busy(proposal.request.entityId, open.leaseRemainingMs)
  const executor = gate.bound.executorOf(proposal.action)
  const again = await onTheSameGrounds(gate, proposal, facts, open)
  const within = overWithin(timing, Math.min(open.idempotentRemainingMs ?? 0, honouredMs(proposal) - open.openedAgoMs) - commitMs)
  if ('action' in again && executor !== undefined && within !== null) return resume(gate.store, proposal, facts, again.action, executor, within)
  const why = 'why' in again ? `it cannot be run again: ${again.why}` : 'the worker was lost while it ran'
  await gate.store.markInDoubt({ body: inDoubt(proposal, facts, why), executionKey: open.executionKey, token: null })
  return 'stale'
}

/** How long the receiver honours our key, by the contract; nothing of that sort is run again without one that says so. */
function honouredMs({ contract: { effect } }: GovernedProposal): number {
  return typeof effect === 'object' ? durationMs(effect.idempotentFor) : 0
}

/** The action as it was opened, where all that let it be opened can be found again; else what cannot, in words. */
async function onTheSameGrounds(gate: GateOptions, proposal: GovernedProposal, facts: Facts, open: ExecutionFacts): Promise<{ readonly action: ActionOnFacts } | { readonly why: string }> {
  const { inspection, contract } = proposal
  if (open.contradicted) return { why: 'it has happened after all' }
  if (!inspection.ok) return { why: inspection.message }
  try {
    const action = inspection.action.on(open.facts)
    const moved = Object.entries(contract.pastFacts(facts.events)).find(([name, value]) => canonical(open.facts[name] ?? null) !== canonical(value))
    if (moved !== undefined) return { why: `${moved[0]} is not what its past leads to` }
    const rule = action.approvalRule()
    const { approval } = facts
    if (rule === false) return approval !== null && unanswered.includes(approval.status) ? { why: `the request for it is ${approval.status}` } : { action }
    if (approval === null || open.grant !== approval.approvalId) return { why: 'no grant was used for it' }
    const why = whyNotUsed(parseRequest(approval.request), bindingOf(proposal, facts, action), await genuineReviews(approval, gate.verify))
    return why === null ? { action } : { why }
  } catch (error) {
    return { why: wordsOfThrown(error) }
  }
}

/** What stands against an execution that has used no grant: an honest one would have ended the request, or not have begun. */
const unanswered: readonly string[] = ['pending', 'granted', 'denied', 'revoked']
