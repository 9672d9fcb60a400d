/** Signals as the workflow queues them, unread: which wait they are for, and how many are kept. */
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type * as Reviews from '../../src/workflow/reviews.ts'
import type * as Chain from '../../src/workflow/chain.ts'

let it: typeof Reviews
let chain: typeof Chain
beforeEach(async () => {
  vi.resetModules() // its state is one workflow's
  it = await import('../../src/workflow/reviews.ts')
  chain = await import('../../src/workflow/chain.ts')
})

const signal = (approvalId: unknown, jws: unknown = 'a.b.c') => it.receive({ approval_id: approvalId, jws })

test('a review is taken by the wait that it is for, once', () => {
  it.expectReviews('a-1')
  signal('a-1')
  expect([it.hasReviews('a-1'), it.takeReviews('a-1'), it.hasReviews('a-1')]).toEqual([true, ['a.b.c'], false])
})

test('it wakes no other wait', () => {
  for (const approvalId of ['a-1', 'a-2']) it.expectReviews(approvalId)
  signal('a-1')
  expect([it.hasReviews('a-2'), it.takeReviews('a-2')]).toEqual([false, []])
})

describe('one that no wait is for', () => {
  test.each<[string, unknown]>([['that names nothing', undefined], ['for an approval that nobody awaits', 'a-9']])('%s goes to any, to be recorded as rejected', (_, approvalId) => {
    it.expectReviews('a-1')
    signal(approvalId)
    expect(it.takeReviews('a-1')).toEqual(['a.b.c'])
  })

  test('is left for the call under way that may be asking for it, until too many are', async () => {
    it.expectReviews('a-1')
    await chain.whileRunning(async () => {
      signal('a-9')
      expect(it.hasReviews('a-1')).toBe(false)
      for (let more = 1; more < 20; more++) signal('a-9', `a.b.${more}`)
      expect(it.hasReviews('a-1')).toBe(true)
    })
  })
})

test('what repeats itself tells nothing new', () => {
  it.expectReviews('a-1')
  for (const _ of [1, 2, 3]) signal('a-1')
  expect(it.takeReviews('a-1')).toEqual(['a.b.c'])
})

test('nor does what was for a round that has ended, whether it came before or after', () => {
  it.expectReviews('a-1')
  signal('a-1')
  it.forgetReviews('a-1')
  signal('a-1', 'd.e.f')
  it.expectReviews('a-2')
  expect(it.takeReviews('a-2')).toEqual([])
})

test('a round that is awaited once more gets its reviews', () => {
  it.expectReviews('a-1')
  it.forgetReviews('a-1')
  it.expectReviews('a-1')
  signal('a-1')
  expect(it.takeReviews('a-1')).toEqual(['a.b.c'])
})

test('of two waits for one round, the first to end takes no review from the other, and the last to end takes them all', () => {
  for (const _ of [1, 2]) it.expectReviews('a-1')
  it.expectReviews('a-2')
  signal('a-1')
  it.forgetReviews('a-1')
  signal('a-1', 'd.e.f')
  expect([it.hasReviews('a-2'), it.takeReviews('a-1')]).toEqual([false, ['a.b.c', 'd.e.f']])
  it.forgetReviews('a-1')
  signal('a-1', 'g.h.i')
  expect(it.takeReviews('a-2')).toEqual([])
})

describe('a flood', () => {
  test('of signals is kept to twenty, the rest counted', () => {
    for (let number = 0; number < 25; number++) signal('a-1', `a.b.${number}`)
    expect([it.takeReviews('a-1').length, it.droppedSignals()]).toEqual([20, 5])
  })

  test('in one signal is no more than twenty, each no longer than a review can be', () => {
    signal('a-1', Array.from({ length: 30 }, (_, number) => `${number}`.padEnd(10_000, 'x')))
    const taken = it.takeReviews('a-1')
    expect([taken.length, taken[0]?.length, it.droppedSignals()]).toEqual([20, 8_192, 0])
  })
})

test.each<[string, unknown]>([['nothing', undefined], ['null', null], ['a number', 42], ['a list', []], ['reviews that are none', { jws: [1, 2] }]])('a signal of any shape is queued: %s', (_, value) => {
  it.receive(value)
  expect(it.takeReviews('a-1')).toEqual([value === undefined ? 'undefined' : JSON.stringify(value)])
})
