/** The signatures people gave are kept beside the ledger; the ledger holds their hashes. */
import type { Snapshot } from './read-ledger.ts'

export interface AlteredReview {
  readonly chain: string
  readonly seq: number
  readonly message: string
}

/**
 * Recorded reviews whose signature is gone, or is another than the one that was recorded; and reviews that nobody recorded.
 * `keys`: only on these chains.
 */
export async function alteredReviews(snapshot: Snapshot, keys?: readonly string[]): Promise<readonly AlteredReview[]> {
  const { rows } = await snapshot.query<{ chain: string; seq: string; message: string }>(
    `select c.key as chain, l.seq,
       case when r.jws is null then 'the signed review that it records is gone' else 'the signed review is not the one that it records' end as message
     from kiff.ledger l join kiff.chains c using (chain)
       left join kiff.reviews r on r.approval_id::text = l.approval_id and r.reviewer = l.body::jsonb #>> '{review,reviewer}'
     where l.kind = 'reviewed' and ($1::text[] is null or c.key = any ($1))
       and encode(sha256(convert_to(coalesce(r.jws, ''), 'UTF8')), 'hex') is distinct from l.body::jsonb #>> '{review,jws_sha256}'
     union all
     select c.key, c.seq, 'a review by ' || r.reviewer || ' is kept that no row records'
     from kiff.reviews r join kiff.approvals a using (approval_id) join kiff.chains c using (chain)
     where ($1::text[] is null or c.key = any ($1)) and not exists (
       select from kiff.ledger l where l.approval_id = r.approval_id::text and l.kind = 'reviewed' and l.body::jsonb #>> '{review,reviewer}' = r.reviewer)
     order by 1, 2, 3`,
    [keys ?? null],
  )
  return rows.map(({ chain, seq, message }) => ({ chain, seq: Number(seq), message }))
}
