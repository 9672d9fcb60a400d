/** Folding events as they were recorded, to see whether the state they lead to is the one that is kept. */
import type { EntityType } from '../core/entity.ts'
import { foldEvent, type EntityState } from '../core/state.ts'
import type { LedgerBody } from './ledger-body.ts'

type RecordedEvent = NonNullable<LedgerBody['events']>[number]

/**
 * The state after one recorded event, and what is wrong with it, if anything. With the entity's rules the fold is theirs; without,
 * an event must at least start where the one before ended. Goes on from where the record says, so that one fault is told once.
 */
export function foldRecorded(entity: EntityType | undefined, state: EntityState | null, event: RecordedEvent): { readonly state: EntityState; readonly problem: string | null } {
  const next = { value: event.to, version: (state?.version ?? 0) + 1 }
  const from = state?.value ?? null
  if (event.from !== from) return { state: next, problem: `${event.type} is recorded from ${event.from ?? 'nothing'}, but the events before lead to ${from ?? 'nothing'}` }
  if (entity === undefined) return { state: next, problem: null }
  const folded = foldEvent(entity, state, event)
  if (!folded.ok) return { state: next, problem: `${event.type} cannot be folded: ${folded.message}` }
  return { state: next, problem: folded.state.value === event.to ? null : `${event.type} leads to ${folded.state.value}, but ${event.to} is recorded` }
}
