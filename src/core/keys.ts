/** The two keys of DESIGN section 4: the call (one activity of one run) and the execution (one effect of one run chain). */
import { digestOf } from './digest.ts'
import type { ProposalRequest, Step } from './proposal.ts'

/**
 * D: what is proposed, by domain, entity, action and the raw parameters as they stand in the activity's input.
 * @throws NotCanonical
 */
export function proposalDigest(subject: { readonly domain: string; readonly entityType: string; readonly entityId: string; readonly action: string; readonly params: unknown }): string {
  return digestOf([subject.domain, subject.entityType, subject.entityId, subject.action, subject.params])
}

/**
 * The key under which an effect happens at most once: the same after a retry, a replay, and a reset. A caller's own key
 * replaces generation, digest and occurrence.
 */
export function executionKey(step: Step, request: Pick<ProposalRequest, 'chain' | 'key'>, proposal: string): string {
  const chain = [step.namespace, step.workflowId, step.firstExecutionRunId]
  const { generation, occurrence } = request.chain
  return digestOf(request.key === undefined ? [...chain, generation, proposal, occurrence] : [...chain, 'key', request.key])
}

/** The id of a reported event whose reporter gave none: the same step reports the same event. */
export function eventIdOf(step: Step, request: { readonly chain: ProposalRequest['chain']; readonly event: string; readonly entityId: string; readonly payload: unknown }): string {
  const { generation, occurrence } = request.chain
  return digestOf([step.namespace, step.workflowId, step.firstExecutionRunId, generation, occurrence, request.event, request.entityId, request.payload])
}
