/** A workflow author's own test: their workflows, their worker, a Temporal server, and the kit instead of Postgres and an inbox. */
import { randomUUID } from 'node:crypto'
import { Client, Connection, type WorkflowHandle } from '@temporalio/client'
import { NativeConnection, Worker } from '@temporalio/worker'
import { KiffPlugin } from 'kiff-temporal/worker'
import { createKit, type Kit } from 'kiff-temporal/testing'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { eventually, theBundle } from '../a-stack.ts'

const taskQueue = `kit-${randomUUID()}`
let connection: Connection
let native: NativeConnection
let client: Client
let kit: Kit<typeof refunds>
let worker: Worker
let running: Promise<void>

beforeAll(async () => {
  const address = inject('temporalAddress')
  ;[connection, native] = await Promise.all([Connection.connect({ address }), NativeConnection.connect({ address })])
  client = new Client({ connection })
  kit = await createKit({
    domain: refunds, client,
    members: { 'support-agent-1': 'support-agent', maria: 'finance', rita: 'finance', shop: 'shop' },
    executors: { REFUND_ORDER: ({ params }) => ({ refundId: `r-${params.amountCents}` }) },
  })
  worker = await Worker.create({ connection: native, taskQueue, workflowBundle: await theBundle(), activities: kit.activities, plugins: [new KiffPlugin()] })
  running = worker.run()
})
afterAll(async () => {
  worker.shutdown()
  await Promise.all([running, kit.close()])
  await Promise.all([native.close(), connection.close()])
})

async function aPaidOrder(): Promise<string> {
  const orderId = `order-${randomUUID()}`
  await kit.report('ORDER_PLACED', orderId, { amountCents: 50_000 }, { by: 'shop' })
  await kit.report('ORDER_PAID', orderId, { paymentId: 'p-1' }, { by: 'shop' })
  return orderId
}

function aRefund(orderId: string, amountCents: number): Promise<WorkflowHandle> {
  const call = { queue: taskQueue, entityId: orderId, params: { amountCents, reason: 'late' }, why: 'it came late' }
  return client.workflow.start('propose', { taskQueue, workflowId: `ticket-${orderId}`, args: [call] })
}
const effectsOn = (orderId: string) => kit.effects.filter(({ entityId }) => entityId === orderId)
const kindsOf = (orderId: string) => kit.timeline(orderId).map(({ kind }) => kind)

test('a refund within the limit runs by itself', async () => {
  const orderId = await aPaidOrder()
  expect(await (await aRefund(orderId, 4_200)).result()).toMatchObject({ outcome: 'allowed', output: { refundId: 'r-4200' } })
  expect(kit.state('Order', orderId)).toBe('REFUNDED')
})

test('a refund above the limit waits, and runs once when it is granted', async () => {
  const orderId = await aPaidOrder()
  const handle = await aRefund(orderId, 20_000)
  const approvalId = await kit.asked(handle)
  expect(effectsOn(orderId)).toEqual([])
  await kit.review(approvalId, 'granted', { by: 'maria', reason: 'seen the parcel' })
  expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
  expect(effectsOn(orderId)).toMatchObject([{ action: 'REFUND_ORDER', params: { amountCents: 20_000 } }])
  expect(kit.state('Order', orderId)).toBe('REFUNDED')
  expect(kindsOf(orderId)).toContain('approval_granted')
})

test('a refund that is denied never runs, and the workflow is told why', async () => {
  const orderId = await aPaidOrder()
  const handle = await aRefund(orderId, 30_000)
  await kit.review({ workflowId: handle.workflowId }, 'denied', { by: 'maria', reason: 'no receipt' })
  expect(await handle.result()).toMatchObject({ outcome: 'blocked', reason: 'approval_denied', message: 'maria said no: no receipt' })
  expect(effectsOn(orderId)).toEqual([])
  expect(kit.state('Order', orderId)).toBe('PAID')
})

test('a review that does not count is told to the test, and the workflow goes on waiting', async () => {
  const orderId = await aPaidOrder()
  const handle = await aRefund(orderId, 40_000)
  await expect(kit.review(handle, 'granted', { by: 'shop' })).rejects.toThrow('shop cannot review it: you do not hold the permission')
  expect((await handle.describe()).status.name).toBe('RUNNING')
  await kit.review(handle, 'denied', { by: 'rita' })
  expect(await handle.result()).toMatchObject({ reason: 'approval_denied' })
})

test('a review of a workflow that has ended is told to the test as well: nobody waits for it', async () => {
  const orderId = await aPaidOrder()
  const handle = await aRefund(orderId, 45_000)
  const approvalId = await kit.asked(handle)
  await handle.terminate()
  await expect(kit.review(approvalId, 'granted', { by: 'maria' })).rejects.toThrow('recorded, but not delivered')
  await expect(kit.revoke(handle, { by: 'shop' })).rejects.toThrow('shop cannot revoke it: you do not hold the permission')
  await expect(kit.revoke(handle, { by: 'rita', reason: 'too late' })).rejects.toThrow('recorded, but not delivered')
  expect(kit.timeline({ entityId: orderId, kind: 'approval_revoked' })).toMatchObject([{ actor_id: 'rita', data: { approval_id: approvalId, reason: 'too late' } }])
})

test('an effect whose workflow is gone comes to be in doubt, as with a gate worker', async () => {
  const orderId = await aPaidOrder()
  kit.executes('REFUND_ORDER', () => new Promise(() => {}))
  const call = { queue: taskQueue, entityId: orderId, params: { amountCents: 4_200, reason: 'late' }, timeout: '2 seconds' }
  const handle = await client.workflow.start('propose', { taskQueue, workflowId: `ticket-${orderId}`, args: [call] })
  await eventually(async () => effectsOn(orderId).length === 1)
  await handle.terminate()
  await eventually(async () => kindsOf(orderId).includes('action_in_doubt'))
  await expect(kit.report('ORDER_DELIVERED', orderId, { parcelId: 'p-1' }, { by: 'shop' })).resolves.toMatchObject({ reason: 'outcome_unknown' })
})
