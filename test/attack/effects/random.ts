/** Everything random of a run comes from its one seed: which fault, at which point, when, on what. (What the machine does then is not.) */

export interface Draw {
  /** A whole number from `from` up to and with `to`. */
  readonly int: (from: number, to: number) => number
  readonly chance: (probability: number) => boolean
  readonly pick: <T>(list: readonly T[]) => T
  readonly shuffled: <T>(list: readonly T[]) => T[]
  /** Another stream, which depends on the seed and the name alone: what is drawn beside it shifts nothing. */
  readonly fork: (name: string) => Draw
}

/** Mulberry32: small, and good enough to choose faults by. */
export function drawFrom(seed: number): Draw {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const int = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1))
  return {
    int,
    chance: (probability) => next() < probability,
    pick(list) {
      const picked = list[int(0, list.length - 1)]
      if (picked === undefined) throw new RangeError('nothing to pick from')
      return picked
    },
    shuffled(list) {
      return list.map((item) => ({ item, at: next() })).sort((a, b) => a.at - b.at).map(({ item }) => item)
    },
    fork: (name) => drawFrom(hashOf(`${seed}/${name}`)),
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (const unit of text) hash = Math.imul(hash ^ (unit.codePointAt(0) ?? 0), 0x01000193)
  return hash >>> 0
}
