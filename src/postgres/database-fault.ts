/** Why a database cannot be used, in one sentence that says what to do, never with the password. */
import type { Login } from './bootstrap.ts'
import type { Pool } from './connect.ts'

/** @param name what the person set: an environment variable, or an option. @throws TypeError, one sentence */
export function parseDatabaseUrl(name: string, databaseUrl: string): URL {
  const url = URL.canParse(databaseUrl) ? new URL(databaseUrl) : undefined
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol)) throw new TypeError(`${name} cannot be read; it must look like postgres://user:password@host:5432/database`)
  return url
}

export const placeOf = (url: URL): string => `${url.hostname === '' ? 'localhost' : url.hostname}:${url.port === '' ? '5432' : url.port}`

/** The fault of a first connection, or of a first query. */
export function databaseFault(url: URL, fault: unknown): string {
  const code = codeOf(fault)
  switch (code) {
    case '28P01':
      return `${placeOf(url)} refuses the password of "${decodeURIComponent(url.username)}"; correct it`
    case '28000':
      return `${placeOf(url)} does not let "${decodeURIComponent(url.username)}" in; check the user and the server's pg_hba.conf`
    case '3D000':
      return `${placeOf(url)} has no database "${decodeURIComponent(url.pathname.slice(1))}"; name one that exists, such as postgres`
    case '53300':
      return `${placeOf(url)} takes no more connections; close some or raise its max_connections`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host "${url.hostname}" is not known; correct it`
    case 'ECONNREFUSED':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
    case 'ECONNRESET':
      return `nothing answers at ${placeOf(url)} (${code}); start that Postgres or correct the address`
    default:
      return `${placeOf(url)} cannot be used: ${withoutPassword(url, fault)}`
  }
}

/** SQLSTATE or Node's code; empty where there is none. */
export function codeOf(fault: unknown): string {
  const code: unknown = typeof fault === 'object' && fault !== null && 'code' in fault ? fault.code : undefined
  return typeof code === 'string' ? code : ''
}

/**
 * Proves that a pool speaks as this login, to a database that is migrated.
 * @throws Error, one sentence
 */
export async function requireLogin(pool: Pool, login: Login, databaseUrl: string): Promise<void> {
  const url = new URL(databaseUrl)
  const { rows } = await pool
    .query<{ user: string; migrated: boolean }>("select session_user::text as user, to_regnamespace('kiff') is not null as migrated")
    .catch((cause: unknown) => {
      const unknown = ['28P01', '28000', '3D000'].includes(codeOf(cause)) ? '; if it was never made, run "kiff-temporal migrate" once, with DATABASE_URL as an administrator' : ''
      throw new Error(`the database of kiff_${login}: ${databaseFault(url, cause)}${unknown}`, { cause })
    })
  const [found] = rows
  if (found?.user !== `kiff_${login}`) throw new Error(`this must connect as kiff_${login}, which can do nothing else; it connected as ${found?.user ?? 'nobody'}`)
  if (!found.migrated) throw new Error(`the database "${decodeURIComponent(url.pathname.slice(1))}" at ${placeOf(url)} holds nothing of kiff-temporal; correct its name, or run "kiff-temporal migrate" first`)
}

function withoutPassword(url: URL, fault: unknown): string {
  // Node tells of several addresses that all refused in an error without words.
  const message = fault instanceof AggregateError ? fault.errors.map(String).join('; ') : fault instanceof Error ? fault.message : String(fault)
  return [url.password, decodeURIComponent(url.password)].reduce((text, secret) => (secret === '' ? text : text.replaceAll(secret, '***')), message)
}
