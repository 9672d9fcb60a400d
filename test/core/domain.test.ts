import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Contract } from '../../src/core/contract.ts'
import { defineDomain, entityOfEvent } from '../../src/core/domain.ts'
import { entity } from '../../src/core/entity.ts'
import { Account, aContract, roles } from './an-account.ts'

const nothing = z.strictObject({})

/** What `defineDomain` says against an otherwise sound domain; empty when it says nothing. */
function findings(over: { readonly name?: string; readonly actions?: Readonly<Record<string, Contract>>; readonly roles?: Readonly<Record<string, readonly `${string}.${string}`[]>> }): string {
  try {
    defineDomain({ name: 'ledgers', actions: { NOTE: aContract() }, roles, ...over })
    return ''
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError)
    return error instanceof Error ? error.message : ''
  }
}

interface AnyEvent {
  readonly from: string | readonly string[] | null
  readonly to: string
  readonly reportedBy?: `${string}.${string}`
}

/** A contract on an entity put together without the compiler's help, as from JavaScript. */
function onEntity(name: string, states: readonly string[], events: Readonly<Record<string, AnyEvent>>, action: { from?: readonly string[]; emits?: readonly string[]; effect?: 'none' | 'external' } = {}): Contract {
  const typed = entity(name, { states, events: Object.fromEntries(Object.entries(events).map(([event, spec]) => [event, { ...spec, payload: nothing }])) })
  return typed.action({
    description: 'x', from: action.from ?? [states[0] ?? ''], params: nothing, output: nothing, permission: 'accounts.note', risk: 'low',
    effect: action.effect ?? 'external', describe: () => 'x',
    emits: Object.fromEntries((action.emits ?? []).map((event) => [event, () => ({})])),
  })
}

const made: AnyEvent = { from: null, to: 'A', reportedBy: 'accounts.report' }

test('a vocabulary that closes is accepted, and carries its entities', () => {
  const domain = defineDomain({ name: 'ledgers', actions: { NOTE: aContract() }, roles })
  expect(Object.keys(domain.entities)).toEqual(['Account'])
  expect(Object.isFrozen(domain)).toBe(true)
})

