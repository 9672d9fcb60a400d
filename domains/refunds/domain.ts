/** Refunds: rules only. What an order is, what may happen to it, and when a person has to agree. */
import { defineDomain, entity } from 'kiff-temporal'
import { z } from 'zod'
import { euros } from './money.ts'

const cents = z.int().positive().max(10_000_000)

const Order = entity('Order', {
  states: ['CREATED', 'PAID', 'REFUNDED'],
  events: {
    ORDER_PLACED: { from: null, to: 'CREATED', payload: z.strictObject({ amountCents: cents }), reportedBy: 'orders.report' },
    ORDER_PAID: { from: 'CREATED', to: 'PAID', payload: z.strictObject({ paymentId: z.string().min(1).max(100) }), reportedBy: 'orders.report' },
    // The parcel arrived: the order stays paid, but a consent given before no longer fits.
    ORDER_DELIVERED: { from: 'PAID', to: 'PAID', payload: z.strictObject({ parcelId: z.string().min(1).max(100) }), reportedBy: 'orders.report' },
    ORDER_REFUNDED: { from: 'PAID', to: 'REFUNDED', payload: z.strictObject({ amountCents: cents, refundId: z.string() }) },
  },
})

/** Above this a person has to agree. */
export const autonomousLimitCents = 10_000

export const refunds = defineDomain({
  name: 'refunds',
  actions: {
    REFUND_ORDER: Order.action({
      description: 'Give the customer of a paid order the money back',
      from: ['PAID'],
      params: z.strictObject({ amountCents: cents, reason: z.string().min(1).max(500) }),
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
  },
  roles: {
    'support-agent': ['orders.refund'],
    finance: ['orders.review'],
    shop: ['orders.report'],
  },
})
