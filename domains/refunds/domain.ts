/**
 * Refunds: rules only. What an order is, what may happen to it, and when a person has to agree. Small and large amounts are one
 * action each: the rule that tells them apart is the contract's, so there is no low-risk twin that an agent could call instead.
 */
import { defineDomain, entity } from 'kiff-temporal'
import { z } from 'zod'
import { euros } from '../money.ts'

const cents = z.int().positive().max(10_000_000)
const reason = z.string().min(1).max(500)

const Order = entity('Order', {
  states: ['CREATED', 'PAID', 'REFUNDED'],
  events: {
    ORDER_PLACED: { from: null, to: 'CREATED', payload: z.strictObject({ amountCents: cents }), reportedBy: 'orders.report' },
    ORDER_PAID: { from: 'CREATED', to: 'PAID', payload: z.strictObject({ paymentId: z.string().min(1).max(100) }), reportedBy: 'orders.report' },
    // The parcel arrived: the order stays paid, but a consent given before no longer fits.
    ORDER_DELIVERED: { from: 'PAID', to: 'PAID', payload: z.strictObject({ parcelId: z.string().min(1).max(100) }), reportedBy: 'orders.report' },
    FEE_WAIVED: { from: 'PAID', to: 'PAID', payload: z.strictObject({ feeCents: cents, reason }) },
    ORDER_REFUNDED: { from: 'PAID', to: 'REFUNDED', payload: z.strictObject({ amountCents: cents, refundId: z.string() }) },
  },
})

/** Above this a person has to agree. */
export const autonomousLimitCents = 10_000

/** Above this, over all fees of one order, a person has to agree: a limit for each call alone could be walked round in small steps. */
export const feeLimitCents = 1_000

export const refunds = defineDomain({
  name: 'refunds',
  actions: {
    REFUND_ORDER: Order.action({
      description: 'Give the customer of a paid order the money back',
      from: ['PAID'],
      params: z.strictObject({ amountCents: cents, reason }),
      output: z.strictObject({ refundId: z.string().min(1).max(100) }),
      permission: 'orders.refund',
      risk: 'high',
      approval: {
        when: ({ params }) => params.amountCents > autonomousLimitCents && `above the autonomous limit of ${euros(autonomousLimitCents)}`,
        reviewers: 'orders.review',
        expiresIn: '3 days',
      },
      effect: { idempotentFor: '24 hours' },
      describe: ({ params, entityId }) => `Refund ${euros(params.amountCents)} on ${entityId}`,
      emits: { ORDER_REFUNDED: ({ params, output }) => ({ amountCents: params.amountCents, refundId: output.refundId }) },
    }),
    WAIVE_FEE: Order.action({
      description: 'Let the customer of a paid order off a fee; the order stays paid',
      from: ['PAID'],
      params: z.strictObject({ feeCents: cents, reason }),
      output: z.strictObject({}),
      permission: 'orders.refund',
      risk: 'high',
      facts: {
        waivedCents: Order.factFromEvents(['FEE_WAIVED'], z.int(), (waived) => waived.reduce((sum, { payload }) => sum + payload.feeCents, 0)),
      },
      approval: {
        when: ({ params, facts }) => facts.waivedCents + params.feeCents > feeLimitCents
          && `brings the fees waived on this order to ${euros(facts.waivedCents + params.feeCents)}, above ${euros(feeLimitCents)}`,
        reviewers: 'orders.review',
        expiresIn: '3 days',
      },
      effect: 'none', // the record is the waiver: billing reads it
      describe: ({ params, entityId }) => `Waive a fee of ${euros(params.feeCents)} on ${entityId}`,
      emits: { FEE_WAIVED: ({ params }) => ({ feeCents: params.feeCents, reason: params.reason }) },
    }),
  },
  roles: {
    'support-agent': ['orders.refund'],
    finance: ['orders.review'],
    shop: ['orders.report'],
  },
})
