/** `migrate`: brings the database up to date as its owner, and registers the domains of the code being deployed. */
import type { Command } from 'commander'
import { defaultApp, loadApp } from '../dev/app.ts'
import { openPool } from '../postgres/connect.ts'
import { migrate } from '../postgres/migrate.ts'
import { bootstrapDatabase, logins } from '../postgres/bootstrap.ts'
import { changeMembership, registerDomain } from '../postgres/registry.ts'
import { Failure, required } from './exit.ts'

export function migrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('apply migrations and register domains, as the owner')
    .option('--app <module>', 'the application whose domains to register', defaultApp)
    .option('--members', "grant the application's sample roles as well")
    .option('--json', 'print one JSON object')
    .addHelpText('after', `
Environment:
  KIFF_OWNER_DATABASE_URL  Postgres, as the kiff_owner login; or, to make database and logins first:
  DATABASE_URL             Postgres, as an administrator, with KIFF_PASSWORD_OWNER, _GATE, _REVIEWER, _AUDITOR`)
    .action(async (options: { app: string; members?: true; json?: true }) => {
      const app = await loadApp(options.app)
      const ownerUrl = process.env['KIFF_OWNER_DATABASE_URL'] ?? (await bootstrap())
      const applied = await migrate(ownerUrl)
      const owner = openPool(ownerUrl, { max: 1, name: 'kiff-migrate' })
      try {
        for (const domain of app.domains) await registerDomain(owner, domain)
        if (options.members) for (const { domain, actor, role } of app.members) await changeMembership(owner, { kind: 'role_granted', domain, actor, role, by: 'migrate' })
      } finally {
        await owner.end()
      }
      const domains = app.domains.map(({ name }) => name)
      console.log(options.json ? JSON.stringify({ applied, domains }) : `${applied.length} migrations applied, ${domains.join(', ')} registered`)
    })
}

async function bootstrap(): Promise<string> {
  const adminUrl = required('DATABASE_URL')
  const passwords = Object.fromEntries(logins.map((login) => [login, required(`KIFF_PASSWORD_${login.toUpperCase()}`)]))
  const { owner, gate, reviewer, auditor } = passwords
  if (!owner || !gate || !reviewer || !auditor) throw new Failure('all four passwords are needed')
  return (await bootstrapDatabase(adminUrl, 'kiff', { owner, gate, reviewer, auditor })).owner
}
