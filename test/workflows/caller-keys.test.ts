/** An API caller's idempotency key: whichever workflow brings it, for one actor and action it stands for one proposal. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { aProvider, type Provider } from '../a-provider.ts'
import { aStack, eventually, type Stack } from '../a-stack.ts'
import { aPaidOrder, approvalsOf } from '../an-entity.ts'

let stack: Stack
let provider: Provider

beforeAll(async () => {
  provider = await aProvider()
  stack = await aStack({ bound: provider.bound, actors: ['support-agent-1', 'support-agent-2', 'shop'], members: { 'support-agent-1': 'support-agent', 'support-agent-2': 'support-agent', shop: 'shop', maria: 'finance' } })
})
afterAll(async () => {
  await stack.close()
  provider.close()
})

const aKey = (): string => `request-${randomUUID()}`
const aRefund = (entityId: string, callerKey: string, more: object = {}) => ({ queue: stack.queues.gate, entityId, callerKey, params: { amountCents: 4_200, reason: 'late' }, ...more })
const aLargeRefund = (entityId: string, callerKey: string, more: object = {}) => aRefund(entityId, callerKey, { params: { amountCents: 99_900, reason: 'late' }, ...more })

describe.concurrent('the same key', () => {
  test('from five workflows at once: one refund, and five times its result', async () => {
    const entityId = await aPaidOrder(stack)
    const key = aKey()
    const results = await Promise.all(Array.from({ length: 5 }, async () => stack.run('propose', [aRefund(entityId, key)]))) as { outcome: string; output: unknown }[]
    expect(new Set(results.map(({ outcome, output }) => JSON.stringify([outcome, output]))).size).toBe(1)
    expect(results[0]?.outcome).toBe('allowed')
    expect(provider.paid(entityId)).toBe(1)
  })

  test('after the workflow has ended, and from another one of the same id', async () => {
    const entityId = await aPaidOrder(stack)
    const key = aKey()
    const workflowId = `api-${key}`
    const first = await (await stack.start('propose', [aRefund(entityId, key)], workflowId)).result()
    const { record: _, ...again } = (await (await stack.start('propose', [aRefund(entityId, key)], workflowId)).result()) as { record: unknown }
    expect(first).toMatchObject(again)
    expect(provider.paid(entityId)).toBe(1)
  })

  test('with other parameters is a conflict', async () => {
    const entityId = await aPaidOrder(stack)
    const key = aKey()
    await stack.run('propose', [aRefund(entityId, key)])
    expect(await stack.run('propose', [aRefund(entityId, key, { params: { amountCents: 1, reason: 'late' } })])).toMatchObject({ outcome: 'invalid', message: expect.stringContaining('used for another proposal') })
    expect(await stack.run('propose', [aRefund(await aPaidOrder(stack), key)])).toMatchObject({ outcome: 'invalid', message: expect.stringContaining('used for another proposal') })
  })

  test('of another actor is another key: it is not told what the first one did', async () => {
    const entityId = await aPaidOrder(stack)
    const key = aKey()
    await stack.run('propose', [aRefund(entityId, key)])
    expect(await stack.run('propose', [aRefund(entityId, key, { actor: 'support-agent-2' })])).toMatchObject({ outcome: 'blocked', reason: 'state_not_allowed' })
  })

  test('beside a key of the workflow\'s own is refused', async () => {
    const entityId = await aPaidOrder(stack)
    expect(await stack.run('propose', [aRefund(entityId, aKey(), { key: 'call-1' })])).toMatchObject({ outcome: 'invalid', message: expect.stringContaining('both a key and a callerKey') })
    expect(provider.paid(entityId)).toBe(0)
  })
})

/** Resolves when this workflow waits for another one's answer. */
const behind = async (workflowId: string): Promise<unknown> => eventually(async () => (await stack.client.workflow.getHandle(workflowId).describe()).raw.pendingActivities?.[0]?.lastFailure?.message?.includes('is being asked for by workflow'))

describe.concurrent('while a person is asked', () => {
  test('another workflow with the key waits for that answer, and nobody is asked twice', async () => {
    const entityId = await aPaidOrder(stack)
    const key = aKey()
    const first = await stack.start('propose', [aLargeRefund(entityId, key)])
    const approvalId = await stack.asked(entityId)
    const second = await stack.start('propose', [aLargeRefund(entityId, key)])
    await behind(second.workflowId)
    await stack.review(approvalId, 'granted', 'maria')
    expect(await first.result()).toMatchObject({ outcome: 'allowed' })
    expect(await second.result()).toMatchObject({ outcome: 'allowed', output: { refundId: expect.any(String) } })
    expect(await approvalsOf(stack, entityId)).toEqual([expect.objectContaining({ status: 'consumed' })])
    expect(provider.paid(entityId)).toBe(1)
  })

  test('and says no: the other workflow hears the same', async () => {
    const entityId = await aPaidOrder(stack)
    const key = aKey()
    const first = await stack.start('propose', [aLargeRefund(entityId, key)])
    const approvalId = await stack.asked(entityId)
    await stack.review(approvalId, 'denied', 'maria')
    await first.result()
    expect(await stack.run('propose', [aLargeRefund(entityId, key)])).toMatchObject({ outcome: 'blocked', reason: 'approval_denied' })
    expect(await approvalsOf(stack, entityId)).toHaveLength(1)
  })

  test('and the workflow that asked is terminated: the other one asks', async () => {
    const entityId = await aPaidOrder(stack)
    const key = aKey()
    const first = await stack.start('propose', [aLargeRefund(entityId, key)])
    await stack.asked(entityId)
    const second = await stack.start('propose', [aLargeRefund(entityId, key)])
    await behind(second.workflowId)
    await first.terminate()
    await stack.review(await stack.asked(entityId, 2), 'granted', 'maria')
    expect(await second.result()).toMatchObject({ outcome: 'allowed' })
    expect(provider.paid(entityId)).toBe(1)
  })

  test('a workflow whose own proposal is refused does not end the request of the first', async () => {
    const entityId = await aPaidOrder(stack)
    const key = aKey()
    const first = await stack.start('propose', [aLargeRefund(entityId, key)])
    const approvalId = await stack.asked(entityId)
    const otherQueue = `gate-${randomUUID()}`
    await stack.startGate({ queue: otherQueue, actors: [] })
    expect(await stack.run('propose', [aLargeRefund(entityId, key, { queue: otherQueue })])).toMatchObject({ outcome: 'blocked', reason: 'actor_unproven' })
    expect(await approvalsOf(stack, entityId)).toEqual([expect.objectContaining({ status: 'pending' })])
    await stack.review(approvalId, 'granted', 'maria')
    expect(await first.result()).toMatchObject({ outcome: 'allowed' })
  })
})
