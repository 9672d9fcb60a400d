/** `timeline`: what happened to an entity, or in a workflow, or by an actor, in KIFF's audit records. */
import { InvalidArgumentError, type Command } from 'commander'
import { visible } from '../approvals/visible-text.ts'
import type { AuditRecord } from '../core/audit-record.ts'
import { placeOfRecord, readAuditRecords, type AuditFilter } from '../evidence/audit-records.ts'
import { inSnapshot, type Snapshot } from '../evidence/read-ledger.ts'
import { withAuditor } from './auditor.ts'
import { exit, Failure } from './exit.ts'

interface TimelineFlags extends Omit<AuditFilter, 'entityId'> {
  readonly limit?: number
  readonly after?: string
  readonly database?: string
  readonly json?: true
}

export function timelineCommand(program: Command): void {
  program
    .command('timeline')
    .description('what happened to an entity; or, with filters alone, anywhere')
    .argument('[entityId]', 'as order-2')
    .option('--kind <kind>', 'only this kind of record, as action_executed')
    .option('--actor <actor>', 'only what this actor did')
    .option('--trace <id>', 'only this trace: the first run of a workflow, unless it was told another')
    .option('--correlation <id>', 'only this correlation: the workflow, unless it was told another')
    .option('--limit <count>', 'at most so many records', atLeastOne)
    .option('--after <record>', 'only what follows this record, as audit-12-3-1: the next page')
    .option('--database <url>', 'Postgres, as the kiff_auditor login')
    .option('--json', 'print one JSON object a record')
    .action(async (entityId: string | undefined, flags: TimelineFlags) => {
      await withAuditor(flags.database, (auditor) => inSnapshot(auditor, (snapshot) => print(snapshot, entityId, flags)))
    })
}

async function print(snapshot: Snapshot, entityId: string | undefined, { limit = Infinity, after, json, ...filter }: TimelineFlags): Promise<void> {
  const place = after === undefined ? undefined : await placeOfRecord(snapshot, after)
  if (after !== undefined && place === undefined) throw new Failure(`there is no record ${after}; a page ends by naming its last one`, exit.usage)
  let last: AuditRecord | undefined
  let printed = 0
  for await (const record of readAuditRecords(snapshot, { ...filter, entityId }, place)) {
    if (printed === limit) {
      console.error(`there is more: --after ${last?.id}`)
      return
    }
    console.log(json ? JSON.stringify(recordAsTold(record)) : visible(`${entityId === undefined ? `${record.entity_id ?? '-'}  ` : ''}${timelineLine(toStageLine(record))}`))
    last = record
    printed += 1
  }
  // The page after the last is empty, and no mistake.
  if (printed === 0 && place === undefined) throw new Failure(`nothing is recorded about ${entityId ?? 'that'}`, exit.failure)
}

/** One line for one stage. */
export function timelineLine({ at, kind, actor, data }: { readonly at: string; readonly kind: string; readonly actor: string; readonly data: Readonly<Record<string, unknown>> }): string {
  const what = text(data['event_type'] ?? data['action'] ?? data['proposed_action'] ?? '')
  const more = text(data['error'] ?? data['reason'] ?? (data['to'] === undefined ? '' : `${text(data['from'] ?? 'nothing')} → ${text(data['to'])}`))
  return `${inMilliseconds(at)}  ${kind.padEnd(26)} ${actor.padEnd(18)} ${what.padEnd(16)} ${more}`.trimEnd()
}

function toStageLine({ created_at: at, kind, actor_id: actor, data }: AuditRecord): Parameters<typeof timelineLine>[0] {
  return { at, kind, actor, data }
}

/** KIFF's record, without the places that `--after` reads from its id. */
function recordAsTold({ chain: _chain, seq: _seq, position: _position, ...record }: AuditRecord): object {
  return { ...record, created_at: inMilliseconds(record.created_at) }
}

function inMilliseconds(at: string): string {
  return `${at.slice(0, 23)}Z`
}

function atLeastOne(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new InvalidArgumentError('It is a whole number, at least 1.')
  return Number(value)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
