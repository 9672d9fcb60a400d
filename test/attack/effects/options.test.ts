import { expect, test } from 'vitest'
import { faults } from './faults/index.ts'
import { readOptions } from './options.ts'

const chosenBy = (...args: readonly string[]): string[] => readOptions(args).chosen.map(({ fault, trials }) => `${fault.name} ${trials}`)

test('every fault with its own number of trials, a seed by chance, unless told', () => {
  expect(chosenBy()).toEqual(faults.map(({ fault, trials }) => `${fault.name} ${trials}`))
  expect(readOptions([])).toMatchObject({ seed: expect.any(Number), batch: undefined, json: false })
  expect(readOptions(['--seed', '0', '--json'])).toMatchObject({ seed: 0, json: true })
})

test('several faults, with commas or one by one', () => {
  for (const args of [['--fault', 'kill,retry'], ['--fault', 'retry', '--fault', 'kill']]) expect(chosenBy(...args, '--trials', '20')).toEqual(['kill 20', 'retry 20'])
})

test('one batch, of the faults that have it', () => {
  expect(readOptions(['--fault', 'retry', '--batch', '3'])).toMatchObject({ batch: 3, chosen: [{ trials: 160 }] })
  expect(chosenBy('--fault', 'retry,crowd', '--trials', '40', '--batch', '1')).toEqual(['crowd 40'])
})

test.each([
  ['no trials', ['--trials', '0'], "error: option '--trials <count>' argument '0' is invalid. It is a whole number from 1."],
  ['half a trial', ['--trials', '1.5'], 'It is a whole number from 1.'],
  ['a negative seed', ['--seed', '-1'], "error: option '--seed <number>' argument '-1' is invalid. It is a whole number from 0."],
  ['a number beyond those that are exact', ['--seed', '9007199254740993'], 'It is a whole number from 0.'],
  ['a batch that no fault has', ['--fault', 'retry,relay', '--batch', '99999'], 'error: there is no batch 99999: retry has 4, relay has 3, counted from 0'],
  ['an unknown fault', ['--fault', 'retry,rot'], 'There is no fault "rot"; there are kill, overlap, retry,'],
  ['a comma after the last', ['--fault', 'retry,'], 'There is no fault "";'],
])('%s is a usage error', (_, args, sentence) => {
  expect(() => readOptions(args)).toThrow(sentence)
})
