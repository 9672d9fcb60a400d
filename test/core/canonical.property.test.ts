import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonical, isCanonical, NotCanonical, printable } from '../../src/core/canonical.ts'
import { digestOf } from '../../src/core/digest.ts'
import { json, notJson, text, within } from './json.ts'

/** The same value with the members of every object in another order. */
function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).toReversed().map(([key, member]) => [key, reordered(member)]))
}

describe('any JSON', () => {
  test('reads back as what it was, and then has the same text again', () => {
    fc.assert(fc.property(json, (value) => {
      const read: unknown = JSON.parse(canonical(value))
      expect(isDeepStrictEqual(read, structuredClone(value))).toBe(true)
      expect(canonical(read)).toBe(canonical(value))
    }))
  })

  test('has one text, in whichever order its members stand', () => {
    fc.assert(fc.property(json, (value) => {
      expect(canonical(reordered(value))).toBe(canonical(value))
    }))
  })

  test('has the text, and the digest, of another value only where the two are equal', () => {
    // Near each other, so that the difference is small: one member, one letter, one number.
    const near = fc.tuple(json, json).chain(([a, b]) => fc.tuple(fc.constantFrom<unknown>(a, [a], { a }, { a, b }, [a, b], canonical(a)), fc.constantFrom<unknown>(a, b, [b], { b: a }, { a: b, b: a }, [b, a], `${canonical(a)} `)))
    fc.assert(fc.property(near, ([a, b]) => {
      const equal = isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)))
      expect(canonical(a) === canonical(b)).toBe(equal)
      expect(digestOf(a) === digestOf(b)).toBe(equal)
    }))
  })

  test('has no space between, and its members in the order of UTF-16 code units', () => {
    fc.assert(fc.property(fc.uniqueArray(text.filter((key) => key !== '__proto__'), { maxLength: 8 }), (keys) => {
      const sorted = [...keys].sort((a, b) => (a < b ? -1 : 1))
      expect(canonical(Object.fromEntries(keys.map((key) => [key, 1])))).toBe(`{${sorted.map((key) => `${JSON.stringify(key)}:1`).join(',')}}`)
    }))
  })
})

describe('any number', () => {
  test('is written as ECMAScript writes it, or refused', () => {
    fc.assert(fc.property(fc.double(), (value) => {
      const refused = !Number.isFinite(value) || Object.is(value, -0) || (Number.isInteger(value) && Math.abs(value) > Number.MAX_SAFE_INTEGER)
      expect(isCanonical(value)).toBe(!refused)
      if (!refused) expect(Number(canonical(value))).toBe(value)
    }), { numRuns: 1_000 })
  })

  // From the table of RFC 8785, appendix B: those that the RFC takes, and we refuse since an integer beyond 2^53 is read differently elsewhere.
  test.each([9007199254740992, 9007199254740994, -9007199254740992, 1e21, 295147905179352830000, 9.999999999999997e22, 1e23, 1.7976931348623157e308])('%d is refused', (value) => {
    expect(() => canonical(value)).toThrow('beyond 2^53')
  })
})

describe('whatever has no canonical form', () => {
  test('is refused, however deep inside it stands', () => {
    fc.assert(fc.property(within(notJson), (value) => {
      expect(() => canonical(value)).toThrow(NotCanonical)
      expect(isCanonical(value)).toBe(false)
    }), { numRuns: 500 })
  })

  test('is none the better for a member that says how to read it', () => {
    fc.assert(fc.property(json, (value) => {
      expect(isCanonical({ toJSON: () => value })).toBe(false)
    }))
  })

  test('any value at all: a text that can be read again, or refused', () => {
    fc.assert(fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withSparseArray: true, withTypedArray: true, withNullPrototype: true, withObjectString: true }), (value) => {
      if (isCanonical(value)) expect(canonical(JSON.parse(canonical(value)))).toBe(canonical(value))
      else expect(() => canonical(value)).toThrow(NotCanonical)
    }), { numRuns: 500 })
  })

  test('a text with a member that is named twice is never the canonical one of what it reads as', () => {
    fc.assert(fc.property(text.filter((key) => key !== '__proto__'), json, json, (key, first, second) => {
      const twice = `{${JSON.stringify(key)}:${canonical(first)},${JSON.stringify(key)}:${canonical(second)}}`
      expect(canonical(JSON.parse(twice))).not.toBe(twice)
    }))
  })
})

test('any text can be made recordable, and what is recordable stays as it is', () => {
  fc.assert(fc.property(fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }), (any) => {
    expect(isCanonical(printable(any))).toBe(true)
    if (isCanonical(any)) expect(printable(any)).toBe(any)
  }), { numRuns: 500 })
})
