/** The real gate and the real rules of the store, driven at random: the model accepts every ledger they write, and its properties hold of their tables. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NotDone } from '../../src/core/execution.ts'
import { accounts, type Action } from './a-domain.ts'
import { rowKinds } from './accepts.ts'
import { play } from './play.ts'
import { Provider } from './provider.ts'
import { aWorld } from './world.ts'

const actions = Object.keys(accounts.actions) as Action[]
const draws = fc.array(fc.nat({ max: 32 * 720 - 1 }), { minLength: 40, maxLength: 120, size: 'max' })

/** @throws Error that tells what happened, at the first problem */
async function holds(action: Action, first: readonly string[], each: readonly number[]): Promise<void> {
  const { problem, happened, kinds, paid } = await play(await aWorld(action), first, each)
  if (problem !== null) throw new Error(`${problem}\n  ${happened.join('\n  ')}\n  ledger: ${kinds.join(', ')}\n  effects: ${paid.join(', ')}`)
}

describe('whatever two attempts, people, the sweeper, events and time do, the model can have written the ledger:', () => {
  test.each(actions)('%s', { timeout: 120_000 }, async (action) => {
    await fc.assert(fc.asyncProperty(draws, (each) => holds(action, [], each)), { numRuns: 300 })
  })

  test('after a person has found that it did not happen, and while a worker that was taken for lost is still about to do it', { timeout: 120_000 }, async () => {
    await fc.assert(fc.asyncProperty(draws, (each) => holds('CALL', stalled, each)), { numRuns: 300 })
  })
})

/** A worker stalls before it asks the provider; a person finds, rightly so far, that nothing was done. */
const stalled = [
  'A is handed the proposal', 'A goes on from its beginning', 'A goes on from before readFacts', 'A goes on from after readFacts', 'A goes on from before openExecution', 'A goes on from after openExecution',
  '70 seconds pass', 'the sweeper looks', 'olga finds of 1: {"verdict":"not_happened"}', 'the gate applies',
]

test('what happened after all is not tried anew: not by the attempt that learns so, nor by the next', async () => {
  const returns = ['A goes on from before it asks the provider', 'A goes on from after it has asked the provider', 'A goes on from before completeExecution', 'A goes on from after completeExecution', 'A goes on from before recordContradiction', 'A goes on from after recordContradiction']
  const refused = ['A goes on from before readFacts', 'A goes on from after readFacts', 'A goes on from before recordAnswer', 'A goes on from after recordAnswer']
  const again = ['A is handed the proposal', 'A goes on from its beginning', ...refused]
  const { problem, kinds, paid } = await play(await aWorld('CALL'), [...stalled, 'the shop reports TOUCHED', ...returns, ...refused, ...again], [])
  expect(problem).toBeNull()
  expect(kinds).toEqual(['event', 'opened', 'in_doubt', 'reconciled', 'failed', 'event', 'contradicted', 'refused', 'refused'])
  expect(paid).toHaveLength(1)
})

test('the schedules reach what they are for, and see two effects where a provider forgets a key too soon', async () => {
  const kinds = new Set<string>()
  const problems = new Set<string>()
  for (const [index, each] of fc.sample(draws, { numRuns: 140, seed: 7 }).entries()) {
    const { kinds: seen } = await play(await aWorld(actions[index % actions.length] ?? 'CALL'), [], each)
    for (const kind of seen) kinds.add(kind)
    const { problem } = await play(await aWorld('SEND', 0), [], each)
    if (problem !== null) problems.add(problem.replaceAll(/[\da-f]{64}/g, 'k'))
  }
  expect(Object.keys(rowKinds).filter((kind) => kind !== 'contradicted' && !kinds.has(kind))).toEqual([])
  expect([...problems]).toContain('2 effects: k, k')
}, 120_000)

test('the provider pays a key again once it honours it no longer, and never one that it has refused', () => {
  const provider = new Provider()
  provider.pay('k', 0, 1_000)
  provider.pay('k', 999, 1_000)
  expect(provider.paid).toEqual(['k'])
  provider.pay('k', 1_000, 1_000)
  expect(provider.paid).toEqual(['k', 'k'])
  expect(() => provider.refuse('l')).toThrow(NotDone)
  expect(() => provider.pay('l', 0, 1_000)).toThrow(NotDone)
})
