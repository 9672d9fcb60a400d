/** Reported events, and folding. */
import { guardsIn, type Guard, type SecondLine } from '../guard.ts'

export const report: readonly Guard[] = [
  ...guardsIn('src/gate/report.ts', 'test/store/conformance/gate-reports.test.ts', [
    ['event-known', 'an event that no entity declares is reported', 'if (entity === undefined) {', 'if (false) {', 'a report is refused, on record, and the state stays > of an event that there is not'],
    ['report-call-once', 'a retried report is judged again', 'if (facts.call !== null) return ofReport(facts.call)', '', 'reported by a call that is retried'],
    ['report-waits', 'an event moves an entity while an execution is open', "if (facts.holder?.status === 'reserved') throw", 'if (false) throw', 'while an action is under way > a report waits'],
    ['report-actor-proven', 'an event by an actor that is only named', "if (proven !== true) return refuse('actor_unproven', proven)", '', 'by one whom the gate does not serve'],
    ['report-only-declared', 'what only an action can make happen is reported', 'if (reporter === undefined) return', 'if (false) return', 'of what only an action can make happen'],
    ['report-permitted', 'an event by somebody whom the domain does not name', 'if (!facts.permissions.includes(reporter)) return', 'if (false) return', 'by one without the permission'],
    ['report-payload-json', 'a payload that is no plain JSON is folded', 'if (!isCanonical(request.payload ?? null)) return', 'if (false) return', 'with a payload that no digest can cover'],
    ['report-own-id', 'a report takes the id of an event that an action will emit, whose effect can then never be recorded', 'if (request.eventId !== undefined && emittedId.test(request.eventId)) {', 'if (false) {', 'under an id that only an event of an action has'],
    ['report-other-ids', 'an id that is only like one of an action is refused', 'emittedId = /^[0-9a-f]{64}-\\d+$/', 'emittedId = /[0-9a-f]{64}-\\d+$/', "may have an id that is only like one of an action's events: something longer"],
    ['report-same-id', 'one id for two events', 'if (facts.event !== null && !facts.event.same) return', 'if (false) return', 'is not another one under the same id'],
    ['report-once', 'a known event is folded again', 'refusal === null && facts.event === null ? foldEvent', 'refusal === null ? foldEvent', 'under one id happens once'],
    ['report-held-back', 'an event moves an entity of which nobody knows whether its last action happened', 'if (facts.holder === null || facts.event !== null) return null', 'return null', 'a report is refused; what was recorded before stays so'],
    ['report-known-while-held', 'a known event is refused behind an unknown outcome', 'if (facts.holder === null || facts.event !== null) return null', 'if (facts.holder === null) return null', 'a report is refused; what was recorded before stays so'],
    ['report-refusal-first', 'a refused event is folded', 'const folded = refusal === null && facts', 'const folded = facts', 'by one without the permission'],
    ['report-mandate-guard', 'an event is recorded under a mandate that has run out between read and commit', 'mandateUntil: authority.until }', 'mandateUntil: null }', 'under a mandate that runs out between'],
    ['report-refusal-guarded-without-mandate', 'a refusal because the mandate has run out cannot be recorded', 'guard: { ...guard, mandateUntil: null } })', 'guard })', 'under a mandate that runs out between'],
  ]),
  ...guardsIn('src/core/state.ts', 'test/core/state.test.ts', [
    ['fold-known', 'an event that the entity does not declare is folded', 'if (spec === undefined) return', 'if (false) return', 'folding > an event that is not declared is refused'],
    ['fold-own-name', 'a name that every object has is taken for an event', 'Object.hasOwn(entity.events, event.type) ? entity.events[event.type] : undefined', 'entity.events[event.type]', 'folding > a name that every object has is refused'],
    ['fold-payload', 'a payload that its schema refuses is folded', 'if (!payload.success) return', 'if (false) return', 'folding > no payload is refused'],
    ['fold-from', 'an event happens in a state it cannot happen in', 'if (!sources(spec.from).includes(from)) {', 'if (false) {', 'folding > an event out of its state is refused'],
    ['fold-version', 'folding does not count', 'version: (state?.version ?? 0) + 1', 'version: 1', 'folding > moves the state, and counts'],
    ['rebuild-refuses', 'a state is rebuilt from events that cannot happen', 'if (!folded.ok) throw new Error', 'if (!folded.ok) continue; if (false) throw new Error', 'rebuilding > names the first event that cannot be folded'],
  ]),
]

export const secondLines: readonly SecondLine[] = [
  { id: 'report-busy', file: 'src/gate/report.ts', guards: 'an event dropped that met an execution in its commit', behind: 'the facts are read again, and report-waits' },
]
