/** What auditors read: the ledger's rows, and the views of `0006-views-and-rights.sql` over them. */
import type { AuditRecord } from '../../core/audit-record.ts'
import type { AuditFilter } from '../../evidence/audit-records.ts'
import { parseBody, timeOf, type Body, type BodyEntry } from './body.ts'
import { chainById } from './ledger.ts'
import type { LedgerRow, Transaction } from './tables.ts'

/** A row of the ledger beside the chain it stands in; hashes in hex. */
export interface AuditedRow {
  readonly chainKind: string
  readonly chain: string
  readonly seq: number
  /** RFC 3339, UTC, microseconds: as it is hashed. */
  readonly at: string
  readonly body: string
  readonly digest: string
  readonly prev: string
  readonly hash: string
}

/** A row of the view `kiff.events`. */
export interface EventRecord {
  readonly id: string
  readonly type: string
  readonly entity_type: string
  readonly entity_id: string
  readonly actor_id: string
  readonly from_state: string | null
  readonly to_state: string
  readonly payload: unknown
  readonly source: string
  readonly occurred_at: string
  readonly trace_id: string | null
  readonly correlation_id: string | null
  readonly causation_id: string | null
  readonly tags: unknown
}

/** A row of the view `kiff.decisions`. */
export interface DecisionRecord {
  readonly entity_id: string | null
  readonly proposed_action: string | null
  readonly parameters: unknown
  readonly claim: unknown
  readonly outcome: string | null
  readonly reason: string | null
  readonly actor_id: string
}

export function auditedRows(tx: Transaction): readonly AuditedRow[] {
  return inOrder(tx).map(({ chain, seq, at, body, digest, prev, hash }) => {
    const { kind, key } = chainById(tx, chain)
    return { chainKind: kind, chain: key, seq, at: timeOf(at), body, digest, prev, hash }
  })
}

/** Chain by chain, each in its own order. */
function inOrder(tx: Transaction): LedgerRow[] {
  return [...tx.ledger.all()].sort((a, b) => a.chain - b.chain || a.seq - b.seq)
}

/** One for each entry of a row that agrees with the filter: an entity's in the order of its chain, those of several by time. */
export function auditRecords(tx: Transaction, filter: AuditFilter = {}): readonly AuditRecord[] {
  const found = inOrder(tx).flatMap((row) => {
    const b = parseBody(row.body)
    if (!agrees(b.domain, filter.domain)) return []
    return (b.audit ?? []).map((entry, index) => toRecord(row, b, entry, index + 1))
  }).filter((record) => (
    agrees(record.entity_type, filter.entityType) && agrees(record.entity_id, filter.entityId) && agrees(record.kind, filter.kind)
    && agrees(record.actor_id, filter.actor) && agrees(record.trace_id, filter.trace) && agrees(record.correlation_id, filter.correlation)
  ))
  return filter.entityId === undefined ? found.sort((a, b) => (a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : 0)) : found
}

/** What is left out is not asked. */
function agrees(value: string | null | undefined, asked: string | undefined): boolean {
  return asked === undefined || value === asked
}

function toRecord({ chain, seq, at }: LedgerRow, b: Body, { kind, message, data, actor_id, causation_id }: BodyEntry, position: number): AuditRecord {
  return {
    id: `audit-${chain}-${seq}-${position}`,
    kind, message,
    entity_id: b.entity_id ?? null,
    entity_type: b.entity_type ?? null,
    actor_id: actor_id ?? b.actor ?? '',
    data: Object(data ?? {}) as AuditRecord['data'],
    trace_id: b.trace_id ?? '',
    correlation_id: b.correlation_id ?? '',
    causation_id: causation_id ?? b.causation_id ?? null,
    created_at: timeOf(at),
    chain: String(chain), seq, position,
  }
}

export function eventRecords(tx: Transaction): readonly EventRecord[] {
  return inOrder(tx).flatMap(({ at, body }) => {
    const b = parseBody(body)
    return (b.events ?? []).map(({ id, type, payload, from, to, source, occurred_at }) => ({
      id, type,
      ...ofEntity(b),
      actor_id: b.actor ?? '',
      from_state: from ?? null,
      to_state: to ?? '',
      payload: payload ?? null,
      source: source ?? `workflow:${b.workflow_id}`,
      occurred_at: occurred_at === null || occurred_at === undefined ? timeOf(at) : timeOf(Date.parse(occurred_at)),
      trace_id: b.trace_id ?? null,
      correlation_id: b.correlation_id ?? null,
      causation_id: b.causation_id ?? null,
      tags: b.tags ?? null,
    }))
  })
}

export function decisionRecords(tx: Transaction): readonly DecisionRecord[] {
  return inOrder(tx).map(({ body }) => parseBody(body)).filter(({ decision }) => decision !== undefined).map((b) => ({
    entity_id: b.entity_id ?? null,
    proposed_action: b.action ?? null,
    parameters: b.params ?? null,
    claim: b.claim ?? null,
    outcome: b.decision?.outcome ?? null,
    reason: b.decision?.reason ?? null,
    actor_id: b.actor ?? '',
  }))
}

function ofEntity(b: Body): { readonly entity_type: string; readonly entity_id: string } {
  return { entity_type: b.entity_type ?? '', entity_id: b.entity_id ?? '' }
}
