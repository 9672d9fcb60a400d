/** Rows about an execution that no gate call is at work on: a person's answer, or nobody's. */
import { canonical } from '../core/canonical.ts'
import type { AuditEntry, RowKind } from '../core/ledger-row.ts'

/** An execution by the row that opened it. */
export interface OpenedRow {
  /** Without its audit entries. */
  readonly opened: Readonly<Record<string, unknown>>
  /** What the new row is caused by, as `chain#seq`. */
  readonly record: string
}

/** The canonical text of a row that says of step, actor, and proposal what was said when it was opened. */
export function rowOfOpened(row: OpenedRow, kind: RowKind, audit: readonly AuditEntry[], more: Readonly<Record<string, unknown>> = {}): string {
  const { decision: _, ...opened } = row.opened
  return canonical({ ...opened, kind, audit, ...more, causation_id: row.record })
}

/** A field of the opened row that is text. */
export function openedText({ opened }: Pick<OpenedRow, 'opened'>, field: string): string {
  const value = opened[field]
  return typeof value === 'string' ? value : ''
}
