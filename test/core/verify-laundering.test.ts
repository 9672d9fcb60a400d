import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Contract } from '../../src/core/contract.ts'
import { entity } from '../../src/core/entity.ts'
import { verifyDomain } from '../../src/core/verify.ts'

const claim = z.strictObject({ fraud: z.boolean(), score: z.int().min(0).max(100), tier: z.enum(['low', 'high']) })
const nothing = z.strictObject({})
const Claim = entity('Claim', {
  states: ['OPEN'],
  events: {
    RECEIVED: { from: null, to: 'OPEN', payload: nothing, reportedBy: 'claims.report' },
    ASSESSED: { from: 'OPEN', to: 'OPEN', payload: claim, reportedBy: 'claims.report' },
    PAID: { from: 'OPEN', to: 'OPEN', payload: nothing },
  },
})
const assessed = Claim.factFromEvents(['ASSESSED'], claim, (events) => events.at(-1)?.payload ?? ({ fraud: true, score: 100, tier: 'high' } as const))
const approval = { reviewers: 'claims.review', expiresIn: '1 day' } as const

const assess = (over: object = {}): Contract => Claim.action({
  description: 'Assesses', from: ['OPEN'], params: claim, output: nothing, permission: 'claims.work', risk: 'low', effect: 'none', describe: () => 'assess', emits: { ASSESSED: ({ params }) => params }, ...over,
})
const pay = (when: (facts: z.infer<typeof claim>) => boolean): Contract => Claim.action({
  description: 'Pays', from: ['OPEN'], params: nothing, output: nothing, permission: 'claims.work', risk: 'critical', effect: 'none', facts: { assessed },
  approval: { ...approval, when: ({ facts }) => when(facts.assessed) && 'look at it' }, describe: () => 'pay', emits: { PAID: () => ({}) },
})

function found(asserting: Contract, paying: Contract): string[] {
  const findings = verifyDomain({ name: 'claims', actions: { ASSESS: asserting, PAY: paying }, roles: { agent: ['claims.work'], boss: ['claims.review'], desk: ['claims.report'] } })
  return findings.filter(({ code }) => code === 'laundered_claim').map(({ action, message }) => `${action}: ${message.split(',')[0]}`)
}

describe('what an agent asserts in one action, and a rule reads back from the past', () => {
  test('a truth', () => {
    expect(found(assess(), pay(({ fraud }) => fraud))).toEqual(["PAY: its rule reads assessed.fraud of the entity's past"])
  })

  test('a word of an enumeration', () => {
    expect(found(assess(), pay(({ tier }) => tier === 'high'))).toEqual(["PAY: its rule reads assessed.tier of the entity's past"])
  })

  test('a number is no truth: it is bounded by its own action', () => {
    expect(found(assess(), pay(({ score }) => score > 50))).toEqual([])
  })

  test.each<[string, Contract]>([
    ['says where it comes from', assess({ asserted: { fraud: 'the fraud desk\'s own form' } })],
    ['is always read by a person', assess({ approval: { ...approval, always: 'an adjuster reads it' } })],
    ['writes it from something else', assess({ emits: { ASSESSED: () => ({ fraud: true, score: 1, tier: 'low' }) } })],
    ['takes no such parameter', assess({ params: z.strictObject({ suspicious: z.boolean() }), emits: { ASSESSED: ({ params }: { params: { suspicious: boolean } }) => ({ fraud: params.suspicious, score: 1, tier: 'low' }) } })],
  ])('is not told of an action that %s', (_, asserting) => {
    expect(found(asserting, pay(({ fraud }) => fraud))).toEqual([])
  })

  test('nor where the rule does not read it', () => {
    expect(found(assess(), pay(() => true))).toEqual([])
  })
})
