/** A trace from ledger rows: those of one execution key, with those of its approvals, and the events reported of its entity. */
import type { Trace } from './accepts.ts'

interface Row {
  /** The text of a ledger row. */
  readonly body: string
}

/** @param rows of the entity's chain, by seq */
export function traceOf(rows: readonly Row[], executionKey: string, effects: Iterable<string>): Trace {
  const bodies = rows.map(({ body }) => JSON.parse(body) as { readonly kind: string; readonly execution_key?: string; readonly approval_id?: string })
  const approvals = new Set(bodies.flatMap((body) => (body.execution_key === executionKey && body.approval_id !== undefined ? [body.approval_id] : [])))
  const isOfIt = (body: (typeof bodies)[number]): boolean =>
    body.execution_key === executionKey || (body.execution_key === undefined && (body.kind === 'event' || (body.approval_id !== undefined && approvals.has(body.approval_id))))
  return { rows: bodies.filter(isOfIt).map(({ kind }) => kind), effects: [...new Set(effects)] }
}
