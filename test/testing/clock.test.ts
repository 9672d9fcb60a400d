import { aFixedClock } from 'kiff-temporal/testing'
import { expect, test } from 'vitest'

const told = (clock: { readonly now: () => number }) => new Date(clock.now()).toISOString()

test('time stands still until a test lets it pass', () => {
  const clock = aFixedClock('2026-03-01T12:00:00Z')
  expect([told(clock), told(clock)]).toEqual(['2026-03-01T12:00:00.000Z', '2026-03-01T12:00:00.000Z'])
  clock.advance('2 hours')
  clock.advance('0.5 seconds')
  expect(told(clock)).toBe('2026-03-01T14:00:00.500Z')
})

test('it never goes back, and begins somewhere', () => {
  expect(() => { aFixedClock().advance('-1 days') }).toThrow(RangeError)
  expect(() => aFixedClock('noon')).toThrow('"noon" is not a time')
  expect(told(aFixedClock())).toBe('2026-01-01T00:00:00.000Z')
})
