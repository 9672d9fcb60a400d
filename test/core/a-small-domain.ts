/** The smallest sound domain, and what a test may want otherwise of it. Loosely typed, as from JavaScript: tests write what types refuse. */
import { z } from 'zod'
import type { ActionSpec, Contract, Effect } from '../../src/core/contract.ts'
import { entity, type EventSpec } from '../../src/core/entity.ts'
import type { FactSpecs } from '../../src/core/fact.ts'
import type { DomainSpec } from '../../src/core/verify.ts'

type Events = Readonly<Record<string, EventSpec>>
type AnyEntity = ReturnType<typeof anEntity>

export const nothing = z.strictObject({})

export const cents = (max: number) => z.int().positive().max(max)

export const opened = { from: null, to: 'OPEN', reportedBy: 'tickets.report' } as const

/** Its events carry nothing. */
export function anEntity(name: string, states: readonly string[], events: Readonly<Record<string, Omit<EventSpec, 'payload'>>>) {
  const withPayload: Events = Object.fromEntries(Object.entries(events).map(([event, spec]) => [event, { ...spec, payload: nothing }]))
  return entity(name, { states, events: withPayload })
}

export const Ticket = anEntity('Ticket', ['OPEN', 'WAITING', 'CLOSED'], {
  OPENED: opened,
  MOVED: { from: 'OPEN', to: 'OPEN', reportedBy: 'tickets.report' },
  WAITED: { from: 'OPEN', to: 'WAITING', reportedBy: 'tickets.report' },
  CLOSED: { from: ['OPEN', 'WAITING'], to: 'CLOSED', reportedBy: 'tickets.report' },
})

export const Payee = anEntity('Payee', [], {})

export const roles = { agent: ['tickets.work'], lead: ['tickets.review'], desk: ['tickets.report'] } as const

/** An external action of low risk on an open ticket. */
export function anAction<Params extends z.ZodType>(params: Params, over: Partial<ActionSpec<string, Events, Params, z.ZodType, Effect, FactSpecs>> = {}, of: AnyEntity = Ticket): Contract {
  return of.action({ description: 'x', from: ['OPEN'], params, output: nothing, permission: 'tickets.work', risk: 'low', effect: 'external', reconciledBy: 'tickets.review', describe: () => 'x', ...over })
}

/** Beside the actions that a test wants, one that is reviewed, so that no permission is unused. */
export function aDomain({ actions, ...over }: Partial<DomainSpec> = {}): DomainSpec {
  const reviewed = anAction(nothing, { from: 'any', approval: { always: 'x', reviewers: 'tickets.review', expiresIn: '1 day' } }, Payee)
  const isEmpty = actions !== undefined && Object.keys(actions).length === 0
  return { name: 'tickets', roles, ...over, actions: isEmpty ? {} : { LOOK: reviewed, ...(actions ?? { DO: anAction(nothing) }) } }
}
