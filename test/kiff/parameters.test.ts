/** What agents send as parameters: what the gate does with each shape, where KIFF v0.7 coerces, overflows, counts bytes, or looks at a part. */
import { defineDomain, entity } from 'kiff-temporal'
import { testDomain, type Scene } from 'kiff-temporal/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

const Form = entity('Form', {
  states: ['OPEN'],
  events: {
    OPENED: { from: null, to: 'OPEN', payload: z.strictObject({}), reportedBy: 'forms.report' },
    FILLED: { from: 'OPEN', to: 'OPEN', payload: z.strictObject({}) },
  },
})

/** A domain with one action that takes these parameters. */
function formsWith<Params extends z.ZodType>(params: Params) {
  return defineDomain({
    name: 'forms',
    actions: {
      FILL: Form.action({
        description: 'Fill a form in', from: ['OPEN'], params, output: z.strictObject({}), permission: 'forms.fill', risk: 'low', effect: 'external',
        describe: ({ entityId }) => `Fill ${entityId} in`,
        emits: { FILLED: () => ({}) },
      }),
    },
    roles: { agent: ['forms.fill'], office: ['forms.report'] },
  })
}

const forms = formsWith(z.strictObject({
  cents: z.int().min(1).max(100_000),
  urgent: z.boolean(),
  method: z.enum(['card', 'voucher']),
  code: z.string().min(1).max(3).optional(),
  word: z.string().regex(/^[a-z]+$/).max(20).optional(),
  // Unbounded where KIFF would have only a maximum, or none.
  capped: z.int().max(100_000).optional(),
  anything: z.unknown().optional(),
}))
const good = { cents: 4_200, urgent: false, method: 'card' }

let scene: Scene<typeof forms>
beforeEach(async () => {
  scene = await testDomain(forms, { members: { 'agent-1': 'agent' }, executors: { FILL: {} } })
  await scene.given('Form', 'form-1', [['OPENED']])
})
const fill = (params: unknown) => scene.propose('agent-1', 'FILL', 'form-1', params)
/** As JSON brings it: with members that no object literal can have. */
const json = (text: string): unknown => JSON.parse(text)
const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])

describe('a shape that is refused, recorded, and never executed', () => {
  test.each<[string, unknown]>([
    ['a number as text', { ...good, cents: '4200' }],
    ['a number as text with blanks', { ...good, cents: ' 4200 ' }],
    ['a number with a fraction', { ...good, cents: 42.5 }],
    ['a truth for a number', { ...good, cents: true }],
    ['a number for a truth', { ...good, urgent: 1 }],
    ['a truth as text', { ...good, urgent: 'true' }],
    ['a number in a list', { ...good, cents: [4_200] }],
    ['a number in an object', { ...good, cents: { value: 4_200 } }],
    ['null for a number', { ...good, cents: null }],
    ['null for what may be left out', { ...good, code: null }],
    ['zero', { ...good, cents: 0 }],
    ['one more than the maximum', { ...good, cents: 100_001 }],
    ['1e300', { ...good, cents: 1e300 }],
    ['1e300, where there is only a maximum', { ...good, capped: 1e300 }],
    ['-1e300, where there is only a maximum', { ...good, capped: -1e300 }],
    ['2^53, where there is only a maximum', { ...good, capped: -(2 ** 53) }],
    ['2^53, where anything goes', { ...good, anything: 2 ** 53 }],
    ['NaN, which arrives as null', { ...good, cents: Number.NaN }],
    ['a word that is none of the enumeration', { ...good, method: 'cash' }],
    ['a word of the enumeration in upper case', { ...good, method: 'CARD' }],
    ['a text that is too long', { ...good, code: 'long' }],
    ['a text of too many characters that are not ASCII', { ...good, code: '日本語人' }],
    ['an empty text', { ...good, code: '' }],
    ['a text of which only a part fits the pattern', { ...good, word: 'DROP x; --' }],
    ['a text whose first line fits the pattern', { ...good, word: 'drop\nDROP x; --' }],
    ['a text that fits the pattern but for a newline at its end', { ...good, word: 'drop\n' }],
    ['an extra member', { ...good, approved: true }],
    ['an extra member without a value to speak of', { ...good, '': null }],
    ['U+0000 in a text', { ...good, code: 'a\u0000' }],
    ['U+0000 in a key', { ...good, 'a\u0000': 1 }],
    ['U+0000 in a nested text', { ...good, anything: { a: ['b\u0000'] } }],
    ['U+0000 in a nested key', { ...good, anything: [{ 'b\u0000': 1 }] }],
    ['a lone surrogate in a text', { ...good, code: '\uD83D' }],
    ['a lone surrogate in a key', { ...good, '\uDC00': 1 }],
    ['a lone surrogate in a nested text', { ...good, anything: ['\uDC00'] }],
    ['a lone surrogate in a nested key', { ...good, anything: { a: { '\uD83D': 1 } } }],
    ['__proto__', json('{"cents":4200,"urgent":false,"method":"card","__proto__":{"cents":1}}')],
    ['__proto__, nested', { ...good, anything: json('{"__proto__":{}}') }],
    ['lists 500 deep', { ...good, anything: nested(500) }],
    ['no parameters', undefined],
    ['null', null],
    ['a list', [4_200]],
    ['a text', '{"cents":4200}'],
  ])('%s', async (_, params) => {
    expect(await fill(params)).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expect([scene.effects, scene.timeline('form-1').filter(({ kind }) => kind === 'action_failed').length]).toEqual([[], 1])
  })

  test.each(['cents', 'urgent', 'method'])('without %s: missing_parameter', async (name) => {
    expect(await fill({ ...good, [name]: undefined })).toMatchObject({ outcome: 'invalid' })
    const { [name]: _, ...rest } = good as Record<string, unknown>
    expect(await fill(rest)).toMatchObject({ outcome: 'invalid', reason: 'missing_parameter', message: `params.${name}: is required` })
    expect(scene.effects).toEqual([])
  })
})

