/** A database that goes away: workflows wait, nothing happens without its record, and all goes on when it is back. */
import type { WorkflowHandle } from '@temporalio/client'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { aProvider, type Provider } from '../a-provider.ts'
import { aStack, eventually, type Stack } from '../a-stack.ts'
import { aPaidOrder, states } from '../an-entity.ts'

let provider: Provider
let stack: Stack

beforeAll(async () => {
  provider = await aProvider()
  stack = await aStack({ bound: provider.bound, actors: ['support-agent-1', 'shop'], members: { 'support-agent-1': 'support-agent', shop: 'shop', maria: 'finance' } })
})
afterAll(async () => {
  await stack.close()
  provider.close()
})

const aRefund = (entityId: string, amountCents = 4_200) => ({ queue: stack.queues.gate, entityId, params: { amountCents, reason: 'late' }, timeout: '3 seconds' })
const database = (): string => new URL(stack.db.urls.gate).pathname.slice(1)

async function asAdmin(sql: string): Promise<number | null> {
  const admin = new Client({ connectionString: inject('postgresAdminUrl') })
  await admin.connect()
  const { rowCount } = await admin.query(sql)
  await admin.end()
  return rowCount
}
/** Ends the gate's connections. @returns how many */
const hangUp = (those = '') => asAdmin(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database()}' and usename = 'kiff_gate' ${those}`)
async function lock(): Promise<void> {
  await asAdmin(`revoke connect on database ${database()} from kiff_gate`)
  await hangUp()
}
const unlock = () => asAdmin(`grant connect on database ${database()} to kiff_gate`)
const faulted = (handle: WorkflowHandle, message: RegExp) =>
  eventually(async () => (await handle.describe()).raw.pendingActivities?.some(({ lastFailure }) => message.test(lastFailure?.message ?? '')))
const refund = (entityId: string) => stack.start('propose', [aRefund(entityId)])

describe('a database that goes away', () => {
  test('before a proposal: the workflow waits, nothing is paid without its record, and it goes on when the database is back', async () => {
    const entityId = await aPaidOrder(stack)
    await lock()
    const handle = await refund(entityId)
    await faulted(handle, /permission denied for database/)
    expect(provider.paid(entityId)).toBe(0)
    await unlock()
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(provider.paid(entityId)).toBe(1)
  })

  test('for a moment while the payment is under way: it is completed', async () => {
    const entityId = await aPaidOrder(stack)
    const release = provider.slowDown(entityId)
    const handle = await refund(entityId)
    await eventually(async () => provider.paid(entityId) === 1)
    await hangUp()
    release()
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(provider.keys(entityId)).toHaveLength(1)
    expect(await states(stack, refunds, entityId)).toEqual({ live: { value: 'REFUNDED', version: 3 }, rebuilt: { value: 'REFUNDED', version: 3 } })
  })

  test('in the middle of completing: it is completed, and not paid for again', async () => {
    const entityId = await aPaidOrder(stack)
    const release = provider.slowDown(entityId)
    const handle = await refund(entityId)
    await eventually(async () => provider.paid(entityId) === 1)
    const owner = new Client({ connectionString: stack.db.urls.owner })
    await owner.connect()
    await owner.query('begin')
    await owner.query('select from kiff.chains where key = $1 for update', [`refunds/Order/${entityId}`])
    release()
    await eventually(async () => (await hangUp("and wait_event_type = 'Lock' and query like '%complete_execution%'")) === 1)
    await owner.query('rollback')
    await owner.end()
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(provider.keys(entityId)).toHaveLength(1)
  })

  test('until after the payment has returned: it is taken up with the same key, and paid once', async () => {
    const entityId = await aPaidOrder(stack)
    const release = provider.slowDown(entityId)
    const handle = await refund(entityId)
    await eventually(async () => provider.paid(entityId) === 1)
    await lock()
    release()
    await faulted(handle, /permission denied for database|timed out/)
    await unlock()
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(provider.paid(entityId)).toBe(1)
    expect(provider.keys(entityId).length).toBeGreaterThan(1)
  })

  test('while a person is asked: the review is used when it is back', async () => {
    const entityId = await aPaidOrder(stack)
    const handle = await stack.start('propose', [aRefund(entityId, 99_900)])
    const approvalId = await stack.asked(entityId)
    await lock()
    await stack.review(approvalId, 'granted', 'maria')
    await faulted(handle, /permission denied for database/)
    expect(provider.paid(entityId)).toBe(0)
    await unlock()
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(provider.paid(entityId)).toBe(1)
  })
})
