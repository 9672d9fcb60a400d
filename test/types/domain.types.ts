/**
 * Compiled, never run: what must not type-check, each at its own place (an error elsewhere leaves its `@ts-expect-error` unused,
 * which is an error too), and what must, with the types it must have.
 */
import { defineDomain, entity } from 'kiff-temporal'
import { executors, type BoundDomain } from 'kiff-temporal/worker'
import { expectTypeOf } from 'vitest'
import { z } from 'zod'

const Order = entity('Order', {
  states: ['PAID', 'REFUNDED'],
  events: {
    ORDER_PAID: { from: null, to: 'PAID', payload: z.strictObject({}), reportedBy: 'orders.report' },
    ORDER_TOUCHED: { from: ['PAID', 'REFUNDED'], to: 'PAID', payload: z.strictObject({}), reportedBy: 'orders.report' },
    ORDER_REFUNDED: { from: 'PAID', to: 'REFUNDED', payload: z.strictObject({ amountCents: z.int() }) },
  },
})

/** Everything an action needs, for tests that get one thing wrong. */
const sound = {
  description: 'Give the money back',
  from: ['PAID'],
  params: z.strictObject({ amountCents: z.int(), reason: z.string().default('none') }),
  output: z.strictObject({ refundId: z.string() }),
  permission: 'orders.refund',
  risk: 'low',
  effect: 'external',
  describe: () => 'a refund',
} as const

export const refunds = defineDomain({
  name: 'refunds',
  actions: {
    REFUND_ORDER: Order.action({
      ...sound,
      approval: { when: ({ params }) => params.amountCents > 10_000 && 'above the limit', reviewers: 'orders.review', expiresIn: '3 days' },
      effect: { idempotentFor: '24 hours' },
      describe: ({ params, entityId }) => `Refund ${params.amountCents} on ${entityId}`,
      emits: { ORDER_REFUNDED: ({ params, output }) => ({ amountCents: params.amountCents + output.refundId.length }) },
    }),
    CALL_CUSTOMER: Order.action({ ...sound, params: z.strictObject({}) }),
    NOTE: Order.action({ ...sound, params: z.strictObject({}), output: z.strictObject({}), effect: 'none', emits: { ORDER_TOUCHED: () => ({}) } }),
  },
  roles: { agent: ['orders.refund'], finance: ['orders.review'], shop: ['orders.report'] },
})

// The entity's vocabulary

entity('Order', {
  states: ['PAID'],
  events: {
    // @ts-expect-error a transition to a state that is not declared
    MOVED: { from: null, to: 'REFUNDED', payload: z.strictObject({}) },
  },
})

entity('Order', {
  states: ['PAID'],
  events: {
    // @ts-expect-error a transition from a state that is not declared
    MOVED: { from: 'REFUNDED', to: 'PAID', payload: z.strictObject({}) },
  },
})

entity('Order', {
  states: ['PAID'],
  events: {
    MOVED: {
      from: null,
      // @ts-expect-error the same, where the event is written over several lines: at the state itself
      to: 'REFUNDED',
      payload: z.strictObject({}),
    },
    PAID_AGAIN: {
      // @ts-expect-error one of several source states is not declared
      from: ['PAID', 'LOST'],
      to: 'PAID',
      payload: z.strictObject({}),
      // @ts-expect-error a permission has at least two parts
      reportedBy: 'everyone',
    },
    LOST: {
      from: 'PAID',
      to: 'PAID',
      // @ts-expect-error a payload is a schema
      payload: { amountCents: 'number' },
    },
  },
})

// The action's contract

Order.action({
  ...sound,
  // @ts-expect-error allowed in a state that the entity does not have
  from: ['CREATED'],
})

Order.action({
  ...sound,
  emits: {
    // @ts-expect-error emits an event that the entity does not declare
    ORDER_BURNED: () => ({}),
  },
})

Order.action({
  ...sound,
  emits: {
    // @ts-expect-error emits a payload with a wrong member
    ORDER_REFUNDED: () => ({ amountCents: 'all of it' }),
  },
})