describe('a payload that no JSON.stringify writes, but a client of another language may send', () => {
  test.each<[string, string]>([
    ['-0', '{"cents":4200,"urgent":false,"method":"card","capped":-0}'],
    ['-0, where anything goes', '{"cents":4200,"urgent":false,"method":"card","anything":[-0]}'],
    ['1e400, which is read as infinity', '{"cents":1e400,"urgent":false,"method":"card"}'],
    ['1e400, where anything goes', '{"cents":4200,"urgent":false,"method":"card","anything":1e400}'],
  ])('%s: refused', (_, payload) => {
    expect(forms.actions.FILL.inspect('form-1', json(payload))).toMatchObject({ ok: false, reason: 'invalid_parameter' })
  })

  test('NaN, were it to arrive: refused', () => {
    expect(forms.actions.FILL.inspect('form-1', { ...good, anything: Number.NaN })).toMatchObject({ ok: false, reason: 'invalid_parameter' })
  })
})

describe('a shape that is accepted, and reaches the executor as it came', () => {
  test.each<[string, object]>([
    ['a whole number', good],
    ['a whole number that JSON writes with a fraction', { ...good, cents: json('4200.0') }],
    ['the least and the most', { ...good, cents: 100_000 }],
    ['two characters of three bytes each, where three characters may stand', { ...good, code: '日本' }],
    ['three of them', { ...good, code: '日本語' }],
    ['three characters outside the basic plane', { ...good, code: '👍👍👍' }],
    ['a text that fits the pattern as a whole', { ...good, word: 'drop' }],
    ['a text that looks like a command, where any text may stand', { ...good, anything: "'; DROP TABLE orders; --" }],
    ['numbers at the edge of what JSON holds exactly', { ...good, anything: [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 0.1, 1e-7] }],
    ['members named as those of every object', { ...good, anything: { constructor: 1, toString: 2 } }],
  ])('%s', async (_, params) => {
    expect(await fill(params)).toMatchObject({ outcome: 'allowed' })
    expect(scene.effects.map((effect) => effect.params)).toEqual([params])
  })
})

const withPattern = (pattern: RegExp) => () => formsWith(z.strictObject({ word: z.string().max(20).regex(pattern) }))

describe('a pattern', () => {
  // "DROP x; --" fits the first in KIFF and in zod: what reads as a bound is none.
  test.each([/[a-z]+/, /^[a-z]+/, /[a-z]+$/, /^a|b$/, /^(?:a)|(?:b)$/])('%s fits a part of a text: refused when the domain is loaded', (pattern) => {
    expect(withPattern(pattern)).toThrow('matches a part of the text')
  })

  test.each([/^[a-z]+$/m, /^[a-z]+$/i, /^[a-z]+$/g, /^.+$/s])('%s has a flag that the schema in its contract cannot say: refused when the domain is loaded', (pattern) => {
    expect(withPattern(pattern)).toThrow('flag')
  })

  test.each([/^[a-z]+$/, /^(?:a|b)$/, /^\p{L}+$/u])('%s fits whole texts: accepted', (pattern) => {
    expect(withPattern(pattern)).not.toThrow()
  })

  test('for a part is possible where the author says that a part is meant', () => {
    expect(() => formsWith(z.strictObject({ word: z.string().max(20).startsWith('inv-').includes('x') }))).not.toThrow()
  })
})
