/** A Postgres of the user's own, checked before anything is built on it. */
import { Client } from 'pg'
import { z } from 'zod'
import { codeOf, databaseFault, parseDatabaseUrl, placeOf } from '../postgres/database-fault.ts'
import { SetupError } from './setup-error.ts'

/** Whoever grants a role without its rights needs 16 (`grant … with inherit false`). */
const oldestMajor = 16

export interface DatabaseUrlOptions {
  /** What the person set. Default: DATABASE_URL. */
  readonly name?: string
  /** Added where the login or the database is refused. */
  readonly hint?: string
}

/**
 * Proves that a URL leads into a Postgres that is new enough, by connecting (at most 5 s).
 * @throws SetupError saying in one sentence what is wrong with it, never with the password
 */
export async function checkDatabaseUrl(databaseUrl: string, { name = 'DATABASE_URL', hint = '' }: DatabaseUrlOptions = {}): Promise<void> {
  const url = parsed(name, databaseUrl)
  const major = await serverMajor(databaseUrl).catch((cause: unknown) => {
    const code = codeOf(cause)
    throw new SetupError(`${name}: ${databaseFault(url, cause)}${['28P01', '28000', '3D000'].includes(code) ? hint : ''}`, { cause: code, exitCode: 2 })
  })
  if (major < oldestMajor) throw new SetupError(`${name}: ${placeOf(url)} is Postgres ${major}; ${oldestMajor} or newer is needed`, { exitCode: 2 })
}

function parsed(name: string, databaseUrl: string): URL {
  try {
    return parseDatabaseUrl(name, databaseUrl)
  } catch (error) {
    throw new SetupError(error instanceof Error ? error.message : String(error), { exitCode: 2 })
  }
}

async function serverMajor(connectionString: string): Promise<number> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 5000, query_timeout: 5000 })
  // An end of the connection that nobody waits for.
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query('show server_version_num')
    const [row] = z.array(z.object({ server_version_num: z.coerce.number() })).parse(rows)
    return Math.floor((row?.server_version_num ?? 0) / 10_000)
  } finally {
    await client.end().catch(() => {})
  }
}
