/**
 * The gate: one proposal in, one recorded answer out. Reads facts, judges, and either executes, asks a person, or refuses;
 * each in one guarded commit. What was decided before under the same key is answered again, never done again.
 */
import { ApplicationFailure } from '@temporalio/activity'
import type { ApprovalFacts } from '../core/approval.ts'
import { ledgerBody, recordable, type AuditEntry, type RowKind } from '../core/ledger-row.ts'
import { refuse, type Refusal } from '../core/outcome.ts'
import type { ProposalRequest, Step, WithdrawRequest } from '../core/proposal.ts'
import type { Closing, Facts, GateAnswer, GateStore, Unrecorded } from '../core/store.ts'
import { failures } from '../temporal/names.ts'
import { ask, judge, nextRound, waiting, type NeedsApproval } from './ask.ts'
import { failed, proposed } from './audit-entries.ts'
import type { BoundDomain, Executor } from './binding.ts'
import { authorityOf, type AuthorityRules } from './authority.ts'
import { busy } from './busy.ts'
import { decide, denied, revoked } from './decide.ts'
import { readDeclaredFacts } from './declared-facts.ts'
import { execute, type RoundBefore, type Timing } from './execute.ts'
import { guardOf, isOpen, isOwn, parseRequest, rowOf, toProposal, toQuery, type GovernedProposal } from './proposal.ts'
import { recordUnknown } from './refuse-unknown.ts'
import { takeUp } from './take-up.ts'
import type { ReviewVerifier } from '../temporal/verify-review.ts'

/** `actors`: those this gate worker is configured to serve on its task queue (I13). */
export interface GateOptions extends AuthorityRules {
  readonly bound: BoundDomain
  readonly store: GateStore
  readonly verify: ReviewVerifier
  /** Where people decide; shown in the Temporal UI. */
  readonly inboxUrl?: string | undefined
}

/** How often a decision is taken again because the world moved between read and write. */
const maxRereads = 10
/** Longest wait of a call behind another's request. */
const maxBusyMs = 10_000
/** How soon another worker gets what one with older rules has left. */
const asideMs = 1_000
/** Longest time for the loaders of declared facts. */
const maxLoadMs = 10_000

/** Takes one proposal to its recorded answer. @throws ApplicationFailure (retryable) when it has to come again */
export async function propose(gate: GateOptions, step: Step, action: string, request: ProposalRequest, timing: () => Timing): Promise<GateAnswer> {
  const { domain } = gate.bound
  const contract = Object.hasOwn(domain.actions, action) ? domain.actions[action] : undefined
  if (contract === undefined) {
    return recordUnknown(gate.store, step, domain.name, { action, actor: request.actor, input: request }, refuse('unknown_action', `${domain.name} has no action ${action}`))
  }
  const authority = await authorityOf(gate, step, { domain: domain.name, actor: request.actor, action, mandate: request.mandate })
  const proposal = toProposal(step, domain.name, action, contract, request, authority)
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
  if (contract === undefined) return
  const authority = await authorityOf(gate, step, { domain: gate.bound.domain.name, actor: request.actor, action: request.action, mandate: request.mandate })
  if (authority.problem !== null) return // a mandate that has run out still takes back
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
  if (facts.contract !== 'newest') throw steppingAside(proposal, facts.contract)
  const { store } = gate
  const { action, request } = proposal
  const executor = gate.bound.executorOf(action)
  const decided = await decide(gate.bound, proposal, facts, () => readDeclaredFacts(gate.bound, proposal, facts, Math.min(timing.executorMs, maxLoadMs)))
  switch (decided.do) {
    case 'repeat':
      return repeat(store, proposal, facts)
    case 'take_up':
      return takeUp(gate, proposal, facts, timing)
    case 'wait':
      throw busy(request.entityId, decided.leaseRemainingMs)
    case 'refuse':
      return refused(store, proposal, facts, decided.refusal, decided.closing, [], decided.declared)
    case 'execute':
      return execute(store, proposal, facts, decided.action, executor, roundBefore(proposal, facts), timing)
    case 'consent':
      return consent(gate, proposal, facts, decided.decision, executor, timing)
  }
}

/** A worker that has other rules than those registered last does not judge by them: the next attempt may meet one that has. */
function steppingAside({ action, domain }: GovernedProposal, registered: Facts['contract']): ApplicationFailure {
  const why = registered === 'superseded' ? 'a newer contract is registered than this worker has' : 'this contract is not registered; run "kiff-temporal migrate"'
  return ApplicationFailure.create({
    type: failures.contractSuperseded,
    message: `${domain}.${action}: ${why}; another worker has to take it`,
    // In a rolling deploy the queue may hand it to older workers several times; backing off would make it wait for longer each time.
    ...(registered === 'superseded' ? { nextRetryDelay: asideMs } : {}),
  })
}

/** Under this key a person has been asked already, by another run chain: its answer counts for both. */
function askedElsewhere({ action, request }: GovernedProposal, approval: ApprovalFacts): ApplicationFailure {
  return ApplicationFailure.create({
    type: failures.entityBusy,
    message: `${action} on ${request.entityId} is being asked for by workflow ${parseRequest(approval.request).workflow_id}; waiting for its end`,
    nextRetryDelay: maxBusyMs,
  })
}

/**
 * Nobody has to agree to this. Where somebody was asked before the rules moved, the request is void; another run chain's is waited for.
 * @throws ApplicationFailure (retryable) in that case
 */
