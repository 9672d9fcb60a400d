/** `state`: where an entity stands, and whether its events alone lead there. */
import type { Command } from 'commander'
import { visible } from '../approvals/visible-text.ts'
import type { EntityState } from '../core/state.ts'
import { checkEntityState, type StateCheck } from '../evidence/entity-state.ts'
import { inSnapshot } from '../evidence/read-ledger.ts'
import { withAuditor } from './auditor.ts'
import { domainsOf } from './domains.ts'
import { aboutEntity, entityNamed, type EntityFlags } from './entity.ts'
import { exit, Failure } from './exit.ts'

export function stateCommand(program: Command): void {
  aboutEntity(program.command('state').description('the state of an entity, and what its events alone lead to'))
    .option('--app <module>', 'the application whose rules say how events fold')
    .option('--json', 'print one JSON object')
    .addHelpText('after', `
Exit code 5: the state is not what its events lead to. It is rebuilt in memory; nothing is written.
Whether the events themselves are as they were recorded: "evidence verify --entity <domain>/<type>/<id>".`)
    .action(async (entityId: string, flags: EntityFlags & { readonly app?: string; readonly json?: true }) => {
      const domains = await domainsOf(flags.app)
      const { key, check } = await withAuditor(flags.database, (auditor) =>
        inSnapshot(auditor, async (snapshot) => {
          const { key } = await entityNamed(snapshot, entityId, flags)
          return { key, check: await checkEntityState(snapshot, key, domains) }
        }),
      )
      if (check.kept === null && check.rebuilt === null && check.matches) throw new Failure(`${key} has no state: no event about it was ever accepted`)
      console.log(flags.json ? JSON.stringify({ entity: key, ...check }) : visible(told(key, check), { lines: true }))
      process.exitCode = check.matches ? exit.ok : exit.verificationFailed
    })
}

function told(key: string, { kept, rebuilt, events, problems, matches }: StateCheck): string {
  return [
    kept === null ? `${key} has no state` : `${key} is ${inWords(kept)}`,
    `its ${events === 1 ? 'event leads' : `${events} events lead`} to ${rebuilt === null ? 'none' : inWords(rebuilt)}: ${matches ? 'it matches' : 'IT DIFFERS'}`,
    ...problems,
  ].join('\n')
}

function inWords({ value, version }: EntityState): string {
  return `${value}, version ${version}`
}
