/** What an action has come to: its output as the contract takes it, and its events, each after the other. */
import { expect, test } from 'vitest'
import { acceptOutput, type Accepted } from '../../src/gate/accept-output.ts'
import { Account, aContract, inspected } from './an-account.ts'

function accepted(output: unknown, state = 'OPEN'): Accepted {
  return acceptOutput({ action: inspected(aContract(), { note: 'hello' }), entity: Account, state: { value: state, version: 1 }, executionKey: 'k' }, output)
}

test('an output that fits is taken, with its events', () => {
  expect(accepted({ text: 'done' })).toEqual({ ok: true, output: { text: 'done' }, events: [{ id: 'k-0', type: 'NOTED', payload: { note: 'done' }, from: 'OPEN', to: 'OPEN' }] })
})

test.each<[string, unknown, string]>([
  ['of another shape', { text: 1 }, 'output.text'],
  ['that is too large', { text: 'x'.repeat(16_384) }, 'output of 16395 characters, more than 16384'],
])('one %s is not', (_, output, why) => {
  expect(accepted(output)).toMatchObject({ ok: false, why: expect.stringContaining(why) })
})

test('one whose event cannot happen in this state is not', () => {
  expect(accepted({ text: 'done' }, 'CLOSED')).toMatchObject({ ok: false, why: 'NOTED cannot happen in state CLOSED' })
})
