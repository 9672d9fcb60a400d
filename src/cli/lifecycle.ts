/** `lifecycle`: what became of every proposal on an entity, and the stages it went through. */
import type { Command } from 'commander'
import { visible } from '../approvals/visible-text.ts'
import type { AuditRecord } from '../core/audit-record.ts'
import { lifecycleOf, type Lifecycle, type ProposalLine } from '../core/lifecycle.ts'
import { readAuditRecords } from '../evidence/audit-records.ts'
import { inSnapshot } from '../evidence/read-ledger.ts'
import { withAuditor } from './auditor.ts'
import { aboutEntity, entityNamed, type EntityFlags } from './entity.ts'
import { timelineLine } from './timeline.ts'

export function lifecycleCommand(program: Command): void {
  aboutEntity(program.command('lifecycle').description('what became of every proposal on an entity, and each stage it went through'))
    .option('--json', 'print one JSON object')
    .addHelpText('after', `
A proposal is: proposed, refused; awaiting_approval, granted, denied, expired, withdrawn, revoked, void;
executing, in_doubt, completion_rejected, executed, failed.`)
    .action(async (entityId: string, flags: EntityFlags & { readonly json?: true }) => {
      const { key, lifecycle } = await withAuditor(flags.database, (auditor) =>
        inSnapshot(auditor, async (snapshot) => {
          const { key, ...entity } = await entityNamed(snapshot, entityId, flags)
          const records: AuditRecord[] = []
          for await (const record of readAuditRecords(snapshot, entity)) records.push(record)
          return { key, lifecycle: lifecycleOf(records) }
        }),
      )
      console.log(flags.json ? JSON.stringify({ entity: key, ...lifecycle }) : told(key, lifecycle))
    })
}

function told(key: string, { currentState, proposals, stages }: Lifecycle): string {
  const lines = [
    `${key}  ${currentState ?? 'has no state'}`,
    ...proposals.map((line) => `  ${proposalLine(line)}`),
    '',
    ...stages.map(timelineLine),
  ]
  return lines.map((line) => visible(line)).join('\n')
}

function proposalLine({ action, disposition, actor, proposedAt, correlationId, reviewedBy, reason }: ProposalLine): string {
  const more = [reviewedBy.length === 0 ? '' : `reviewed by ${reviewedBy.join(', ')}`, reason ?? ''].filter((text) => text !== '').join(': ')
  return `${(action ?? '-').padEnd(20)} ${disposition.padEnd(19)} ${actor.padEnd(18)} ${proposedAt.slice(0, 23)}Z  ${correlationId}  ${more}`.trimEnd()
}
