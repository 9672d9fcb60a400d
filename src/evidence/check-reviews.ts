/** The signatures people gave are kept beside the ledger; the ledger holds their hashes. */
import type { Snapshot } from './read-ledger.ts'

export interface AlteredReview {
  readonly chain: string
  readonly seq: number
  readonly message: string
}

/**
 * Recorded reviews whose signature is gone, or is another than the one that was recorded; and reviews that nobody recorded. The same of
 * what people have found out about executions.
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
     union all
     select c.key, l.seq, case when r.jws is null then 'the signed reconciliation that it records is gone' else 'the signed reconciliation is not the one that it records' end
     from kiff.ledger l join kiff.chains c using (chain)
       left join (kiff.reconciliations r join kiff.executions e using (execution_key, ordinal)) on e.chain = l.chain and r.seq = l.seq
     where l.kind = 'reconciled' and ($1::text[] is null or c.key = any ($1))
       and (encode(sha256(convert_to(coalesce(r.jws, ''), 'UTF8')), 'hex') is distinct from l.body::jsonb #>> '{review,jws_sha256}'
         or encode(r.digest, 'hex') is distinct from l.body::jsonb #>> '{review,digest}')
     union all
     select c.key, r.seq, 'a reconciliation by ' || r.reviewer || ' is kept that no row records'
     from kiff.reconciliations r join kiff.executions e using (execution_key, ordinal) join kiff.chains c using (chain)
     where ($1::text[] is null or c.key = any ($1)) and not exists (select from kiff.ledger l where l.chain = e.chain and l.seq = r.seq and l.kind = 'reconciled')
     order by 1, 2, 3`,
    [keys ?? null],
  )
  return rows.map(({ chain, seq, message }) => ({ chain, seq: Number(seq), message }))
}