Order.action({
  ...sound,
  emits: {
    // @ts-expect-error emits a payload that lacks a member
    ORDER_REFUNDED: () => ({}),
  },
})

Order.action({
  ...sound,
  emits: {
    ORDER_REFUNDED: ({ params, output }) => ({
      // @ts-expect-error reads a parameter that there is not
      amountCents: params.cents,
      ...(output.refundId === '' ? {} : {}),
    }),
  },
})

Order.action({
  ...sound,
  // @ts-expect-error an approval that does not say who may give it
  approval: { when: () => false, expiresIn: '1 day' },
})

Order.action({
  ...sound,
  approval: {
    // @ts-expect-error a rule gives its words or false, never true
    when: () => true,
    reviewers: 'orders.review',
    // @ts-expect-error not a duration
    expiresIn: '3 fortnights',
  },
})

Order.action({
  ...sound,
  approval: {
    // @ts-expect-error a rule is not asynchronous: a promise would read as words
    when: async () => Promise.resolve<string | false>(false),
    reviewers: 'orders.review',
    expiresIn: '1 day',
  },
})

Order.action({
  ...sound,
  // @ts-expect-error an effect that is none of the three
  effect: 'idempotent',
})

Order.action({
  ...sound,
  // @ts-expect-error a risk that is none
  risk: 'huge',
})

// @ts-expect-error an action without a permission
Order.action({ description: 'x', from: ['PAID'], params: sound.params, output: sound.output, risk: 'low', effect: 'none', describe: () => 'x' })

// The executors

export const bound: BoundDomain = executors(refunds, {
  REFUND_ORDER: async ({ entityId, params, idempotencyKey, signal }) => {
    expectTypeOf(params).toEqualTypeOf<{ amountCents: number; reason: string }>()
    expectTypeOf(entityId).toEqualTypeOf<string>()
    expectTypeOf(idempotencyKey).toEqualTypeOf<string>()
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
    return Promise.resolve({ refundId: idempotencyKey })
  },
  CALL_CUSTOMER: async () => Promise.resolve({ refundId: 'none' }),
})

executors(
  refunds,
  // @ts-expect-error an executor is missing
  { REFUND_ORDER: async () => Promise.resolve({ refundId: 'r' }) },
)

executors(refunds, {
  // @ts-expect-error an executor's output is not what the contract says
  REFUND_ORDER: async () => Promise.resolve({ refundId: 1 }),
  CALL_CUSTOMER: async () => Promise.resolve({ refundId: 'none' }),
})

executors(refunds, {
  REFUND_ORDER: async () => Promise.resolve({ refundId: 'r' }),
  // @ts-expect-error an executor that gives nothing
  CALL_CUSTOMER: async () => {},
})

executors(refunds, {
  // @ts-expect-error an executor that answers at once is no executor: it would not have touched the world
  REFUND_ORDER: () => ({ refundId: 'r' }),
  CALL_CUSTOMER: async () => Promise.resolve({ refundId: 'none' }),
})

executors(refunds, {
  // @ts-expect-error reads a parameter that its action does not have
  REFUND_ORDER: async ({ params }) => Promise.resolve({ refundId: String(params.cents) }),
  CALL_CUSTOMER: async () => Promise.resolve({ refundId: 'none' }),
})

executors(refunds, {
  REFUND_ORDER: async () => Promise.resolve({ refundId: 'r' }),
  CALL_CUSTOMER: async () => Promise.resolve({ refundId: 'none' }),
  // @ts-expect-error an executor for an action that has no effect
  NOTE: async () => Promise.resolve({}),
})

executors(refunds, {
  REFUND_ORDER: async () => Promise.resolve({ refundId: 'r' }),
  CALL_CUSTOMER: async () => Promise.resolve({ refundId: 'none' }),
  // @ts-expect-error an executor for an action that there is not
  PAY_ORDER: async () => Promise.resolve({}),
})
