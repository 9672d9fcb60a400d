/**
 * The store in memory: what Postgres keeps for the gate and for the human-facing service, with the same rules, for tests without
 * servers. Every commit is one turn of the event loop, whole or not at all; the tests of the store hold it to what Postgres does.
 */
import type { AuditRecord } from '../core/audit-record.ts'
import type { Domain } from '../core/domain.ts'
import type { GateStore } from '../core/store.ts'
import type { AuditFilter } from '../evidence/audit-records.ts'
import type { ReviewStore } from '../postgres/review-store.ts'
import type { Clock } from './clock.ts'
import { recordPast, reportEvent } from './memory/events.ts'
import { completeExecution, executePure, markInDoubt, openExecution, overdueExecutions, resumeExecution, yieldLease } from './memory/executions.ts'
import { readFacts } from './memory/read-facts.ts'
import { membershipBody, type MembershipChange } from '../core/registration.ts'
import { changeMembership, registerDomain } from './memory/registry.ts'
import * as reconciliation from './memory/reconciliations.ts'
import * as review from './memory/review-side.ts'
import { recordAnswer, requestApproval } from './memory/rounds.ts'
import { createTables, StoreError, type Tables, type Transaction } from './memory/tables.ts'
import { auditedRows, auditRecords, decisionRecords, eventRecords, type AuditedRow, type DecisionRecord, type EventRecord } from './memory/views.ts'

export interface MemoryStore {
  readonly gate: GateStore
  readonly reviews: ReviewStore
  readonly registerDomain: (domain: Domain) => Promise<void>
  /** @returns false when it was so already */
  readonly changeMembership: (change: MembershipChange) => Promise<boolean>
  /** Puts an event into an entity's past, whoever could report it. @throws StoreError when it leads nowhere from there */
  readonly recordPast: (body: string) => Promise<void>
  readonly ledger: () => readonly AuditedRow[]
  readonly auditRecords: (filter?: AuditFilter) => readonly AuditRecord[]
  readonly events: () => readonly EventRecord[]
  readonly decisions: () => readonly DecisionRecord[]
  /** For tests of the store itself. */
  readonly tables: Tables
}

/** @param clock what every deadline is judged by; the machine's own unless told */
export function createMemoryStore(domains: readonly Domain[], clock: Clock = Date.now): MemoryStore {
  const tables = createTables()
  const at = (now: number): Transaction => ({ ...tables, now })
  const commit = async <T>(work: (tx: Transaction) => T): Promise<T> => {
    const now = await clock()
    return tables.commit(() => work(at(now)))
  }
  const look = <T>(read: (tx: Transaction) => T): T => read(at(0))
  for (const domain of domains) tables.commit(() => registerDomain(at(0), domain))
  return {
    gate: gateStore(commit),
    reviews: reviewStore(commit),
    registerDomain: (domain) => commit((tx) => registerDomain(tx, domain)),
    changeMembership: (change) => commit((tx) => changeMembership(tx, membershipBody(change))),
    recordPast: (body) => commit((tx) => recordPast(tx, body)),
    ledger: () => look(auditedRows),
    auditRecords: (filter) => look((tx) => auditRecords(tx, filter)),
    events: () => look(eventRecords),
    decisions: () => look(decisionRecords),
    tables,
  }
}

type Commit = <T>(work: (tx: Transaction) => T) => Promise<T>

function gateStore(commit: Commit): GateStore {
  /** A guard that only a table caught reads as `stale`, as in Postgres. */
  const guarded = async <T>(work: (tx: Transaction) => T): Promise<T | { readonly status: 'stale' }> => {
    try {
      return await commit(work)
    } catch (error) {
      if (error instanceof StoreError && (error.code === '40001' || error.code === '23505')) return { status: 'stale' }
      throw error
    }
  }
  return {
    readFacts: (query) => commit((tx) => readFacts(tx, query)),
    recordAnswer: (asked) => guarded((tx) => recordAnswer(tx, asked)),
    requestApproval: (asked) => guarded((tx) => requestApproval(tx, asked)),
    openExecution: (asked) => guarded((tx) => openExecution(tx, asked)),
    resumeExecution: (asked) => guarded((tx) => resumeExecution(tx, asked)),
    yieldLease: (executionKey, token) => commit((tx) => yieldLease(tx, executionKey, token)),
    // No conflict is swallowed here: the effect has happened, and a refused completion must be seen.
    completeExecution: (asked) => commit((tx) => completeExecution(tx, asked)),
    executePure: (asked) => guarded((tx) => executePure(tx, asked)),
    markInDoubt: (asked) => guarded((tx) => markInDoubt(tx, asked)),
    reportEvent: (asked) => guarded((tx) => reportEvent(tx, asked)),
    overdueExecutions: (namespace) => commit((tx) => overdueExecutions(tx, namespace)),
    dueReconciliations: (domain) => commit((tx) => reconciliation.dueReconciliations(tx, domain)),
    applyReconciliation: (asked) => commit((tx) => reconciliation.applyReconciliation(tx, asked)),
    rejectReconciliation: (asked) => guarded((tx) => reconciliation.rejectReconciliation(tx, asked)),
    recordContradiction: (asked) => guarded((tx) => reconciliation.recordContradiction(tx, asked)),
  }
}

function reviewStore(commit: Commit): ReviewStore {
  return {
    list: (which, limit) => commit((tx) => review.listApprovals(tx, which, limit)),
    show: (approvalId) => commit((tx) => {
      const a = tx.approvals.get(approvalId)
      return a === undefined ? undefined : review.toApprovalRow(tx, a)
    }),
    inDoubt: () => commit(reconciliation.listInDoubt),
    showInDoubt: (executionKey, ordinal) => commit((tx) => reconciliation.showInDoubt(tx, executionKey, ordinal)),
    recordReconciliation: (body, jws) => commit((tx) => reconciliation.recordReconciliation(tx, body, jws)),
    recordRefusedReconciliation: (body) => commit((tx) => reconciliation.recordRefusedReconciliation(tx, body)),
    recordReview: (body, jws) => commit((tx) => review.recordReview(tx, body, jws)),
    revokeApproval: (body) => commit((tx) => review.revokeApproval(tx, body)),
    recordRefusedReview: (body) => commit((tx) => review.recordRefusedReview(tx, body)),
    overdueRounds: () => commit(review.overdueRounds),
    openRounds: (after, limit) => commit((tx) => review.openRounds(tx, after, limit)),
    roundsOf: (chain) => commit((tx) => review.roundsOf(tx, chain)),
    closeApproval: (body) => commit((tx) => review.closeApproval(tx, body)),
    dueDeliveries: () => commit(review.dueDeliveries),
    deliveryAttempted: (approvalId, nextMs) => commit((tx) => review.deliveryAttempted(tx, approvalId, nextMs)),
  }
}
