import { testDomain, type Scene } from 'kiff-temporal/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'

let scene: Scene<typeof refunds>
beforeEach(async () => {
  scene = await testDomain(refunds, {
    members: { 'support-agent-1': 'support-agent', maria: 'finance', shop: 'shop' },
    executors: { REFUND_ORDER: { refundId: 'r-1' } },
  })
  for (const [order, amountCents] of [['order-1', 4_200], ['order-2', 99_900], ['order-3', 25_000]] as const) {
    await scene.given('Order', order, [['ORDER_PLACED', { amountCents }], ['ORDER_PAID', { paymentId: 'p-1' }]])
  }
})
const refund = (order: string, amountCents: number) => scene.propose('support-agent-1', 'REFUND_ORDER', order, { amountCents, reason: 'late' })
const waive = (feeCents: number) => scene.propose('support-agent-1', 'WAIVE_FEE', 'order-1', { feeCents, reason: 'goodwill' })
/** Where it ended, and after how many events. */
const ended = (order: string) => [scene.state('Order', order), scene.timeline(order).filter(({ kind }) => kind === 'event_ingested').length]

describe("KIFF's batch of refunds", () => {
  test('a small one is paid at once, by the same action that asks for a large one', async () => {
    expect(await refund('order-1', 4_200)).toMatchObject({ outcome: 'allowed', output: { refundId: 'r-1' } })
    expect(ended('order-1')).toEqual(['REFUNDED', 3])
  })

  test('a large one waits for a person, and is paid when they agree', async () => {
    const asked = await refund('order-2', 99_900)
    expect(asked.outcome).toBe('approval_required')
    expect(scene.effects).toEqual([])
    expect(await scene.granted(asked, { by: 'maria' })).toMatchObject({ outcome: 'allowed' })
    expect(ended('order-2')).toEqual(['REFUNDED', 3])
    expect(scene.effects).toHaveLength(1)
  })

  test('a denied one stays denied, and the order paid', async () => {
    const asked = await refund('order-3', 25_000)
    expect(await scene.denied(asked, { by: 'maria' })).toMatchObject({ outcome: 'blocked', reason: 'approval_denied' })
    expect(ended('order-3')).toEqual(['PAID', 2])
    expect(scene.effects).toEqual([])
  })

  test('there is no other action that gives money back', async () => {
    expect(await scene.propose('support-agent-1', 'AUTO_REFUND', 'order-2', { amountCents: 99_999_999, reason: 'x' })).toMatchObject({ outcome: 'invalid', reason: 'unknown_action' })
    expect(Object.values(refunds.actions).filter(({ emits }) => emits.includes('ORDER_REFUNDED'))).toHaveLength(1)
  })
})

describe('a waived fee', () => {
  test('leaves the order paid', async () => {
    expect(await waive(1_000)).toMatchObject({ outcome: 'allowed' })
    expect(scene.state('Order', 'order-1')).toBe('PAID')
  })

  test('above the limit waits for a person', async () => {
    const asked = await waive(1_001)
    expect(asked.outcome).toBe('approval_required')
    expect(await scene.granted(asked, { by: 'maria' })).toMatchObject({ outcome: 'allowed' })
  })

  test('in small steps comes to the same limit', async () => {
    expect(await waive(600)).toMatchObject({ outcome: 'allowed' })
    expect(await waive(400)).toMatchObject({ outcome: 'allowed' })
    expect(await waive(1)).toMatchObject({ outcome: 'approval_required', rule: 'brings the fees waived on this order to €10.01, above €10.00' })
  })
})
