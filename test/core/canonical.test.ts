import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { canonical, isCanonical, NotCanonical, printable } from '../../src/core/canonical.ts'

function ieee(hex: string): number {
  return new Float64Array(BigUint64Array.of(BigInt(`0x${hex}`)).buffer)[0] ?? Number.NaN
}

/** An array inside an array, `depth` times. */
function nested(depth: number): unknown {
  let value: unknown = []
  for (let level = 1; level < depth; level++) value = [value]
  return value
}

describe('the vectors of RFC 8785', () => {
  test('the sample of section 3.2.2, but for 1E30, which is an integer beyond 2^53', () => {
    const sample = JSON.parse(String.raw`{
      "numbers": [333333333.33333329, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`)
    expect(canonical(sample)).toBe(String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`)
  })

  test('the sort of section 3.2.3: by UTF-16 code units, an emoji before a Hebrew ligature', () => {
    const sample = { '€': 'Euro Sign', '\r': 'Carriage Return', '\ufb33': 'Hebrew Letter Dalet With Dagesh', 1: 'One', '😀': 'Emoji: Grinning Face', '\u0080': 'Control', 'ö': 'Latin Small Letter O With Diaeresis' }
    expect(Object.values(JSON.parse(canonical(sample)) as object)).toHaveLength(7)
    expect([...canonical(sample).matchAll(/:"([^"]+)"/g)].map(([, value]) => value)).toEqual([
      'Carriage Return', 'One', 'Control', 'Latin Small Letter O With Diaeresis', 'Euro Sign', 'Emoji: Grinning Face', 'Hebrew Letter Dalet With Dagesh',
    ])
  })

  test.each([
    ['0000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['433fffffffffffff', '9007199254740991'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('the number %s of appendix B reads %s', (hex, text) => {
    expect(canonical(ieee(hex))).toBe(text)
  })
})

describe('text', () => {
  test('is equal for values that differ only in the order of their members', () => {
    expect(canonical({ b: [1, { d: 1, c: 2 }], a: null })).toBe(canonical({ a: null, b: [1, { c: 2, d: 1 }] }))
  })

  test('escapes as ECMAScript does, and leaves everything else as it is', () => {
    expect(canonical('\b\t\n\f\r"\\/\u001f\u007f\u2028<é')).toBe('"\\b\\t\\n\\f\\r\\"\\\\/\\u001f\u007f\u2028<é"')
  })

  test('does not normalise: letters that only look equal differ', () => {
    expect(canonical('\u00e9')).not.toBe(canonical('e\u0301'))
  })

  test('sorts integer-like member names as text', () => {
    expect(canonical({ 10: 'b', 9: 'a' })).toBe('{"10":"b","9":"a"}')
  })

  test('keeps an empty member name', () => {
    expect(canonical({ '': 1 })).toBe('{"":1}')
  })

  test('takes plain objects of another realm, as the workflow sandbox is one, and objects without a prototype', () => {
    expect(canonical(runInNewContext('({ b: [1], a: {} })'))).toBe('{"a":{},"b":[1]}')
    expect(canonical(Object.assign(Object.create(null), { a: 1 }))).toBe('{"a":1}')
  })
})

class Money {
  cents = 1
}

describe('what has no canonical form', () => {
  test.each<[string, unknown, string]>([
    ['NaN', Number.NaN, 'NaN is not JSON'],
    ['infinity', Number.POSITIVE_INFINITY, 'Infinity is not JSON'],
    ['minus infinity', Number.NEGATIVE_INFINITY, '-Infinity is not JSON'],
    ['negative zero', -0, 'negative zero'],
    ['2^53', 2 ** 53, 'beyond 2^53'],
    ['-2^53', -(2 ** 53), 'beyond 2^53'],
    ['1e300', 1e300, 'beyond 2^53'],
    ['U+0000', 'a\u0000b', 'U+0000'],
    ['a lone high surrogate', 'a\ud83d', 'lone surrogate'],
    ['a lone low surrogate', '\ude00a', 'lone surrogate'],
    ['undefined', undefined, 'undefined is not JSON'],
    ['a bigint', 1n, 'bigint is not JSON'],
    ['a function', () => 1, 'function is not JSON'],
    ['a symbol', Symbol('a'), 'symbol is not JSON'],
    ['a Date', new Date(0), 'not a plain object'],
    ['a Map', new Map([['a', 1]]), 'not a plain object'],
    ['a Set', new Set([1]), 'not a plain object'],
    ['a RegExp', /a/, 'not a plain object'],
    ['bytes', new Uint8Array(1), 'not a plain object'],
    ['a boxed string', Object('a'), 'not a plain object'],
    ['an object of a class', new Money(), 'not a plain object'],
    ['an Error', new Error('a'), 'not a plain object'],
    ['an object that says how it becomes JSON', { toJSON: () => 1 }, 'function is not JSON'],
  ])('%s is refused, alone and inside', (_, value, problem) => {
    expect(() => canonical(value)).toThrow(problem)
    expect(() => canonical({ deep: [value] })).toThrow(NotCanonical)
    expect(isCanonical({ deep: [value] })).toBe(false)
  })

  test.each<[string, unknown]>([
    ['a member name with U+0000', { 'a\u0000': 1 }],
    ['a member name with a lone surrogate', { '\ud83d': 1 }],
    ['a member named __proto__', JSON.parse('{"__proto__": 1}')],
    ['a member that is undefined', { a: undefined }],
    ['a hole in an array', Array(1)],
  ])('%s is refused', (_, value) => {
    expect(() => canonical(value)).toThrow(NotCanonical)
  })

  test('the path names the place', () => {
    expect(() => canonical({ items: [1, { cents: Number.NaN }] }, 'params')).toThrow('params.items[1].cents: NaN is not JSON')
  })

  test('nesting is refused from 65 levels on', () => {
    expect(isCanonical(nested(65))).toBe(true)
    expect(isCanonical(nested(66))).toBe(false)
  })

  test('a cycle is refused, not followed', () => {
    const cycle: unknown[] = []
    cycle.push(cycle, cycle)
    expect(isCanonical(cycle)).toBe(false)
  })

  test('what throws when it is read has none', () => {
    expect(isCanonical({ get a(): never { throw new RangeError('trap') } })).toBe(false)
  })
})

test('any text can be made recordable', () => {
  expect(printable('a\u0000b\ud83d')).toBe('a\u2400b\ufffd')
  expect(isCanonical(printable('\u0000\udc00'))).toBe(true)
})
