/**
 * The domain that is attacked: every kind of effect, with and without a change of state (where the state stays, it protects
 * from nothing), and a person to ask above a limit. Deadlines of half an hour, so that a clock wrong by an hour would tell.
 */
import { defineDomain, entity } from 'kiff-temporal'
import { z } from 'zod'

const cents = z.int().positive().max(10_000_000)
const params = z.strictObject({ amountCents: cents, reason: z.string().min(1).max(100) })
const output = z.strictObject({ paymentId: z.string().min(1).max(100) })
const paid = z.strictObject({ amountCents: cents })

const Order = entity('Order', {
  states: ['CREATED', 'PAID', 'REFUNDED'],
  events: {
    ORDER_PLACED: { from: null, to: 'CREATED', payload: z.strictObject({}), reportedBy: 'orders.report' },
    ORDER_PAID: { from: 'CREATED', to: 'PAID', payload: z.strictObject({}), reportedBy: 'orders.report' },
    ORDER_DELIVERED: { from: 'PAID', to: 'PAID', payload: z.strictObject({ parcel: z.string() }), reportedBy: 'orders.report' },
    FEE_WAIVED: { from: 'PAID', to: 'PAID', payload: paid },
    CREDITED: { from: 'PAID', to: 'PAID', payload: paid },
    ORDER_REFUNDED: { from: 'PAID', to: 'REFUNDED', payload: paid },
  },
})

/** Above this a person has to agree. */
export const limitCents = 10_000

const common = {
  from: ['PAID'],
  params,
  permission: 'orders.refund',
  risk: 'high',
  approval: { when: (asked: { readonly params: { readonly amountCents: number } }) => asked.params.amountCents > limitCents && 'above the limit', reviewers: 'orders.review', expiresIn: '30 minutes', useWithin: '30 minutes' },
} as const

export const payments = defineDomain({
  name: 'payments',
  actions: {
    REFUND: Order.action({
      ...common, description: 'Refund an order; the provider honours our key', output, effect: { idempotentFor: '30 minutes' }, reconciledBy: 'orders.review',
      describe: ({ entityId }) => `Refund ${entityId}`,
      emits: { ORDER_REFUNDED: ({ params: { amountCents } }) => ({ amountCents }) },
    }),
    WIRE: Order.action({
      ...common, description: 'Refund an order by wire; nobody honours a key', output, effect: 'external', reconciledBy: 'orders.review',
      describe: ({ entityId }) => `Wire for ${entityId}`,
      emits: { ORDER_REFUNDED: ({ params: { amountCents } }) => ({ amountCents }) },
    }),
    CREDIT: Order.action({
      ...common, description: 'Credit something on an order, which stays as it is; the provider honours our key', output, effect: { idempotentFor: '30 minutes' }, reconciledBy: 'orders.review',
      describe: ({ entityId }) => `Credit ${entityId}`,
      emits: { CREDITED: ({ params: { amountCents } }) => ({ amountCents }) },
    }),
    SEND: Order.action({
      ...common, description: 'Send money on an order, which stays as it is; nobody honours a key', output, effect: 'external', reconciledBy: 'orders.review',
      describe: ({ entityId }) => `Send for ${entityId}`,
      emits: { CREDITED: ({ params: { amountCents } }) => ({ amountCents }) },
    }),
    WAIVE: Order.action({
      ...common, description: 'Waive a fee; the record is the waiver', output: z.strictObject({}), effect: 'none',
      describe: ({ entityId }) => `Waive on ${entityId}`,
      emits: { FEE_WAIVED: ({ params: { amountCents } }) => ({ amountCents }) },
    }),
  },
  roles: { agent: ['orders.refund'], finance: ['orders.review'], shop: ['orders.report'] },
})

export type Action = keyof typeof payments.actions
/** Whose provider honours the key. */
export const idempotent = ['REFUND', 'CREDIT'] as const
/** Whose provider counts every request as one more effect. */
export const external = ['WIRE', 'SEND'] as const

export const isExternal = (action: string): boolean => external.some((each) => each === action)
