/** What changes, as it changes: new ledger rows, read with the auditor's login. */
import { setTimeout as sleep } from 'node:timers/promises'
import { openPool } from '../postgres/connect.ts'

export interface Change {
  readonly at: string
  readonly entity: string | null
  readonly change: string
  readonly action: string | null
  /** The first event that was folded, or refused. */
  readonly event: string | null
  readonly actor: string
  readonly workflow: string | null
  readonly outcome: string | null
  readonly reason: string | null
  readonly message: string | null
  readonly approval_id: string | null
}

/**
 * Yields every row after `since`, oldest first, until aborted. A commit becomes visible a moment after its time was taken, so
 * each look goes back a little, and rows that were yielded before are left out.
 */
export async function* watchLedger(auditorUrl: string, since: Date, signal: AbortSignal): AsyncGenerator<Change> {
  const pool = openPool(auditorUrl, { max: 1, name: 'kiff-watch' })
  const yielded = new Set<string>()
  let from = since
  try {
    while (!signal.aborted) {
      const { rows } = await pool.query<Change & { row: string; taken: Date }>(newRows, [from]).catch(() => ({ rows: [] }))
      for (const { row, taken, ...change } of rows) {
        if (yielded.has(row)) continue
        yielded.add(row)
        from = new Date(Math.max(from.getTime(), taken.getTime() - 2_000))
        yield change
      }
      await sleep(250, undefined, { signal }).catch(() => {})
    }
  } finally {
    await pool.end()
  }
}

const newRows = `
  select chain || '#' || seq as row, at as taken, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at,
    body::jsonb ->> 'entity_id' as entity, kind as change, body::jsonb ->> 'action' as action,
    coalesce(body::jsonb #>> '{events,0,type}', body::jsonb #>> '{audit,0,data,event_type}') as event, body::jsonb ->> 'actor' as actor,
    body::jsonb ->> 'workflow_id' as workflow, body::jsonb #>> '{decision,outcome}' as outcome, body::jsonb #>> '{decision,reason}' as reason,
    body::jsonb #>> '{decision,message}' as message, approval_id
  from kiff.ledger where at >= $1 order by at, chain, seq limit 1000`
