import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { contractHash } from '../../src/core/contract-hash.ts'
import type { Contract, Inspection } from '../../src/core/contract.ts'
import { Account, aContract, inspected } from './an-account.ts'

const rich = Account.action({
  description: 'Everything that a parameter can be',
  from: ['OPEN'],
  params: z.strictObject({
    cents: z.int().positive(),
    rate: z.number().optional(),
    currency: z.enum(['EUR', 'USD']),
    sure: z.literal(true),
    target: z.union([z.string(), z.strictObject({ iban: z.string() })]),
    lines: z.array(z.strictObject({ text: z.string().max(5) })).max(3).optional(),
    anything: z.unknown().optional(),
    colour: z.string().default('red'),
  }),
  output: z.strictObject({}),
  permission: 'accounts.note',
  risk: 'low',
  effect: 'external',
  describe: () => 'all',
})
const good = { cents: 4200, currency: 'EUR', sure: true, target: 'x' }

function look(params: unknown, contract: Contract = rich): Inspection {
  return contract.inspect('account-1', params)
}

describe('parameters', () => {
  test('that fit are parsed, with defaults filled in', () => {
    expect(inspected(rich, good).params).toEqual({ ...good, colour: 'red' })
  })

  test.each(['cents', 'currency', 'sure', 'target'])('a required one that is absent is missing, whatever its kind: %s', (name) => {
    const params = Object.fromEntries(Object.entries(good).filter(([key]) => key !== name))
    expect(look(params)).toEqual({ ok: false, reason: 'missing_parameter', message: `params.${name}: is required` })
  })

  test('one absent inside another is missing too', () => {
    expect(look({ ...good, lines: [{ text: 'a' }, {}] })).toEqual({ ok: false, reason: 'missing_parameter', message: 'params.lines.1.text: is required' })
  })

  test.each<[string, unknown, string]>([
    ['a numeric string for a number', { ...good, cents: '4200' }, 'params.cents'],
    ['a float for an integer', { ...good, cents: 42.5 }, 'params.cents'],
    ['null for a number', { ...good, cents: null }, 'params.cents'],
    ['a number out of range', { ...good, cents: 0 }, 'params.cents'],
    ['1e300', { ...good, rate: 1e300 }, 'params.rate'],
    ['2^53', { ...good, cents: 2 ** 53 }, 'params.cents'],
    ['negative zero', { ...good, rate: -0 }, 'params.rate'],
    ['NaN', { ...good, rate: Number.NaN }, 'params.rate'],
    ['a value outside the enumeration', { ...good, currency: 'eur' }, 'params.currency'],
    ['another literal', { ...good, sure: false }, 'params.sure'],
    ['a union that nothing fits', { ...good, target: 1 }, 'params.target'],
    ['an undefined member', { ...good, anything: undefined }, 'params.anything'],
    ['a Date', { ...good, anything: new Date(0) }, 'params.anything'],
    ['a lone surrogate', { ...good, target: '\ud83d' }, 'params.target'],
    ['U+0000', { ...good, target: 'a\u0000' }, 'params.target'],
    ['an extra parameter', { ...good, approved: true }, 'approved'],
    ['an extra parameter named __proto__', JSON.parse(JSON.stringify(good).replace('{', '{"__proto__":{},')), '__proto__'],
    ['an extra parameter inside another', { ...good, target: { iban: 'x', bic: 'y' } }, 'params.target'],
    ['text that is too long', { ...good, lines: [{ text: 'longer' }] }, 'params.lines.0.text'],
    ['no object: null', null, 'params'],
    ['no object: an array', [], 'params'],
    ['no object: text', '{"cents": 1}', 'params'],
    ['nothing', undefined, 'params'],
  ])('%s is invalid, and the message names the place', (_, params, place) => {
    expect(look(params)).toEqual({ ok: false, reason: 'invalid_parameter', message: expect.stringContaining(place) })
  })

  test('of two problems the first in the order of the schema is told', () => {
    expect(look({ currency: 'eur', extra: 1, sure: true, target: 'x' })).toMatchObject({ reason: 'missing_parameter', message: 'params.cents: is required' })
  })

  test('frozen values are taken as they are', () => {
    expect(look(Object.freeze({ ...good, lines: Object.freeze([Object.freeze({ text: 'a' })]) })).ok).toBe(true)
  })

  test('what the executor gets is frozen to the bottom', () => {
    const params = inspected(rich, { ...good, lines: [{ text: 'a' }], anything: { deep: [1] } }).params as { lines: { text: string }[]; anything: { deep: number[] } }
    expect(() => params.lines.push({ text: 'b' })).toThrow(TypeError)
    expect(() => { if (params.lines[0]) params.lines[0].text = 'b' }).toThrow(TypeError)
    expect(() => params.anything.deep.push(2)).toThrow(TypeError)
  })
})

