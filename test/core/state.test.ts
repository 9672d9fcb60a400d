import { describe, expect, test } from 'vitest'
import { foldEvent, rebuildState, type KiffEvent } from '../../src/core/state.ts'
import { Account } from './an-account.ts'

const opened: KiffEvent = { id: '1', type: 'OPENED', payload: {} }
const noted: KiffEvent = { id: '2', type: 'NOTED', payload: { note: 'a' } }
const closed: KiffEvent = { id: '3', type: 'CLOSED', payload: {} }

describe('folding', () => {
  test('moves the state, and counts', () => {
    expect(foldEvent(Account, { value: 'OPEN', version: 4 }, closed)).toEqual({ ok: true, from: 'OPEN', state: { value: 'CLOSED', version: 5 } })
  })

  test('the first event makes the entity, at version 1', () => {
    expect(foldEvent(Account, null, opened)).toEqual({ ok: true, from: null, state: { value: 'OPEN', version: 1 } })
  })

  test('an event that stays in its state still moves the version', () => {
    expect(foldEvent(Account, { value: 'OPEN', version: 1 }, noted)).toMatchObject({ state: { value: 'OPEN', version: 2 } })
  })

  test('leaves the state it was given alone', () => {
    const state = Object.freeze({ value: 'OPEN', version: 1 })
    foldEvent(Account, state, closed)
    expect(state).toEqual({ value: 'OPEN', version: 1 })
  })

  test.each<[string, Parameters<typeof foldEvent>[1], Omit<KiffEvent, 'id'>, string]>([
    ['an event that is not declared', { value: 'OPEN', version: 1 }, { type: 'BURNED', payload: {} }, 'event_not_reportable'],
    ['a name that every object has', { value: 'OPEN', version: 1 }, { type: 'constructor', payload: {} }, 'event_not_reportable'],
    ['an event out of its state', { value: 'CLOSED', version: 2 }, noted, 'state_not_allowed'],
    ['an event before the entity exists', null, noted, 'state_not_allowed'],
    ['the first event a second time', { value: 'OPEN', version: 1 }, opened, 'state_not_allowed'],
    ['a payload that lacks something', { value: 'OPEN', version: 1 }, { type: 'NOTED', payload: {} }, 'missing_parameter'],
    ['a payload of another type', { value: 'OPEN', version: 1 }, { type: 'NOTED', payload: { note: 1 } }, 'invalid_parameter'],
    ['a payload with something more', { value: 'OPEN', version: 1 }, { type: 'NOTED', payload: { note: 'a', by: 'me' } }, 'invalid_parameter'],
    ['no payload', { value: 'OPEN', version: 1 }, { type: 'NOTED', payload: undefined }, 'invalid_parameter'],
  ])('%s is refused', (_, state, event, reason) => {
    expect(foldEvent(Account, state, event)).toEqual({ ok: false, reason, message: expect.any(String) })
  })
})

describe('rebuilding', () => {
  test('gives the state that folding one by one gave', () => {
    expect(rebuildState(Account, [opened, noted, noted, closed])).toEqual({ value: 'CLOSED', version: 4 })
  })

  test('no events, no entity', () => {
    expect(rebuildState(Account, [])).toBeNull()
  })

  test('names the first event that cannot be folded', () => {
    expect(() => rebuildState(Account, [opened, closed, { ...noted, id: 'the-bad-one' }])).toThrow(/event the-bad-one cannot be folded: NOTED cannot happen in state CLOSED/)
  })
})
