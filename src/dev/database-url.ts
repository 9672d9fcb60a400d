/** A Postgres of the user's own, checked before anything is built on it. */
import { Client } from 'pg'
import { z } from 'zod'
import { SetupError } from './setup-error.ts'

const oldestMajor = 15
const Fault = z.looseObject({ code: z.string() })

/**
 * Proves that DATABASE_URL leads into a Postgres that is new enough, by connecting (at most 5 s).
 * @throws SetupError saying in one sentence what is wrong with it, never with the password
 */
export async function checkDatabaseUrl(databaseUrl: string): Promise<void> {
  const url = URL.canParse(databaseUrl) ? new URL(databaseUrl) : undefined
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new SetupError('DATABASE_URL cannot be read; it must look like postgres://user:password@host:5432/database', { exitCode: 2 })
  }
  const major = await serverMajor(databaseUrl).catch((cause: unknown) => {
    throw new SetupError(`DATABASE_URL: ${sentence(url, cause)}`, { cause: Fault.safeParse(cause).data?.code, exitCode: 2 })
  })
  if (major < oldestMajor) throw new SetupError(`DATABASE_URL: ${place(url)} is Postgres ${major}; ${oldestMajor} or newer is needed`, { exitCode: 2 })
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

const place = (url: URL): string => `${url.hostname === '' ? 'localhost' : url.hostname}:${url.port === '' ? '5432' : url.port}`

function sentence(url: URL, fault: unknown): string {
  const code = Fault.safeParse(fault).data?.code ?? ''
  switch (code) {
    case '28P01':
      return `${place(url)} refuses the password of "${decodeURIComponent(url.username)}"; correct it`
    case '28000':
      return `${place(url)} does not let "${decodeURIComponent(url.username)}" in; check the user and the server's pg_hba.conf`
    case '3D000':
      return `${place(url)} has no database "${decodeURIComponent(url.pathname.slice(1))}"; name one that exists, such as postgres`
    case '53300':
      return `${place(url)} takes no more connections; close some or raise its max_connections`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host "${url.hostname}" is not known; correct it`
    case 'ECONNREFUSED':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
    case 'ECONNRESET':
      return `nothing answers at ${place(url)} (${code}); start that Postgres or correct the address`
    default:
      return `${place(url)} cannot be used: ${withoutPassword(url, fault)}`
  }
}

function withoutPassword(url: URL, fault: unknown): string {
  const message = fault instanceof Error ? fault.message : String(fault)
  return [url.password, decodeURIComponent(url.password)].reduce((text, secret) => (secret === '' ? text : text.replaceAll(secret, '***')), message)
}
