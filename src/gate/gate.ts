/**
 * The gate: one proposal in, one recorded answer out. Reads facts, judges, and either executes, asks a person, or refuses;
 * each in one guarded commit. What was decided before under the same key is answered again, never done again.
 */
import { ApplicationFailure } from '@temporalio/activity'
import { evaluate } from '../core/gate.ts'
import { ledgerBody, recordable, type AuditEntry, type RowKind } from '../core/ledger-row.ts'
import { refuse, type Refusal } from '../core/outcome.ts'
import type { ProposalRequest, Step, WithdrawRequest } from '../core/proposal.ts'
import type { Closing, Facts, GateAnswer, GateStore, Unrecorded } from '../core/store.ts'
import { failures } from '../temporal/names.ts'
import { ask, judge, nextRound, parseRequest, waiting, type NeedsApproval } from './ask.ts'
import { failed, proposed } from './audit-entries.ts'
import type { BoundDomain, Executor } from './binding.ts'
import { execute, inDoubt, resume, type Timing } from './execute.ts'
import { guardOf, isOpen, rowOf, toProposal, toQuery, type GovernedProposal } from './proposal.ts'
import { recordUnknown } from './refuse-unknown.ts'
import type { ReviewVerifier } from './verify-review.ts'

export interface GateOptions {
  readonly bound: BoundDomain
  readonly store: GateStore
  readonly verify: ReviewVerifier
  /** The actors this gate worker is configured to serve on its task queue (I13). */
  readonly actors: readonly string[]
  /** Where people decide; shown in the Temporal UI. */
  readonly inboxUrl?: string | undefined
}

/** How often a decision is taken again because the world moved between read and write. */
const maxRereads = 10
/** Longest wait of a call behind an open execution. */
const maxBusyMs = 10_000

/** Takes one proposal to its recorded answer. @throws ApplicationFailure (retryable) when it has to come again */
export async function propose(gate: GateOptions, step: Step, action: string, request: ProposalRequest, timing: () => Timing): Promise<GateAnswer> {
  const { domain } = gate.bound
  const contract = Object.hasOwn(domain.actions, action) ? domain.actions[action] : undefined
  if (contract === undefined) {
    return recordUnknown(gate.store, step, domain.name, { action, actor: request.actor, input: request }, refuse('unknown_action', `${domain.name} has no action ${action}`))
  }
  const proposal = toProposal(step, domain.name, action, contract, request)
  for (let read = 0; read < maxRereads; read++) {
    const answer = await proposeOnce(gate, proposal, await readIntact(gate.store, proposal), timing())
    if (answer !== 'stale') return answer
  }
  throw ApplicationFailure.create({ type: failures.contended, message: `${action} on ${request.entityId}: its facts kept moving; nothing was done` })
}

/** Takes back the request of a wait that was cancelled. */
export async function withdraw(gate: GateOptions, step: Step, request: WithdrawRequest): Promise<void> {
  const { actions } = gate.bound.domain
  const contract = Object.hasOwn(actions, request.action) ? actions[request.action] : undefined
  if (contract === undefined || !gate.actors.includes(request.actor)) return
  const { action, entityId, actor, approvalId } = request
  const entry: AuditEntry = { kind: 'approval_withdrawn', message: 'approval withdrawn: the wait was cancelled', data: { approval_id: approvalId, action } }
  await gate.store.recordAnswer({
    body: ledgerBody({ kind: 'approval_withdrawn', step, domain: gate.bound.domain.name, entityType: contract.entity.name, entityId, action, actor, approvalId, audit: [entry] }),
    answer: refuse('approval_void', 'withdrawn'),
    guard: null,
    closing: { approvalId, status: 'withdrawn' },
  })
}

async function readIntact(store: GateStore, proposal: GovernedProposal): Promise<Facts> {
  const facts = await store.readFacts(toQuery(proposal))
  if (!facts.intact) {
    throw ApplicationFailure.create({ type: failures.ledgerMismatch, message: `the ledger of ${proposal.request.entityId} does not end where its entity says; run "kiff-temporal evidence verify"` })
  }
  return facts
}

