/** The gate's store in Postgres: one function of the fenced schema for each operation, called with the gate login. */
import type { Committed, DueReconciliation, Facts, GateStore, Lease, OverdueExecution } from '../core/store.ts'
import { callFunction, callSet, type Pool } from './connect.ts'
import { isRetryableConflict, toCommitted, toCompleted, toDueReconciliation, toFacts, toOverdue, toReconciled } from './rows.ts'

/** @param pool connected as `kiff_gate`, which has EXECUTE on these functions and no table */
export function createGateStore(pool: Pool): GateStore {
  /** A guard that only a constraint caught (a lost race) reads as `stale`, like those that the function itself saw. */
  async function commit<T = unknown>(name: string, args: readonly unknown[]): Promise<Committed<T>> {
    try {
      return toCommitted<T>(await callFunction(pool, name, args))
    } catch (error) {
      if (isRetryableConflict(error)) return { status: 'stale' }
      throw error
    }
  }

  return {
    async dueReconciliations(domain): Promise<readonly DueReconciliation[]> {
      return (await callSet(pool, 'kiff.due_reconciliations', [domain])).map(toDueReconciliation)
    },
    applyReconciliation: async ({ body, executionKey, ordinal, round, answer }) =>
      toReconciled(await callFunction(pool, 'kiff.apply_reconciliation', [body, executionKey, ordinal, round, json(answer)])),
    rejectReconciliation: ({ body, executionKey, ordinal, round, why }) => commit('kiff.reject_reconciliation', [body, executionKey, ordinal, round, why]),
    recordContradiction: ({ body, executionKey, ordinal }) => commit('kiff.record_contradiction', [body, executionKey, ordinal]),
    async readFacts(query): Promise<Facts> {
      return toFacts(await callFunction(pool, 'kiff.read_facts', [JSON.stringify(query)]))
    },
    recordAnswer: ({ body, answer, guard, closing }) => commit('kiff.record_answer', [body, json(answer), json(guard), json(closing)]),
    requestApproval: ({ body, answer, request, guard, closing }) =>
      commit('kiff.request_approval', [body, json(answer), request, json(guard), json(closing)]),
    openExecution: ({ body, guard, leaseMs, idempotentForMs, approvalId, voids = null }) =>
      commit<Lease>('kiff.open_execution', [body, json(guard), Math.ceil(leaseMs), idempotentForMs, approvalId, voids]),
    resumeExecution: ({ body, executionKey, leaseMs }) => commit<Lease>('kiff.resume_execution', [body, executionKey, Math.ceil(leaseMs)]),
    async yieldLease(executionKey, token): Promise<void> {
      await callFunction(pool, 'kiff.yield_lease', [executionKey, token])
    },
    // No conflict is swallowed here: the effect has happened, and a refused completion must be seen.
    completeExecution: async ({ body, executionKey, answer, end }) =>
      toCompleted(await callFunction(pool, 'kiff.complete_execution', [body, executionKey, json(answer), json(end)])),
    executePure: ({ body, guard, approvalId, voids = null, answer }) => commit('kiff.execute_pure', [body, json(guard), approvalId, voids, json(answer)]),
    markInDoubt: ({ body, executionKey, token }) => commit('kiff.mark_in_doubt', [body, executionKey, token]),
    reportEvent: ({ body, answer, guard }) => commit('kiff.report_event', [body, json(answer), json(guard)]),
    async overdueExecutions(namespace): Promise<readonly OverdueExecution[]> {
      return (await callSet(pool, 'kiff.overdue_executions', [namespace])).map(toOverdue)
    },
  }
}

/** The contract hashes the owner has registered for a domain, by action. */
export async function registeredContracts(pool: Pool, domain: string): Promise<ReadonlySet<string>> {
  const rows = await callSet(pool, 'kiff.registered_contracts', [domain])
  return new Set(rows.map((row) => (typeof row === 'object' && row !== null ? String(Reflect.get(row, 'hash')) : '')))
}

function json(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value)
}
