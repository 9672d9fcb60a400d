import { expect, test } from 'vitest'
import { NotCanonical } from '../../src/core/canonical.ts'
import { digestOf, sha256 } from '../../src/core/digest.ts'

test.each([
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ['€', 'c4cc90ed3d26f12d4b08a75140970a7904035c31cbb4515a83f19b9003c00d1d'],
])('SHA-256 of %j', (text, hash) => {
  expect(sha256(text)).toBe(hash)
})

test('a digest is that of the canonical text', () => {
  expect(digestOf({ b: 1, a: '€' })).toBe(sha256('{"a":"€","b":1}'))
})

test('equal values have equal digests, whatever the order of their members', () => {
  expect(digestOf({ a: 1, b: { c: 2, d: 3 } })).toBe(digestOf({ b: { d: 3, c: 2 }, a: 1 }))
})

test.each([
  ['a number and its text', 1, '1'],
  ['null and an absent member', { a: null }, {}],
  ['an array and an object with its indices', ['a'], { 0: 'a' }],
  ['a boundary moved between two members', ['ab', 'c'], ['a', 'bc']],
])('the digests of %s differ', (_, one, other) => {
  expect(digestOf(one)).not.toBe(digestOf(other))
})

test('what has no canonical form has no digest', () => {
  expect(() => digestOf({ a: undefined })).toThrow(NotCanonical)
})
