/** What an action has come to: its output, as the contract takes it, and the events that follow from it. */
import { canonical } from '../core/canonical.ts'
import type { ActionOnFacts } from '../core/contract.ts'
import type { EntityType } from '../core/entity.ts'
import { maxOutput } from '../core/execution.ts'
import type { RecordedEvent } from '../core/ledger-row.ts'
import { foldEvent, type EntityState } from '../core/state.ts'

export type Accepted = { readonly ok: true; readonly output: unknown; readonly events: readonly RecordedEvent[] } | { readonly ok: false; readonly why: string }

/** Parses an output and folds its events into the state the entity is in. Never throws: the effect may have happened. */
export function acceptOutput(of: { readonly action: ActionOnFacts; readonly entity: EntityType; readonly state: EntityState | null; readonly executionKey: string }, output: unknown): Accepted {
  const accepted = of.action.accept(output)
  if (!accepted.ok) return { ok: false, why: accepted.message }
  const size = canonical(accepted.output, 'output').length
  if (size > maxOutput) return { ok: false, why: `output of ${size} characters, more than ${maxOutput}` }
  const events: RecordedEvent[] = []
  let { state } = of
  for (const [index, event] of accepted.events.entries()) {
    const folded = foldEvent(of.entity, state, event)
    if (!folded.ok) return { ok: false, why: folded.message }
    events.push({ id: `${of.executionKey}-${index}`, type: event.type, payload: event.payload, from: folded.from, to: folded.state.value })
    state = folded.state
  }
  return { ok: true, output: accepted.output, events }
}
