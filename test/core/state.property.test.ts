import { randomUUID } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineDomain } from '../../src/core/domain.ts'
import { entity, type EntityType } from '../../src/core/entity.ts'
import { foldEvent, rebuildState, sources, type EntityState, type KiffEvent } from '../../src/core/state.ts'
import { testDomain } from '../../src/testing/index.ts'

const states = ['NEW', 'OPEN', 'HELD', 'CLOSED'] as const
const state = fc.constantFrom(...states)
const payload = z.strictObject({ n: z.int().optional() })

/** Any vocabulary: events from nothing, one state or several, to any. */
const vocabulary: fc.Arbitrary<EntityType> = fc
  .dictionary(fc.constantFrom('A', 'B', 'C', 'D', 'E'), fc.record({ from: fc.oneof(fc.constant(null), state, fc.uniqueArray(state, { minLength: 1 })), to: state }), { minKeys: 1 })
  .map((events) => ({ name: 'Thing', states, events: Object.fromEntries(Object.entries(events).map(([type, spec]) => [type, { ...spec, payload }])) }))

const event: fc.Arbitrary<KiffEvent> = fc.record({
  id: fc.uuid(),
  type: fc.constantFrom('A', 'B', 'C', 'D', 'E', 'F', 'constructor', '__proto__'),
  payload: fc.oneof({ weight: 6, arbitrary: fc.constant<unknown>({}) }, { weight: 1, arbitrary: fc.constantFrom<unknown>({ n: 1.5 }, { m: 1 }, null, 'x') }),
})

/** What a machine would do, said without the code. */
function next(of: EntityType, before: EntityState | null, { type, payload: given }: KiffEvent): EntityState | null | 'refused' {
  const spec = Object.hasOwn(of.events, type) ? of.events[type] : undefined
  const from = spec === undefined || spec.from === null || typeof spec.from === 'string' ? [spec?.from ?? null] : [...spec.from]
  if (spec === undefined || !payload.safeParse(given).success || !from.includes(before?.value ?? null)) return 'refused'
  return { value: spec.to, version: (before?.version ?? 0) + 1 }
}

describe('any vocabulary, and any events', () => {
  test('an event moves the state as its transition says, or is refused and moves nothing', () => {
    fc.assert(fc.property(vocabulary, fc.array(event, { maxLength: 30 }), (of, events) => {
      const live: { state: EntityState | null } = { state: null }
      const log: KiffEvent[] = []
      for (const each of events) {
        const expected = next(of, live.state, each)
        const folded = foldEvent(of, live.state === null ? null : Object.freeze({ ...live.state }), each)
        expect(folded.ok).toBe(expected !== 'refused')
        if (!folded.ok) continue
        expect(folded.state).toEqual(expected)
        live.state = folded.state
        log.push(each)
      }
      // The state that lives is the one that the log alone leads to, and it counts the log.
      expect(rebuildState(of, log)).toEqual(live.state)
      expect(live.state?.version ?? 0).toBe(log.length)
    }), { numRuns: 500 })
  })

  test('a log with one event that was refused cannot be rebuilt: none is passed over', () => {
    fc.assert(fc.property(vocabulary, fc.array(event, { maxLength: 20 }), (of, events) => {
      const refused = events.some((each, index) => next(of, events.slice(0, index).reduce<EntityState | null>((before, one) => { const after = next(of, before, one); return after === 'refused' ? before : after }, null), each) === 'refused')
      if (refused) expect(() => rebuildState(of, events)).toThrow('cannot be folded')
      else expect(rebuildState(of, events)?.version ?? 0).toBe(events.length)
    }), { numRuns: 500 })
  })

  test('the states an event leads from are those that are written', () => {
    fc.assert(fc.property(fc.oneof(fc.constant(null), state, fc.array(state)), (from) => {
      expect(sources(from)).toEqual(Array.isArray(from) ? from : [from])
    }))
  })
})

const nothing = z.strictObject({})
const Ticket = entity('Ticket', {
  states: ['NEW', 'OPEN', 'HELD', 'CLOSED'],
  events: {
    OPENED: { from: null, to: 'NEW', payload: nothing, reportedBy: 'tickets.report' },
    TAKEN: { from: ['NEW', 'HELD'], to: 'OPEN', payload: nothing, reportedBy: 'tickets.report' },
    HELD: { from: 'OPEN', to: 'HELD', payload: nothing, reportedBy: 'tickets.report' },
    TOUCHED: { from: 'OPEN', to: 'OPEN', payload: nothing, reportedBy: 'tickets.report' },
    NOTED: { from: ['OPEN', 'HELD'], to: 'OPEN', payload: nothing },
    CLOSED: { from: ['OPEN', 'HELD'], to: 'CLOSED', payload: nothing, reportedBy: 'tickets.report' },
  },
})
const tickets = defineDomain({
  name: 'tickets',
  actions: {
    NOTE: Ticket.action({ description: 'x', from: ['OPEN', 'HELD'], params: nothing, output: nothing, permission: 'tickets.work', risk: 'low', effect: 'none', describe: () => 'x', emits: { NOTED: () => ({}) } }),
  },
  roles: { agent: ['tickets.work'], desk: ['tickets.report'] },
})

test('in the store, the state that lives is the one that its recorded events lead to; those that were refused are not among them', async () => {
  const happens = fc.oneof(
    fc.constantFrom(...Object.keys(Ticket.events)).map((type) => ({ report: type, id: null })),
    fc.tuple(fc.constantFrom(...Object.keys(Ticket.events)), fc.constantFrom('id-1', 'id-2')).map(([type, id]) => ({ report: type, id })),
    fc.constant({ report: null, id: null }),
  )
  await fc.assert(fc.asyncProperty(fc.array(happens, { minLength: 5, maxLength: 25 }), async (steps) => {
    const scene = await testDomain(tickets, { members: { bot: 'agent', desk: 'desk' } })
    for (const { report, id } of [{ report: 'OPENED', id: null }, ...steps]) {
      const before = scene.events('Ticket', 't').length
      const { outcome } = report === null ? await scene.propose('bot', 'NOTE', 't', {}) : await scene.report('desk', report, 't', {}, { id: id ?? randomUUID() })
      const recorded = scene.events('Ticket', 't')
      if (outcome !== 'allowed') expect(recorded).toHaveLength(before)
      expect(rebuildState(Ticket, recorded)?.value ?? null).toBe(scene.state('Ticket', 't'))
    }
  }), { numRuns: 60 })
})
