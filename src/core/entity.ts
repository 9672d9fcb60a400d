/** The vocabulary: what kinds of entity there are, their states, and the events that move them. */
import type { z } from 'zod'
import { defineAction, type ActionSpec, type Contract, type Effect } from './contract.ts'
import type { Permission } from './permission.ts'
import { jsonSchemaOf } from './schema.ts'

/** One kind of event: which states it leads from (`null`: the entity does not exist yet) and to, and who may report it. */
export interface EventSpec<State extends string = string> {
  readonly from: State | readonly State[] | null
  readonly to: State
  readonly payload: z.ZodType
  /** The permission of those who may report it. Left out: only an action that emits it can make it happen. */
  readonly reportedBy?: Permission
}

export type EventSpecs<State extends string = string> = Readonly<Record<string, EventSpec<State>>>

/** A kind of entity, as the rules see it. */
export interface EntityType<Name extends string = string> {
  readonly name: Name
  readonly states: readonly string[]
  readonly events: EventSpecs
}

interface EntityBuilder<Name extends string, State extends string, Events extends EventSpecs<State>> extends EntityType<Name> {
  readonly events: Events
  /** Declares an action on this entity; its `from` and `emits` are checked against the states and events above. */
  action<Params extends z.ZodType, Output extends z.ZodType, const ItsEffect extends Effect>(
    spec: ActionSpec<State, Events, Params, Output, ItsEffect>,
  ): Contract<z.input<Params>, z.output<Params>, z.output<Output>, ItsEffect>
}

/**
 * Declares a kind of entity. Names are checked where they are used: a transition to an undeclared state, or an action that
 * emits an undeclared event, does not type-check. `defineDomain` checks the rest when the module is loaded.
 * @throws TypeError when an event's payload schema does not yield JSON
 */
export function entity<const Name extends string, const State extends string, const Events extends EventSpecs<NoInfer<State>>>(
  name: Name,
  spec: { readonly states: readonly State[]; readonly events: Events },
): EntityBuilder<Name, State, Events> {
  for (const [event, { payload }] of Object.entries<EventSpec>(spec.events)) jsonSchemaOf(payload, `${name}.${event}`)
  const type: EntityType<Name> = { name, states: spec.states, events: spec.events }
  return {
    name,
    states: spec.states,
    events: spec.events,
    action: (action) => defineAction(type, action),
  }
}
