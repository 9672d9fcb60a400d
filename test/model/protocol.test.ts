import { describe, expect, test } from 'vitest'
import { asTheCodeHasIt, type Rules } from './rules.ts'
import { search } from './search.ts'
import { sizes } from './sizes.ts'
import type { Size } from './system.ts'

describe('every interleaving of two attempts, people, the sweeper, events and time, with crashes anywhere: every property holds in', () => {
  test.each(Object.entries<Size>(sizes))('%s', { timeout: 60_000 }, (_, size) => {
    const { states, broken } = search(size, asTheCodeHasIt)
    expect(broken).toBeNull()
    expect(states).toBeGreaterThan(2_000) // a model that cannot move breaks nothing
  })

  test('two effects are there only where a person has said wrongly that the first did not happen', () => {
    const size: Size = { ...sizes['an effect that must not be repeated, tried anew after a failure, and events between'], late: true, events: false }
    expect(search(size, asTheCodeHasIt).excused).toBeGreaterThan(0)
    expect(search(size, { ...asTheCodeHasIt, peopleAreRight: true }).excused).toBe(0)
  }, 60_000)
})

const small: Size = { effect: 'external', asks: false, proposals: 1, ordinals: 1, events: false, late: false, rounds: 1, ends: false }

/** Each rule, a world in which it matters, and what no longer holds without it. */
const needed: readonly { readonly without: keyof Rules; readonly property: string; readonly size: Partial<Size>; readonly over?: Partial<Rules> }[] = [
  { without: 'commitsOnWhatWasRead', property: 'consent is for the entity as it was (I3)', size: { effect: 'none', asks: true, events: true } },
  { without: 'commitsOnWhatWasRead', property: 'nothing is done in a state that does not allow it (I2)', size: { events: true } },
  { without: 'opensOnlyWhatIsFree', property: 'one execution holds an entity', size: { proposals: 2 } },
  { without: 'opensOnceAKey', property: 'one execution holds an entity', size: {}, over: { opensOnlyWhatIsFree: false } },
  { without: 'opensBeforeTheEffect', property: 'no effect without its opened row (I7)', size: {} },
  { without: 'consumesTheGrant', property: 'no effect without its consumed grant (I7)', size: { asks: true } },
  { without: 'denialIsFinal', property: 'a denial is final (I5)', size: { asks: true, rounds: 2 } },
  { without: 'resumesOnlyPastTheLease', property: 'a live lease is nobody else’s', size: { effect: 'idempotent' } },
  { without: 'doubtsOnlyPastTheLease', property: 'a live lease is nobody else’s', size: { ordinals: 2 } },
  { without: 'resumesOnlyTheIdempotent', property: 'at most one effect (I8)', size: {} },
  { without: 'leasesEndInTime', property: 'at most one effect (I8)', size: { effect: 'idempotent' } },
  { without: 'receiversKeepRefusals', property: 'at most one effect (I8)', size: { effect: 'idempotent', ordinals: 2 } },
  { without: 'failsOnlyByTheHolder', property: 'doubt ends by a person or a late success', size: { ordinals: 2 } },
  { without: 'stopsAtAContradiction', property: 'no new attempt at what is known to have happened (I8)', size: { ordinals: 2, events: true } },
  { without: 'eventsWait', property: 'nothing moves a held entity', size: { events: true } },
  { without: 'withdrawsTheRevoked', property: 'nothing waits for nobody', size: { asks: true }, over: { expiresTheSettled: false } },
  { without: 'expiresTheSettled', property: 'nothing waits for nobody', size: { asks: true }, over: { withdrawsTheRevoked: false } },
]

describe('the model can fail', () => {
  test.each(needed)('without $without: "$property" does not hold', { timeout: 60_000 }, ({ without, property, size, over }) => {
    const { broken } = search({ ...small, ...size }, { ...asTheCodeHasIt, ...over, [without]: false })
    expect(broken?.property, broken?.way.join('\n')).toBe(property)
  })

  test('every rule is needed for something', () => {
    expect(new Set(needed.map(({ without }) => without))).toEqual(new Set(Object.keys(asTheCodeHasIt).filter((rule) => rule !== 'peopleAreRight')))
  })

  test('the shortest way to where a property does not hold is told, step by step', () => {
    expect(search(small, { ...asTheCodeHasIt, resumesOnlyTheIdempotent: false }).broken?.way).toEqual([
      'A is handed k',
      'A reads, and means to open',
      'A commits to open  [opened]',
      'A pays k',
      'A is lost before it has completed',
      'the lease is over',
      'A reads, and means to resume',
      'A commits to resume  [resumed]',
      'A pays k',
    ])
  })
})