/** One reading of the facts, one judgement, one commit. */
async function proposeOnce(gate: GateOptions, proposal: GovernedProposal, facts: Facts, timing: Timing): Promise<GateAnswer | 'stale'> {
  if (facts.call !== null) return facts.call
  const { action, contract, request } = proposal
  const decision = evaluate(contract, { action, entityId: request.entityId, params: request.params, actor: request.actor }, {
    actorProven: gate.actors.includes(request.actor),
    state: facts.state,
    permissions: facts.permissions,
  })
  const asked = gate.actors.includes(request.actor) ? earlier(proposal, facts) : null
  if (asked !== null) return asked.outcome === 'allowed' ? repeat(gate.store, proposal, facts) : refused(gate.store, proposal, facts, asked)
  const executor = gate.bound.executorOf(action)
  if (facts.execution?.status === 'reserved' && gate.actors.includes(request.actor)) {
    return takeUp(gate, proposal, facts, executor, timing)
  }
  if (decision.outcome !== 'allowed' && decision.outcome !== 'approval_required') {
    return refused(gate.store, proposal, facts, decision, closingOf(facts))
  }
  if (contract.effect !== 'none' && executor === undefined) {
    return refused(gate.store, proposal, facts, refuse('executor_missing', `no executor is bound for ${action}`))
  }
  if (facts.holder !== null) {
    if (facts.holder.status === 'reserved') throw busy(request.entityId, facts.holder.leaseRemainingMs)
    return refused(gate.store, proposal, facts, refuse('outcome_unknown', `an earlier action on ${request.entityId} has an unknown outcome; a person must look first`))
  }
  if (decision.outcome === 'allowed') return execute(gate.store, proposal, facts, decision.action, executor, null, timing)
  return consent(gate, proposal, facts, decision, executor, timing)
}

/** Ends the open round when the proposal itself is refused meanwhile. */
function closingOf({ approval }: Facts): Closing | undefined {
  if (approval === null) return undefined
  if (isOpen(approval)) return { approvalId: approval.approvalId, status: 'void' }
  return approval.status === 'denied' && !approval.closed ? { approvalId: approval.approvalId, status: 'denied' } : undefined
}

/** What was decided before under this key and stays so: `allowed` stands for "answer it again". `null`: judge afresh. */
function earlier(proposal: GovernedProposal, facts: Facts): Refusal | { readonly outcome: 'allowed' } | null {
  const { execution, approval } = facts
  for (const known of [execution, approval]) {
    if (known !== null && known.proposalDigest !== proposal.proposalDigest) return refuse('invalid_parameter', 'this key was used for another proposal')
  }
  if (execution !== null && execution.status !== 'failed') {
    if (execution.actor !== proposal.request.actor) return refuse('permission_denied', 'another actor proposed this')
    if (execution.status === 'in_doubt' || execution.completionRejected !== null) {
      return refuse('outcome_unknown', `nobody knows whether ${proposal.action} on ${proposal.request.entityId} happened; a person must look`)
    }
    if (execution.status === 'succeeded') return { outcome: 'allowed' }
  }
  if (facts.denied !== null && approval?.status !== 'denied') {
    return refuse('approval_denied', `${facts.denied.reviewer} denied an equal proposal: ${facts.denied.reason}`)
  }
  return null
}

/** Our own key's execution is open: wait for its lease, then take it up, or say that nobody knows. */
async function takeUp(gate: GateOptions, proposal: GovernedProposal, facts: Facts, executor: Executor | undefined, timing: Timing): Promise<GateAnswer | 'stale'> {
  const open = facts.execution
  if (open === null) return 'stale'
  if (open.leaseRemainingMs > 0) throw busy(proposal.request.entityId, open.leaseRemainingMs)
  const inspection = proposal.contract.inspect(proposal.request.entityId, proposal.request.params)
  if ((open.idempotentRemainingMs ?? 0) > 0 && executor !== undefined && inspection.ok) {
    return resume(gate.store, proposal, facts, inspection.action, executor, timing)
  }
  await gate.store.markInDoubt({ body: inDoubt(proposal, facts, 'the worker was lost while it ran'), executionKey: open.executionKey, token: null })
  return 'stale'
}

