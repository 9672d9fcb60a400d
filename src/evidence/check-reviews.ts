/** The signatures people gave are kept beside the ledger; the ledger holds their hashes. */
import type { Snapshot } from './read-ledger.ts'

export interface AlteredReview {
  readonly chain: string
  readonly seq: number
  readonly message: string
}

/** Recorded reviews whose signature is gone, or is another than the one that was recorded. `keys`: only on these chains. */
export async function alteredReviews(snapshot: Snapshot, keys?: readonly string[]): Promise<readonly AlteredReview[]> {
  const { rows } = await snapshot.query<{ chain: string; seq: string; gone: boolean }>(
    `select c.key as chain, l.seq, r.jws is null as gone
     from kiff.ledger l join kiff.chains c using (chain) left join kiff.reviews r on r.approval_id::text = l.approval_id
     where l.kind = 'reviewed' and ($1::text[] is null or c.key = any ($1))
       and encode(sha256(convert_to(coalesce(r.jws, ''), 'UTF8')), 'hex') is distinct from l.body::jsonb #>> '{review,jws_sha256}'
     order by c.key, l.seq`,
    [keys ?? null],
  )
  return rows.map(({ chain, seq, gone }) => ({ chain, seq: Number(seq), message: gone ? 'the signed review that it records is gone' : 'the signed review is not the one that it records' }))
}
