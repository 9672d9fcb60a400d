/** Every rule of the refunds, each way it can go. The example for other domains: nothing but public names, and no server. */
import { NotDone, testDomain, type Scene } from 'kiff-temporal/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'

let scene: Scene<typeof refunds>
beforeEach(async () => {
  scene = await testDomain(refunds, {
    members: { 'support-agent-1': 'support-agent', 'lead-agent': ['support-agent', 'finance'], maria: 'finance', shop: 'shop' },
    executors: { REFUND_ORDER: { refundId: 'r-1' } },
  })
})

const placed = ['ORDER_PLACED', { amountCents: 50_000 }] as const
const paid = ['ORDER_PAID', { paymentId: 'p-1' }] as const
const refunded = ['ORDER_REFUNDED', { amountCents: 50_000, refundId: 'r-0' }] as const
const waived = (feeCents: number) => ['FEE_WAIVED', { feeCents, reason: 'late' }] as const
const small = { amountCents: 10_000, reason: 'it came late' }
const large = { amountCents: 10_001, reason: 'it came late' }

const aPaidOrder = () => scene.given('Order', 'order-1', [placed, paid])
const waive = (feeCents: number) => scene.as('support-agent-1').WAIVE_FEE('order-1', { feeCents, reason: 'it came late' })
const refund = (params: unknown, actor = 'support-agent-1') => scene.propose(actor, 'REFUND_ORDER', 'order-1', params)

describe('a refund', () => {
  test('up to the limit runs, once, and the order is refunded', async () => {
    await aPaidOrder()
    const result = await scene.as('support-agent-1').REFUND_ORDER('order-1', small, { why: 'the customer waited three weeks', confidence: 0.9 })
    expect(result).toMatchObject({ outcome: 'allowed', output: { refundId: 'r-1' }, summary: 'Refund €100.00 on order-1' })
    expect(scene.effects).toMatchObject([{ action: 'REFUND_ORDER', entityId: 'order-1', actor: 'support-agent-1', params: small }])
    expect(scene.state('Order', 'order-1')).toBe('REFUNDED')
  })

  test('leaves a timeline that names every step', async () => {
    await aPaidOrder()
    await refund(small)
    expect(scene.timeline('order-1').map(({ kind }) => kind)).toEqual([
      'event_ingested', 'state_changed', 'event_ingested', 'state_changed',
      'decision_proposed', 'action_validated', 'action_executed', 'event_ingested', 'state_changed',
    ])
  })

  test.each([
    ['of an order that is not paid yet', [placed], 'state_not_allowed'],
    ['of an order that was refunded', [placed, paid, refunded], 'state_not_allowed'],
    ['of an order that nobody knows', [], 'unknown_entity'],
  ])('%s is refused', async (_, past, reason) => {
    await scene.given('Order', 'order-1', past)
    expect(await refund(small)).toMatchObject({ reason })
    expect(scene.effects).toEqual([])
  })

  test.each([
    ['of nothing', { ...small, amountCents: 0 }, 'invalid_parameter'],
    ['of less than nothing', { ...small, amountCents: -1 }, 'invalid_parameter'],
    ['of half a cent', { ...small, amountCents: 0.5 }, 'invalid_parameter'],
    ['beyond what any order costs', { ...small, amountCents: 10_000_001 }, 'invalid_parameter'],
    ['of an amount in words', { ...small, amountCents: '100' }, 'invalid_parameter'],
    ['without a reason', { amountCents: 100 }, 'missing_parameter'],
    ['with a word more than the contract knows', { ...small, approved: true }, 'invalid_parameter'],
  ])('%s is refused', async (_, params, reason) => {
    await aPaidOrder()
    expect(await refund(params)).toMatchObject({ outcome: 'invalid', reason })
    expect(scene.effects).toEqual([])
  })

  test.each([
    ['who only reviews', 'maria', 'permission_denied'],
    ['who only reports', 'shop', 'permission_denied'],
    ['whom the gate does not serve', 'support-agent-9', 'actor_unproven'],
  ])('by someone %s is refused', async (_, actor, reason) => {
    await aPaidOrder()
    expect(await refund(small, actor)).toMatchObject({ outcome: 'blocked', reason })
    expect(scene.effects).toEqual([])
  })

  test('by an agent that has lost its role is refused', async () => {
    await aPaidOrder()
    await scene.revokeRole('support-agent-1', 'support-agent')
    expect(await refund(small)).toMatchObject({ reason: 'permission_denied' })
  })
})

