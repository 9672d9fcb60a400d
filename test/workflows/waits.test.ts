/** How a wait for a person ends otherwise, and how a review finds the workflow that waits for it. */
import { randomUUID } from 'node:crypto'
import { CancelledFailure, Client, WorkflowFailedError } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withdrawOrphans } from '../../src/approvals/relay.ts'
import { createReviewStore } from '../../src/postgres/review-store.ts'
import { eventually, theBundle, type Stack } from '../a-stack.ts'
import { aPaidOrder, approval, jwsOf, recorded, recordedOf } from '../an-entity.ts'
import { aRefundsStack, signalled, type Refunds } from '../held-refunds.ts'

let orders: Stack
let effects: Refunds['effects']
let aRefund: Refunds['aRefund']
let aHeldRefund: Refunds['aHeldRefund']
let aHeldRefundWithoutGate: Refunds['aHeldRefundWithoutGate']

beforeAll(async () => {
  ;({ stack: orders, effects, aRefund, aHeldRefund, aHeldRefundWithoutGate } = await aRefundsStack())
})
afterAll(() => orders.close())

describe.concurrent('a wait that ends otherwise', () => {
  test('cancelling the workflow withdraws the request, and the call throws CancelledFailure', async () => {
    const { entityId, handle, approvalId } = await aHeldRefund()
    await handle.cancel()
    const fault: unknown = await handle.result().catch((error: unknown) => error)
    expect(fault).toBeInstanceOf(WorkflowFailedError)
    expect(fault).toMatchObject({ cause: expect.any(CancelledFailure) })
    expect(await approval(orders, approvalId)).toMatchObject({ status: 'withdrawn', closed: true })
    expect(await recorded(orders, entityId)).toContain('approval_withdrawn')
    expect(await orders.review(approvalId, 'granted', 'maria')).toMatchObject({ outcome: 'refused', reason: 'closed' })
    expect(effects(entityId)).toBe(0)
  })

  test('cancelling right after a denial ends the workflow, and the denial stays', async () => {
    const { handle, approvalId, restart } = await aHeldRefundWithoutGate()
    await handle.cancel()
    await eventually(async () => (await handle.describe()).raw.pendingActivities?.some(({ activityType }) => activityType?.name === 'refunds.withdraw'))
    await orders.review(approvalId, 'denied', 'maria')
    await restart()
    await expect(handle.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) })
    expect(await approval(orders, approvalId)).toMatchObject({ status: 'denied', closed: true })
  })

  test('cancelling right after a grant withdraws the grant', async () => {
    const { entityId, handle, approvalId, restart } = await aHeldRefundWithoutGate()
    await handle.cancel()
    await eventually(async () => (await handle.describe()).raw.pendingActivities?.some(({ activityType }) => activityType?.name === 'refunds.withdraw'))
    await orders.review(approvalId, 'granted', 'maria')
    await restart()
    await expect(handle.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) })
    expect(await approval(orders, approvalId)).toMatchObject({ status: 'withdrawn', closed: true })
    expect(effects(entityId)).toBe(0)
  })

  test('terminating the workflow leaves no request behind', async () => {
    const { entityId, handle, approvalId } = await aHeldRefund()
    await handle.terminate()
    await eventually(async () => (await approval(orders, approvalId)).status === 'withdrawn')
    expect(await recorded(orders, entityId)).toContain('approval_withdrawn')
  })

  test('a service for another namespace withdraws none of ours', async () => {
    const { handle, approvalId } = await aHeldRefund()
    const client = new Client({ connection: orders.client.connection, namespace: 'temporal-system' })
    await withdrawOrphans({ store: createReviewStore(orders.db.pool('reviewer')), client })
    expect(await approval(orders, approvalId)).toMatchObject({ status: 'pending' })
    await handle.terminate()
  })

  test('another workflow under the same id does not inherit the request', async () => {
    const { entityId, handle, approvalId } = await aHeldRefund()
    await handle.terminate()
    const other = await orders.start('propose', [aRefund(await aPaidOrder(orders))], handle.workflowId)
    await eventually(async () => (await approval(orders, approvalId)).status === 'withdrawn')
    expect(effects(entityId)).toBe(0)
    await other.terminate()
  })
})

