/** Compiled, never run: facts, as rules, loaders and executors see them. As in `domain.types.ts`. */
import { defineDomain, entity, factFromLoader } from 'kiff-temporal'
import { executors } from 'kiff-temporal/worker'
import { expectTypeOf } from 'vitest'
import { z } from 'zod'

const Order = entity('Order', {
  states: ['PAID'],
  events: {
    ORDER_PAID: { from: null, to: 'PAID', payload: z.strictObject({ cents: z.int() }), reportedBy: 'orders.report' },
    ORDER_TOUCHED: { from: 'PAID', to: 'PAID', payload: z.strictObject({ by: z.string() }) },
  },
})
const Vendor = entity('Vendor')

const sound = {
  description: 'Pays', from: ['PAID'], params: z.strictObject({ to: z.string() }), output: z.strictObject({}), permission: 'orders.pay', risk: 'low', effect: 'external', describe: () => 'a payment',
} as const

const paid = Order.factFromEvents(['ORDER_PAID', 'ORDER_TOUCHED'], z.int(), (events) => {
  for (const event of events) {
    if (event.type === 'ORDER_PAID') expectTypeOf(event.payload).toEqualTypeOf<{ cents: number }>()
    else expectTypeOf(event.payload).toEqualTypeOf<{ by: string }>()
  }
  return events.length
})

// What is loaded is not the fact: rules see what is derived of it, the loader gives what it is derived from.
const day = factFromLoader(z.int(), z.boolean(), (hour) => {
  expectTypeOf(hour).toEqualTypeOf<number>()
  return hour < 22
})
// @ts-expect-error derived to another type than the fact's
factFromLoader(z.int(), z.boolean(), (hour) => hour)

// @ts-expect-error an event that is not declared
Order.factFromEvents(['ORDER_LOST'], z.int(), () => 0)
// @ts-expect-error a value of another type than the schema's
Order.factFromEvents(['ORDER_PAID'], z.int(), () => 'none')

const orders = defineDomain({
  name: 'orders',
  actions: {
    PAY: Order.action({
      ...sound,
      facts: { paid, bank: factFromLoader(z.string().nullable()) },
      check: ({ params, facts }) => {
        expectTypeOf(facts).toEqualTypeOf<{ readonly paid: number; readonly bank: string | null }>()
        return params.to !== facts.bank && 'another bank'
      },
      // @ts-expect-error a fact that is not declared
      forbid: ({ facts }) => facts.trusted === true && 'no',
    }),
    NOTHING: Order.action({
      ...sound,
      // @ts-expect-error no fact is declared
      forbid: ({ facts }) => facts.paid === 1 && 'no',
    }),
    CALL: Vendor.action({ ...sound, from: 'any', facts: { bank: factFromLoader(z.string().nullable()), day }, forbid: ({ facts }) => {
      expectTypeOf(facts.day).toEqualTypeOf<boolean>()
      return !facts.day && 'at night'
    } }),
    // @ts-expect-error something without states is in none
    SUSPEND: Vendor.action({ ...sound, from: ['PAID'] }),
    // @ts-expect-error consent binds the version or the state
    ASK: Order.action({ ...sound, approval: { always: 'always', reviewers: 'orders.review', expiresIn: '1 day', binds: 'nothing' } }),
    // @ts-expect-error a parameter that there is not
    ASSERT: Order.action({ ...sound, asserted: { amount: 'the invoice' } }),
  },
  roles: { agent: ['orders.pay'], boss: ['orders.review'], shop: ['orders.report'] },
})

const done = async (): Promise<Record<string, never>> => Promise.resolve({})
const effects = { NOTHING: done, CALL: done, SUSPEND: done, ASK: done, ASSERT: done }

executors(orders, {
  ...effects,
  async PAY({ facts }) {
    expectTypeOf(facts).toEqualTypeOf<{ readonly paid: number; readonly bank: string | null }>()
    return Promise.resolve({})
  },
}, {
  async bank({ facts, params }) {
    expectTypeOf(params).toEqualTypeOf<{ to: string }>()
    expectTypeOf(facts).toExtend<{ readonly paid?: number }>()
    return Promise.resolve(null)
  },
  day: async () => Promise.resolve(7),
})

// @ts-expect-error the fact `bank` needs a loader
executors(orders, { ...effects, PAY: done })
// @ts-expect-error a loader that gives something else
executors(orders, { ...effects, PAY: done }, { bank: async () => Promise.resolve(7), day: async () => Promise.resolve(7) })
// @ts-expect-error a loader that gives the fact instead of what it is derived from
executors(orders, { ...effects, PAY: done }, { bank: async () => Promise.resolve(null), day: async () => Promise.resolve(true) })
