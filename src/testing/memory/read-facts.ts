/** Everything one decision rests on: `kiff.read_facts`. */
import type { ApprovalFacts } from '../../core/approval.ts'
import type { ExecutionFacts } from '../../core/execution.ts'
import type { PastEvent } from '../../core/fact.ts'
import type { Facts, FactsQuery } from '../../core/store.ts'
import { answerOf, answerOfExecution } from './answers.ts'
import { eventContent, parseBody, timeOf } from './body.ts'
import { holderOf, newestExecution, wasContradicted } from './guards.ts'
import { entityKey, recordRef } from './ledger.ts'
import { mayReview, permissionsOf } from './registry.ts'
import type { Approval, Chain, Execution, Transaction } from './tables.ts'

export function readFacts(tx: Transaction, q: FactsQuery): Facts {
  const chain = tx.chains.get('entity', entityKey({ domain: q.domain, entity_type: q.entityType, entity_id: q.entityId }))
  const entity = chain === undefined ? undefined : tx.entities.get(chain.chain)
  const execution = newestExecution(tx, q.executionKey)
  const holder = chain === undefined ? undefined : holderOf(tx, chain.chain)
  const approval = newestRound(tx, q.executionKey)
  return {
    now: new Date(tx.now).toISOString(),
    state: entity === undefined ? null : { value: entity.state, version: entity.version },
    contract: contractOf(tx, q),
    events: chain === undefined ? [] : pastEvents(tx, chain.chain, q.eventTypes ?? []),
    intact: chain === undefined || isIntact(tx, chain),
    rolesEpoch: tx.roleEpochs.get(q.domain)?.epoch ?? 0,
    permissions: permissionsOf(tx, q.domain, q.actor),
    call: answerOf(tx, q.step.namespace, q.step.runId, q.step.activityId),
    execution: execution === undefined ? null : executionFacts(tx, execution),
    begun: execution !== undefined && wasOpenedBy(execution, q.step),
    executed: execution?.status === 'succeeded' ? answerOfExecution(tx, execution) : null,
    holder: holder === undefined ? null : executionFacts(tx, holder),
    approval: approval === undefined ? null : approvalFacts(tx, approval),
    event: knownEvent(tx, chain, q.event),
    denied: deniedBefore(tx, q),
  }
}

function wasOpenedBy({ opened }: Execution, step: FactsQuery['step']): boolean {
  const b = parseBody(opened)
  return b.namespace === step.namespace && b.run_id === step.runId && b.activity_id === step.activityId
}

function contractOf(tx: Transaction, { domain, contract }: FactsQuery): Facts['contract'] {
  if (contract === undefined) return null
  const known = tx.contracts.get(domain, contract.action, contract.hash)
  return known === undefined ? 'unknown' : known.newest ? 'newest' : 'superseded'
}

/** The entity's events of these kinds, oldest first. */
function pastEvents(tx: Transaction, chain: number, types: readonly string[]): readonly PastEvent[] {
  return tx.ledger.all().filter((row) => row.chain === chain).flatMap(({ seq, at, body }) =>
    (parseBody(body).events ?? [])
      .filter(({ id, type }) => types.includes(type) && tx.eventIds.get(chain, id)?.seq === seq)
      .map(({ type, payload }) => ({ type, payload: payload ?? null, at: timeOf(at) })),
  )
}

function isIntact(tx: Transaction, { chain, seq, head }: Chain): boolean {
  return seq === 0 || tx.ledger.get(chain, seq)?.hash === head
}

function newestRound(tx: Transaction, executionKey: string): Approval | undefined {
  return tx.approvals.all().filter((each) => each.executionKey === executionKey).sort((a, b) => b.round - a.round)[0]
}

function executionFacts(tx: Transaction, e: Execution): ExecutionFacts {
  const opened = parseBody(e.opened)
  return {
    executionKey: e.executionKey, ordinal: e.ordinal, proposalDigest: e.proposalDigest,
    actor: opened.actor ?? '', onBehalfOf: opened.on_behalf_of ?? null,
    facts: opened.facts ?? {},
    status: e.status, completionRejected: e.completionRejected,
    leaseRemainingMs: e.leaseUntil - tx.now,
    idempotentRemainingMs: e.idempotentUntil === null ? null : e.idempotentUntil - tx.now,
    contradicted: wasContradicted(tx, e.executionKey),
    openedAgoMs: tx.now - (tx.ledger.get(e.chain, e.openedSeq)?.at ?? tx.now),
    grant: tx.approvals.all().find((a) => a.executionKey === e.executionKey && a.closedSeq === e.openedSeq && a.status === 'consumed')?.approvalId ?? null,
  }
}

function approvalFacts(tx: Transaction, a: Approval): ApprovalFacts {
  const reviews = tx.reviews.all().filter(({ approvalId }) => approvalId === a.approvalId)
  return {
    approvalId: a.approvalId, proposalDigest: a.proposalDigest, request: a.request, status: a.status, closed: a.closedSeq !== null,
    answerRemainingMs: a.answerBy - tx.now, useRemainingMs: a.useBy - tx.now,
    reviews: reviews.map(({ jws, verdict, reviewer, reason }) => ({ jws, verdict, reviewer, reason, permitted: mayReview(tx, a.domain, reviewer, a.reviewers) })),
  }
}

function knownEvent(tx: Transaction, chain: Chain | undefined, event: FactsQuery['event']): Facts['event'] {
  const known = chain === undefined || event === undefined ? undefined : tx.eventIds.get(chain.chain, event.id)
  if (known === undefined || event === undefined) return null
  return { same: known.content === eventContent(event), record: recordRef(tx, known.chain, known.seq) }
}

/** An equal proposal of this run chain was denied before. */
function deniedBefore(tx: Transaction, { step, proposalDigest }: FactsQuery): Facts['denied'] {
  for (const a of tx.approvals.all()) {
    const same = a.namespace === step.namespace && a.workflowId === step.workflowId && a.firstExecutionRunId === step.firstExecutionRunId && a.proposalDigest === proposalDigest
    if (!same || a.status !== 'denied') continue
    const denial = tx.reviews.all().find(({ approvalId, verdict }) => approvalId === a.approvalId && verdict === 'denied')
    if (denial !== undefined) return { reviewer: denial.reviewer, reason: denial.reason }
  }
  return null
}
