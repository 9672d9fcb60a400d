import { describe, expect, test } from 'vitest'
import { isCanonical } from '../../src/core/canonical.ts'
import { inShort, wordsOfThrown } from '../../src/core/thrown.ts'

describe('what was thrown, in words', () => {
  test.each<[string, unknown, string]>([
    ['an error', new Error('connection reset'), 'connection reset'],
    ['text', 'no', 'no'],
    ['nothing', undefined, 'undefined'],
    ['a symbol', Symbol('x'), 'Symbol(x)'],
    ['an error whose message is none', Object.assign(new Error('x'), { message: 7 }), '7'],
    ['an object without words', Object.create(null), 'something that cannot be put into words'],
    ['an error that cannot be read', Object.defineProperty(new Error('x'), 'message', { get() { throw new Error('boom') } }), 'something that cannot be put into words'],
    ['what throws when it is looked at', new Proxy({}, { getPrototypeOf() { throw new Error('boom') } }), 'something that cannot be put into words'],
  ])('%s', (_, thrown, words) => {
    expect(wordsOfThrown(thrown)).toBe(words)
  })

  test('can be recorded, whatever it contains', () => {
    expect(isCanonical(wordsOfThrown(new Error('a\u0000\uD800')))).toBe(true)
  })

  test('is of bounded length, and says that it was longer; a character is not halved', () => {
    expect(inShort('x'.repeat(1_000))).toBe('x'.repeat(1_000))
    expect(inShort('x'.repeat(1_001))).toBe(`${'x'.repeat(1_000)}…`)
    expect(isCanonical(inShort(`${'x'.repeat(999)}😀`))).toBe(true)
  })
})
