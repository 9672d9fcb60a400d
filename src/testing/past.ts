/** What has happened before a test begins: one event, as a row of the ledger. */
import type { Domain } from '../core/domain.ts'
import type { EntityType } from '../core/entity.ts'
import { ledgerBody, recordable } from '../core/ledger-row.ts'
import { foldEvent, type EntityState, type KiffEvent } from '../core/state.ts'
import { eventEntries } from '../gate/audit-entries.ts'

/** @throws Error when the event cannot happen in this state, or its payload is not what the schema says */
export function pastBody(domain: Domain, entity: EntityType, entityId: string, state: EntityState | null, event: KiffEvent): string {
  const folded = foldEvent(entity, state, event)
  if (!folded.ok) throw new Error(`${entity.name} ${entityId} has no such past: ${folded.message}`)
  const events = [{ id: event.id, type: event.type, payload: recordable(event.payload), from: folded.from, to: folded.state.value }]
  return ledgerBody({
    kind: 'event',
    step: { namespace: 'testing', workflowId: 'given', firstExecutionRunId: 'given', runId: 'given', activityId: event.id },
    domain: domain.name,
    entityType: entity.name,
    entityId,
    action: null,
    actor: 'given',
    state,
    events,
    audit: eventEntries(events),
  })
}