describe('a refund above the limit', () => {
  beforeEach(aPaidOrder)

  test('waits for a person, with the contract\'s words', async () => {
    expect(await refund(large)).toMatchObject({ outcome: 'approval_required', rule: 'above the autonomous limit of €100.00', summary: 'Refund €100.01 on order-1', reviewers: 'orders.review' })
    expect(scene.effects).toEqual([])
    expect(scene.state('Order', 'order-1')).toBe('PAID')
  })

  test('runs once when it is granted, however often the workflow comes back', async () => {
    const asked = await refund(large)
    expect(await scene.granted(asked, { by: 'maria', reason: 'seen the parcel' })).toMatchObject({ outcome: 'allowed' })
    expect(await scene.again(asked)).toMatchObject({ outcome: 'allowed' })
    expect(scene.effects).toHaveLength(1)
  })

  test('never runs when it is denied', async () => {
    expect(await scene.denied(await refund(large), { by: 'maria', reason: 'no receipt' })).toMatchObject({ outcome: 'blocked', reason: 'approval_denied', message: 'maria said no: no receipt' })
    expect(scene.effects).toEqual([])
  })

  test('that was denied is not asked for again by the same workflow; a smaller one may be', async () => {
    const again = (amountCents: number) => scene.as('support-agent-1').REFUND_ORDER('order-1', { ...large, amountCents }, { workflow: 'ticket-1' })
    await scene.denied(await again(20_000), { by: 'maria' })
    expect(await again(20_000)).toMatchObject({ reason: 'approval_denied' })
    expect(await again(15_000)).toMatchObject({ outcome: 'approval_required' })
  })

  test('expires when nobody answers for three days', async () => {
    const asked = await refund(large)
    scene.advance('3 days')
    expect(await scene.again(asked)).toMatchObject({ outcome: 'blocked', reason: 'approval_expired' })
    expect(await scene.review(asked, 'granted', { by: 'maria' })).toMatchObject({ outcome: 'refused', reason: 'expired' })
  })

  test('is asked for anew when the order has moved since', async () => {
    const asked = await refund(large)
    await scene.review(asked, 'granted', { by: 'maria' })
    await scene.report('shop', 'ORDER_DELIVERED', 'order-1', { parcelId: 'p-1' })
    expect(await scene.again(asked)).toMatchObject({ outcome: 'approval_required', round: 2, changed: expect.stringContaining('has moved since') })
    expect(scene.effects).toEqual([])
  })

  test('is not for who asks to grant, whatever roles they hold', async () => {
    const asked = await refund(large, 'lead-agent')
    expect(await scene.review(asked, 'granted', { by: 'lead-agent' })).toMatchObject({ outcome: 'refused', reason: 'self_review' })
  })

  test('is not for the person to grant in whose name it is asked', async () => {
    const asked = await scene.propose('support-agent-1', 'REFUND_ORDER', 'order-1', large, { onBehalfOf: 'maria' })
    expect(await scene.review(asked, 'granted', { by: 'maria' })).toMatchObject({ outcome: 'refused', reason: 'self_review' })
  })

  test('is not for someone without the role to grant', async () => {
    expect(await scene.review(await refund(large), 'granted', { by: 'shop' })).toMatchObject({ outcome: 'refused', reason: 'permission_denied' })
  })

  test('does not run on a grant that was taken back', async () => {
    const asked = await refund(large)
    await scene.review(asked, 'granted', { by: 'maria' })
    await scene.revokeGrant(asked, { by: 'maria', reason: 'too early' })
    expect(await scene.again(asked)).toMatchObject({ outcome: 'blocked', reason: 'approval_void' })
    expect(scene.effects).toEqual([])
  })
})

