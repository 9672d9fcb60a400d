/** Rounds of approval, as the gate opens, ends and uses them. */
import type { ApprovalRequest } from '../../core/approval.ts'
import { canonical } from '../../core/canonical.ts'
import { sha256 } from '../../core/digest.ts'
import { firstChange } from '../../core/schema.ts'
import type { Closing, Committed, GateStore } from '../../core/store.ts'
import { parseBody, type Body } from './body.ts'
import { appendAnswer, guardHolds, recordedCall, saysTheSame, stale } from './guards.ts'
import { lockChainOf } from './ledger.ts'
import { mayReview } from './registry.ts'
import { StoreError, type Approval, type Transaction } from './tables.ts'

type Commit<Name extends 'recordAnswer' | 'requestApproval'> = Parameters<GateStore[Name]>[0]

export function recordAnswer(tx: Transaction, { body, answer, guard, closing }: Commit<'recordAnswer'>): Committed {
  const b = parseBody(body)
  const chain = lockChainOf(tx, b)
  const done = recordedCall(tx, b)
  if (done !== null) return done
  if (guard !== null && !guardHolds(tx, chain, b, guard)) return stale
  if (closing !== undefined && !isOpen(tx.approvals.get(closing.approvalId))) return stale
  const committed = appendAnswer(tx, chain, body, b, ['refused', 'repeated', 'event_refused', 'signal_rejected', 'approval_withdrawn', 'approval_denied'], answer)
  if (closing !== undefined) closeRound(tx, closing, b, chain, committed.record.seq)
  return committed
}

function isOpen(a: Approval | undefined): boolean {
  return a !== undefined && a.closedSeq === null && ['pending', 'granted', 'denied', 'revoked'].includes(a.status)
}

export function requestApproval(tx: Transaction, { body, answer, request, guard, closing }: Commit<'requestApproval'>): Committed {
  const b = parseBody(body)
  const chain = lockChainOf(tx, b)
  const done = recordedCall(tx, b)
  if (done !== null) return done
  if (!guardHolds(tx, chain, b, guard)) return stale
  const committed = appendAnswer(tx, chain, body, b, ['approval_requested'], answer)
  if (closing !== undefined) closeRound(tx, closing, b, chain, committed.record.seq)
  const asked = JSON.parse(request) as ApprovalRequest
  const contract = tx.contracts.get(b.domain, b.action, b.contract)
  if (contract === undefined || contract.reviewers === null || contract.reviewers !== asked.reviewers || contract.quorum !== asked.quorum || bound(asked) !== bound(b)
    || !asksForThese(asked, b) || asked.state !== (b.state?.value ?? null) || asked.state_version !== (b.state?.version ?? 0)) {
    throw new StoreError('23514', 'what is asked is not what the row and the registered contract say')
  }
  insertRound(tx, chain, b, request, asked)
  return committed
}

/** What a request and its ledger row must agree on. */
function bound(of: Body | ApprovalRequest): string {
  const { namespace, workflow_id, first_execution_run_id, domain, contract, entity_type, entity_id, action, actor, on_behalf_of } = of
  return canonical([namespace, workflow_id, first_execution_run_id, domain, contract, entity_type, entity_id, action, actor, on_behalf_of].map((value) => value ?? null))
}

/** Parameters stand in a request as their schema has parsed them: what was proposed, to the letter, and defaults where it says nothing. */
function asksForThese({ params, facts }: ApprovalRequest, b: Body): boolean {
  return params !== undefined && firstChange(b.params, params, 'params') === undefined && canonical(facts ?? null) === canonical(b.facts ?? {})
}

/** The entity is in that state; and, unless the request says that the state is enough, has not moved since. */
function isAsItWas(tx: Transaction, { state, state_version: version, binds }: ApprovalRequest, b: Body): boolean {
  const e = tx.entities.all().find(({ domain, entityType, entityId }) => domain === b.domain && entityType === b.entity_type && entityId === b.entity_id)
  return state === (e?.state ?? null) && (binds === 'state' || version === (e?.version ?? 0))
}

