/** Open, run, complete: at most one effect, and none without its record. */
import { guardsIn, type Guard, type SecondLine } from '../guard.ts'

export const execute: readonly Guard[] = [
  ...guardsIn('src/gate/execute.ts', 'test/store/conformance/gate-effects.test.ts', [
    ['open-before-run', 'an executor runs though its execution was not opened', 'if (opened.status === \'stale\') return \'stale\'\n  if (opened.status', 'if (opened.status', 'what moved since it was read is judged again'],
    ['open-repeat', 'an executor runs again for a call that was answered before', "if (opened.status === 'repeat') return opened.answer.outcome", 'if (false) return opened.answer.outcome', 'of one call: it runs once'],
    ['first-within-honour', 'a first attempt goes on after its receiver has forgotten the key', '(honouredMs === null ? null : overWithin(given, honouredMs)) ?? given', 'given', 'a first attempt ends while its receiver honours the key', 'test/store/conformance/late-ends.test.ts'],
    ['suspended-not-begun', 'an executor begins after its lease, when the machine was suspended', ' || Date.now() > timing.until) return', ') return', 'only the clock on the wall tells', 'test/store/conformance/late-ends.test.ts'],
    ['open-uses-grant', 'a grant is not used up by its execution', 'idempotentForMs: honouredMs,\n    approvalId,\n', 'idempotentForMs: honouredMs,\n    approvalId: null,\n', 'agrees: it runs once', 'test/store/conformance/gate-consent.test.ts'],
    ['external-not-repeatable', 'an effect that must not be repeated is opened as one that may', "typeof effect === 'object' ? durationMs(effect.idempotentFor) : null\n", "typeof effect === 'object' ? durationMs(effect.idempotentFor) : 86_400_000\n", 'is opened as what its contract says that it is'],
    ['resume-needs-lease', 'an executor runs again without the lease', "if (resumed.status !== 'committed') return 'stale'", '', 'to take up one execution'],
    ['pure-accepted', 'an action that emits what its entity cannot take is committed', 'if (!accepted.ok) {\n    const refusal', 'if (false) {\n    const refusal', 'nothing, for its words fail, is refused'],
    ['open-voids', 'a request stays open though its action has happened without an answer', 'approvalId,\n    voids,\n  })', 'approvalId,\n  })', '(MAY_ASK) > is void from the commit on', 'test/store/conformance/gate-unasked.test.ts'],
    ['pure-voids', 'a request stays open though its action has happened without an answer', 'approvalId, voids, answer })', 'approvalId, answer })', '(ASK) > is void from the commit on', 'test/store/conformance/gate-unasked.test.ts'],
    ['pure-refusal-voids', 'a request stays open though its action can do no more', 'const round = approvalId ?? voids', 'const round = approvalId', 'an action that emits what its entity cannot take ends the request', 'test/store/conformance/gate-unasked.test.ts'],
    ['voids-not-used', 'a request that nobody answered counts as a grant', "const approvalId = round?.is === 'used' ? round.approvalId : null", 'const approvalId = round?.approvalId ?? null', '(MAY_ASK) > is void from the commit on', 'test/store/conformance/gate-unasked.test.ts'],
    ['pure-refusal-closes', 'a grant stays open though its action was refused', "(round === null ? {} : { closing: { approvalId: round, status: 'void' } })", '{}', 'leaves no round open that it was granted by'],
    ['not-done-only', `an executor's error that is no NotDone reads as "nothing was done"`, "end: saysNotDone(error) ? 'not_done' : 'unknown'", "end: 'not_done'", 'an executor that throws anything else > leaves what must not be repeated in doubt'],
    ['not-done-is-failed', 'what an executor says was not done is in doubt', "end: saysNotDone(error) ? 'not_done' : 'unknown'", "end: 'unknown'", 'is believed: the next attempt runs'],
    ['external-in-doubt', 'an effect that must not be repeated is tried again after an unknown end', "if (proposal.contract.effect === 'external') {", 'if (false) {', 'an executor that throws anything else > leaves what must not be repeated in doubt'],
    ['deadline-ends-wait', 'an executor that never answers holds its worker for ever', "deadline.addEventListener('abort', () => resolve('overdue'), { once: true })", '', 'is told so, and what must not be repeated is in doubt'],
    ['late-success', 'an executor that answers late is forgotten', 'end.late?.then(', 'new Promise<never>(() => {}).then(', 'and answers late is believed'],
    ['late-keeps-lease', 'the lease is given back while the executor may still be running', 'if (end.late === undefined) await', 'await', 'keeps its lease'],
    ['lease-given-back', 'the next attempt waits out the lease though the executor has ended', 'if (end.late === undefined) await store.yieldLease(proposal.executionKey, lease.token)', '', 'is run again at once'],
    ['provider-key-ordinal', 'the receiver takes a new attempt, after "nothing was done", for the old one', 'providerKey({ executionKey: proposal.executionKey, ordinal: lease.ordinal })', 'proposal.executionKey', 'is believed: the next attempt runs'],
    ['executor-signal', 'an executor is not told that its time is over', 'signal: deadline,\n  }', 'signal: new AbortController().signal,\n  }', 'is told so, and what must not be repeated is in doubt'],
    ['executor-on-behalf', 'an executor is not told for whom the actor acts', 'onBehalfOf: proposal.authority.onBehalfOf,', 'onBehalfOf: null,', 'an effect > is spied with all that the executor was given, once for each time it was begun', 'test/testing/scene.test.ts'],
    ['output-accepted', 'output that the contract does not take is answered as a success', 'if (!accepted.ok) return rejected(opened, inShort(accepted.why), output)', '', 'that the contract does not take is no success'],
    ['refused-by-database', 'a completion that the database refuses is tried for ever', "if (commit === 'refused') return rejected(opened", "if (commit === 'refused') throw new Error('x'); if (false) return rejected(opened", 'whose events the store refuses'],
    ['contradiction-recorded', 'a late success against what a person has found leaves no trace', "if (commit.status === 'contradicted') return contradicted(opened, output)", "if (commit.status === 'contradicted') return 'stale'", 'in good order: that is on record'],
    ['rejected-contradiction', 'a late, unacceptable result against what a person has found leaves no trace', "return commit.status === 'contradicted' ? contradicted(opened, output) : answered(commit, answer)", "return commit.status === 'contradicted' ? 'stale' : answered(commit, answer)", 'with what cannot be accepted: that is on record'],
    ['rejected-output-capped', 'an output of any size is recorded', 'text.length > maxOutput ?', 'false ?', 'of two megabytes'],
    ['resume-leaves-time', 'an executor runs again beyond the time in which the receiver honours its key', 'const over = Math.max(0, timing.leaseMs - ms)', 'const over = 0', 'is in doubt once the receiver has forgotten the key', 'test/store/conformance/gate.test.ts'],
    ['completion-tried-again', 'a completion is lost when the database is away for a moment', 'if (Date.now() + waitMs > timing.until) throw error', 'throw error', 'is recorded as soon as the store answers again'],
    ['rule-refusal-not-retried', 'a completion that breaks a rule is tried until the time is over', "if (isRefusedByRule(error)) return 'refused'", '', 'whose events the store refuses'],
    ['failed-by-lease-holder', 'an attempt that lost its lease says that nothing was done', "end: { status: 'failed', token: lease.token, ordinal", "end: { status: 'failed', token: Object(null), ordinal", 'is believed: the next attempt runs'],
    ['stale-is-not-answered', 'a refused commit is answered as if it had been made', 'if (commit.status === \'stale\') return \'stale\'\n  if (commit.status === \'repeat\') return commit.answer.outcome === \'approval_required\' ? \'stale\' : commit.answer', "if (commit.status === 'repeat') return commit.answer.outcome === 'approval_required' ? 'stale' : commit.answer", 'whose facts move between read and commit is judged again', 'test/store/conformance/gate.test.ts'],
    ['in-doubt-needs-token', 'an attempt that lost its lease says that nobody knows', 'executionKey: proposal.executionKey, token: lease.token })\n        return \'stale\' // read', 'executionKey: proposal.executionKey, token: null })\n        return \'stale\' // read', 'an executor that throws anything else > leaves what must not be repeated in doubt'],
  ]),
  ...guardsIn('src/gate/accept-output.ts', 'test/store/conformance/gate-effects.test.ts', [
    ['accept-parsed', 'output that its schema refuses', 'if (!accepted.ok) return { ok: false, why: accepted.message }', '', 'one of another shape', 'test/core/accept-output.test.ts'],
    ['accept-output-size', 'an output of any size is kept', 'if (size > maxOutput) return', 'if (false) return', 'one that is too large', 'test/core/accept-output.test.ts'],
    ['accept-events-fold', 'an event that cannot happen in the state is recorded', 'if (!folded.ok) return { ok: false, why: folded.message }', 'if (!folded.ok) continue', 'what the state does not allow, is refused'],
    ['accept-events-in-turn', 'a second event is folded into the state before the first', 'state = folded.state', '', 'what the state does not allow after the event before it'],
    ['accept-event-ids', 'two events of one execution have one id', 'id: `${of.executionKey}-${index}`', 'id: of.executionKey', 'gives each of its events an id of its own'],
  ]),
  ...guardsIn('src/core/execution.ts', 'test/store/conformance/gate-effects.test.ts', [
    ['provider-key-again', 'a new attempt, after "nothing was done", is taken for the old one', 'return execution.ordinal === 1 ? execution.executionKey :', 'return true ? execution.executionKey :', 'is believed: the next attempt runs'],
  ]),
  ...guardsIn('src/gate/activities.ts', 'test/store/conformance/activities.test.ts', [
    ['input-parsed', 'input that no schema takes reaches the gate', 'if (input.success) return run(', 'if (true) return run(', 'with an approval is refused on record'],
    ['type-names-the-action', 'an activity type is taken for one action, its input for another', 'const action = type === unnamed ? (request.action ?? type) : type', 'const action = request.action ?? type', 'is named by the activity type'],
    ['executor-time', 'an executor may take as long as the activity, with no time left to record its end', 'Math.floor(end - marginMs - Date.now())', 'Math.floor(end - Date.now())', 'an executor has its time'],
    ['lease-outlasts-executor', 'the lease ends before its executor does', 'leaseMs: executorMs + marginMs / 2', 'leaseMs: executorMs / 2', 'an executor has its time'],
    ['claimed-chain-parsed', 'an argument that cannot be read claims a run chain', "return chain.safeParse(typeof input === 'object' && input !== null ? Reflect.get(input, 'chain') : undefined).data ?? null", "return Reflect.get(Object(input), 'chain') as ChainClaim", 'claims no run chain'],
    ['unknown-types-recorded', 'an unregistered action is retried for ever', 'default: proposal,', '', 'of a type that nobody has registered'],
  ]),
]

export const secondLines: readonly SecondLine[] = [
  { id: 'executor-bound', file: 'src/gate/execute.ts', guards: 'an execution opened with nothing to run', behind: 'executor-missing' },
  { id: 'failed-contradicted', file: 'src/gate/execute.ts', guards: 'a late "nothing was done" answered as recorded', behind: 'failed-by-lease-holder: a lost lease makes it stale' },
]
