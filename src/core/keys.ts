/** The two keys of DESIGN section 4: the call (one activity of one run) and the execution (one effect of one run chain). */
import { digestOf } from './digest.ts'
import type { ChainClaim, ProposalRequest, Step } from './proposal.ts'

/**
 * D: what is proposed, by domain, entity, action and the raw parameters as they stand in the activity's input.
 * @throws NotCanonical
 */
export function proposalDigest(subject: { readonly domain: string; readonly entityType: string; readonly entityId: string; readonly action: string; readonly params: unknown }): string {
  return digestOf([subject.domain, subject.entityType, subject.entityId, subject.action, subject.params])
}

/**
 * The key under which an effect happens at most once: the same after a retry, a replay, a reset of the workflow or of one of its
 * parents. A caller's own key replaces generation, digest and occurrence; an API caller's key replaces the run chain as well,
 * and counts for the actor and the action. Whoever meets a key under another digest is refused by the gate.
 */
export function executionKey(step: Step, request: Pick<ProposalRequest, 'chain' | 'key' | 'callerKey' | 'actor'>, proposed: { readonly domain: string; readonly action: string; readonly digest: string }): string {
  const { chain, key, callerKey, actor } = request
  if (callerKey !== undefined) return digestOf(['caller', step.namespace, proposed.domain, actor, proposed.action, callerKey])
  const place = placeOf(step, chain)
  return digestOf(key === undefined ? [...place, chain.generation, proposed.digest, chain.occurrence] : [...place, 'key', key])
}

/** The id of a reported event whose reporter gave none: the same step reports the same event. */
export function eventIdOf(step: Step, request: { readonly chain: ChainClaim; readonly event: string; readonly entityId: string; readonly payload: unknown }): string {
  const { generation, occurrence } = request.chain
  return digestOf([...placeOf(step, request.chain), generation, occurrence, request.event, request.entityId, request.payload])
}

/**
 * What of a step outlasts its run: the run chain. A reset parent starts its children anew, in other run chains; theirs is
 * therefore that of the outermost parent, and which child of which child they are.
 */
function placeOf({ namespace, workflowId, firstExecutionRunId }: Step, { parents = [] }: ChainClaim): readonly unknown[] {
  const [outermost] = parents
  if (outermost === undefined) return [namespace, workflowId, firstExecutionRunId]
  return [namespace, outermost.workflowId, outermost.firstExecutionRunId, parents.map(({ generation, child, occurrence }) => [generation, child, occurrence])]
}
