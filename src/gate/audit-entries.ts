/** What happened, in the words of KIFF's audit records (KIFF v0.7), with the parameters that KIFF leaves out. */
import { recordable, type AuditEntry, type RecordedEvent } from '../core/ledger-row.ts'
import type { GovernedProposal } from './proposal.ts'

/** An action was proposed. Written with the first row of a proposal. */
export function proposed({ request, action, executionKey }: GovernedProposal): AuditEntry {
  return {
    kind: 'decision_proposed',
    message: 'decision proposed',
    data: {
      decision_id: executionKey,
      decision_kind: 'action_proposal',
      proposed_action: action,
      parameters: recordable(request.params ?? null),
      confidence: request.claim?.confidence ?? null,
    },
  }
}

/** An action happened, under this grant where it needed one, and these events with it. */
export function executed({ action, request, executionKey }: GovernedProposal, approvalId: string | null, result: { readonly output: unknown; readonly events: readonly RecordedEvent[] }): AuditEntry[] {
  return [
    {
      kind: 'action_executed',
      message: 'action executed',
      data: {
        action,
        status: 'succeeded',
        executed: true,
        output: recordable(result.output),
        parameters: recordable(request.params ?? null),
        approval_id: approvalId,
        idempotency_key: executionKey,
        follow_up_events: result.events.length,
      },
    },
    ...eventEntries(result.events),
  ]
}

/** An action did not happen: it was refused (`skipped`), or its executor says that nothing was done (`failed`). */
export function failed({ action, request, executionKey }: GovernedProposal, error: string, status: 'failed' | 'skipped'): AuditEntry {
  return {
    kind: 'action_failed',
    message: status === 'failed' ? 'action execution failed' : 'action validation failed',
    data: { action, status, error: recordable(error), idempotency_key: executionKey, parameters: recordable(request.params ?? null) },
  }
}

/** Two records for each event that was folded. */
export function eventEntries(events: readonly RecordedEvent[]): AuditEntry[] {
  return events.flatMap((event): AuditEntry[] => [
    { kind: 'event_ingested', message: 'event ingested', data: { event_id: event.id, event_type: event.type } },
    { kind: 'state_changed', message: 'state changed', data: { event_id: event.id, event_type: event.type, from: event.from, to: event.to } },
  ])
}
