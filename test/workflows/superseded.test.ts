/** Deploys while something is under way: other rules are registered while a person thinks, or an executor runs. */
import { randomUUID } from 'node:crypto'
import { NativeConnection } from '@temporalio/worker'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { defineDomain } from '../../src/core/domain.ts'
import { executors } from '../../src/gate/index.ts'
import { changeMembership, registerDomain } from '../../src/postgres/registry.ts'
import { eventually, type StoppableWorker } from '../a-stack.ts'
import { aPaidOrder, approval, approvalsOf, recorded, states } from '../an-entity.ts'
import { aRefundsStack, type HeldRefund, type Refunds } from '../held-refunds.ts'

/** A deploy with a stricter rule: one action is of another version, the rest is as before. */
const stricter = (version: number): typeof refunds =>
  defineDomain({ name: 'refunds', actions: { ...refunds.actions, REFUND_ORDER: { ...refunds.actions.REFUND_ORDER, version } }, roles: refunds.roles })

let orders: Refunds
/** Over one connection a process can have one worker on a queue. */
let another: NativeConnection
beforeAll(async () => {
  ;[orders, another] = await Promise.all([aRefundsStack(), NativeConnection.connect({ address: inject('temporalAddress') })])
})
afterAll(async () => {
  await orders.stack.close()
  await another.close()
})

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

test('an old and a new worker on one queue: what has changed is asked for once more, what has not is not, and nobody is asked in turns', async () => {
  const { stack } = orders
  await registerDomain(stack.db.pool('owner'), refunds)
  const queue = `gate-${randomUUID()}`
  await stack.startGate({ queue })
  const aWaiver = { action: 'WAIVE_FEE', params: { feeCents: 5_000, reason: 'late' } }
  const [changed, same] = await Promise.all([Promise.all([1, 2, 3].map(() => orders.aHeldRefund({ queue }))), Promise.all([1, 2, 3].map(() => orders.aHeldRefund({ queue, ...aWaiver })))])
  await registerDomain(stack.db.pool('owner'), stricter(4))
  await stack.startGate({ queue, bound: orders.payingFor(stricter(4)), worker: { connection: another } })
  for (const { approvalId } of [...changed, ...same]) await stack.review(approvalId, 'granted', 'maria')
  for (const { entityId } of changed) await stack.review(await stack.asked(entityId, 2), 'granted', 'maria')
  expect(await Promise.all([...changed, ...same].map(({ handle }) => handle.result()))).toEqual([...changed, ...same].map(() => expect.objectContaining({ outcome: 'allowed' })))
  const rounds = async ({ entityId }: HeldRefund) => (await approvalsOf(stack, entityId)).map(({ status }) => status)
  expect(await Promise.all(changed.map(rounds))).toEqual(changed.map(() => ['void', 'consumed']))
  expect(await Promise.all(same.map(rounds))).toEqual(same.map(() => ['consumed']))
  expect(changed.map(({ entityId }) => orders.effects(entityId))).toEqual([1, 1, 1])
})

test('the state moved, then the rules changed, then a reviewer lost the role: after the third round nobody is asked, and every round had the deadline of the first', async () => {
  const { stack } = orders
  await registerDomain(stack.db.pool('owner'), refunds)
  const queue = `gate-${randomUUID()}`
  const first = await stack.startGate({ queue })
  const { entityId, handle, approvalId } = await orders.aHeldRefund({ queue })
  await stack.run('report', [stack.queues.gate, 'shop', [{ event: 'ORDER_DELIVERED', entityId, payload: { parcelId: 'p-1' } }]])
  await stack.review(approvalId, 'granted', 'maria')
  const second = await stack.asked(entityId, 2)
  await first.stop()
  await registerDomain(stack.db.pool('owner'), stricter(5))
  await stack.review(second, 'granted', 'maria')
  const newer = await stack.startGate({ queue, bound: orders.payingFor(stricter(5)) })
  const third = await stack.asked(entityId, 3)
  await newer.stop()
  await stack.review(third, 'granted', 'rita')
  await changeMembership(stack.db.pool('owner'), { kind: 'role_revoked', domain: 'refunds', actor: 'rita', role: 'finance', by: 'test' })
  await stack.startGate({ queue, bound: orders.payingFor(stricter(5)) })
  expect(await handle.result()).toMatchObject({ outcome: 'blocked', reason: 'approval_void', message: expect.stringContaining('asked 3 times') })
  expect(orders.effects(entityId)).toBe(0)
  const rounds = await Promise.all([approvalId, second, third].map((id) => approval(stack, id)))
  expect(rounds.map(({ status, request }) => [status, request['changed']])).toEqual([
    ['void', null],
    ['void', `Order ${entityId} has moved since: it was at version 2, now it is at 3`],
    ['void', 'the rules of REFUND_ORDER have changed since'],
  ])
  expect(new Set(rounds.map(({ request }) => request['answer_by'])).size).toBe(1)
})

const aRefundOn = (entityId: string, queue: string) => ({ queue, entityId, params: { amountCents: 4_200, reason: 'late' } })

describe('an execution that was opened under a contract that is superseded meanwhile', () => {
  test('is completed', async () => {
    const { stack } = orders
    await registerDomain(stack.db.pool('owner'), refunds)
    const [begun, paid] = [Promise.withResolvers<void>(), Promise.withResolvers<{ refundId: string }>()]
    const queue = `gate-${randomUUID()}`
    await stack.startGate({ queue, bound: executors(refunds, {
      async REFUND_ORDER() {
        begun.resolve()
        return paid.promise
      },
    }) })
    const entityId = await aPaidOrder(stack)
    const handle = await stack.start('propose', [aRefundOn(entityId, queue)])
    await begun.promise
    await registerDomain(stack.db.pool('owner'), stricter(6))
    paid.resolve({ refundId: 'r-old' })
    expect(await handle.result()).toMatchObject({ outcome: 'allowed', output: { refundId: 'r-old' } })
    expect(await states(stack, refunds, entityId)).toMatchObject({ live: { value: 'REFUNDED' }, rebuilt: { value: 'REFUNDED' } })
  })

  test('and whose worker is lost, is taken up with the same key by one that has the newer', async () => {
    const { stack } = orders
    await registerDomain(stack.db.pool('owner'), refunds)
    const keys: string[] = []
    const queue = `gate-${randomUUID()}`
    const old: StoppableWorker = await stack.startGate({ queue, bound: executors(refunds, {
      async REFUND_ORDER({ idempotencyKey }) {
        keys.push(idempotencyKey)
        void old.stop()
        throw new Error('connection reset')
      },
    }) })
    const entityId = await aPaidOrder(stack)
    const handle = await stack.start('propose', [aRefundOn(entityId, queue)])
    await eventually(async () => keys.length === 1)
    await old.stop()
    await registerDomain(stack.db.pool('owner'), stricter(7))
    await stack.startGate({ queue, bound: executors(stricter(7), {
      async REFUND_ORDER({ idempotencyKey }) {
        keys.push(idempotencyKey)
        return { refundId: 'r-new' }
      },
    }) })
    expect(await handle.result()).toMatchObject({ outcome: 'allowed', output: { refundId: 'r-new' } })
    expect(keys).toEqual([keys[0], keys[0]])
    expect(await recorded(stack, entityId)).toContain('action_resumed')
  })
})

async function look(sql: string, values: readonly unknown[] = []): Promise<readonly unknown[]> {
  return (await orders.stack.db.pool('auditor').query(sql, [...values])).rows
}
