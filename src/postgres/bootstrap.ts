/** Makes the database and its logins. Needs an administrator once; nothing else ever uses that login. */
import { Client, escapeIdentifier, escapeLiteral } from 'pg'

/** The logins of DESIGN section 3. `definer` cannot log in: it owns the functions and has only the rights they need. */
export const logins = ['owner', 'gate', 'reviewer', 'auditor'] as const
export type Login = (typeof logins)[number]
export type Passwords = Readonly<Record<Login, string>>

/** Who made the logins of a server, kept there as a comment on them. */
export interface Maker {
  /** No secret. */
  readonly mark: string
  /** Also where somebody else has made them. */
  readonly takeOver: boolean
}

/** The server holds an installation that is somebody else's; nothing was changed. */
export class NotOurs extends Error {
  override readonly name = 'NotOurs'
}

/**
 * Creates database and roles where they are missing, sets the passwords, and closes the database to everybody else.
 * Idempotent. Roles belong to the whole server: two databases on it share them and their passwords.
 * @param maker given, it changes only what the same maker has made
 * @returns the URL of each login
 * @throws NotOurs
 */
export async function bootstrapDatabase(adminUrl: string, database: string, passwords: Passwords, maker?: Maker): Promise<Readonly<Record<Login, string>>> {
  const admin = new Client({ connectionString: adminUrl })
  await admin.connect()
  try {
    await admin.query('select pg_advisory_lock(748201)')
    if (maker?.takeOver === false) await refuseOthers(admin, database, maker.mark)
    await admin.query('begin')
    await createRoles(admin, passwords, maker?.mark ?? null)
    await admin.query('commit')
    const exists = await admin.query('select from pg_database where datname = $1', [database])
    if (exists.rowCount === 0) await admin.query(`create database ${escapeIdentifier(database)} owner kiff_owner`)
    await admin.query(`revoke all on database ${escapeIdentifier(database)} from public`)
    await admin.query(`grant connect on database ${escapeIdentifier(database)} to ${logins.map((login) => `kiff_${login}`).join(', ')}`)
  } finally {
    await admin.end()
  }
  return urlsOf(adminUrl, database, passwords)
}

/** Removes a database and whoever is connected to it. */
export async function dropDatabase(adminUrl: string, database: string): Promise<void> {
  const admin = new Client({ connectionString: adminUrl })
  await admin.connect()
  try {
    await admin.query(`drop database if exists ${escapeIdentifier(database)} with (force)`)
  } finally {
    await admin.end()
  }
}

/** The URL of each login on `database`, at the server of `adminUrl`. */
export function urlsOf(adminUrl: string, database: string, passwords: Passwords): Readonly<Record<Login, string>> {
  const urlOf = (login: Login): string => {
    const url = new URL(adminUrl)
    url.username = `kiff_${login}`
    url.password = passwords[login]
    url.pathname = `/${encodeURIComponent(database)}`
    return url.toString()
  }
  return { owner: urlOf('owner'), gate: urlOf('gate'), reviewer: urlOf('reviewer'), auditor: urlOf('auditor') }
}

async function refuseOthers(admin: Client, database: string, mark: string): Promise<void> {
  const { rows } = await admin.query<{ name: string; mark: string | null }>("select rolname as name, shobj_description(oid, 'pg_authid') as mark from pg_roles where rolname like 'kiff\\_%'")
  const found = rows.filter(({ name }) => logins.some((login) => name === `kiff_${login}`))
  const others = found.filter((role) => role.mark !== mark).map(({ name }) => name)
  if (others.length > 0) throw new NotOurs(`has the logins ${others.sort().join(', ')} already, and they were not made from here`)
  const { rowCount } = found.length > 0 ? { rowCount: 0 } : await admin.query('select from pg_database where datname = $1', [database])
  if (rowCount !== 0) throw new NotOurs(`has a database "${database}" already, and it was not made from here`)
}

async function createRoles(admin: Client, passwords: Passwords, mark: string | null): Promise<void> {
  await createRole(admin, 'kiff_definer', 'nologin')
  for (const login of logins) {
    await createRole(admin, `kiff_${login}`, `login password ${escapeLiteral(passwords[login])}`)
    await admin.query(`comment on role kiff_${login} is ${mark === null ? 'null' : escapeLiteral(mark)}`)
  }
  // The owner hands functions over to the definer; the admin creates databases for the owner.
  await admin.query('grant kiff_definer to kiff_owner with set true, inherit false')
  await admin.query('grant kiff_owner to current_user')
}

async function createRole(admin: Client, name: string, options: string): Promise<void> {
  const exists = await admin.query('select from pg_roles where rolname = $1', [name])
  await admin.query(`${exists.rowCount === 0 ? 'create' : 'alter'} role ${name} with ${options} nosuperuser nocreatedb nocreaterole noreplication nobypassrls`)
}
