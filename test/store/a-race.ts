/** Commits of several connections at the same moment: all wait for one lock, and then go on. */
import { Client } from 'pg'
import { expect, inject } from 'vitest'
import { openPool, type Pool } from '../../src/postgres/connect.ts'
import type { TestStore } from './a-store.ts'

export interface Race {
  /** As the gate, and as the human-facing service: enough connections for everybody. */
  readonly gate: Pool
  readonly reviewer: Pool
  /** How many of the race's connections stand waiting for a lock. */
  readonly waiting: () => Promise<number | undefined>
  /**
   * Runs all at once, truly: holds the entity's chain until every one of them stands waiting for it, then lets go. Their order after
   * that is Postgres's: that in which they came to wait, which is the list's with `inOrder`.
   */
  readonly all: <T>(entityId: string, runners: readonly (() => Promise<T>)[], how?: { readonly inOrder?: boolean }) => Promise<T[]>
  readonly close: () => Promise<void>
}

export async function aRace(it: TestStore): Promise<Race> {
  const database = new URL(it.db.urls.gate).pathname.slice(1)
  const [gate, reviewer] = [openPool(it.db.urls.gate, { max: 10, name: 'test-race' }), openPool(it.db.urls.reviewer, { max: 10, name: 'test-race' })]
  const admin = new Client({ connectionString: inject('postgresAdminUrl') })
  await admin.connect()
  const waiting: Race['waiting'] = async () => {
    const { rows } = await admin.query<{ waiting: number }>("select count(*)::int as waiting from pg_stat_activity where datname = $1 and application_name = 'test-race' and wait_event_type = 'Lock'", [database])
    return rows[0]?.waiting
  }
  const until = (count: number): Promise<unknown> => expect.poll(waiting, { timeout: 10_000 }).toBe(count)
  return {
    gate, reviewer, waiting,
    async all(entityId, runners, { inOrder = false } = {}) {
      const holder = await it.db.pool('owner').connect()
      try {
        await holder.query('begin')
        const key = `ledgers/Account/${entityId}`
        const held = await holder.query('select from kiff.chains where kind = $1 and key = $2 for update', ['entity', key])
        // An entity that does not exist yet has no chain to hold: an uncommitted one makes everybody wait as well.
        if (held.rowCount === 0) await holder.query("insert into kiff.chains (kind, key) values ('entity', $1)", [key])
        const running: ReturnType<(typeof runners)[number]>[] = []
        for (const run of runners) {
          running.push(run())
          if (inOrder) await until(running.length)
        }
        await until(runners.length)
        await holder.query('rollback')
        return await Promise.all(running)
      } finally {
        holder.release()
      }
    },
    async close() {
      await Promise.all([gate.end(), reviewer.end(), admin.end()])
    },
  }
}
