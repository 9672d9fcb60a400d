/** What one entity's commits lock is that entity's: no lock that another entity's need, and none on a table, held to the end of a transaction. */
import type { PoolClient } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createGateStore } from '../../src/postgres/gate-store.ts'
import type { Pool } from '../../src/postgres/connect.ts'
import { aProposal, aStore, leaseOf, type TestStore } from './a-store.ts'
import { over, type AnyStore } from './any-store.ts'

let store: TestStore
/** The same store in one transaction that is not committed. */
let held: AnyStore
let client: PoolClient
beforeAll(async () => {
  store = await aStore()
  client = await store.db.pool('gate').connect()
  held = await over({ ...store, store: createGateStore({ query: (...args: Parameters<Pool['query']>) => client.query(...args) } as unknown as Pool) })
})
afterAll(async () => {
  client.release()
  await store.close()
})

/** Every commit of the gate, each on accounts of its own. */
async function everything(it: AnyStore, accounts: readonly string[]): Promise<void> {
  const [opened, pure, refused, asked, doubted, resumed, reported] = accounts.map((entityId) => aProposal(entityId, { action: 'SEND' }))
  if (!opened || !pure || !refused || !asked || !doubted || !resumed || !reported) throw new Error('too few accounts')
  leaseOf(await it.open(opened, { idempotentForMs: 3_600_000 }))
  expect(await it.complete(opened)).toMatchObject({ status: 'committed' })
  expect(await it.pure({ ...aProposal(pure.request.entityId, { action: 'NOTE' }) })).toMatchObject({ status: 'committed' })
  expect(await it.refuse(refused)).toMatchObject({ status: 'committed' })
  expect(await it.ask(aProposal(asked.request.entityId, { action: 'ASK' }))).toMatchObject({ outcome: 'approval_required' })
  const { token } = leaseOf(await it.open(doubted))
  expect(await it.doubt(doubted, token)).toMatchObject({ status: 'committed' })
  const lease = leaseOf(await it.open(resumed, { idempotentForMs: 3_600_000 }))
  await it.store.yieldLease(resumed.executionKey, lease.token)
  expect(await it.resume(resumed)).toMatchObject({ status: 'committed' })
  expect(await it.report({}, reported.request.entityId)).toMatchObject({ status: 'committed' })
}

const sevenAccounts = (): Promise<string[]> => Promise.all(Array.from({ length: 7 }, () => store.anAccount()))

test('while one transaction has made every kind of commit and holds all its locks, every other entity is free', async () => {
  const accounts = await sevenAccounts()
  const others = await Promise.all(Array.from({ length: 5 }, sevenAccounts))
  await client.query('begin')
  const { rows: [backend] } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  const blocked = () => store.look('select from pg_locks where not granted and $1 = any (pg_blocking_pids(pid))', [backend?.pid])
  try {
    await everything(held, accounts)
    const locks = await store.look<{ locktype: string; mode: string }>(
      "select distinct locktype, mode from pg_locks where pid = $1 and granted and locktype not in ('virtualxid', 'transactionid')", [backend?.pid])
    expect(locks.length).toBeGreaterThan(0)
    // On tables only what lets others read and write rows of their own; no advisory lock at all.
    expect(locks.map(({ locktype }) => locktype)).toEqual(locks.map(() => 'relation'))
    expect(locks.filter(({ mode }) => !['AccessShareLock', 'RowShareLock', 'RowExclusiveLock'].includes(mode))).toEqual([])
    // Made anew as well: a first event makes the chain and the entity.
    await Promise.all([...others.map((each) => everything(store, each)), store.anAccount()])
    expect(await blocked()).toEqual([])
    // The same account, on the other hand, has to wait: that the locks were held.
    const waiting = store.report({}, accounts[6] ?? '')
    await expect.poll(blocked).toHaveLength(1)
    await client.query('rollback')
    expect(await waiting).toMatchObject({ status: 'committed' })
  } finally {
    await client.query('rollback')
  }
})
