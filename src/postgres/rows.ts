/** Where what Postgres returns becomes our types. The functions build these objects themselves; the shapes are theirs. */
import { DatabaseError } from 'pg'
import type { Committed, DueReconciliation, Facts, GateStore, OverdueExecution } from '../core/store.ts'

export function toFacts(row: unknown): Facts {
  return object(row) as unknown as Facts
}

export function toCommitted<T>(row: unknown): Committed<T> {
  return object(row) as unknown as Committed<T>
}

export function toOverdue(row: unknown): OverdueExecution {
  return object(row) as unknown as OverdueExecution
}

export function toCompleted(row: unknown): Awaited<ReturnType<GateStore['completeExecution']>> {
  return object(row) as unknown as Awaited<ReturnType<GateStore['completeExecution']>>
}

export function toReconciled(row: unknown): Awaited<ReturnType<GateStore['applyReconciliation']>> {
  return object(row) as unknown as Awaited<ReturnType<GateStore['applyReconciliation']>>
}

export function toDueReconciliation(row: unknown): DueReconciliation {
  return object(row) as unknown as DueReconciliation
}

/** Lost races: a serialization failure we raise ourselves, a deadlock, a unique index that was the last guard. */
export function isRetryableConflict(error: unknown): boolean {
  return error instanceof DatabaseError && ['40001', '40P01', '23505'].includes(error.code ?? '')
}

function object(row: unknown): object {
  if (typeof row !== 'object' || row === null) throw new Error('the database function returned nothing; is the schema migrated?')
  return row
}