describe.concurrent('delivery', () => {
  test('a review recorded while no agent worker runs is delivered later', async () => {
    const entityId = await aPaidOrder(orders)
    const taskQueue = `agents-${randomUUID()}`
    const workflowBundle = await theBundle()
    const worker = await orders.startWorker({ taskQueue, workflowBundle })
    const handle = await orders.client.workflow.start('propose', { taskQueue, workflowId: `late-${randomUUID()}`, args: [aRefund(entityId)] })
    const approvalId = await orders.asked(entityId)
    await worker.stop()
    await orders.review(approvalId, 'granted', 'maria')
    await orders.startWorker({ taskQueue, workflowBundle })
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(effects(entityId)).toBe(1)
  })

  test('a review recorded while no gate worker runs is used later', async () => {
    const { entityId, handle, approvalId, restart } = await aHeldRefundWithoutGate()
    await orders.review(approvalId, 'granted', 'maria')
    await restart()
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(effects(entityId)).toBe(1)
  })

  test('a review that arrives before its wait begins, while another goes on, is not lost, and not taken for a forged one', async () => {
    const [one, two] = await Promise.all([aPaidOrder(orders), aPaidOrder(orders)])
    const queue = `gate-${randomUUID()}`
    const released = Promise.withResolvers<void>()
    const answerLate = () => ({ inbound: { async execute<I>(input: I, next: (input: I) => Promise<unknown>): Promise<unknown> {
      const answer = await next(input)
      await released.promise
      return answer
    } } })
    await orders.startGate({ queue, worker: { interceptors: { activity: [answerLate] } } })
    const handle = await orders.start('proposeAll', [[aRefund(one), aRefund(two, { queue })]])
    const other = await orders.asked(one)
    await eventually(async () => (await handle.fetchHistory()).events?.some((event) => event.timerStartedEventAttributes))
    await orders.review(await orders.asked(two), 'granted', 'maria')
    await signalled(handle)
    released.resolve()
    await eventually(async () => effects(two) === 1)
    await orders.review(other, 'granted', 'maria')
    expect(await handle.result()).toEqual([expect.objectContaining({ outcome: 'allowed' }), expect.objectContaining({ outcome: 'allowed' })])
    expect((await recordedOf(orders, handle.workflowId)).map(({ kind }) => kind)).not.toContain('approval_review_rejected')
  })

  test('two requests of one workflow each get their own review, and none is taken for a forged one', async () => {
    const [one, two] = await Promise.all([aPaidOrder(orders), aPaidOrder(orders)])
    const handle = await orders.start('proposeAll', [[aRefund(one), aRefund(two)]])
    const [first, second] = await Promise.all([orders.asked(one), orders.asked(two)])
    await Promise.all([orders.review(first, 'granted', 'maria'), orders.review(second, 'denied', 'maria')])
    expect(await handle.result()).toEqual([expect.objectContaining({ outcome: 'allowed' }), expect.objectContaining({ reason: 'approval_denied' })])
    expect([effects(one), effects(two)]).toEqual([1, 0])
    expect((await recordedOf(orders, handle.workflowId)).map(({ kind }) => kind)).not.toContain('approval_review_rejected')
  })

  test('a review delivered twice is not held against the next request', async () => {
    const [one, two] = await Promise.all([aPaidOrder(orders), aPaidOrder(orders)])
    const queue = `gate-${randomUUID()}`
    const gate = await orders.startGate({ queue })
    const handle = await orders.start('proposeInTurn', [[aRefund(one, { queue }), aRefund(two, { queue })]])
    const first = await orders.asked(one)
    await gate.stop()
    await orders.review(first, 'granted', 'maria')
    const genuine = { approval_id: first, jws: await eventually(async () => (await jwsOf(orders, first)) || undefined) }
    await handle.signal('kiff.review', genuine)
    await handle.signal('kiff.review', genuine)
    await orders.startGate({ queue })
    const second = await orders.asked(two)
    await handle.signal('kiff.review', genuine)
    await orders.review(second, 'granted', 'maria')
    await handle.result()
    expect((await recordedOf(orders, handle.workflowId)).map(({ kind }) => kind)).not.toContain('approval_review_rejected')
  })

  test('a review that a gate could not verify yet is used once it has the key', async () => {
    const { entityId, handle, approvalId, restart } = await aHeldRefundWithoutGate()
    const keyless = await restart({ reviewKeys: { keys: [] } })
    await orders.review(approvalId, 'granted', 'maria')
    await eventually(async () => (await recorded(orders, entityId)).includes('approval_review_rejected'))
    expect(effects(entityId)).toBe(0)
    await keyless.stop()
    await restart()
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
  })
})
