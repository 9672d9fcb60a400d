/** What the ledger and its tables say about every order, read in one go. */
import type { Pool } from '../../../src/postgres/connect.ts'

export interface Execution {
  readonly executionKey: string
  readonly ordinal: number
  readonly status: 'reserved' | 'succeeded' | 'failed' | 'in_doubt'
  readonly leaseLives: boolean
  /** When the row that opened it was written; milliseconds, with fractions. */
  readonly openedAt: number
  readonly amountCents: number
  readonly approvalId: string | null
  /** Its approval was granted by somebody else, and used for this key. */
  readonly consented: boolean
}

export interface Records {
  /** By order. */
  readonly executions: ReadonlyMap<string, readonly Execution[]>
  /** By order: for each execution key the kinds of its rows, and of the order's events, in turn. */
  readonly traces: ReadonlyMap<string, readonly { readonly executionKey: string; readonly rows: readonly string[] }[]>
  /** The hash of every row, by `chain#seq`. */
  readonly hashes: ReadonlyMap<string, string>
}

interface Row { readonly chain: string; readonly seq: number; readonly hash: string; readonly kind: string; readonly order: string | null; readonly execution_key: string | null }

export async function readRecords(auditor: Pool): Promise<Records> {
  const executions = await auditor.query<Execution & { readonly order: string }>(`
    select e.opened ->> 'entity_id' as order, e.execution_key as "executionKey", e.ordinal, e.status, e.lease_until > clock_timestamp() as "leaseLives",
      (extract(epoch from l.at) * 1000)::float8 as "openedAt", e.opened ->> 'approval_id' as "approvalId", (e.opened #>> '{params,amountCents}')::int as "amountCents",
      coalesce(c.execution_key = e.execution_key and a.status = 'consumed' and exists (
        select from kiff.reviews r where r.approval_id = a.approval_id and r.verdict = 'granted' and r.reviewer <> a.requester), false) as consented
    from kiff.executions e join kiff.ledger l on l.chain = e.chain and l.seq = e.opened_seq
      left join kiff.approvals a on a.approval_id = (e.opened ->> 'approval_id')::uuid left join kiff.consumptions c on c.approval_id = a.approval_id
    order by e.execution_key, e.ordinal`)
  const { rows } = await auditor.query<Row>(`
    select c.key as chain, l.seq::int, encode(l.hash, 'hex') as hash, l.kind, l.entity_id as order, coalesce(l.execution_key, a.execution_key) as execution_key
    from kiff.ledger l join kiff.chains c using (chain) left join kiff.approvals a on a.approval_id::text = l.approval_id
    order by l.chain, l.seq`)
  const ofOrders = Map.groupBy(rows.filter(({ order }) => order !== null), ({ order }) => order ?? '')
  return {
    executions: Map.groupBy(executions.rows, ({ order }) => order),
    traces: new Map([...ofOrders].map(([order, ofOrder]) => [order, tracesOf(ofOrder)])),
    hashes: new Map(rows.map(({ chain, seq, hash }) => [`${chain}#${seq}`, hash])),
  }
}

function tracesOf(rows: readonly Row[]): readonly { readonly executionKey: string; readonly rows: readonly string[] }[] {
  const keys = new Set(rows.flatMap(({ execution_key: key }) => key ?? []))
  return [...keys].map((executionKey) => ({
    executionKey,
    rows: rows.filter(({ kind, execution_key: key }) => key === executionKey || kind === 'event').map(({ kind }) => kind),
  }))
}
