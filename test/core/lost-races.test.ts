/** What the gate's store in Postgres makes of the database's refusals. */
import { DatabaseError } from 'pg'
import { expect, test } from 'vitest'
import type { Pool } from '../../src/postgres/connect.ts'
import { createGateStore } from '../../src/postgres/gate-store.ts'

/** A database that refuses everything with this SQLSTATE. */
function refusing(code: string): ReturnType<typeof createGateStore> {
  const query = async (): Promise<never> => {
    throw Object.assign(new DatabaseError(`refused: ${code}`, 0, 'error'), { code })
  }
  return createGateStore({ query } as unknown as Pool)
}

const answer = { outcome: 'blocked', reason: 'forbidden', message: 'no', nextStep: 'do_not_retry' } as const
const commit = { body: '{}', answer, guard: null }

test.each([['a serialization failure', '40001'], ['a deadlock', '40P01'], ['a unique index that was the last guard', '23505']])('a lost race, by %s, is read again', async (_, code) => {
  expect(await refusing(code).recordAnswer(commit)).toEqual({ status: 'stale' })
})

test.each([['a rule that was broken', '23514'], ['a login that may not', '42501'], ['a server that stops', '57P01']])('%s is a fault', async (_, code) => {
  await expect(refusing(code).recordAnswer(commit)).rejects.toMatchObject({ code })
})

test.each(['40001', '40P01', '23505'])('of a completion nothing is swallowed: the effect has happened (%s)', async (code) => {
  await expect(refusing(code).completeExecution({ body: '{}', executionKey: 'k', answer, end: { status: 'succeeded' } })).rejects.toMatchObject({ code })
})
