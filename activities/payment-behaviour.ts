/** How the payment provider can be told to misbehave, so that every fault an executor meets can be produced at will. */
import { z } from 'zod'

/**
 * `ignore-keys` pays again for a known key · `hang` pays, never answers · `hang-before` neither pays nor answers ·
 * `fail` answers 500, unpaid · `decline` answers 402, unpaid · `garbage` pays, answers what no schema allows ·
 * `huge` pays, answers 2 MB.
 */
export const Behaviour = z.strictObject({
  mode: z.enum(['normal', 'ignore-keys', 'hang', 'hang-before', 'fail', 'decline', 'garbage', 'huge']),
  /** How many refund requests it applies to; until changed when absent. */
  times: z.int().positive().optional(),
  /** How long an answer is held back, after the payment is on the books; milliseconds. */
  delay_ms: z.int().nonnegative().max(600_000).optional(),
})
export type Behaviour = z.infer<typeof Behaviour>

export interface Conduct {
  readonly change: (behaviour: Behaviour) => void
  /** The behaviour for the next request, which uses up one of its `times`. */
  readonly next: () => Behaviour
}

/** Starts out normal; kept in memory only, so a restarted provider is normal again. */
export function createConduct(): Conduct {
  let current: Behaviour = { mode: 'normal' }
  let left = Infinity
  return {
    change(behaviour) {
      current = behaviour
      left = behaviour.times ?? Infinity
    },
    next() {
      if (left <= 0) return { mode: 'normal' }
      left -= 1
      return current
    },
  }
}
