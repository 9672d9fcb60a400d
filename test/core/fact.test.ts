import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Contract } from '../../src/core/contract.ts'
import { entity } from '../../src/core/entity.ts'
import { factFromLoader } from '../../src/core/fact.ts'
import { evaluate } from '../../src/core/gate.ts'

const nothing = z.strictObject({})
const Account = entity('Account', {
  states: ['OPEN'],
  events: {
    OPENED: { from: null, to: 'OPEN', payload: nothing, reportedBy: 'accounts.report' },
    PAID: { from: 'OPEN', to: 'OPEN', payload: z.strictObject({ cents: z.int(), note: z.string().default('none') }) },
  },
})
const paid = Account.factFromEvents(['PAID'], z.int().max(100), (events) => events.reduce((sum, { payload }) => sum + payload.cents, 0))
const solvent = factFromLoader(z.int(), z.boolean(), (balance) => balance > 0)
const noted = Account.factFromEvents(['PAID'], z.string(), (events) => events.map(({ payload }) => payload.note).join())

const contract: Contract = Account.action({
  description: 'Pays', from: ['OPEN'], params: nothing, output: nothing, permission: 'accounts.pay', risk: 'low', effect: 'none', facts: { paid, solvent, noted },
  describe: () => 'pay', emits: { PAID: () => ({ cents: 1 }) },
})
const at = '2026-01-01T00:00:00.000000Z'
const event = (type: string, payload: unknown) => ({ type, payload, at })

describe('the facts of a contract', () => {
  test('are derived from the events they name, payloads parsed anew, and from what was loaded', () => {
    const facts = contract.factsFrom([event('OPENED', {}), event('PAID', { cents: 3 }), event('PAID', { cents: 4, note: 'late' })], { solvent: 7 })
    expect(facts).toEqual({ paid: 7, solvent: true, noted: 'none,late' })
    expect(Object.isFrozen(facts)).toBe(true)
  })

  test.each<[string, readonly ReturnType<typeof event>[], Readonly<Record<string, unknown>>, string]>([
    ['a derived value that is none', [event('PAID', { cents: 101 })], { solvent: 1 }, 'fact paid'],
    ['a recorded payload that is none any more', [event('PAID', { cents: 'three' })], { solvent: 1 }, 'Account.PAID, recorded at'],
    ['a loaded value that is none', [], { solvent: 'much' }, 'fact solvent'],
    ['nothing loaded', [], {}, 'fact solvent'],
  ])('are not judged by half: %s', (_, events, loaded, message) => {
    expect(() => contract.factsFrom(events, loaded)).toThrow(message)
  })

  test('a fact from an event that is not declared is refused at load', () => {
    expect(() => Account.factFromEvents(['LOST' as 'PAID'], z.int(), () => 0)).toThrow('a fact from undeclared event LOST')
  })

  test('the projection is part of the contract, so that its hash moves with what is loaded', () => {
    expect(contract.facts['solvent']).toMatchObject({ from: 'loader', schema: { type: 'boolean' }, loads: { type: 'integer' } })
  })
})

test('a declared fact that was not read refuses, rather than count as absent', () => {
  const proposal = { action: 'PAY', entityId: 'a', actor: 'bot', inspection: contract.inspect('a', {}) }
  const facts = { actorProven: true, state: { value: 'OPEN', version: 1 }, permissions: ['accounts.pay'], declared: { paid: 0, noted: '' } } as const
  expect(evaluate(contract, proposal, facts)).toMatchObject({ outcome: 'blocked', reason: 'error', message: 'fact solvent was not read' })
})

const asking = (approval: object): (() => Contract) => () => Account.action({
  description: 'Pays', from: ['OPEN'], params: nothing, output: nothing, permission: 'accounts.pay', risk: 'low', effect: 'none', describe: () => 'pay', emits: { PAID: () => ({ cents: 1 }) },
  approval: { reviewers: 'accounts.review', expiresIn: '1 day', ...approval },
})

describe('an approval', () => {
  test('without a rule is refused at load', () => {
    expect(asking({})).toThrow('say "always" with the words why, or "when" with a rule')
  })

  test.each([0, -1, 1.5, 6, Number.NaN])('of %d people is refused at load', (quorum) => {
    expect(asking({ always: 'always', quorum })).toThrow('a quorum is a whole number from 1 to 5')
  })

  test.each([1, 5])('of %d is taken', (quorum) => {
    expect(asking({ always: 'always', quorum })().approval).toMatchObject({ quorum })
  })

  test.each<[string, () => string | false, string | false]>([
    ['says more', () => 'and it is late', 'always; and it is late'],
    ['says nothing', () => false, 'always'],
  ])('a rule beside a static requirement adds to it and never takes it away: it %s', (_, when, words) => {
    const inspection = asking({ always: 'always', when })().inspect('a', {})
    expect(inspection.ok && inspection.action.on({}).approvalRule()).toBe(words)
  })
})
