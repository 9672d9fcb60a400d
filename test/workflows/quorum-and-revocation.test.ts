/** Consent that takes several people, and consent that is taken back, from the workflow to the effect. */
import type { WorkflowHandle } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deliverDue } from '../../src/approvals/relay.ts'
import { createReviewStore } from '../../src/postgres/review-store.ts'
import { eventually, type Stack } from '../a-stack.ts'
import { approval, approvalsOf, jwsOf, recorded } from '../an-entity.ts'
import { balanceCents, walletRuns, type WalletRuns } from '../evidence/a-wallet-run.ts'
import { aRefundsStack, signalled, type Refunds } from '../held-refunds.ts'

let payouts: WalletRuns
let orders: Stack
let effects: Refunds['effects']
let aHeldRefund: Refunds['aHeldRefund']
let aHeldRefundWithoutGate: Refunds['aHeldRefundWithoutGate']
/** Refunds whose reviews nobody delivers. */
let quiet: Refunds

beforeAll(async () => {
  ;[payouts, { stack: orders, effects, aHeldRefund, aHeldRefundWithoutGate }, quiet] = await Promise.all([walletRuns(), aRefundsStack(), aRefundsStack({ relay: false })])
})
afterAll(() => Promise.all([payouts.stack, orders, quiet.stack].map((stack) => stack.close())))

/** A payout above what one person may grant, and its approval. */
async function aPayout(): Promise<{ readonly entityId: string; readonly handle: WorkflowHandle; readonly approvalId: string }> {
  const { handle, entityId } = await payouts.start({ calls: [{ action: 'PAY_OUT', amountCents: 50_000 }] })
  return { handle, entityId, approvalId: await payouts.stack.asked(entityId) }
}
const paidOut = async (entityId: string): Promise<boolean> => (await recorded(payouts.stack, entityId)).includes('action_executed')

describe.concurrent('two people have to agree', () => {
  test('one alone wakes nobody; the second lets it happen, once', async () => {
    const { handle, entityId, approvalId } = await aPayout()
    await payouts.stack.review(approvalId, 'granted', 'olga')
    await deliverDue({ store: createReviewStore(payouts.stack.db.pool('reviewer')), client: payouts.stack.client })
    expect((await handle.fetchHistory()).events?.some((event) => event.workflowExecutionSignaledEventAttributes)).toBe(false)
    expect([await paidOut(entityId), (await approval(payouts.stack, approvalId)).status]).toEqual([false, 'pending'])
    await payouts.stack.review(approvalId, 'granted', 'otto')
    expect(await handle.result()).toMatchObject({ results: [{ outcome: 'allowed' }] })
    expect(await approval(payouts.stack, approvalId)).toMatchObject({ status: 'consumed', closed: true, request: { quorum: 2, binds: 'state', facts: { paidOutCents: 0, balanceCents } } })
    expect((await recorded(payouts.stack, entityId)).filter((kind) => kind === 'action_executed')).toHaveLength(1)
  })

  test('a denial after a grant ends it', async () => {
    const { handle, entityId, approvalId } = await aPayout()
    await payouts.stack.review(approvalId, 'granted', 'olga')
    await payouts.stack.review(approvalId, 'denied', 'otto', 'not this month')
    expect(await handle.result()).toMatchObject({ results: [{ outcome: 'blocked', reason: 'approval_denied', message: 'otto said no: not this month' }] })
    expect(await paidOut(entityId)).toBe(false)
  })

  test('one review signalled twice is not two people', async () => {
    const { handle, entityId, approvalId } = await aPayout()
    await payouts.stack.review(approvalId, 'granted', 'olga')
    const jws = await jwsOf(payouts.stack, approvalId)
    await handle.signal('kiff.review', { approval_id: approvalId, jws: [jws, jws] })
    await eventually(async () => (await handle.fetchHistory()).events?.filter((event) => event.activityTaskCompletedEventAttributes != null).length === 2)
    expect([await paidOut(entityId), (await approval(payouts.stack, approvalId)).status]).toEqual([false, 'pending'])
    await payouts.stack.review(approvalId, 'denied', 'otto')
    await handle.result()
  })

  test('events that leave the state as it is do not void what is bound to the state alone', async () => {
    const { handle, entityId, approvalId } = await aPayout()
    await payouts.stack.review(approvalId, 'granted', 'olga')
    await payouts.stack.run('report', [payouts.stack.queues.gate, 'clerk', [{ event: 'TOUCHED', entityId, payload: {} }], 'wallets'])
    await payouts.stack.review(approvalId, 'granted', 'otto')
    expect(await handle.result()).toMatchObject({ results: [{ outcome: 'allowed' }] })
    expect(await approvalsOf(payouts.stack, entityId)).toEqual([expect.objectContaining({ round: 1, status: 'consumed' })])
  })

  test('a fact that has changed meanwhile voids what both have granted', async () => {
    const { handle, entityId, approvalId } = await aPayout()
    await payouts.stack.review(approvalId, 'granted', 'olga')
    await payouts.run({ entityId, calls: [{ action: 'JOT', amountCents: 100 }] })
    await payouts.stack.review(approvalId, 'granted', 'otto')
    const second = await payouts.stack.asked(entityId, 2)
    expect(await approval(payouts.stack, second)).toMatchObject({ request: { changed: 'paidOutCents has changed since: it was 0, now it is 100' } })
    expect((await recorded(payouts.stack, entityId)).filter((kind) => kind === 'action_executed')).toHaveLength(1) // the note
    await payouts.stack.review(second, 'denied', 'otto')
    await handle.result()
  })
})

