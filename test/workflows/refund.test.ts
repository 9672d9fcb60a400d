import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { executors } from '../../src/gate/index.ts'
import { aStack, type Stack } from '../a-stack.ts'

const paid: { entityId: string; amountCents: number; key: string }[] = []
let stack: Stack

beforeAll(async () => {
  stack = await aStack({
    bound: executors(refunds, {
      async REFUND_ORDER({ entityId, params, idempotencyKey }) {
        paid.push({ entityId, amountCents: params.amountCents, key: idempotencyKey })
        return { refundId: `r-${paid.length}` }
      },
    }),
    actors: ['support-agent-1', 'shop'],
    members: { 'support-agent-1': 'support-agent', shop: 'shop', maria: 'finance' },
  })
})
afterAll(() => stack.close())

async function aPaidOrder(): Promise<string> {
  const entityId = `order-${randomUUID()}`
  await stack.run('report', [stack.queues.gate, 'shop', [
    { event: 'ORDER_PLACED', entityId, payload: { amountCents: 100_000 } },
    { event: 'ORDER_PAID', entityId, payload: { paymentId: 'p-1' } },
  ]])
  return entityId
}
const effects = (entityId: string) => paid.filter((payment) => payment.entityId === entityId)

describe('one governed refund', () => {
  test('a refund within the limit runs, once, and is recorded with its event and state', async () => {
    const entityId = await aPaidOrder()
    const result = await stack.run('propose', [{ queue: stack.queues.gate, entityId, params: { amountCents: 4200, reason: 'late' }, why: 'it came late' }])
    expect(result).toMatchObject({ outcome: 'allowed', output: { refundId: expect.any(String) }, summary: `Refund €42.00 on ${entityId}`, record: { chain: `refunds/Order/${entityId}`, seq: 4 } })
    expect(effects(entityId)).toHaveLength(1)
    const kinds = (await stack.audit(entityId)).map(({ kind }) => kind)
    expect(kinds).toEqual(['event_ingested', 'state_changed', 'event_ingested', 'state_changed', 'decision_proposed', 'action_validated', 'action_executed', 'event_ingested', 'state_changed'])
  })

  test('a refund above the limit waits for a person, and runs once when granted', async () => {
    const entityId = await aPaidOrder()
    const handle = await stack.start('propose', [{ queue: stack.queues.gate, entityId, params: { amountCents: 99_900, reason: 'late' }, why: 'it came late' }])
    const approvalId = await stack.asked(entityId)
    expect(effects(entityId)).toHaveLength(0)
    expect(await stack.review(approvalId, 'granted', 'maria')).toEqual({ outcome: 'recorded', verdict: 'granted' })
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(effects(entityId)).toEqual([expect.objectContaining({ amountCents: 99_900 })])
    const records = await stack.audit(entityId)
    const opened = records.find(({ kind }) => kind === 'action_validated')
    const executed = records.find(({ kind }) => kind === 'action_executed')
    expect(opened).toMatchObject({ causation_id: approvalId, data: { approval_id: approvalId } })
    expect(executed).toMatchObject({ causation_id: `refunds/Order/${entityId}#5`, data: { approval_id: approvalId, parameters: { amountCents: 99_900, reason: 'late' } } })
  })
})
