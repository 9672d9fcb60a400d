/** Reported events: who may report what, and folding them, or refusing them before they are stored (I9). */
import { ApplicationFailure } from '@temporalio/activity'
import { entityOfEvent } from '../core/domain.ts'
import { eventIdOf } from '../core/keys.ts'
import { ledgerBody, recordable, type AuditEntry, type RecordedEvent } from '../core/ledger-row.ts'
import { refuse, type ActionResult, type Refusal } from '../core/outcome.ts'
import type { EventRequest, Step } from '../core/proposal.ts'
import { foldEvent } from '../core/state.ts'
import type { Facts, Unrecorded } from '../core/store.ts'
import { isCanonical } from '../core/canonical.ts'
import { failures } from '../temporal/names.ts'
import { eventEntries } from './audit-entries.ts'
import { authorityOf, provenAt } from './authority.ts'
import { busy } from './busy.ts'
import type { GateOptions } from './gate.ts'
import { ofReport, recordUnknown } from './refuse-unknown.ts'

/** Takes one reported event to its recorded answer. @throws ApplicationFailure (retryable) while an execution holds the entity */
export async function report(gate: GateOptions, step: Step, request: EventRequest): Promise<ActionResult> {
  const { domain } = gate.bound
  const entity = entityOfEvent(domain, request.event)
  if (entity === undefined) {
    return ofReport(await recordUnknown(gate.store, step, domain.name, { action: request.event, actor: request.actor, input: request }, refuse('event_not_reportable', `${domain.name} has no event ${request.event}`)))
  }
  const payload = recordable(request.payload ?? null)
  const id = request.eventId ?? eventIdOf(step, { ...request, payload })
  const query = { step, domain: domain.name, entityType: entity.name, entityId: request.entityId, actor: request.actor, executionKey: id, proposalDigest: id, event: { id, type: request.event, payload } }
  const summary = `${request.event} on ${request.entityId}`
  const authority = await authorityOf(gate, step, { domain: domain.name, actor: request.actor, action: null, mandate: request.mandate })
  for (let read = 0; read < 10; read++) {
    const facts = await gate.store.readFacts(query)
    if (facts.call !== null) return ofReport(facts.call)
    if (facts.holder?.status === 'reserved') throw busy(request.entityId, facts.holder.leaseRemainingMs)
    const refusal = refusalOf(gate, request, facts, provenAt(authority, facts.now)) ?? heldBack(request, facts)
    const folded = refusal === null && facts.event === null ? foldEvent(entity, facts.state, { type: request.event, payload: request.payload }) : null
    const row = { step, domain: domain.name, entityType: entity.name, entityId: request.entityId, action: null, actor: request.actor, onBehalfOf: authority.onBehalfOf, mandate: authority.mandate, trace: request.trace, state: facts.state }
    const guard = { stateVersion: facts.state?.version ?? 0, rolesEpoch: facts.rolesEpoch, mandateUntil: authority.until }
    if (folded?.ok === true) {
      const events: RecordedEvent[] = [{ id, type: request.event, payload, from: folded.from, to: folded.state.value, source: request.source, occurredAt: request.occurredAt }]
      const answer: Unrecorded<ActionResult> = { outcome: 'allowed', output: {}, summary }
      const commit = await gate.store.reportEvent({ body: ledgerBody({ ...row, kind: 'event', audit: eventEntries(events), events }), answer, guard })
      if (commit.status === 'committed') return { ...answer, record: commit.record }
      if (commit.status === 'repeat') return ofReport(commit.answer)
      if (commit.status === 'busy') throw busy(request.entityId, 1_000)
      continue // stale, or a duplicate that has just been recorded: read again
    }
    const answer: Unrecorded<ActionResult> =
      refusal ?? (folded === null ? { outcome: 'allowed', output: {}, summary } : refuse(folded.reason, folded.message))
    const entry: AuditEntry =
      answer.outcome === 'allowed'
        ? { kind: 'event_ingested', message: 'event known already', data: { event_id: id, event_type: request.event, duplicate: true } }
        : { kind: 'event_rejected', message: 'event rejected', data: { event_id: id, event_type: request.event, error: recordable(answer.message), payload } }
    const kind = answer.outcome === 'allowed' ? 'repeated' : 'event_refused'
    const decision = answer.outcome === 'allowed' ? undefined : answer
    const commit = await gate.store.recordAnswer({ body: ledgerBody({ ...row, kind, audit: [entry], decision }), answer, guard: { ...guard, mandateUntil: null } })
    if (commit.status === 'committed') return { ...answer, record: commit.record }
    if (commit.status === 'repeat') return ofReport(commit.answer)
  }
  throw ApplicationFailure.create({ type: failures.contended, message: `${summary}: its facts kept moving; nothing was recorded` })
}

/** Behind an unknown outcome nothing moves until a person has looked; what was recorded before stays so. */
function heldBack(request: EventRequest, facts: Facts): Refusal | null {
  if (facts.holder === null || facts.event !== null) return null
  return refuse('outcome_unknown', `an action on ${request.entityId} has an unknown outcome; a person must look first`)
}

/** The ids of the events that actions emit: their execution key, and which of them it is. Who took one would keep an effect from being recorded. */
const emittedId = /^[0-9a-f]{64}-\d+$/

/** Event known → actor proven → may report → its own id → same id, same event. */
function refusalOf(gate: GateOptions, request: EventRequest, facts: Facts, proven: true | string): Refusal | null {
  if (proven !== true) return refuse('actor_unproven', proven)
  const reporter = entityOfEvent(gate.bound.domain, request.event)?.events[request.event]?.reportedBy
  if (reporter === undefined) return refuse('event_not_reportable', `${request.event} is not reported: only the action that emits it makes it happen`)
  if (!facts.permissions.includes(reporter)) return refuse('event_not_reportable', `${request.actor} does not hold ${reporter}`)
  if (!isCanonical(request.payload ?? null)) return refuse('invalid_parameter', 'the payload is not plain JSON')
  if (request.eventId !== undefined && emittedId.test(request.eventId)) {
    return refuse('invalid_parameter', 'ids of this form (64 hex digits, a hyphen, a number) are those of the events that actions emit; report it under another id, or without one')
  }
  if (facts.event !== null && !facts.event.same) return refuse('invalid_parameter', 'this event id was used for another event')
  return null
}