describe.concurrent('a grant is taken back', () => {
  test('before the gate could use it: nothing happens, and the agent is told', async () => {
    const { entityId, handle, approvalId, restart } = await aHeldRefundWithoutGate()
    await orders.review(approvalId, 'granted', 'maria')
    await signalled(handle)
    expect(await orders.desk.revoke({ approvalId, reviewer: 'rita', reason: 'the parcel was found' })).toEqual({ outcome: 'revoked' })
    await restart()
    expect(await handle.result()).toMatchObject({ outcome: 'blocked', reason: 'approval_void', message: 'the grant was revoked' })
    expect(effects(entityId)).toBe(0)
    expect(await approval(orders, approvalId)).toMatchObject({ status: 'revoked', closed: true })
    expect(await orders.audit(entityId)).toContainEqual(expect.objectContaining({ kind: 'approval_revoked', actor_id: 'rita', data: expect.objectContaining({ reason: 'the parcel was found' }) }))
  })

  test('wakes a workflow that sleeps, though its grant never came', async () => {
    const { stack, aHeldRefund: held, effects: paid } = quiet
    const { entityId, handle, approvalId } = await held()
    await stack.review(approvalId, 'granted', 'maria')
    expect(await stack.desk.revoke({ approvalId, reviewer: 'maria', reason: 'a mistake' })).toEqual({ outcome: 'revoked' })
    await deliverDue({ store: createReviewStore(stack.db.pool('reviewer')), client: stack.client })
    expect(await handle.result()).toMatchObject({ outcome: 'blocked', reason: 'approval_void' })
    expect(paid(entityId)).toBe(0)
    expect(await approval(stack, approvalId)).toMatchObject({ status: 'revoked', closed: true })
  })

  test('too late, when it has been used', async () => {
    const { entityId, handle, approvalId } = await aHeldRefund()
    await orders.review(approvalId, 'granted', 'maria')
    await handle.result()
    expect(await orders.desk.revoke({ approvalId, reviewer: 'maria', reason: 'x' })).toMatchObject({ outcome: 'refused', reason: 'closed' })
    expect(await orders.audit(entityId)).toContainEqual(expect.objectContaining({ kind: 'approval_review_rejected', actor_id: 'maria', data: expect.objectContaining({ reason: 'closed' }) }))
    expect(effects(entityId)).toBe(1)
  })

  test('what its workflow no longer waits for is withdrawn, and stays revoked', async () => {
    const { handle, approvalId } = await aHeldRefundWithoutGate()
    await orders.review(approvalId, 'granted', 'maria')
    await orders.desk.revoke({ approvalId, reviewer: 'maria', reason: 'x' })
    await handle.terminate()
    await eventually(async () => (await approval(orders, approvalId)).closed)
    expect(await approval(orders, approvalId)).toMatchObject({ status: 'revoked' })
  })
})
