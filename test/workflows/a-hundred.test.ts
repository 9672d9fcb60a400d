/** A hundred refunds at once: each happens, once, and none waits for a lock of another. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { report } from '../../src/gate/report.ts'
import { createGateStore } from '../../src/postgres/gate-store.ts'
import { aRefundsStack, type Refunds } from '../held-refunds.ts'

let orders: Refunds
beforeAll(async () => { orders = await aRefundsStack() })
afterAll(() => orders.stack.close())

const isAllowed = (result: unknown): boolean => (result as { outcome: string }).outcome === 'allowed'

/** Paid, by way of the gate itself, without a workflow for each. */
async function aPaidOrder(): Promise<string> {
  const gate = { bound: orders.payingFor(refunds), store: createGateStore(orders.stack.db.pool('gate')), verify: async () => null, actors: ['shop'], verifyMandate: async () => null }
  const [entityId, runId] = [`order-${randomUUID()}`, randomUUID()]
  const step = { namespace: 'default', workflowId: `shop-${runId}`, firstExecutionRunId: runId, runId }
  const chain = { firstExecutionRunId: runId, generation: 0, occurrence: 0 }
  await report(gate, { ...step, activityId: '1' }, { event: 'ORDER_PLACED', entityId, payload: { amountCents: 100_000 }, actor: 'shop', chain })
  await report(gate, { ...step, activityId: '2' }, { event: 'ORDER_PAID', entityId, payload: { paymentId: 'p-1' }, actor: 'shop', chain })
  return entityId
}

test('a hundred refunds of a hundred orders: a hundred effects, ninety-nine of them while the chain of one order is locked by somebody else', async () => {
  const { stack, aRefund, effects } = orders
  const ids = await Promise.all(Array.from({ length: 100 }, aPaidOrder))
  const locked = ids[41] ?? ''
  const owner = await stack.db.pool('owner').connect()
  try {
    await owner.query('begin')
    await owner.query('select from kiff.chains where key = $1 for update', [`refunds/Order/${locked}`])
    const handles = await Promise.all(ids.map((entityId) => stack.start('propose', [aRefund(entityId, { params: { amountCents: 4_200, reason: 'late' }, timeout: '2 minutes' })])))
    const others = handles.filter((_, index) => ids[index] !== locked)
    expect((await Promise.all(others.map((handle) => handle.result()))).filter(isAllowed)).toHaveLength(99)
    expect(ids.filter((entityId) => effects(entityId) === 1)).toHaveLength(99)
    expect(effects(locked)).toBe(0)
    await owner.query('rollback')
    expect((await Promise.all(handles.map((handle) => handle.result()))).filter(isAllowed)).toHaveLength(100)
    expect(ids.map(effects)).toEqual(ids.map(() => 1))
  } finally {
    await owner.query('rollback')
    owner.release()
  }
}, 240_000)