/** A person has to agree: ask, or judge what came back. */
async function consent(gate: GateOptions, proposal: GovernedProposal, facts: Facts, decision: NeedsApproval, executor: Executor | undefined, timing: Timing): Promise<GateAnswer | 'stale'> {
  const { store } = gate
  const { approval } = facts
  const link = (approvalId: string): string | null => (gate.inboxUrl === undefined ? null : new URL(`approvals/${approvalId}`, gate.inboxUrl).href)
  const askAgain = async (changed: string | null, how: { keepDeadline: boolean; closing?: Closing; before: readonly AuditEntry[] }): Promise<GateAnswer | 'stale'> => {
    const before = approval === null ? null : parseRequest(approval)
    const number = nextRound(before)
    if (number === null) return refused(store, proposal, facts, refuse('approval_void', `asked ${before?.round} times, and each consent went stale: ${changed ?? 'closed'}`), how.closing, how.before)
    return ask(store, proposal, facts, decision, {
      number, changed, link,
      before: how.before,
      ...(how.keepDeadline && before !== null ? { keepDeadlineOf: before } : {}),
      ...(how.closing === undefined ? {} : { closing: how.closing }),
    })
  }
  if (approval === null) return askAgain(null, { keepDeadline: false, before: [] })
  const { consent: judged, rejected } = await judge(proposal, facts, { approval, action: decision.action }, gate.verify)
  const { approvalId } = approval
  const before = rejectedEntries(proposal, approvalId, rejected)
  switch (judged.status) {
    case 'granted':
      return execute(store, proposal, facts, decision.action, executor, { approvalId, before }, timing)
    case 'denied':
      return refused(store, proposal, facts, refuse('approval_denied', `${judged.reviewer} said no: ${judged.reason}`), approval.closed ? undefined : { approvalId, status: 'denied' }, before)
    case 'expired':
      return refused(store, proposal, facts, refuse('approval_expired', judged.message), { approvalId, status: 'expired' }, before)
    case 'void':
      return askAgain(judged.changed, { keepDeadline: true, closing: { approvalId, status: 'void' }, before })
    case 'closed':
      if (judged.by === 'expired') return refused(store, proposal, facts, refuse('approval_expired', 'nobody answered, or used the grant, in time'), undefined, before)
      if (judged.by === 'revoked') return refused(store, proposal, facts, refuse('approval_void', 'the grant was revoked'), undefined, before)
      return askAgain(judged.by === 'consumed' ? 'it was tried before, and nothing was done' : `the request before was ${judged.by}`, { keepDeadline: false, before })
    case 'waiting': {
      const remainingMs = approval.status === 'pending' ? approval.answerRemainingMs : approval.useRemainingMs
      const answer = waiting(parseRequest(approval), remainingMs, rejected.length, link(approvalId))
      return record(store, proposal, facts, rejected.length > 0 ? 'signal_rejected' : 'repeated', answer, before, { approvalId })
    }
  }
}

function rejectedEntries(proposal: GovernedProposal, approvalId: string, rejected: readonly string[]): AuditEntry[] {
  return rejected.map((reason) => ({
    kind: 'approval_review_rejected',
    message: 'a review that is not genuine was rejected',
    data: { approval_id: approvalId, action: proposal.action, requested_by: proposal.request.actor, reason },
  }))
}

/** The answer that an execution under this key gave, once more. */
async function repeat(store: GateStore, proposal: GovernedProposal, facts: Facts): Promise<GateAnswer | 'stale'> {
  if (facts.executed === null) return 'stale'
  const { record: original, ...answer } = facts.executed
  const entry: AuditEntry = { kind: 'action_deduplicated', message: 'action deduplicated', data: { action: proposal.action, idempotency_key: proposal.executionKey, prior_status: 'succeeded', duplicate: true } }
  return record(store, proposal, facts, 'repeated', answer, [entry], { causation: `${original.chain}#${original.seq}` })
}

/** Records a refusal; with `closing`, ends the open round in the same commit. */
async function refused(store: GateStore, proposal: GovernedProposal, facts: Facts, refusal: Refusal, closing?: Closing, before: readonly AuditEntry[] = []): Promise<GateAnswer | 'stale'> {
  const closed: AuditEntry[] = closing === undefined || closing.status === 'denied' ? [] : [{
    kind: closing.status === 'expired' ? 'approval_expired' : 'approval_void',
    message: `approval ${closing.status}`,
    data: { approval_id: closing.approvalId, action: proposal.action, reason: recordable(refusal.message) },
  }]
  const entries = [...before, ...(facts.approval === null ? [proposed(proposal)] : []), ...closed, failed(proposal, refusal.message, 'skipped')]
  return record(store, proposal, facts, closing?.status === 'denied' ? 'approval_denied' : 'refused', refusal, entries, { decision: refusal, closing })
}

async function record(
  store: GateStore,
  proposal: GovernedProposal,
  facts: Facts,
  kind: RowKind,
  answer: Unrecorded<GateAnswer>,
  entries: readonly AuditEntry[],
  more: { readonly decision?: Refusal; readonly closing?: Closing | undefined; readonly approvalId?: string; readonly causation?: string },
): Promise<GateAnswer | 'stale'> {
  const { closing, ...fields } = more
  const approvalId = fields.approvalId ?? closing?.approvalId
  const body = rowOf(proposal, facts, kind, entries, { ...fields, ...(approvalId === undefined ? {} : { approvalId }) })
  const commit = await store.recordAnswer({ body, answer, guard: guardOf(facts), closing })
  if (commit.status === 'committed') return { ...answer, record: commit.record }
  return commit.status === 'repeat' ? commit.answer : 'stale'
}

/** The activity comes again when the lease may be over; Temporal's retry is the queue, and waiting writes nothing. */
export function busy(entityId: string, leaseRemainingMs: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: failures.entityBusy,
    message: `an action on ${entityId} is under way; waiting for it`,
    nextRetryDelay: Math.min(Math.max(leaseRemainingMs, 500), maxBusyMs),
  })
}
