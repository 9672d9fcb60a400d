/** Reading audit records as the auditor: filtered as KIFF filters them, a page at a time. */
import type { AuditRecord } from '../core/audit-record.ts'
import type { Snapshot } from './read-ledger.ts'

/** What records must agree with, all of it; what is left out is not asked. */
export interface AuditFilter {
  readonly domain?: string | undefined
  readonly entityType?: string | undefined
  readonly entityId?: string | undefined
  readonly kind?: string | undefined
  readonly actor?: string | undefined
  readonly trace?: string | undefined
  readonly correlation?: string | undefined
}

/** Where a page begins: after this record. */
export type RecordPlace = Pick<AuditRecord, 'chain' | 'seq' | 'position' | 'created_at'>

const columns: Readonly<Record<keyof AuditFilter, string>> = {
  domain: 'a.domain',
  entityType: 'a.entity_type',
  entityId: 'a.entity_id',
  kind: 'a.kind',
  actor: 'a.actor_id',
  trace: 'a.trace_id',
  correlation: 'a.correlation_id',
}

const at = `to_char(a.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
const types = { created_at: 'timestamptz', chain: 'bigint', seq: 'bigint', position: 'bigint' } as const
const pageSize = 1_000

/** The records of an entity in the order of the ledger; without one, those of all by time. `after`: only what follows. */
export async function* readAuditRecords(snapshot: Snapshot, filter: AuditFilter, after?: RecordPlace): AsyncGenerator<AuditRecord> {
  const asked = Object.entries(columns).flatMap(([name, column]) => {
    const value: unknown = Reflect.get(filter, name)
    return typeof value === 'string' ? [{ column, value }] : []
  })
  // An entity's records have the order of their chain; those of several are told by time.
  const order: readonly (keyof typeof types)[] = filter.entityId === undefined ? ['created_at', 'chain', 'seq', 'position'] : ['chain', 'seq', 'position']
  const ordered = order.map((column) => `a.${column}`).join(', ')
  for (let place = after; ; ) {
    const from = place
    const values = [...asked.map(({ value }) => value), ...(from === undefined ? [] : order.map((column) => String(from[column])))]
    const conditions = asked.map(({ column }, index) => `${column} = $${index + 1}`)
    if (from !== undefined) conditions.push(`(${ordered}) > (${order.map((column, index) => `$${asked.length + index + 1}::${types[column]}`).join(', ')})`)
    const { rows } = await snapshot.query<AuditRecord>(
      `select a.id, a.kind, a.entity_type, a.entity_id, a.actor_id, a.message, a.data, a.trace_id, a.correlation_id, a.causation_id,
         ${at} as created_at, a.chain::text as chain, a.seq::float8 as seq, a.position::float8 as position
       from kiff.audit_records a
       ${conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`} order by ${ordered} limit ${pageSize}`,
      values,
    )
    yield* rows
    place = rows.at(-1)
    if (rows.length < pageSize) return
  }
}

/** The place of a record by its id, as `audit-12-3-1`; `undefined` when there is none. */
export async function placeOfRecord(snapshot: Snapshot, id: string): Promise<RecordPlace | undefined> {
  const [, chain, seq, position] = /^audit-(\d{1,18})-(\d{1,15})-(\d{1,9})$/.exec(id) ?? []
  if (chain === undefined) return undefined
  const { rows } = await snapshot.query<RecordPlace>(
    `select ${at} as created_at, a.chain::text as chain, a.seq::float8 as seq, a.position::float8 as position
     from kiff.audit_records a where a.chain = $1 and a.seq = $2 and a.position = $3`, [chain, seq, position])
  return rows[0]
}

/** The kinds of entity that anything is recorded about under this id. */
export async function entitiesNamed(snapshot: Snapshot, entityId: string): Promise<readonly { readonly domain: string; readonly entityType: string }[]> {
  const { rows } = await snapshot.query<{ domain: string; entityType: string }>(
    `select distinct body::jsonb ->> 'domain' as domain, body::jsonb ->> 'entity_type' as "entityType" from kiff.ledger
     where body::jsonb ->> 'entity_id' = $1 and body::jsonb ->> 'entity_type' is not null order by 1, 2`, [entityId])
  return rows
}
