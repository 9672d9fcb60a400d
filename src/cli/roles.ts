/** `roles`: who may do what. Every change is audited in the database, on the chain of its domain's roles. */
import { userInfo } from 'node:os'
import { Option, type Command } from 'commander'
import { visible } from '../approvals/visible-text.ts'
import type { ActorType } from '../core/permission.ts'
import { listRoles, roleChanges, type HeldBy, type HeldRole, type RoleChange } from '../evidence/roles.ts'
import { inSnapshot } from '../evidence/read-ledger.ts'
import { changeMembership } from '../postgres/registry.ts'
import type { Pool } from '../postgres/connect.ts'
import { withAuditor } from './auditor.ts'
import { exit, Failure } from './exit.ts'
import { withOwner } from './owner.ts'
import { setIn } from './where.ts'

const actorTypes: readonly ActorType[] = ['human', 'agent', 'service', 'system', 'external']

interface RoleFlags {
  readonly domain?: string
  readonly database?: string
  readonly json?: true
}

interface ChangeFlags extends RoleFlags {
  readonly by?: string
  readonly type?: ActorType
  readonly name?: string
}

type Verb = 'grant' | 'revoke'

export function rolesCommand(program: Command): void {
  const roles = program.command('roles').description('who holds which role')
  changeCommand(roles, 'grant', 'give an actor a role')
  changeCommand(roles, 'revoke', 'take a role from an actor; what the gate has not yet carried out is judged without it')
  roles
    .command('list')
    .description('each role, what it permits, and who holds it')
    .option('--domain <domain>', 'only this domain, as refunds')
    .option('--history', 'every change instead, from the ledger')
    .option('--database <url>', 'Postgres, as the kiff_auditor login')
    .option('--json', 'print one JSON object')
    .action(async ({ domain, history, database, json }: RoleFlags & { readonly history?: true }) => {
      // Reading needs no owner; but who has only set the owner's database need not set another.
      const url = database ?? (setIn('KIFF_AUDITOR_DATABASE_URL') === undefined ? setIn('KIFF_OWNER_DATABASE_URL') : undefined)
      const { held, changes } = await withAuditor(url, (auditor) => inSnapshot(auditor, async (snapshot) => ({ held: await listRoles(snapshot), changes: await roleChanges(snapshot) })))
      const domains = domain === undefined ? undefined : domainMeant(held, domain)
      const asked = <Row extends { readonly domain: string }>(rows: readonly Row[]): readonly Row[] => rows.filter((row) => domains === undefined || row.domain === domains)
      if (history) console.log(json ? JSON.stringify({ changes: asked(changes) }) : lines(asked(changes).map(changeLine), 'no role was ever granted'))
      else console.log(json ? JSON.stringify({ roles: asked(held) }) : lines(rolesTable(asked(held)), 'no domain is registered; run "kiff-temporal migrate"'))
    })
}

function changeCommand(roles: Command, verb: Verb, description: string): void {
  const command = roles.command(verb)
  if (verb === 'grant') {
    command
      .addOption(new Option('--type <type>', 'who the actor is; one known to be no person can never review').choices(actorTypes))
      .option('--name <name>', 'the name by which people know the actor; needs --type')
  }
  command
    .description(description)
    .argument('<actor>', 'as support-agent-1, or a person')
    .argument('<role>', 'as finance')
    .option('--domain <domain>', 'as refunds; needed when there is more than one')
    .option('--by <person>', 'who does it, for the record; this computer\'s user unless told')
    .option('--database <url>', 'Postgres, as the kiff_owner login')
    .option('--json', 'print one JSON object')
    .addHelpText('after', `
Environment:
  KIFF_OWNER_DATABASE_URL  Postgres, as the kiff_owner login, where "npm start" does not run here`)
    .action(async (actor: string, role: string, flags: ChangeFlags) => {
      const by = named('--by', flags.by ?? user())
      named('the actor', actor)
      if (flags.name !== undefined && flags.type === undefined) throw new Failure('--name needs --type: say who the actor is', exit.usage)
      if (flags.name !== undefined) named('--name', flags.name)
      const { domain, changed } = await withOwner(flags.database, (owner) => change(owner, verb, { ...flags, actor, role, by }))
      const now = `${actor} ${verb === 'grant' ? 'holds' : 'does not hold'} ${role} in ${domain}`
      console.log(flags.json ? JSON.stringify({ domain, actor, role, by, changed }) : visible(changed ? `${now} now; recorded as done by ${by}` : `nothing changed: ${now} already`))
    })
}

async function change(owner: Pool, verb: Verb, asked: ChangeFlags & { readonly actor: string; readonly role: string; readonly by: string }): Promise<{ readonly domain: string; readonly changed: boolean }> {
  const held = await inSnapshot(owner, listRoles)
  const domain = domainMeant(held, asked.domain)
  const { actor, role, by, type, name } = asked
  // A role that the domain no longer has can still be revoked.
  const choice = held.filter((each) => each.domain === domain && (each.permissions.length > 0 || verb === 'revoke'))
  if (!choice.some((each) => each.role === role)) throw new Failure(`${domain} has no role ${role}; there is ${choice.map((each) => each.role).join(', ')}`, exit.usage)
  const kind = verb === 'grant' ? 'role_granted' : 'role_revoked'
  return { domain, changed: await changeMembership(owner, { kind, domain, actor, role, by, actorType: type, displayName: name }) }
}

function domainMeant(held: readonly HeldRole[], asked: string | undefined): string {
  const domains = [...new Set(held.map(({ domain }) => domain))]
  const [only, another] = domains
  if (only === undefined) throw new Failure('no domain is registered; run "kiff-temporal migrate"')
  if (asked !== undefined && !domains.includes(asked)) throw new Failure(`there is no domain ${asked}; there is ${domains.join(', ')}`, exit.usage)
  if (asked === undefined && another !== undefined) throw new Failure(`say which domain with --domain: ${domains.join(', ')}`, exit.usage)
  return asked ?? only
}

function named(what: string, name: string): string {
  if (name.trim() === '' || name.length > 200 || visible(name) !== name) throw new Failure(`${what} is a name of at most 200 visible characters`, exit.usage)
  return name
}

function user(): string {
  try {
    return userInfo().username
  } catch {
    throw new Failure('this computer does not know who you are; say who does it with --by', exit.usage)
  }
}

function rolesTable(held: readonly HeldRole[]): string[] {
  const cells = held.map(({ domain, role, permissions, actors }) => [domain, role, permissions.length === 0 ? 'no longer in the domain' : permissions.join(', '), actors.length === 0 ? 'nobody' : actors.map(told).join(', ')])
  const rows = [['domain', 'role', 'permits', 'held by'], ...cells]
  return cells.length === 0 ? [] : rows.map((row) => row.map((cell, column) => cell.padEnd(Math.max(...rows.map((other) => other[column]?.length ?? 0)))).join('  ').trimEnd())
}

function told({ actor, type, displayName }: HeldBy): string {
  const who = [displayName, type].filter((word) => word !== null)
  return who.length === 0 ? actor : `${actor} (${who.join(', ')})`
}

function changeLine({ at, domain, change, actor, role, by }: RoleChange): string {
  return `${at.slice(0, 23)}Z  ${domain}  ${change.padEnd(7)}  ${role} ${change === 'granted' ? 'to' : 'from'} ${actor}, by ${by}`
}

function lines(told: readonly string[], none: string): string {
  return told.length === 0 ? none : told.map((line) => visible(line)).join('\n')
}
