/** Folding: how an accepted event moves an entity's state. Pure; Postgres folds by the same rule under its own lock. */
import type { EntityType } from './entity.ts'
import { firstIssue } from './schema.ts'

/** The state an entity is in; `version` counts the events folded into it, from 1. */
export interface EntityState {
  readonly value: string
  readonly version: number
}

/** An event as it is recorded. */
export interface KiffEvent {
  readonly id: string
  readonly type: string
  readonly payload: unknown
}

export type Folded =
  | { readonly ok: true; readonly from: string | null; readonly state: EntityState }
  | { readonly ok: false; readonly reason: 'event_not_reportable' | 'invalid_parameter' | 'missing_parameter' | 'state_not_allowed'; readonly message: string }

/** The state after `event`, or why it cannot happen now. `state` is `null` while the entity does not exist. */
export function foldEvent(entity: EntityType, state: EntityState | null, event: Omit<KiffEvent, 'id'>): Folded {
  const spec = Object.hasOwn(entity.events, event.type) ? entity.events[event.type] : undefined
  if (spec === undefined) return { ok: false, reason: 'event_not_reportable', message: `${entity.name} has no event ${event.type}` }
  const payload = spec.payload.safeParse(event.payload)
  if (!payload.success) return { ok: false, ...firstIssue(payload.error, event.payload, 'payload') }
  const from = state?.value ?? null
  if (!sources(spec.from).includes(from)) {
    return { ok: false, reason: 'state_not_allowed', message: `${event.type} cannot happen ${from === null ? 'before the entity exists' : `in state ${from}`}` }
  }
  return { ok: true, from, state: { value: spec.to, version: (state?.version ?? 0) + 1 } }
}

/**
 * The state that events alone lead to, in the order given; `null` for none. Reads only, never touches live state.
 * @throws Error at the first event that cannot be folded (with I9 kept, there is none)
 */
export function rebuildState(entity: EntityType, events: readonly KiffEvent[]): EntityState | null {
  let state: EntityState | null = null
  for (const event of events) {
    const folded = foldEvent(entity, state, event)
    if (!folded.ok) throw new Error(`event ${event.id} cannot be folded: ${folded.message}`)
    state = folded.state
  }
  return state
}

/** The states an event can happen in; `null` stands for "does not exist yet". */
export function sources(from: string | readonly string[] | null): readonly (string | null)[] {
  return from === null || typeof from === 'string' ? [from] : from
}