const changing = (params: z.ZodType): Contract => Account.action({
  description: 'Changes what it gets', from: ['OPEN'], params, output: z.strictObject({}), permission: 'accounts.note', risk: 'low', effect: 'external', describe: () => 'it',
})

describe('nothing is changed silently between what was proposed and what runs', () => {
  test.each<[string, z.ZodType, unknown, string]>([
    ['text that would be trimmed', z.strictObject({ to: z.string().trim() }), { to: ' x' }, 'params.to'],
    ['text that would be lower-cased', z.strictObject({ to: z.array(z.string().toLowerCase()) }), { to: ['a', 'B'] }, 'params.to.1'],
    ['a number that would be overwritten', z.strictObject({ n: z.number().overwrite((n) => n * 100) }), { n: 1 }, 'params.n'],
    ['a list that would grow', z.strictObject({ to: z.array(z.string()).overwrite((to) => [...to, 'me']) }), { to: ['you'] }, 'params.to'],
    ['a member that a loose schema would drop', z.object({ a: z.string() }), { a: 'x', approved: true }, 'params.approved'],
    ['a member that would be dropped further down', z.strictObject({ a: z.array(z.object({})) }), { a: [{ b: 1 }] }, 'params.a.0.b'],
  ])('%s is refused', (_, schema, params, place) => {
    expect(look(params, changing(schema))).toEqual({ ok: false, reason: 'invalid_parameter', message: expect.stringContaining(`${place}:`) })
  })

  test('the same schemas take what they would leave alone', () => {
    expect(look({ to: 'x' }, changing(z.strictObject({ to: z.string().trim() }))).ok).toBe(true)
    expect(look({ a: 'x' }, changing(z.object({ a: z.string() }))).ok).toBe(true)
  })

  test.each<[string, z.ZodType]>([
    ['throws', z.string().refine(() => { throw new Error('lost its data') })],
    ['wants to be awaited', z.string().refine(async () => Promise.resolve(true))],
  ])("a domain's own check that %s refuses, rather than fails for ever", (_, schema) => {
    expect(look('x', changing(schema))).toMatchObject({ ok: false, reason: 'invalid_parameter' })
  })
})

describe('words', () => {
  test('tell what will happen with these parameters', () => {
    expect(inspected(aContract(), { note: 'hi' }).describe()).toBe('Note hi')
  })

  test('are told once, and stay so', () => {
    let told = 0
    const action = inspected(aContract({ words: (note) => `${note} ${(told += 1)}` }), { note: 'hi' })
    expect([action.describe(), action.describe()]).toEqual(['hi 1', 'hi 1'])
  })

  test('that cut a character in half can still be recorded', () => {
    expect(inspected(aContract({ words: (note) => note.slice(0, 1) }), { note: '😀' }).describe()).toBe('\ufffd')
  })

  test('of a rule that cut a character in half can still be recorded', () => {
    expect(inspected(aContract({ rule: (note) => note.slice(0, 1) }), { note: '😀' }).approvalRule()).toBe('\ufffd')
  })

  test('a contract without an approval rule needs no approval', () => {
    expect(inspected(aContract(), { note: 'hi' }).approvalRule()).toBe(false)
  })
})

const accept = (output: unknown, contract = aContract()): unknown => inspected(contract, { note: 'hi' }).accept(output)

