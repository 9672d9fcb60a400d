import { expect, test } from 'vitest'
import { durationMs, type Duration } from '../../src/core/duration.ts'

test.each<[Duration, number]>([
  ['1 second', 1_000],
  ['30 seconds', 30_000],
  ['15 minutes', 900_000],
  ['24 hours', 86_400_000],
  ['3 days', 259_200_000],
  ['1.5 hours', 5_400_000],
  ['36525 days', 3_155_760_000_000],
])('%s is %d ms', (duration, ms) => {
  expect(durationMs(duration)).toBe(ms)
})

test('a fraction comes to whole milliseconds, as Postgres takes them', () => {
  expect(durationMs('1.005 seconds')).toBe(1_005)
  expect(durationMs('0.3333 seconds')).toBe(333)
})

test.each(['0 seconds', '0.0001 seconds', '-1 days', '1e3 days', '36526 days', 'Infinity days', 'NaN hours', '1 week', '1day', ' 1 day', '1 day ', '1  day', '', 'day', '1,5 hours', '٣ days'])(
  '%j is refused',
  (duration) => {
    expect(() => durationMs(duration as Duration)).toThrow(RangeError)
  },
)