describe('waived fees', () => {
  beforeEach(aPaidOrder)

  test('are counted over the order, whoever waived them', async () => {
    await scene.given('Order', 'order-1', [waived(600), waived(300)])
    expect(await waive(100)).toMatchObject({ outcome: 'allowed' })
    expect(await waive(1)).toMatchObject({ outcome: 'approval_required', rule: 'brings the fees waived on this order to €10.01, above €10.00' })
  })

  test('of another order do not count', async () => {
    await scene.given('Order', 'order-2', [placed, paid, waived(1_000)])
    expect(await waive(1_000)).toMatchObject({ outcome: 'allowed' })
  })

  test('are asked for anew when another fee was waived meanwhile: consent was for the sum', async () => {
    const asked = await waive(1_100)
    await waive(900)
    expect(await scene.granted(asked, { by: 'maria' })).toMatchObject({ outcome: 'approval_required', round: 2 })
  })
})

describe('what the provider answers', () => {
  beforeEach(aPaidOrder)

  test('that nothing was done leaves the order paid, and a later try is a new one', async () => {
    scene.executes('REFUND_ORDER', () => { throw new NotDone('card closed') })
    expect(await refund(small)).toMatchObject({ outcome: 'blocked', reason: 'execution_failed', message: 'card closed', nextStep: 'try_later' })
    expect(scene.state('Order', 'order-1')).toBe('PAID')
    scene.executes('REFUND_ORDER', { refundId: 'r-2' })
    expect(await refund(small)).toMatchObject({ outcome: 'allowed', output: { refundId: 'r-2' } })
  })

  test('in words that nobody understands holds the order for a person', async () => {
    scene.executes('REFUND_ORDER', { refundId: '' })
    expect(await refund(small)).toMatchObject({ outcome: 'blocked', reason: 'outcome_unknown' })
    expect(await refund(small)).toMatchObject({ reason: 'outcome_unknown' })
    expect(scene.effects).toHaveLength(1)
  })

  test('that nobody knows is tried again with the same key', async () => {
    scene.executes('REFUND_ORDER', () => { throw new Error('connection lost') })
    const proposal = () => scene.propose('support-agent-1', 'REFUND_ORDER', 'order-1', small, { workflow: 'ticket-1', key: 'call-1' })
    await expect(proposal()).rejects.toMatchObject({ type: 'kiff.EffectUnknown' })
    scene.executes('REFUND_ORDER', { refundId: 'r-1' })
    expect(await proposal()).toMatchObject({ outcome: 'allowed' })
    expect(new Set(scene.effects.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1)
    expect(scene.effects).toHaveLength(2)
  })
})

describe('what happens to an order', () => {
  test('is told by the shop, in its turn', async () => {
    expect(await scene.report('shop', 'ORDER_PLACED', 'order-2', { amountCents: 100 })).toMatchObject({ outcome: 'allowed' })
    expect(await scene.report('shop', 'ORDER_DELIVERED', 'order-2', { parcelId: 'p-1' })).toMatchObject({ reason: 'state_not_allowed' })
    expect(scene.state('Order', 'order-2')).toBe('CREATED')
  })

  test.each([
    ['that it is paid, by an agent', 'support-agent-1', 'ORDER_PAID', { paymentId: 'p-1' }],
    ['that it is refunded, even by the shop: only a refund does that', 'shop', 'ORDER_REFUNDED', refunded[1]],
  ])('is not believed: %s', async (_, actor, event, payload) => {
    await scene.given('Order', 'order-1', [placed])
    expect(await scene.report(actor, event, 'order-1', payload)).toMatchObject({ outcome: 'blocked', reason: 'event_not_reportable' })
    expect(scene.state('Order', 'order-1')).toBe('CREATED')
  })
})

test('asking what would happen changes nothing', async () => {
  await aPaidOrder()
  const before = scene.timeline()
  expect(await scene.evaluate('support-agent-1', 'REFUND_ORDER', 'order-1', small)).toMatchObject({ outcome: 'allowed', summary: 'Refund €100.00 on order-1' })
  expect(await scene.evaluate('support-agent-1', 'REFUND_ORDER', 'order-1', large)).toMatchObject({ outcome: 'approval_required' })
  expect(await scene.allowedActions('support-agent-1', 'order-1')).toMatchObject([{ action: 'REFUND_ORDER', risk: 'high', approval: 'by_rule' }, { action: 'WAIVE_FEE', approval: 'by_rule' }])
  expect(await scene.allowedActions('maria', 'order-1')).toEqual([])
  expect(scene.timeline()).toEqual(before)
  expect(scene.effects).toEqual([])
})
