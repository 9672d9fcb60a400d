/** Time as a test tells it. */
import { durationMs, type Duration } from '../core/duration.ts'

/** Milliseconds since the epoch. A test server that skips time answers later: a promise is waited for. */
export type Clock = () => number | Promise<number>

export interface FixedClock {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Lets time pass; it passes in no other way. @throws RangeError for what is no duration */
  readonly advance: (by: Duration) => void
}

/** A clock that stands still. @param start RFC 3339; the first of January 2026 unless told. @throws RangeError for what is no time */
export function aFixedClock(start = '2026-01-01T00:00:00Z'): FixedClock {
  let now = Date.parse(start)
  if (Number.isNaN(now)) throw new RangeError(`"${start}" is not a time; write one as "2026-01-01T00:00:00Z"`)
  return {
    now: () => now,
    advance(by) {
      now += durationMs(by)
    },
  }
}
