/** An attacker who holds full credentials of the Temporal namespace: activities they forge, or schedule themselves. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, type Stack } from '../a-stack.ts'
import { aPaidOrder, approval, recorded, recordedOf } from '../an-entity.ts'
import { aRefundsStack, type Refunds } from '../held-refunds.ts'

let stack: Stack
let effects: Refunds['effects']
let aRefund: Refunds['aRefund']
let aHeldRefund: Refunds['aHeldRefund']

beforeAll(async () => {
  ;({ stack, effects, aRefund, aHeldRefund } = await aRefundsStack())
})
afterAll(() => stack.close())

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe.concurrent('with credentials of the namespace', () => {
  test('a forged completion of the gate activity fools the workflow, and moves no money', async () => {
    const queue = `gate-${randomUUID()}` // its gate is down
    const entityId = await aPaidOrder(stack)
    const handle = await stack.start('propose', [aRefund(entityId, { queue, params: { amountCents: 4_200, reason: 'late' } })])
    await eventually(async () => (await handle.describe()).raw.pendingActivities?.some(({ activityId }) => activityId === '1'))
    const forged = { outcome: 'allowed', output: { refundId: 'forged' }, summary: '', record: { chain: '', seq: 1, hash: '' } }
    await stack.client.workflowService.respondActivityTaskCompletedById({
      namespace: 'default', workflowId: handle.workflowId, activityId: '1', identity: 'mallory',
      result: { payloads: [{ metadata: { encoding: bytes('json/plain') }, data: bytes(JSON.stringify(forged)) }] },
    })
    expect(await handle.result()).toEqual(forged)
    await stack.startGate({ queue })
    await stack.run('propose', [aRefund(await aPaidOrder(stack), { queue, params: { amountCents: 4_200, reason: 'late' } })]) // the gate has had its turn
    expect(effects(entityId)).toBe(0)
    expect(await recordedOf(stack, handle.workflowId)).toEqual([])
  })

  test.each<[string, Record<string, unknown>]>([
    ['that it is approved', { approved: true }],
    ['roles', { roles: ['finance'] }],
    ['a state', { state: 'PAID' }],
    ['an approval', { approval: { status: 'granted' } }],
    ['an idempotency key', { idempotencyKey: 'x' }],
  ])('an input that claims %s is refused and recorded, and nothing runs', async (_, claim) => {
    const entityId = await aPaidOrder(stack)
    const workflowId = `mallory-${randomUUID()}`
    const handle = await stack.start('callGate', [stack.queues.gate, 'refunds.REFUND_ORDER', { entityId, params: { amountCents: 4_200, reason: 'x' }, actor: 'support-agent-1', ...claim }], workflowId)
    expect(await handle.result()).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expect(effects(entityId)).toBe(0)
    expect(await recordedOf(stack, workflowId)).toEqual([expect.objectContaining({ kind: 'action_failed' })])
  })

  test('a review handed over in the very first input counts for nothing', async () => {
    const held = await aHeldRefund()
    const entityId = await aPaidOrder(stack)
    const jws = await stack.sign({ purpose: 'approval', approval_id: held.approvalId, digest: held.digest, verdict: 'granted', reviewer: 'maria', reason: '', reviewed_at: '2026-01-01T00:00:00.000Z' })
    const handle = await stack.start('callGate', [stack.queues.gate, 'refunds.REFUND_ORDER', { entityId, params: { amountCents: 99_900, reason: 'x' }, actor: 'support-agent-1', reviews: [jws] }])
    expect(await handle.result()).toMatchObject({ outcome: 'approval_required' })
    expect(effects(entityId)).toBe(0)
    await held.handle.terminate()
  })

  test('the name of an actor that the gate does not serve proves nothing', async () => {
    const entityId = await aPaidOrder(stack)
    expect(await stack.run('propose', [aRefund(entityId, { actor: 'maria' })])).toMatchObject({ outcome: 'blocked', reason: 'actor_unproven' })
    expect(effects(entityId)).toBe(0)
    expect(await recorded(stack, entityId)).toContain('action_failed')
  })

  test('a step that claims the run chain of another workflow is refused for good, and records nothing', async () => {
    const held = await aHeldRefund()
    const entityId = await aPaidOrder(stack)
    const input = { entityId, params: { amountCents: 4_200, reason: 'x' }, actor: 'support-agent-1', chain: { firstExecutionRunId: held.request.first_execution_run_id, generation: 0, occurrence: 0 } }
    const handle = await stack.start('callActivity', [stack.queues.gate, 'refunds.REFUND_ORDER', input])
    await expect(handle.result()).rejects.toMatchObject({ cause: { cause: { type: 'kiff.ChainUnproven', nonRetryable: true } } })
    expect((await handle.fetchHistory()).events?.find((event) => event.activityTaskStartedEventAttributes)?.activityTaskStartedEventAttributes?.attempt).toBe(1)
    expect(await recordedOf(stack, handle.workflowId)).toEqual([])
    expect(effects(entityId)).toBe(0)
    await held.handle.terminate()
  })

  test('a request is not taken back in the name of an actor that the gate does not serve', async () => {
    const entityId = await aPaidOrder(stack)
    const asking = { entityId, params: { amountCents: 99_900, reason: 'x' }, actor: 'support-agent-1' }
    const approvalId = await stack.run('askAndWithdraw', [stack.queues.gate, asking, { action: 'REFUND_ORDER', entityId, actor: 'maria' }])
    expect((await stack.audit(entityId)).map(({ actor_id }) => actor_id)).not.toContain('maria')
    expect(approvalId).toEqual(expect.any(String))
  })

  test('a workflow cannot take back the request of another', async () => {
    const held = await aHeldRefund()
    const handle = await stack.start('callGate', [stack.queues.gate, 'refunds.withdraw', { approvalId: held.approvalId, action: 'REFUND_ORDER', entityId: held.entityId, actor: 'support-agent-1' }])
    await handle.result().catch(() => {})
    expect(await approval(stack, held.approvalId)).toMatchObject({ status: 'pending' })
    await held.handle.terminate()
  })
})
