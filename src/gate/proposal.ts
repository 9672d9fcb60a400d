/** One proposal on its way through the gate: everything that its ledger rows and its answers are made from. */
import type { ApprovalFacts, ApprovalRequest, Binding } from '../core/approval.ts'
import type { ActionOnFacts, Contract, Inspection } from '../core/contract.ts'
import { contractHash } from '../core/contract-hash.ts'
import { executionKey, proposalDigest } from '../core/keys.ts'
import { ledgerBody, recordable, type AuditEntry, type LedgerRow, type RowKind } from '../core/ledger-row.ts'
import type { ProposalRequest, Step } from '../core/proposal.ts'
import type { Facts, FactsQuery, Guard } from '../core/store.ts'
import type { Authority } from './authority.ts'

export interface GovernedProposal {
  readonly step: Step
  readonly domain: string
  readonly action: string
  readonly contract: Contract
  readonly contractHash: string
  readonly request: ProposalRequest
  /** Its parameters, parsed once: rules, digest, reviewer and executor see this one frozen value. */
  readonly inspection: Inspection
  readonly authority: Authority
  readonly executionKey: string
  readonly proposalDigest: string
}

export function toProposal(step: Step, domain: string, action: string, contract: Contract, request: ProposalRequest, authority: Authority): GovernedProposal {
  const subject = { domain, entityType: contract.entity.name, entityId: request.entityId, action, params: recordable(request.params ?? null) }
  const digest = proposalDigest(subject)
  return {
    step, domain, action, contract, request, authority,
    inspection: contract.inspect(request.entityId, request.params),
    contractHash: contractHash(domain, action, contract),
    proposalDigest: digest,
    executionKey: executionKey(step, request, { domain, action, digest }),
  }
}

export function toQuery(proposal: GovernedProposal): FactsQuery {
  const { step, domain, contract, request } = proposal
  return {
    step, domain,
    entityType: contract.entity.name,
    entityId: request.entityId,
    actor: request.actor,
    executionKey: proposal.executionKey,
    proposalDigest: proposal.proposalDigest,
    contract: { action: proposal.action, hash: proposal.contractHash },
    eventTypes: [...new Set(Object.values(contract.facts).flatMap(({ events }) => events))],
  }
}

/** The commit holds only if this still does. */
export function guardOf(facts: Facts, { until }: Pick<Authority, 'until'> = { until: null }): Guard {
  return { stateVersion: facts.state?.version ?? 0, rolesEpoch: facts.rolesEpoch, mandateUntil: until }
}

/** What would be executed now, with the parameters the executor would see; an approval must have asked for exactly this. */
export function bindingOf(proposal: GovernedProposal, facts: Facts, action: ActionOnFacts): Binding {
  const { step, contract, request } = proposal
  return {
    namespace: step.namespace,
    workflow_id: step.workflowId,
    first_execution_run_id: step.firstExecutionRunId,
    domain: proposal.domain,
    contract: proposal.contractHash,
    entity_type: contract.entity.name,
    entity_id: request.entityId,
    state: facts.state?.value ?? null,
    state_version: facts.state?.version ?? 0,
    action: proposal.action,
    params: action.params,
    actor: request.actor,
    on_behalf_of: proposal.authority.onBehalfOf,
    facts: action.facts,
    binds: contract.approval?.binds ?? 'version',
  }
}

/** The ledger row of one commit about this proposal. */
export function rowOf(
  proposal: GovernedProposal,
  facts: Facts,
  kind: RowKind,
  audit: readonly AuditEntry[],
  more: Partial<Pick<LedgerRow, 'decision' | 'approvalId' | 'events' | 'output' | 'review' | 'causation' | 'facts'>> = {},
): string {
  const { step, domain, action, contract, request, authority } = proposal
  return ledgerBody({
    kind, step, domain, action, audit,
    entityType: contract.entity.name,
    entityId: request.entityId,
    actor: request.actor,
    onBehalfOf: authority.onBehalfOf,
    mandate: authority.mandate,
    trace: request.trace,
    contract: proposal.contractHash,
    params: request.params ?? null,
    claim: request.claim,
    proposalDigest: proposal.proposalDigest,
    executionKey: proposal.executionKey,
    callerKey: request.callerKey,
    state: facts.state,
    ...more,
  })
}

/** True while a round waits for a person, or for its grant to be used. */
export function isOpen(approval: ApprovalFacts): boolean {
  return approval.status === 'pending' || approval.status === 'granted'
}

/**
 * True for a round that this very run chain has asked for. Another one's is met only under a key that outlasts run chains: an API
 * caller's, or a child's after its parent was reset. It is theirs to end.
 */
export function isOwn({ step }: Pick<GovernedProposal, 'step'>, { request }: ApprovalFacts): boolean {
  const asked = parseRequest(request)
  return asked.namespace === step.namespace && asked.workflow_id === step.workflowId && asked.first_execution_run_id === step.firstExecutionRunId
}

/** The stored pre-image. Its digest is compared with the signature, so that it is what a person saw. */
export function parseRequest(request: string): ApprovalRequest {
  return JSON.parse(request) as ApprovalRequest
}
