/** `migrate`: brings the database up to date as its owner, and registers the domains of the code being deployed. */
import type { Command } from 'commander'
import type { Domain } from '../core/domain.ts'
import { defaultApp, loadApp, loadDomains, type DevApp } from '../dev/app.ts'
import { checkDatabaseUrl } from '../dev/database-url.ts'
import { bootstrapDatabase, type Passwords } from '../postgres/bootstrap.ts'
import { openPool } from '../postgres/connect.ts'
import { codeOf } from '../postgres/database-fault.ts'
import { migrate } from '../postgres/migrate.ts'
import { changeMembership, registerDomain } from '../postgres/registry.ts'
import { exit, Failure } from './exit.ts'
import { allSet, setIn } from './where.ts'

interface MigrateFlags {
  readonly app?: string
  readonly domains?: string
  readonly members?: true
  readonly json?: true
}

const database = 'kiff'

export function migrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('apply migrations and register domains, as the owner; the first time, as an administrator, make database and logins')
    .option('--domains <module>', 'the module that exports the domains to register')
    .option('--app <module>', `the application whose domains to register (${defaultApp}, without --domains)`)
    .option('--members', "grant the application's sample roles as well")
    .option('--json', 'print one JSON object')
    .addHelpText('after', `
Environment:
  KIFF_OWNER_DATABASE_URL  Postgres, as the kiff_owner login; or, to make database and logins first:
  DATABASE_URL             Postgres, as an administrator, with KIFF_PASSWORD_OWNER, _GATE, _REVIEWER, _AUDITOR ("kiff-temporal
                           keys" makes them); logins that exist get these passwords`)
    .action(async (flags: MigrateFlags) => {
      const { domains, members } = await registered(flags)
      const ownerUrl = await ownersUrl()
      const applied = await migrate(ownerUrl)
      const granted = await register(ownerUrl, domains, members)
      const names = domains.map(({ name }) => name)
      console.log(flags.json ? JSON.stringify({ applied, domains: names, granted }) : told(applied.length, names, granted))
    })
}

async function registered({ app, domains, members }: MigrateFlags): Promise<{ readonly domains: readonly Domain[]; readonly members: DevApp['members'] }> {
  if (domains === undefined) {
    const { domains, members: sample } = await loadApp(app ?? defaultApp)
    return { domains, members: members ? sample : [] }
  }
  if (app !== undefined) throw new Failure('give --domains or --app, not both', exit.usage)
  if (members) throw new Failure('--members grants the sample roles of an application; with --domains, use "kiff-temporal roles grant"', exit.usage)
  return { domains: await loadDomains(domains), members: [] }
}

/** @returns how many roles were granted that were not held before */
async function register(ownerUrl: string, domains: readonly Domain[], members: DevApp['members']): Promise<number> {
  const owner = openPool(ownerUrl, { max: 1, name: 'kiff-migrate' })
  let granted = 0
  try {
    for (const domain of domains) await registerDomain(owner, domain)
    for (const { domain, actor, role } of members) if (await changeMembership(owner, { kind: 'role_granted', domain, actor, role, by: 'migrate' })) granted += 1
  } finally {
    await owner.end()
  }
  return granted
}

function told(applied: number, domains: readonly string[], granted: number): string {
  const migrations = applied === 1 ? '1 migration applied' : `${applied} migrations applied`
  const roles = granted === 1 ? '1 role granted' : `${granted} roles granted`
  return `${migrations}, ${domains.join(', ')} registered, ${roles}${granted === 0 ? ' ("kiff-temporal roles list" tells who holds which)' : ''}`
}

/** The owner's URL; its login and database are made first, where an administrator is named. */
async function ownersUrl(): Promise<string> {
  const owner = setIn('KIFF_OWNER_DATABASE_URL')
  const admin = setIn('DATABASE_URL')
  if (owner === undefined && admin === undefined) {
    throw new Failure('set KIFF_OWNER_DATABASE_URL to Postgres, as the kiff_owner login; or, the first time, DATABASE_URL to Postgres, as an administrator, with KIFF_PASSWORD_OWNER, _GATE, _REVIEWER and _AUDITOR', exit.usage)
  }
  if (owner !== undefined) {
    await checkDatabaseUrl(owner, { name: 'KIFF_OWNER_DATABASE_URL', hint: '; if the logins do not exist yet, run migrate once with DATABASE_URL as an administrator, and without KIFF_OWNER_DATABASE_URL' })
    const { username } = new URL(owner)
    if (username !== 'kiff_owner') throw new Failure(`KIFF_OWNER_DATABASE_URL must be the kiff_owner login, who then owns what is made; it is "${decodeURIComponent(username)}"`, exit.usage)
    return owner
  }
  return firstTime(admin ?? '')
}

async function firstTime(adminUrl: string): Promise<string> {
  const set = allSet(['KIFF_PASSWORD_OWNER', 'KIFF_PASSWORD_GATE', 'KIFF_PASSWORD_REVIEWER', 'KIFF_PASSWORD_AUDITOR'], ' ("kiff-temporal keys" makes them)')
  const passwords: Passwords = { owner: set.KIFF_PASSWORD_OWNER, gate: set.KIFF_PASSWORD_GATE, reviewer: set.KIFF_PASSWORD_REVIEWER, auditor: set.KIFF_PASSWORD_AUDITOR }
  await checkDatabaseUrl(adminUrl)
  try {
    return (await bootstrapDatabase(adminUrl, database, passwords)).owner
  } catch (cause) {
    if (codeOf(cause) === '42501') throw new Failure(`DATABASE_URL: "${decodeURIComponent(new URL(adminUrl).username)}" may not make logins and databases; name an administrator`, exit.usage)
    throw cause
  }
}
