/** `evidence`: the audit's proof. */
import type { Command } from 'commander'
import { verifyChains } from '../evidence/chain.ts'
import { inkFor, printChains } from '../evidence/print.ts'
import { withAuditor } from './auditor.ts'
import { domainsOf } from './domains.ts'
import { exit, Failure } from './exit.ts'

interface VerifyFlags {
  readonly entity?: string
  readonly database?: string
  readonly app?: string
  readonly json?: true
}

export function evidenceCommand(program: Command): void {
  const evidence = program.command('evidence').description("the audit's proof")
  evidence
    .command('verify')
    .description('recompute every hash of the ledger, and every state from its events')
    .option('--entity <key>', 'one entity, as refunds/Order/order-2')
    .option('--database <url>', 'Postgres, as the kiff_auditor login')
    .option('--app <module>', 'the application whose rules say how events fold')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExit code 5: something was found; each finding names its row.')
    .action(async (flags: VerifyFlags) => {
      const domains = await domainsOf(flags.app)
      const report = await withAuditor(flags.database, (auditor) => verifyChains(auditor, { domains, ...(flags.entity === undefined ? {} : { keys: [flags.entity] }) }))
      if (flags.entity !== undefined && report.chains === 0) throw new Failure(`nothing is recorded about ${flags.entity}; an entity is named as refunds/Order/order-2`)
      console.log(flags.json ? JSON.stringify(report) : printChains(report, inkFor(process.stdout)))
      process.exitCode = report.ok ? exit.ok : exit.verificationFailed
    })
}
