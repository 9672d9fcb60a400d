/** What is refused when facts, executors and loaders are declared, and what a fact is once it is read. */
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineDomain } from '../../src/core/domain.ts'
import { entity } from '../../src/core/entity.ts'
import { factFromLoader } from '../../src/core/fact.ts'
import { executors } from '../../src/gate/binding.ts'

const nothing = z.strictObject({})
const noJson = z.date()
const Wallet = entity('Wallet', { states: ['OPEN'], events: { OPENED: { from: null, to: 'OPEN', payload: nothing, reportedBy: 'wallets.report' } } })
const balance = factFromLoader(z.strictObject({ cents: z.array(z.int()) }))

const wallets = defineDomain({
  name: 'wallets',
  actions: {
    PAY: Wallet.action({
      description: 'Pays', from: ['OPEN'], params: nothing, output: nothing, permission: 'wallets.pay', risk: 'low', effect: { idempotentFor: '1 hour' }, facts: { balance },
      forbid: ({ facts }) => facts.balance.cents.length === 0 && 'there is nothing', describe: () => 'Pay',
    }),
  }, roles: { payer: ['wallets.pay'], clerk: ['wallets.report'] },
})

const pay = async () => ({})
const load = async () => ({ cents: [1] })

describe('a value that is no JSON', () => {
  test('as a loaded fact, or as what one is made from', () => {
    expect(() => factFromLoader(noJson)).toThrow('must yield plain JSON')
    expect(() => factFromLoader(nothing, noJson, () => new Date(0))).toThrow('fact: the schema must yield plain JSON')
    expect(() => factFromLoader(noJson, z.boolean(), () => true)).toThrow('what is loaded: the schema must yield plain JSON')
  })

  test('as a fact from events', () => {
    expect(() => Wallet.factFromEvents(['OPENED'], noJson, () => new Date(0))).toThrow('must yield plain JSON')
  })
})

describe('what the gate worker binds', () => {
  test('is taken where the domain has it', () => {
    expect(executors(wallets, { PAY: pay }, { balance: load }).executorOf('PAY')).toBe(pay)
  })

  test('an executor for an action that there is not', () => {
    expect(() => executors(wallets, { PAY: pay, STEAL: pay } as { PAY: typeof pay }, { balance: load })).toThrow('wallets has no action STEAL')
  })

  test('a loader for a fact that there is not', () => {
    expect(() => executors(wallets, { PAY: pay }, { balance: load, rumour: load } as { balance: typeof load })).toThrow('wallets has no fact rumour that is loaded')
  })
})

describe('a fact, once read', () => {
  test('cannot be changed by a rule, to its depth', () => {
    const facts = wallets.actions.PAY.factsFrom([], { balance: { cents: [1] } })
    expect(() => Reflect.get(Object(facts['balance']), 'cents').push(2)).toThrow(TypeError)
  })

  test('has a form that a digest can cover', () => {
    const naming = Wallet.action({ description: 'Names', from: ['OPEN'], params: nothing, output: nothing, permission: 'wallets.pay', risk: 'low', effect: 'external', facts: { name: factFromLoader(z.string()) }, describe: () => 'Name' })
    expect(() => naming.factsFrom([], { name: 'a\uD800' })).toThrow('fact name: contains a lone surrogate')
  })
})
