/** The vocabulary: what kinds of entity there are, their states, and the events that move them. */
import type { z } from 'zod'
import type { ActionSpec, Contract, Effect } from './contract.ts'
import { defineAction } from './define-action.ts'
import type { EventFact, FactSpecs, PastEvent } from './fact.ts'
import type { Permission } from './permission.ts'
import { firstIssue, jsonSchemaOf } from './schema.ts'

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

/** Nothing is known of it but its id: no states, no events, so that actions on it rest on declared facts alone. */
export const isStateless = (entity: EntityType): boolean => entity.states.length === 0

/** The recorded events of these kinds, each with the payload its schema yields. */
type PastEventOf<Events extends EventSpecs, Type extends keyof Events & string> = {
  [Each in Type]: PastEvent<Each, z.output<Events[Each]['payload']>>
}[Type]

/** No names at all: the default where none are declared. */
// oxlint-disable-next-line typescript/no-generated-empty-object-type -- empty is meant
type NoFacts = Readonly<Record<never, EventFact>>
// oxlint-disable-next-line typescript/no-generated-empty-object-type -- empty is meant
type NoEvents = Readonly<Record<never, EventSpec>>

interface EntityBuilder<Name extends string, State extends string, Events extends EventSpecs<State>> extends EntityType<Name> {
  readonly events: Events
  /** Declares an action on this entity; its `from` and `emits` are checked against the states and events above. */
  action<Params extends z.ZodType, Output extends z.ZodType, const ItsEffect extends Effect, Declared extends FactSpecs = NoFacts>(
    spec: ActionSpec<State, Events, Params, Output, ItsEffect, Declared>,
  ): Contract<z.input<Params>, z.output<Params>, z.output<Output>, ItsEffect, NoInfer<Declared>>
  /** A fact derived from the entity's recorded events of these kinds, oldest first. `derive` is pure. */
  factFromEvents<const Type extends keyof Events & string, Value>(
    events: readonly Type[],
    schema: z.ZodType<Value>,
    derive: (events: readonly PastEventOf<Events, Type>[]) => NoInfer<Value>,
  ): EventFact<Value>
}

/**
 * Declares a kind of entity. Names are checked where they are used: a transition to an undeclared state, or an action that
 * emits an undeclared event, does not type-check. `defineDomain` checks the rest when the module is loaded. Without states and
 * events, it is something that we keep no state of.
 * @throws TypeError when an event's payload schema does not yield JSON
 */
export function entity<const Name extends string, const State extends string = never, const Events extends EventSpecs<NoInfer<State>> = NoEvents>(
  name: Name,
  spec?: { readonly states: readonly State[]; readonly events: Events },
): EntityBuilder<Name, State, Events> {
  const states = spec?.states ?? []
  // Left out, `Events` is the empty record.
  const events = spec?.events ?? ({} as Events)
  for (const [event, { payload }] of Object.entries<EventSpec>(events)) jsonSchemaOf(payload, `${name}.${event}`)
  const type: EntityType<Name> = { name, states, events }
  return {
    name,
    states,
    events,
    action: (action) => defineAction(type, action),
    factFromEvents(of, schema, derive) {
      jsonSchemaOf(schema, `${name}: fact`)
      for (const event of of) if (!Object.hasOwn(events, event)) throw new TypeError(`${name}: a fact from undeclared event ${event}`)
      return { from: 'events', events: of, schema, // Each was filtered by its type, and its payload is what that type's schema yields.
        derive: (past) => derive(past.map((event) => readEvent(type, event)) as never) }
    },
  }
}

/** A recorded event with its payload parsed anew. @throws Error when it is not what today's schema says: nothing rests on half a past */
function readEvent({ name, events }: EntityType, event: PastEvent): PastEvent {
  const parsed = events[event.type]?.payload.safeParse(event.payload)
  if (parsed?.success !== true) throw new Error(`${name}.${event.type}, recorded at ${event.at}: ${parsed === undefined ? 'it is not declared' : firstIssue(parsed.error, event.payload, 'payload').message}`)
  return { ...event, payload: parsed.data }
}