describe('what an executor returned', () => {
  test('leads to the events that the action emits', () => {
    expect(accept({ text: 'done' })).toEqual({ ok: true, output: { text: 'done' }, events: [{ type: 'NOTED', payload: { note: 'done' } }] })
  })

  test.each<[string, unknown]>([
    ['another type', { text: 1 }],
    ['an extra member', { text: 'a', more: 1 }],
    ['nothing', undefined],
    ['text with U+0000', { text: 'a\u0000' }],
  ])('%s is not accepted', (_, output) => {
    expect(accept(output, aContract({ emits: () => ({ note: 'whatever it was' }) }))).toEqual({ ok: false, message: expect.any(String) })
  })

  test('a payload that is not what the event says is not accepted', () => {
    expect(accept({ text: 'a' }, aContract({ emits: () => ({ note: 1 }) as never }))).toEqual({ ok: false, message: 'event NOTED: payload.note: Invalid input: expected string, received number' })
  })

  test('a payload that cannot be recorded is not accepted', () => {
    expect(accept({ text: '😀' }, aContract({ emits: (_, text) => ({ note: text.slice(0, 1) }) }))).toEqual({ ok: false, message: expect.stringContaining('lone surrogate') })
  })

  test('a payload that cannot be derived is not accepted, and nothing is thrown: money may have moved', () => {
    expect(accept({ text: 'a' }, aContract({ emits: () => { throw new Error('off by one') } }))).toEqual({ ok: false, message: 'off by one' })
  })
})

const hash = (contract: Contract): string => contractHash('ledgers', 'NOTE', contract)

describe("a contract's hash", () => {
  const base = {
    description: 'Writes', from: ['OPEN'], params: z.strictObject({ a: z.string() }), output: z.strictObject({}), permission: 'accounts.note', risk: 'low', effect: 'external',
    describe: () => 'it', approval: { when: (): string | false => false, reviewers: 'accounts.review', expiresIn: '1 day' },
  } as const
  const changes = {
    description: Account.action({ ...base, description: 'Reads' }),
    from: Account.action({ ...base, from: ['OPEN', 'CLOSED'] }),
    params: Account.action({ ...base, params: z.strictObject({ a: z.string().max(9) }) }),
    output: Account.action({ ...base, output: z.strictObject({ b: z.string() }) }),
    permission: Account.action({ ...base, permission: 'accounts.review' }),
    risk: Account.action({ ...base, risk: 'medium' }),
    effect: Account.action({ ...base, effect: { idempotentFor: '1 hour' } }),
    'no approval': Account.action({ ...base, approval: undefined as never }),
    reviewers: Account.action({ ...base, approval: { ...base.approval, reviewers: 'accounts.note' } }),
    'time to answer': Account.action({ ...base, approval: { ...base.approval, expiresIn: '2 days' } }),
    'time to use': Account.action({ ...base, approval: { ...base.approval, useWithin: '2 hours' } }),
    'who may settle it': Account.action({ ...base, reconciledBy: 'accounts.audit' }),
    'why no approval is needed': Account.action({ ...base, unapprovedBecause: 'it is a test' }),
    emits: Account.action({ ...base, emits: { NOTED: () => ({ note: '' }) } }),
    version: Account.action({ ...base, version: 2 }),
  }

  test.each(Object.entries(changes))('moves with: %s', (_, contract) => {
    expect(hash(contract)).not.toBe(hash(Account.action({ ...base })))
  })

  test('is the same for the same declaration', () => {
    expect(hash(Account.action({ ...base, params: z.strictObject({ a: z.string() }) }))).toBe(hash(Account.action({ ...base })))
  })

  test('does not move with code that no field shows: that is what `version` is for', () => {
    expect(hash(Account.action({ ...base, describe: () => 'other words' }))).toBe(hash(Account.action({ ...base })))
  })

  test('is of one domain and one action', () => {
    const contract = Account.action({ ...base })
    expect(new Set([hash(contract), contractHash('other', 'NOTE', contract), contractHash('ledgers', 'CALL', contract)]).size).toBe(3)
  })
})
