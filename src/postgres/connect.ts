/** Connections: one small pool a login, and the database's refusals told in one sentence. */
import { Pool as PgPool, type PoolClient } from 'pg'

export type Pool = PgPool

/** Opens a pool; `max` connections, 8 unless told. Nothing connects until the first query. @throws TypeError for a bad URL */
export function openPool(url: string, options: { readonly max?: number; readonly name?: string } = {}): Pool {
  const connectionString = checkedUrl(url)
  const pool = new PgPool({ connectionString, max: options.max ?? 8, application_name: options.name ?? 'kiff', connectionTimeoutMillis: 10_000 })
  // A server stop ends idle connections; the next query reports what matters.
  pool.on('error', () => {})
  return pool
}

/** Calls one function of ours and returns its single value; `undefined` for SQL null. */
export async function callFunction(pool: Pool, name: string, args: readonly unknown[]): Promise<unknown> {
  const [row] = await callSet(pool, name, args)
  return row ?? undefined
}

/** Calls one set-returning function of ours. */
export async function callSet(pool: Pool, name: string, args: readonly unknown[]): Promise<readonly unknown[]> {
  const places = args.map((_, index) => `$${index + 1}`).join(', ')
  const result = await pool.query<{ value: unknown }>({ name, text: `select ${name}(${places}) as value`, values: [...args] })
  return result.rows.map((row) => row.value)
}

/** A transaction on one connection; rolled back when `work` throws. */
export async function transaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const result = await work(client)
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw error
  } finally {
    client.release()
  }
}

function checkedUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw new TypeError('a database URL reads postgres://user:password@host:port/database')
  }
  return url
}