function insertRound(tx: Transaction, chain: number, b: Body, request: string, asked: ApprovalRequest): void {
  const executionKey = b.execution_key ?? ''
  const ofKey = tx.approvals.all().filter((each) => each.executionKey === executionKey)
  if (ofKey.some(({ status }) => status === 'pending' || status === 'granted')) throw new StoreError('40001', 'a round is open already')
  if (ofKey.some(({ round }) => round === asked.round)) throw new StoreError('23505', `round ${asked.round} was there before`)
  const [answerBy, useBy] = [Date.parse(asked.answer_by), Date.parse(asked.use_by)]
  if (!(asked.round >= 1 && asked.round <= 3) || !(asked.quorum > 0) || !(useBy >= answerBy)) throw new StoreError('23514', 'a round is one of three, asks somebody, and can be used after it was answered')
  tx.approvals.insert({
    approvalId: asked.approval_id, executionKey, round: asked.round, chain, proposalDigest: b.proposal_digest ?? '',
    namespace: asked.namespace, workflowId: asked.workflow_id, firstExecutionRunId: asked.first_execution_run_id, domain: asked.domain,
    requester: asked.actor, onBehalfOf: asked.on_behalf_of, reviewers: asked.reviewers, quorum: asked.quorum, request, digest: sha256(request),
    answerBy, useBy, status: 'pending', closedSeq: null,
  })
}

/** The states in which a round can be ended so; a denial is ended only as one that a person has recorded, an expiry only by the clock. */
const endable: Readonly<Record<Closing['status'], readonly Approval['status'][]>> = {
  denied: ['denied'],
  expired: ['pending', 'granted'],
  void: ['pending', 'granted'],
  withdrawn: ['pending', 'granted', 'denied', 'revoked'],
  revoked: ['revoked'],
}

/** A round may be voided beside something that happens without it; true where there is none. */
export function mayVoid(tx: Transaction, approvalId: string | null | undefined): boolean {
  const a = approvalId == null ? undefined : tx.approvals.get(approvalId)
  return approvalId == null || (a !== undefined && a.closedSeq === null && endable.void.includes(a.status))
}

export function closeRound(tx: Transaction, { approvalId, status }: Closing, b: Body, chain: number, seq: number): void {
  const a = tx.approvals.get(approvalId)
  if (a === undefined) throw new StoreError('P0002', `there is no approval ${approvalId}`)
  if (a.chain !== chain || a.namespace !== b.namespace || a.workflowId !== b.workflow_id || a.firstExecutionRunId !== b.first_execution_run_id) {
    throw new StoreError('P0001', `approval ${approvalId} is not of this workflow`)
  }
  if (!Object.hasOwn(endable, status)) throw new StoreError('P0001', `a round cannot be closed as ${status}`)
  if (status === 'expired' && tx.now < (a.status === 'granted' ? a.useBy : a.answerBy)) throw new StoreError('P0001', `approval ${approvalId} has not expired`)
  if (!endable[status].includes(a.status)) {
    throw new StoreError('P0001', `approval ${approvalId} is ${status === 'denied' || status === 'revoked' ? `not ${status}` : a.status}`)
  }
  // A denial stays a denial (it goes on refusing equal proposals of its run chain), a revocation a revocation.
  if (a.closedSeq === null) tx.approvals.put({ ...a, status: a.status === 'denied' || a.status === 'revoked' ? a.status : status, closedSeq: seq })
}

const askedFields = ['namespace', 'workflow_id', 'first_execution_run_id', 'domain', 'contract', 'entity_type', 'entity_id', 'action', 'actor', 'on_behalf_of'] as const

/** The grant is spent here, in the commit that opens the execution. @throws StoreError 40001 when there is nothing to spend */
export function consumeGrant(tx: Transaction, approvalId: string, b: Body, seq: number): void {
  const a = tx.approvals.get(approvalId)
  const people = new Set(tx.reviews.all()
    .filter((review) => review.approvalId === approvalId && review.verdict === 'granted' && a !== undefined
      && review.reviewer !== a.requester && review.reviewer !== a.onBehalfOf && mayReview(tx, a.domain, review.reviewer, a.reviewers))
    .map(({ reviewer }) => reviewer))
  // For the one action that was asked for, on the entity as it was then.
  const asked = (request: string): boolean => {
    const r = JSON.parse(request) as ApprovalRequest
    return saysTheSame({ ...r }, b, askedFields) && asksForThese(r, b) && isAsItWas(tx, r, b)
  }
  if (a === undefined || a.status !== 'granted' || people.size < a.quorum || a.executionKey !== b.execution_key || tx.now >= a.useBy
    || a.proposalDigest !== b.proposal_digest || !asked(a.request)) {
    throw new StoreError('40001', `the grant of approval ${approvalId} cannot be used`)
  }
  tx.consumptions.insert({ approvalId, executionKey: a.executionKey })
  tx.approvals.put({ ...a, status: 'consumed', closedSeq: seq })
}