describe('refused, with what is wrong', () => {
  test.each(['Ledgers', '1ledgers', 'led.gers', 'led/gers', '', 'a'.repeat(41)])('the domain name %j', (name) => {
    expect(findings({ name })).toContain('lower case letters')
  })

  test.each(['note', 'Note', 'NOTE-IT', '_NOTE', 'N'.repeat(65), 'propose', 'report'])('the action name %j', (action) => {
    expect(findings({ actions: { [action]: aContract() } })).toContain('action names are upper case')
  })

  test.each(['order', 'Or/der', 'Or der', ''])('the entity name %j: it is part of a chain key', (name) => {
    expect(findings({ actions: { DO: onEntity(name, ['A'], { MADE: made }) } })).toContain('PascalCase')
  })

  test('a domain without an action', () => {
    expect(findings({ actions: {} })).toContain('a domain needs an action')
  })

  test('an action that is allowed in no state', () => {
    expect(findings({ actions: { NOTE: aContract({ from: [] }) } })).toContain('NOTE: "from" names no state')
  })

  test('an action allowed in an undeclared state', () => {
    expect(findings({ actions: { DO: onEntity('Thing', ['A'], { MADE: made }, { from: ['B'] }) } })).toContain('DO: from undeclared state B')
  })

  test('an action nobody can take', () => {
    expect(findings({ roles: { boss: ['accounts.review'], shop: ['accounts.report'] } })).toContain('no role holds accounts.note, so nobody can take it')
  })

  test('an approval nobody can give', () => {
    expect(findings({ actions: { NOTE: aContract({ rule: () => false }) }, roles: { bot: ['accounts.note'], shop: ['accounts.report'] } })).toContain('no role holds accounts.review, so nobody can approve it')
  })

  test.each(['high', 'critical'] as const)('%s risk with neither an approval rule nor a reason why not', (risk) => {
    const spec = { description: 'x', from: ['OPEN'], params: nothing, output: nothing, permission: 'accounts.note', risk, effect: 'external', describe: () => 'x', emits: { NOTED: () => ({ note: '' }) } } as const
    expect(findings({ actions: { NOTE: Account.action(spec) } })).toContain(`NOTE: ${risk} risk needs an approval rule`)
    expect(findings({ actions: { NOTE: Account.action({ ...spec, unapprovedBecause: '' }) } })).toContain(`NOTE: ${risk} risk needs an approval rule`)
    expect(findings({ actions: { NOTE: Account.action({ ...spec, unapprovedBecause: 'it is reversible' }) } })).toBe('')
  })

  test('an action that neither has an effect nor emits', () => {
    expect(findings({ actions: { DO: onEntity('Thing', ['A'], { MADE: made }, { effect: 'none' }) } })).toContain('DO: has no effect and emits nothing')
  })

  test('an action that emits an undeclared event', () => {
    expect(findings({ actions: { DO: onEntity('Thing', ['A'], { MADE: made }, { emits: ['BROKEN'] }) } })).toContain('DO: emits undeclared event BROKEN')
  })

  test('an action that emits what cannot happen where it is allowed: it would be found after the effect', () => {
    const events = { MADE: made, ENDED: { from: 'A', to: 'B' }, AGAIN: { from: 'A', to: 'B' }, UNDONE: { from: 'B', to: 'A', reportedBy: 'accounts.report' } } as const
    const message = (action: { from: readonly string[]; emits: readonly string[] }): string => findings({ actions: { DO: onEntity('Thing', ['A', 'B'], events, action) } })
    expect(message({ from: ['A', 'B'], emits: ['ENDED'] })).toContain('DO: allowed in state B, but ENDED, which it emits, cannot happen in B')
    expect(message({ from: ['A'], emits: ['ENDED', 'AGAIN'] })).toContain('DO: allowed in state A, but AGAIN, which it emits, cannot happen in B')
    expect(message({ from: ['A'], emits: ['ENDED', 'UNDONE', 'AGAIN'] })).toBe('')
  })

  test.each<[string, AnyEvent]>([
    ['from', { from: ['A', 'B'], to: 'A', reportedBy: 'accounts.report' }],
    ['to', { from: 'A', to: 'B', reportedBy: 'accounts.report' }],
  ])('an event that leads %s an undeclared state', (_, event) => {
    expect(findings({ actions: { DO: onEntity('Thing', ['A'], { MADE: made, MOVED: event }) } })).toContain('Thing: MOVED names the undeclared state B')
  })

  test('an event that can happen in no state', () => {
    expect(findings({ actions: { DO: onEntity('Thing', ['A'], { MADE: made, MOVED: { from: [], to: 'A', reportedBy: 'accounts.report' } }) } })).toContain('Thing: MOVED: "from" names no state')
  })

  test('an event nobody can cause', () => {
    expect(findings({ actions: { DO: onEntity('Thing', ['A'], { MADE: made, MOVED: { from: 'A', to: 'A' } }) } })).toContain('Thing: nobody can cause MOVED')
  })

  test('an event that only an action of another entity emits', () => {
    const thing = onEntity('Thing', ['A'], { MADE: made, MOVED: { from: 'A', to: 'A' } })
    const other = onEntity('Other', ['A'], { FOUND: made, MOVED: { from: 'A', to: 'A' } }, { emits: ['MOVED'] })
    expect(findings({ actions: { DO: thing, DO_OTHER: other } })).toContain('Thing: nobody can cause MOVED')
  })

  test('an event whose reporters no role makes', () => {
    expect(findings({ roles: { bot: ['accounts.note'], boss: ['accounts.review'] } })).toContain('Account: no role holds accounts.report, so nobody can report OPENED')
  })

  test('a state that no event leads to, also when only itself leads to it', () => {
    expect(findings({ actions: { DO: onEntity('Thing', ['A', 'B'], { MADE: made }) } })).toContain('Thing: state B cannot be reached')
    expect(findings({ actions: { DO: onEntity('Thing', ['A', 'B'], { MADE: made, SELF: { from: 'B', to: 'B', reportedBy: 'accounts.report' } }) } })).toContain('Thing: state B cannot be reached')
  })

  test('an entity that is declared twice', () => {
    expect(findings({ actions: { DO: onEntity('Thing', ['A'], { MADE: made }), DO_AGAIN: onEntity('Thing', ['A'], { FOUND: made }) } })).toContain('Thing: declared twice')
  })

  test('one event name in two entities: a reported event must name one', () => {
    expect(findings({ actions: { DO: onEntity('Thing', ['A'], { MADE: made }), DO_OTHER: onEntity('Other', ['A'], { MADE: made }) } })).toContain('Other: event MADE is declared by Thing too')
  })

  test('every finding at once', () => {
    const message = findings({ name: 'Bad', actions: { note: aContract() }, roles: {} })
    expect(message.split('\n').length).toBeGreaterThan(4)
  })
})

describe('two entities in one domain', () => {
  test('are found by their events, and by those only', () => {
    const domain = defineDomain({ name: 'things', actions: { NOTE: aContract(), DO: onEntity('Thing', ['A'], { MADE: made }) }, roles })
    expect(entityOfEvent(domain, 'MADE')?.name).toBe('Thing')
    expect(entityOfEvent(domain, 'CLOSED')?.name).toBe('Account')
    expect(entityOfEvent(domain, 'constructor')).toBeUndefined()
  })
})
