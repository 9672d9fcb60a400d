import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { defineDomain } from '../../src/core/domain.ts'
import { registerDomain } from '../../src/postgres/registry.ts'
import { eventually } from '../a-stack.ts'
import { aPaidOrder, approval } from '../an-entity.ts'
import { aRefundsStack, type Refunds } from '../held-refunds.ts'

/** A deploy with a stricter rule: one action is of another version, the rest is as before. */
const stricter = (version: number): typeof refunds =>
  defineDomain({ name: 'refunds', actions: { ...refunds.actions, REFUND_ORDER: { ...refunds.actions.REFUND_ORDER, version } }, roles: refunds.roles })

let orders: Refunds
beforeAll(async () => { orders = await aRefundsStack() })
afterAll(() => orders.stack.close())

// One after the other: each registers rules that the whole domain then has.
test('consent given under other rules is void, and asked for again under the new ones', async () => {
  const { stack } = orders
  const { entityId, handle, approvalId, restart } = await orders.aHeldRefundWithoutGate()
  await registerDomain(stack.db.pool('owner'), stricter(2))
  await restart({ bound: orders.payingFor(stricter(2)) })
  await stack.review(approvalId, 'granted', 'maria')
  const second = await stack.asked(entityId, 2)
  expect(await approval(stack, second)).toMatchObject({ request: { changed: 'the rules of REFUND_ORDER have changed since' } })
  expect(orders.effects(entityId)).toBe(0)
  await stack.review(second, 'granted', 'maria')
  expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
})

test('a worker that is older than the newest registered contract steps aside, and writes nothing; the next attempt meets one that has it', async () => {
  const { stack } = orders
  const queue = `gate-${randomUUID()}`
  const old = await stack.startGate({ queue, bound: orders.payingFor(stricter(2)) })
  await registerDomain(stack.db.pool('owner'), stricter(3))
  const entityId = await aPaidOrder(stack)
  const handle = await stack.start('propose', [{ queue, entityId, params: { amountCents: 4_200, reason: 'late' } }])
  await eventually(async () => {
    const { raw } = await handle.describe()
    return raw.pendingActivities?.some(({ lastFailure }) => lastFailure?.applicationFailureInfo?.type === 'kiff.ContractSuperseded')
  })
  expect(await look("select from kiff.ledger where body::jsonb ->> 'workflow_id' = $1", [handle.workflowId])).toEqual([])
  expect(orders.effects(entityId)).toBe(0)
  await old.stop()
  await stack.startGate({ queue, bound: orders.payingFor(stricter(3)) })
  expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
  expect(orders.effects(entityId)).toBe(1)
})

test('rolled back, the older contract is the newest again', async () => {
  const { stack } = orders
  await registerDomain(stack.db.pool('owner'), refunds)
  expect(await look("select version from (select count(*)::int as version from kiff.contracts where action = 'REFUND_ORDER' and newest) as newest")).toEqual([{ version: 1 }])
  const entityId = await aPaidOrder(stack)
  expect(await stack.run('propose', [{ queue: stack.queues.gate, entityId, params: { amountCents: 4_200, reason: 'late' } }])).toMatchObject({ outcome: 'allowed' })
})

async function look(sql: string, values: readonly unknown[] = []): Promise<readonly unknown[]> {
  return (await orders.stack.db.pool('auditor').query(sql, [...values])).rows
}
