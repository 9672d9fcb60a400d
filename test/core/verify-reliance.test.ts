import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { factFromLoader } from '../../src/core/fact.ts'
import type { Finding } from '../../src/core/findings.ts'
import { verifyDomain } from '../../src/core/verify.ts'
import { aDomain, anAction, cents } from './a-small-domain.ts'

const params = z.strictObject({
  amountCents: cents(100_000),
  hour: z.int().min(0).max(23),
  trusted: z.boolean(),
  tier: z.enum(['benign', 'privileged']),
  vendor: z.string().max(20),
  lines: z.array(z.strictObject({ cents: cents(5), approved: z.boolean() })).max(3),
})
type Over = NonNullable<Parameters<typeof anAction<typeof params>>[1]>

/** What is found of reliance, as `forbid trusted`. */
function relied(over: Over): string[] {
  return found(anAction(params, over)).map(({ message }) => /^(\S+(?: schema)?) relies on parameter (\S+),/.exec(message)?.slice(1).join(' ') ?? message)
}
const found = (action: ReturnType<typeof anAction>): Finding[] => verifyDomain(aDomain({ actions: { DO: action } })).filter(({ code }) => code === 'asserted_fact')
const approval = { reviewers: 'tickets.review', expiresIn: '1 day' } as const

const trusting = ({ params: { trusted } }: { params: { trusted: boolean } }): string | false => !trusted && 'not trusted'

const largest: NonNullable<Over['forbid']> = ({ params }) => params.amountCents > 5 && 'too much'
const benign: NonNullable<Over['forbid']> = ({ params }) => (params.tier === 'benign' || params.vendor === 'a') && 'no'

describe('KIFF\'s gates that the agent opened itself', () => {
  test('accounts payable: "trusted vendor" is what the agent says', () => {
    expect(relied({ approval: { ...approval, when: ({ params }) => (!params.trusted || params.amountCents > 5_000) && 'unknown vendor' }, describe: ({ params }) => `Pay ${params.amountCents} to ${params.vendor}` }))
      .toEqual(['approval.when trusted'])
  })

  test('security: a benign tier skips the approval', () => {
    expect(relied({ approval: { ...approval, when: ({ params }) => params.tier === 'privileged' && 'a privileged account' } })).toEqual(['approval.when tier'])
  })

  test('café: the hour at which it is sent', () => {
    expect(relied({ check: ({ params }) => (params.hour < 7 || params.hour > 21) && 'not at night' })).toEqual(['check hour'])
  })

  test('outreach: a consent that the schema demands is a consent that the agent writes', () => {
    const sent = anAction(z.strictObject({ consentVerified: z.literal(true) }))
    expect(found(sent).map(({ message }) => message.split(';')[0])).toEqual(['its schema relies on parameter consentVerified, which is only what the agent says'])
    expect(found(anAction(z.strictObject({ consentVerified: z.literal(true) }), { asserted: { consentVerified: 'the form that was signed' } }))).toEqual([])
  })
})

describe('the action\'s own size and words are no claim', () => {
  test('a number that it describes, or that it emits', () => {
    const forbid = largest
    expect(relied({ forbid })).toEqual(['forbid amountCents'])
    expect(relied({ forbid, describe: ({ params }) => `Pay ${params.amountCents}` })).toEqual([])
    expect(relied({ forbid, emits: { MOVED: ({ params }) => params.amountCents } })).toEqual([])
  })

  test('a word or a text that it describes; to emit it is not enough: everything is emitted', () => {
    const forbid = benign
    expect(relied({ forbid })).toEqual(['forbid tier', 'forbid vendor'])
    expect(relied({ forbid, emits: { MOVED: ({ params }) => [params.tier, params.vendor] } })).toEqual(['forbid tier', 'forbid vendor'])
    expect(relied({ forbid, describe: ({ params }) => `${params.tier} ${params.vendor}` })).toEqual([])
  })

  test('but a truth is, described or not', () => {
    expect(relied({ forbid: ({ params }) => !params.trusted && 'no', describe: ({ params }) => `trusted: ${params.trusted}` })).toEqual(['forbid trusted'])
  })

  test('a text whose form alone is checked', () => {
    expect(relied({ check: ({ params }) => !params.vendor.startsWith('V-') && 'not a vendor number' })).toEqual([])
  })
})

describe('what counts as relying', () => {
  test('where a person is always asked, the rule that adds words does not', () => {
    expect(relied({ approval: { ...approval, when: trusting } })).toEqual(['approval.when trusted'])
    expect(relied({ approval: { ...approval, when: trusting, always: 'always' } })).toEqual([])
    expect(relied({ approval: { ...approval, always: 'always' }, forbid: trusting })).toEqual(['forbid trusted'])
  })

  test('a parameter inside a list', () => {
    expect(relied({ forbid: ({ params }) => params.lines.some((line) => !line.approved) && 'no' })).toEqual(['forbid lines[].approved'])
  })

  test('a branch behind others: amount, hour and a fact have to fit before the claim is read', () => {
    expect(relied({
      facts: { known: factFromLoader(z.boolean()) },
      forbid: ({ params, facts }) => params.amountCents > 50_000 && params.hour < 7 && params.lines.length > 0 && facts['known'] === true && !params.trusted && 'no',
      describe: ({ params }) => `${params.amountCents} ${params.hour}`,
    })).toEqual(['forbid trusted'])
  })

  test('what was read before a throw', () => {
    expect(relied({ forbid: ({ params }) => { if (!params.trusted) throw new Error('no'); return false } })).toEqual(['forbid trusted'])
  })

  test('an explanation that says nothing explains nothing', () => {
    const forbid = trusting
    expect(relied({ forbid, asserted: { trusted: ' ' } })).toEqual(['forbid trusted'])
    expect(relied({ forbid, asserted: { trusted: 'the register signs it' } })).toEqual([])
    expect(relied({ forbid, asserted: { tier: 'the register signs it' } })).toEqual(['forbid trusted'])
  })
})

describe('a fact that nothing reads', () => {
  const facts = { vendor: factFromLoader(z.strictObject({ trusted: z.boolean() }).nullable()), vendorSince: factFromLoader(z.int()) }
  const unused = (over: Over): string[] => verifyDomain(aDomain({ actions: { DO: anAction(params, { facts, ...over }) } })).filter(({ code }) => code === 'fact_unused').map(({ message }) => message.split(';')[0] ?? '')

  test('is told, each by its whole name', () => {
    expect(unused({})).toEqual(['nothing reads fact vendor', 'nothing reads fact vendorSince'])
    expect(unused({ forbid: ({ facts }) => facts['vendorSince'] === 0 && 'no' })).toEqual(['nothing reads fact vendor'])
    expect(unused({ forbid: ({ facts }) => facts['vendor'] === null && 'no' })).toEqual(['nothing reads fact vendorSince'])
  })

  test('is read where it is described: consent binds it', () => {
    expect(unused({ describe: ({ facts }) => `${String(facts['vendor'])} ${String(facts['vendorSince'])}` })).toEqual([])
  })
})

test('a parameter that is called as every object\'s members are is like any other', () => {
  const odd = z.strictObject({ constructor: z.boolean() })
  expect(found(anAction(odd, { forbid: ({ params }) => !params.constructor && 'no' }))).toHaveLength(1)
  expect(found(anAction(odd, { forbid: ({ params }) => !params.constructor && 'no', asserted: { constructor: 'the form' } }))).toEqual([])
})