function roundBefore(proposal: GovernedProposal, { approval }: Facts): RoundBefore | null {
  if (approval === null || !isOpen(approval)) return null
  if (!isOwn(proposal, approval)) throw askedElsewhere(proposal, approval)
  const { approvalId } = approval
  return { approvalId, is: 'void', before: [{ kind: 'approval_void', message: 'approval void', data: { approval_id: approvalId, action: proposal.action, reason: 'nobody has to agree to it any more' } }] }
}

/** A person has to agree: ask, or judge what came back. */
async function consent(gate: GateOptions, proposal: GovernedProposal, facts: Facts, decision: NeedsApproval, executor: Executor | undefined, timing: Timing): Promise<GateAnswer | 'stale'> {
  const { store } = gate
  const { approval } = facts
  const link = (approvalId: string): string | null => (gate.inboxUrl === undefined ? null : new URL(`approvals/${approvalId}`, gate.inboxUrl).href)
  const askAgain = async (changed: string | null, how: { keepDeadline: boolean; closing?: Closing; before: readonly AuditEntry[] }): Promise<GateAnswer | 'stale'> => {
    const before = approval === null ? null : parseRequest(approval.request)
    const number = nextRound(before)
    if (number === null) return refused(store, proposal, facts, refuse('approval_void', `asked ${before?.round} times, which is as often as may be: ${changed ?? 'closed'}`), how.closing, how.before)
    return ask(store, proposal, facts, decision, {
      number, changed, link,
      before: how.before,
      ...(how.keepDeadline && before !== null ? { keepDeadlineOf: before } : {}),
      ...(how.closing === undefined ? {} : { closing: how.closing }),
    })
  }
  if (approval === null) return askAgain(null, { keepDeadline: false, before: [] })
  const own = isOwn(proposal, approval)
  if (!own && isOpen(approval)) throw askedElsewhere(proposal, approval)
  // Another run chain's round is ended by that chain, or by the human-facing service.
  const ending = (status: Closing['status']): Closing | undefined => (approval.closed || !own ? undefined : { approvalId: approval.approvalId, status })
  const { consent: judged, rejected } = await judge(proposal, facts, { approval, action: decision.action }, gate.verify)
  const { approvalId } = approval
  const before = rejectedEntries(proposal, approvalId, rejected)
  switch (judged.status) {
    case 'granted':
      return execute(store, proposal, facts, decision.action, executor, { approvalId, is: 'used', before }, timing)
    case 'denied':
      return refused(store, proposal, facts, denied(judged), ending('denied'), before)
    case 'expired':
      return refused(store, proposal, facts, refuse('approval_expired', judged.message), { approvalId, status: 'expired' }, before)
    case 'void':
      return askAgain(judged.changed, { keepDeadline: true, closing: { approvalId, status: 'void' }, before })
    case 'closed':
      if (judged.by === 'expired') return refused(store, proposal, facts, refuse('approval_expired', 'nobody answered, or used the grant, in time'), undefined, before)
      if (judged.by === 'revoked') return refused(store, proposal, facts, revoked(), ending('revoked'), before)
      return askAgain(judged.by === 'consumed' ? 'it was tried before, and nothing was done' : `the request before was ${judged.by}`, { keepDeadline: false, before })
    case 'waiting': {
      const remainingMs = approval.status === 'pending' ? approval.answerRemainingMs : approval.useRemainingMs
      const answer = waiting(parseRequest(approval.request), remainingMs, rejected.length, link(approvalId))
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
async function refused(store: GateStore, proposal: GovernedProposal, facts: Facts, refusal: Refusal, closing?: Closing, before: readonly AuditEntry[] = [], declared?: Readonly<Record<string, unknown>>): Promise<GateAnswer | 'stale'> {
  const closed: AuditEntry[] = closing === undefined || closing.status === 'denied' || closing.status === 'revoked' ? [] : [{
    kind: closing.status === 'expired' ? 'approval_expired' : 'approval_void',
    message: `approval ${closing.status}`,
    data: { approval_id: closing.approvalId, action: proposal.action, reason: recordable(refusal.message) },
  }]
  const entries = [...before, ...(facts.approval === null ? [proposed(proposal)] : []), ...closed, failed(proposal, refusal.message, 'skipped')]
  return record(store, proposal, facts, closing?.status === 'denied' ? 'approval_denied' : 'refused', refusal, entries, { decision: refusal, closing, facts: declared })
}

async function record(
  store: GateStore,
  proposal: GovernedProposal,
  facts: Facts,
  kind: RowKind,
  answer: Unrecorded<GateAnswer>,
  entries: readonly AuditEntry[],
  more: { readonly decision?: Refusal; readonly closing?: Closing | undefined; readonly approvalId?: string; readonly causation?: string; readonly facts?: Readonly<Record<string, unknown>> | undefined },
): Promise<GateAnswer | 'stale'> {
  const { closing, ...fields } = more
  const approvalId = fields.approvalId ?? closing?.approvalId
  const body = rowOf(proposal, facts, kind, entries, { ...fields, ...(approvalId === undefined ? {} : { approvalId }) })
  const commit = await store.recordAnswer({ body, answer, guard: guardOf(facts), closing })
  if (commit.status === 'committed') return { ...answer, record: commit.record }
  return commit.status === 'repeat' ? commit.answer : 'stale'
}
