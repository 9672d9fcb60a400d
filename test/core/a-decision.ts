/** One decision of the gate, from facts that a test makes up; nothing stands against it unless told. */
import type { ApprovalFacts, ApprovalStatus } from '../../src/core/approval.ts'
import type { Contract } from '../../src/core/contract.ts'
import type { ExecutionFacts } from '../../src/core/execution.ts'
import type { Facts } from '../../src/core/store.ts'
import { decide, type Decided } from '../../src/gate/decide.ts'
import { toProposal, type GovernedProposal } from '../../src/gate/proposal.ts'
import { aContract } from './an-account.ts'

const step = { namespace: 'default', workflowId: 'ticket-1', firstExecutionRunId: 'run-1', runId: 'run-1', activityId: '1' }
const chain = { firstExecutionRunId: 'run-1', generation: 0, occurrence: 0 }
const authority = { problem: null, onBehalfOf: 'customer-7', from: null, until: null, mandate: undefined }
const proposal = (contract: Contract): GovernedProposal => toProposal(step, 'accounts', 'NOTE', contract, { entityId: 'account-1', params: { note: 'hello' }, actor: 'bot-1', chain }, authority)
const proposed = proposal(aContract())

const nothing: Facts = {
  now: '2026-01-01T00:00:00.000000Z', state: { value: 'OPEN', version: 1 }, contract: 'newest', events: [], intact: true, rolesEpoch: 1, permissions: ['accounts.note'],
  call: null, execution: null, begun: false, executed: null, holder: null, approval: null, event: null, denied: null,
}

export const execution = (over: Partial<ExecutionFacts> = {}): ExecutionFacts => ({
  executionKey: proposed.executionKey, ordinal: 1, proposalDigest: proposed.proposalDigest, actor: 'bot-1', onBehalfOf: 'customer-7', status: 'succeeded', completionRejected: null,
  leaseRemainingMs: 0, idempotentRemainingMs: null, facts: {}, contradicted: false, openedAgoMs: 0, grant: null, ...over,
})

export const approval = (status: ApprovalStatus, over: Partial<ApprovalFacts> = {}): ApprovalFacts => ({
  approvalId: 'a-1', proposalDigest: proposed.proposalDigest, status, closed: false, answerRemainingMs: 1_000, useRemainingMs: 2_000, reviews: [],
  request: JSON.stringify({ namespace: 'default', workflow_id: 'ticket-1', first_execution_run_id: 'run-1' }), ...over,
})

export interface Asked {
  readonly facts?: Partial<Facts>
  readonly contract?: Contract
  readonly problem?: string
  readonly bound?: boolean
}

export function decided({ facts = {}, contract = aContract(), problem, bound = true }: Asked = {}): Promise<Decided> {
  const gate = { domain: { name: 'accounts', actions: {}, entities: {}, roles: {} }, executorOf: () => (bound ? async () => ({ text: 'x' }) : undefined), loaderOf: () => undefined }
  return decide(gate, { ...proposal(contract), authority: { ...authority, problem: problem ?? null } }, { ...nothing, ...facts }, async () => ({}))
}
