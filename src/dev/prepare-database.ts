/** The development database: Postgres up, the logins made, migrated, the application's domains and sample roles in it. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { bootstrapDatabase, dropDatabase, NotOurs, type Login, type Passwords } from '../postgres/bootstrap.ts'
import { openPool } from '../postgres/connect.ts'
import { codeOf } from '../postgres/database-fault.ts'
import { migrate } from '../postgres/migrate.ts'
import { changeMembership, registerDomain } from '../postgres/registry.ts'
import type { DevApp } from './app.ts'
import { startPostgres, type RunningPostgres } from './postgres-server.ts'
import { SetupError } from './setup-error.ts'
import type { Stops } from './stops.ts'

export interface PrepareOptions {
  readonly app: DevApp
  readonly stateDir: string
  readonly databaseUrl?: string | undefined
  readonly databaseName?: string
  /** Also on a server whose kiff_* logins somebody else has made. */
  readonly takeOver?: boolean
  /** Left out or false: the database is removed when it is stopped. */
  readonly persistent: boolean
  readonly onProgress: (line: string) => void
  /** The server is gone and does not come back. */
  readonly onLost: (sentence: string) => void
}

/** @returns the URL of each login. @throws SetupError, also when the server holds an installation that was not made from here */
export async function prepareDatabase(options: PrepareOptions, passwords: Passwords, stops: Stops): Promise<Readonly<Record<Login, string>>> {
  const { app, onProgress, onLost, databaseUrl, databaseName = 'kiff', persistent } = options
  const postgres = await startPostgres({ dataDir: join(options.stateDir, 'postgres'), databaseUrl, temporary: !persistent, onProgress, onLost })
  await stops.add(() => postgres.stop())
  const urls = await madeLogins(postgres, databaseName, passwords, options.takeOver === true)
  if (!persistent && !postgres.embedded) await stops.add(() => dropDatabase(postgres.adminUrl, databaseName))
  const applied = await migrate(urls.owner)
  if (applied.length > 0) onProgress(`applied ${applied.length} migrations`)
  const owner = openPool(urls.owner, { max: 1, name: 'kiff-dev' })
  try {
    for (const domain of app.domains) await registerDomain(owner, domain)
    for (const { domain, actor, role } of app.members) await changeMembership(owner, { kind: 'role_granted', domain, actor, role, by: 'dev' })
  } finally {
    await owner.end()
  }
  return urls
}

async function madeLogins(postgres: RunningPostgres, database: string, passwords: Passwords, takeOver: boolean): Promise<Readonly<Record<Login, string>>> {
  // Only who has this folder's secrets makes the same mark.
  const mark = `kiff-temporal development, ${createHash('sha256').update(JSON.stringify(passwords)).digest('hex').slice(0, 32)}`
  const maker = postgres.embedded ? undefined : { mark, takeOver }
  try {
    return await bootstrapDatabase(postgres.adminUrl, database, passwords, maker)
  } catch (cause) {
    if (cause instanceof NotOurs) {
      throw new SetupError(`DATABASE_URL: ${new URL(postgres.adminUrl).host} ${cause.message}; use a server that is only for trying, unset DATABASE_URL to have one started here, or say --take-over to change their passwords and write sample roles there`, { cause, exitCode: 2 })
    }
    if (codeOf(cause) === '42501') throw new SetupError(`DATABASE_URL: "${decodeURIComponent(new URL(postgres.adminUrl).username)}" may not make logins and databases; name an administrator`, { cause, exitCode: 2 })
    throw cause
  }
}
