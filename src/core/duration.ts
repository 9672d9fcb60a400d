/** Durations as domain authors write them: `'30 seconds'`, `'15 minutes'`, `'24 hours'`, `'3 days'`. */

const unitMs = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const
const maxMs = 36_525 * unitMs.day
type Unit = keyof typeof unitMs

export type Duration = `${number} ${Unit}${'' | 's'}`

/** Whole milliseconds of a duration. @throws RangeError when it is not a positive number of a known unit, or beyond a century */
export function durationMs(duration: Duration): number {
  const match = /^(\d+(?:\.\d+)?) (second|minute|hour|day)s?$/.exec(duration)
  const unit = match?.[2] as Unit | undefined
  const ms = unit === undefined ? Number.NaN : Math.round(Number(match?.[1]) * unitMs[unit])
  if (!(ms > 0 && ms <= maxMs)) throw new RangeError(`"${duration}" is not a duration; write one as "3 days" or "30 seconds"`)
  return ms
}
