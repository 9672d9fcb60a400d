/** What waits for a person, read with the auditor's login. */
import { openPool } from '../postgres/connect.ts'

export interface Waiting {
  readonly approval_id: string
  readonly entity: string
  readonly action: string
  readonly summary: string
}

/** Asked before `before`, not decided, and still in time; oldest first. */
export async function waitingSince(auditorUrl: string, before: Date): Promise<readonly Waiting[]> {
  const pool = openPool(auditorUrl, { max: 1, name: 'kiff-waiting' })
  try {
    const { rows } = await pool.query<Waiting>(
      `select approval_id, request::jsonb ->> 'entity_id' as entity, request::jsonb ->> 'action' as action, request::jsonb ->> 'summary' as summary
       from kiff.approvals where status = 'pending' and answer_by > clock_timestamp() and (request::jsonb ->> 'requested_at')::timestamptz < $1
       order by request::jsonb ->> 'requested_at'`, [before])
    return rows
  } finally {
    await pool.end()
  }
}
