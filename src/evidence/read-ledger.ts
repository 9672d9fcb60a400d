/** Reading the ledger as the auditor: one snapshot, a page at a time, however long it is. */
import type { PoolClient } from 'pg'
import { transaction, type Pool } from '../postgres/connect.ts'

/** A connection inside a snapshot. */
export type Snapshot = Pick<PoolClient, 'query'>

/** One chain as its own row tells it, with the state of its entity, where it has one. */
export interface ChainHead {
  readonly chain: string
  readonly kind: string
  readonly key: string
  readonly seq: number
  readonly head: string
  readonly entity: { readonly key: string; readonly state: string; readonly version: number } | null
}

/** One ledger row. `at` is the very text that was hashed, in microseconds; hashes are hex. */
export interface LedgerEntry {
  readonly chain: string
  readonly seq: number
  readonly at: string
  readonly body: string
  readonly digest: string
  readonly prev: string
  readonly hash: string
}

const pageSize = 1_000

/** All reads of `work` see the database at one moment, and can change nothing. */
export async function inSnapshot<T>(auditor: Pool, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  return transaction(auditor, async (client) => {
    await client.query('set transaction isolation level repeatable read, read only')
    return work(client)
  })
}

/** Every chain in turn, each followed by its rows in order; `keys`: only these chains. */
export async function* readLedger(snapshot: Snapshot, keys?: readonly string[]): AsyncGenerator<{ readonly head: ChainHead } | { readonly row: LedgerEntry }> {
  for (let after = '0'; ; ) {
    const page = await chainsAfter(snapshot, after, keys)
    const rows = rowsOf(snapshot, page.map(({ chain }) => chain))
    let next = await rows.next()
    for (const head of page) {
      yield { head }
      for (; !next.done && next.value.chain === head.chain; next = await rows.next()) yield { row: next.value }
    }
    const last = page.at(-1)
    if (last === undefined || page.length < pageSize) return
    after = last.chain
  }
}

/** The columns of a row, as `LedgerEntry` names them. */
export const entryColumns = `l.chain, l.seq, to_char(l.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, l.body,
  encode(l.digest, 'hex') as digest, encode(l.prev, 'hex') as prev, encode(l.hash, 'hex') as hash`

interface ChainRow {
  readonly chain: string
  readonly kind: string
  readonly key: string
  readonly seq: string
  readonly head: string
  readonly entity_key: string | null
  readonly state: string | null
  readonly state_version: string | null
}

async function chainsAfter(snapshot: Snapshot, after: string, keys: readonly string[] | undefined): Promise<readonly ChainHead[]> {
  const { rows } = await snapshot.query<ChainRow>(
    `select c.chain, c.kind, c.key, c.seq, encode(c.head, 'hex') as head, e.state, e.state_version,
       e.domain || '/' || e.entity_type || '/' || e.entity_id as entity_key
     from kiff.chains c left join kiff.entities e using (chain)
     where c.chain > $1 and ($2::text[] is null or c.key = any ($2)) order by c.chain limit $3`,
    [after, keys === undefined ? null : [...keys], pageSize],
  )
  return rows.map(({ chain, kind, key, seq, head, entity_key: entityKey, state, state_version: version }) => ({
    chain, kind, key, head,
    seq: Number(seq),
    entity: entityKey === null || state === null ? null : { key: entityKey, state, version: Number(version) },
  }))
}

async function* rowsOf(snapshot: Snapshot, chains: readonly string[]): AsyncGenerator<LedgerEntry> {
  for (let after = { chain: '0', seq: 0 }; ; ) {
    const { rows } = await snapshot.query<Omit<LedgerEntry, 'seq'> & { seq: string }>(
      `select ${entryColumns} from kiff.ledger l
       where l.chain = any ($1::bigint[]) and (l.chain, l.seq) > ($2::bigint, $3::bigint) order by l.chain, l.seq limit $4`,
      [[...chains], after.chain, after.seq, pageSize],
    )
    const page = rows.map((row) => ({ ...row, seq: Number(row.seq) }))
    yield* page
    const last = page.at(-1)
    if (last === undefined || page.length < pageSize) return
    after = last
  }
}
