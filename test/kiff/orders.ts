/** The domain of KIFF's black-box cases: an order is created, paid, refunded; one agent holds both permissions. */
import { defineDomain, entity } from 'kiff-temporal'
import { z } from 'zod'

const cents = z.int().min(1).max(100_000)
const id = z.string().min(1).max(100)

const Order = entity('Order', {
  states: ['CREATED', 'PAID', 'REFUNDED'],
  events: {
    ORDER_CREATED: { from: null, to: 'CREATED', payload: z.strictObject({}), reportedBy: 'orders.report' },
    ORDER_PAID: { from: 'CREATED', to: 'PAID', payload: z.strictObject({ paymentId: id }) },
    ORDER_REFUNDED: { from: 'PAID', to: 'REFUNDED', payload: z.strictObject({ amountCents: cents }) },
    NOTE_SENT: { from: 'PAID', to: 'PAID', payload: z.strictObject({ note: z.string().min(1).max(10) }) },
  },
})

/** The rule by which a refund asks a person; KIFF calls it the dynamic policy. */
export type RefundRule = (asked: { readonly params: { readonly amountCents: number } }) => string | false

/** @param when left out: every refund asks, as KIFF's static requirement does */
export function ordersThatAsk(when?: RefundRule) {
  const rule = when === undefined ? { always: 'a refund always needs a person' } : { when }
  return defineDomain({
    name: 'orders',
    actions: {
      MARK_PAID: Order.action({
        description: 'Take the payment of an order',
        from: ['CREATED'],
        params: z.strictObject({ paymentId: id }),
        output: z.strictObject({}),
        permission: 'orders.pay',
        risk: 'low',
        effect: 'external',
        describe: ({ params, entityId }) => `Mark ${entityId} as paid by ${params.paymentId}`,
        emits: { ORDER_PAID: ({ params }) => ({ paymentId: params.paymentId }) },
      }),
      REFUND_ORDER: Order.action({
        description: 'Give the customer the money back',
        from: ['PAID'],
        params: z.strictObject({ amountCents: cents, method: z.enum(['card', 'voucher']).optional(), note: z.string().max(3).optional() }),
        output: z.strictObject({ refundId: id }),
        permission: 'orders.refund',
        risk: 'high',
        check: ({ params }) => params.method === 'voucher' && params.amountCents % 500 !== 0 && 'a voucher is worth a multiple of 500',
        approval: { ...rule, reviewers: 'orders.review', expiresIn: '1 day' },
        effect: { idempotentFor: '24 hours' },
        describe: ({ params, entityId }) => `Refund ${params.amountCents} on ${entityId}${params.method === undefined ? '' : ` by ${params.method}`}`,
        emits: { ORDER_REFUNDED: ({ params }) => ({ amountCents: params.amountCents }) },
      }),
      // The order stays as it is, so that a grant could be used for ever if nothing used it up.
      SEND_NOTE: Order.action({
        description: 'Write to the customer',
        from: ['PAID'],
        params: z.strictObject({ note: z.string().min(1).max(10) }),
        output: z.strictObject({}),
        permission: 'orders.refund',
        risk: 'high',
        approval: { always: 'a person reads what we send', reviewers: 'orders.review', expiresIn: '1 day', binds: 'state' },
        effect: { idempotentFor: '24 hours' },
        describe: ({ params, entityId }) => `Tell the customer of ${entityId}: ${params.note}`,
        emits: { NOTE_SENT: ({ params }) => ({ note: params.note }) },
      }),
    },
    roles: { agent: ['orders.pay', 'orders.refund'], finance: ['orders.review'], shop: ['orders.report'] },
  })
}

export const orders = ordersThatAsk()
/** Up to 50,000 the agent decides alone. */
export const ordersWithLimit = ordersThatAsk(({ params }) => params.amountCents > 50_000 && `${params.amountCents} is above the limit of 50000`)
export const ordersWhoseRuleFails = ordersThatAsk(() => {
  throw new Error('the policy service is down')
})

export const created = [['ORDER_CREATED']] as const
export const paid = [['ORDER_CREATED'], ['ORDER_PAID', { paymentId: 'p-1' }]] as const
/** A refund within every limit. */
export const small = { amountCents: 4_200 }
