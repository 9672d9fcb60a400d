/** How large a world each search looks at: one thing at a time is left out, so that each ends in seconds. */
import type { Size } from './system.ts'

/** Two attempts at one proposal of this effect, which nobody has to agree to. */
const small: Size = { effect: 'external', asks: false, proposals: 1, ordinals: 1, events: false, late: false, rounds: 1, ends: false }

export const sizes = {
  'an effect that must not be repeated, tried anew after a failure, and events between': { ...small, ordinals: 2, events: true },
  'the same with slow workers, and requests on their way when they are lost': { ...small, ordinals: 2, late: true },
  'the same in a workflow that may be terminated': { ...small, late: true, ends: true },
  'two equal proposals about one entity': { ...small, proposals: 2 },
  'an effect whose receiver honours the key, with slow workers, and events between': { ...small, effect: 'idempotent', events: true, late: true },
  'the same, tried anew after a failure': { ...small, effect: 'idempotent', ordinals: 2 },
  'an effect that a person has to agree to, in two rounds': { ...small, asks: true, rounds: 2 },
  'an effect whose receiver honours the key, that a person has to agree to': { ...small, effect: 'idempotent', asks: true },
  'an action that only emits, that a person has to agree to, in two rounds, and events between': { ...small, effect: 'none', asks: true, rounds: 2, events: true },
  'the same in a workflow that may be terminated, in one round': { ...small, effect: 'none', asks: true, events: true, ends: true },
} as const satisfies Record<string, Size>
