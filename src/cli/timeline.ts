/** `timeline`: what happened to an entity, in KIFF's audit records. */
import type { Command } from 'commander'
import { openPool } from '../postgres/connect.ts'
import { exit, Failure } from './exit.ts'
import { auditorUrl } from './where.ts'

interface AuditRecord {
  readonly id: string
  readonly kind: string
  readonly actor_id: string
  readonly message: string
  readonly data: Readonly<Record<string, unknown>>
  readonly created_at: string
}

export function timelineCommand(program: Command): void {
  program
    .command('timeline')
    .description('what happened to an entity')
    .argument('<entityId>', 'as order-2')
    .option('--database <url>', 'Postgres, as the kiff_auditor login')
    .option('--json', 'print one JSON object a record')
    .action(async (entityId: string, options: { database?: string; json?: true }) => {
      const pool = openPool(await auditorUrl(options.database), { max: 1, name: 'kiff-timeline' })
      try {
        const { rows } = await pool.query<AuditRecord>(
          `select id, kind, entity_type, entity_id, actor_id, message, data, trace_id, correlation_id, causation_id,
             to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created_at
           from kiff.audit_records where entity_id = $1 order by chain, seq, position`,
          [entityId],
        )
        if (rows.length === 0) throw new Failure(`nothing is recorded about ${entityId}`, exit.failure)
        for (const record of rows) console.log(options.json ? JSON.stringify(record) : line(record))
      } finally {
        await pool.end()
      }
    })
}

function line({ created_at: at, kind, actor_id: actor, data }: AuditRecord): string {
  const what = text(data['event_type'] ?? data['action'] ?? data['proposed_action'] ?? '')
  const more = text(data['error'] ?? data['reason'] ?? (data['to'] === undefined ? '' : `${text(data['from'] ?? 'nothing')} → ${text(data['to'])}`))
  return `${at}  ${kind.padEnd(26)} ${actor.padEnd(18)} ${what.padEnd(16)} ${more}`.trimEnd()
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
