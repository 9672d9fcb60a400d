/** Applies the numbered migrations, in order, once each. A released one is never edited. */
import { readdir, readFile } from 'node:fs/promises'
import { sha256 } from '../core/digest.ts'
import { openPool, transaction } from './connect.ts'

const folder = new URL('./migrations/', import.meta.url)

/**
 * Brings a database up to date as its owner, each migration in a transaction of its own, under an advisory lock: two at
 * once do the work once. @returns the names applied now
 * @throws Error when an applied migration's text has changed since
 */
export async function migrate(ownerUrl: string): Promise<readonly string[]> {
  const pool = openPool(ownerUrl, { max: 2, name: 'kiff-migrate' })
  const lock = await pool.connect()
  try {
    await lock.query('select pg_advisory_lock(748202)')
    await lock.query(`create table if not exists public.kiff_migrations (
      name text primary key, sha256 text not null, applied_at timestamptz not null default clock_timestamp())`)
    const applied = await lock.query<{ name: string; sha256: string }>('select name, sha256 from public.kiff_migrations')
    const known = new Map(applied.rows.map((row) => [row.name, row.sha256]))
    const fresh: string[] = []
    for (const name of (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort()) {
      const sql = await readFile(new URL(name, folder), 'utf8')
      const digest = sha256(sql)
      const before = known.get(name)
      if (before !== undefined && before !== digest) throw new Error(`migration ${name} has changed since it was applied; use a new file, or a new database`)
      if (before !== undefined) continue
      await transaction(pool, async (client) => {
        await client.query(sql)
        await client.query('insert into public.kiff_migrations (name, sha256) values ($1, $2)', [name, digest])
      })
      fresh.push(name)
    }
    return fresh
  } finally {
    lock.release(true) // ends the session, and the lock with it
    await pool.end()
  }
}
