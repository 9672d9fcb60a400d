/** From the call to its recorded answer: retries, other rules, executions left open, rounds, what nobody knows. */
import { guardsIn, type Guard, type SecondLine } from '../guard.ts'

export const gate: readonly Guard[] = [
  ...guardsIn('src/gate/gate.ts', 'test/store/conformance/gate-consent.test.ts', [
    ['action-own-name', 'a name that every object has is taken for an action', 'const contract = Object.hasOwn(domain.actions, action) ? domain.actions[action] : undefined\n  if (contract === undefined) {', 'const contract = domain.actions[action]\n  if (contract === undefined) {', 'of an action that every object has a member of', 'test/store/conformance/gate.test.ts'],
    ['stale-is-read-again', 'a commit that was refused as stale is answered as if it had been made', "if (answer !== 'stale') return answer", 'return answer as GateAnswer', 'whose facts move between read and commit is judged again', 'test/store/conformance/gate.test.ts'],
    ['ledger-intact', 'the gate acts on an entity whose ledger does not end where it says', 'if (!facts.intact) {', 'if (false) {', 'whose ledger does not end where it says', 'test/store/conformance/gate.test.ts'],
    ['call-answered-once', 'a retried activity is judged again, and recorded twice', 'if (facts.call !== null) return facts.call', '', 'steps aside, and does so before it judges', 'test/store/conformance/gate.test.ts'],
    ['contract-newest', 'a worker with rules other than those registered last judges', "if (facts.contract !== 'newest') throw", 'if (false) throw', 'so does one whose rules nobody has registered', 'test/store/conformance/gate.test.ts'],
    ['contract-superseded', 'a worker whose rules were replaced judges', "if (facts.contract !== 'newest') throw", "if (facts.contract === 'unknown') throw", 'steps aside, and does so before it judges', 'test/store/conformance/gate.test.ts'],
    ['elsewhere-asked', 'two workflows under one key ask for two approvals', 'if (!own && isOpen(approval)) throw', 'if (false) throw', 'is asked for once: the other one waits'],
    ['elsewhere-not-ended', "another workflow's round is ended", '(approval.closed || !own ? undefined :', '(approval.closed ? undefined :', 'and is denied: the other one hears so'],
    ['rounds-bounded', 'a person is asked without end', 'if (number === null) return refused', 'if (false) return refused', 'is asked again when the world has moved'],
    ['deadline-kept', 're-asking moves the deadline', '...(how.keepDeadline && before !== null ? { keepDeadlineOf: before } : {}),', '', 'is asked again when the world has moved'],
    ['round-before-closed', 'the voided round stays open beside the next', '...(how.closing === undefined ? {} : { closing: how.closing }),', '', 'is asked again when the world has moved'],
    ['denied-refuses', 'a denial counts for nothing', 'case \'denied\':\n      return refused(', 'case \'denied\':\n      return execute(store, proposal, facts, decision.action, executor, { approvalId, before }, timing)\n      return refused(', 'says no: it is refused'],
    ['unasked-voids', 'a request that nobody has to answer stays open', "return { approvalId, is: 'void', before", "return null; return { approvalId, is: 'void', before", '(MAY_ASK) > is void from the commit on', 'test/store/conformance/gate-unasked.test.ts'],
    ['unasked-elsewhere', 'what one workflow asks a person for is done by another', 'if (!isOwn(proposal, approval)) throw', 'if (!isOwn(proposal, approval)) return null; if (false) throw', '(MAY_ASK) > is another workflow', 'test/store/conformance/gate-unasked.test.ts'],
    ['denied-closes', 'a denied round stays open', "denied(judged), ending('denied')", 'denied(judged), undefined', 'says no: it is refused'],
    ['revoked-closes', 'a revoked round stays open', "ending('revoked')", 'undefined', 'takes the grant back'],
    ['expired-refuses', 'an expired consent is asked for again without end', 'case \'expired\':\n      return refused(store, proposal, facts, refuse(\'approval_expired\', judged.message), { approvalId, status: \'expired\' }, before)', 'case \'expired\':\n      return askAgain(null, { keepDeadline: false, before })', 'does not answer in time'],
    ['expired-closes', 'an expired round stays open', "refuse('approval_expired', judged.message), { approvalId, status: 'expired' }", "refuse('approval_expired', judged.message), undefined", 'does not answer in time'],
    ['expired-by-service', 'a round that the service has closed as expired is asked again', "if (judged.by === 'expired') return", 'if (false) return', 'is not asked again when the human-facing service'],
    ['revoked-refuses', 'a revoked grant is asked for again', "if (judged.by === 'revoked') return", 'if (false) return', 'takes the grant back'],
    ['rejected-signals-recorded', 'a forged review leaves no trace', "rejected.length > 0 ? 'signal_rejected' : 'repeated', answer, before", "'repeated', answer, []", 'is told of each review that is not genuine'],
    ['refusal-recorded-with-closing', 'a refusal is recorded, but its round not closed with it', 'answer, guard: guardOf(facts), closing })', 'answer, guard: guardOf(facts), closing: undefined })', 'has no open round left'],
    ['refusal-guarded', 'a refusal on facts that have moved since is recorded', 'const commit = await store.recordAnswer({ body, answer, guard: guardOf(facts), closing })', 'const commit = await store.recordAnswer({ body, answer, guard: null, closing })', 'is not refused for what was true', 'test/store/conformance/gate.test.ts'],
    ['withdraw-proven', 'another actor withdraws a request', 'if (authority.problem !== null) return //', '//', 'not in the name of an actor that the gate does not serve'],
    ['withdraw-known-action', 'a withdrawal that names no action of the domain', 'if (contract === undefined) return\n  const authority', 'const authority', 'not in the name of an action that there is not'],
  ]),
  ...guardsIn('src/gate/proposal.ts', 'test/core/decide.test.ts', [
    ['own-namespace', "another namespace's round is taken for the own", 'asked.namespace === step.namespace && asked', 'asked', 'by the judgement > is not theirs to end when it was asked for in another (namespace)'],
    ['own-workflow', "another workflow's round is taken for the own", 'asked.workflow_id === step.workflowId && asked', 'asked', 'by the judgement > is not theirs to end when it was asked for in another (workflow_id)'],
    ['own-first-run', "the round of a workflow id's earlier use is taken for the own", '&& asked.first_execution_run_id === step.firstExecutionRunId', '', 'by the judgement > is not theirs to end when it was asked for in another (first_execution_run_id)'],
    ['guard-mandate', 'an effect is opened under a mandate that has run out between read and commit', 'mandateUntil: until }', 'mandateUntil: null }', 'a mandate that runs out between read and commit', 'test/store/conformance/gate.test.ts'],
    ['params-recordable', 'hostile parameters leave no record', 'params: recordable(request.params ?? null) }', 'params: request.params ?? null }', 'parameters that have no canonical form', 'test/store/conformance/gate.test.ts'],
  ]),
  ...guardsIn('src/gate/refuse-unknown.ts', 'test/store/conformance/gate.test.ts', [
    ['unknown-excerpt', 'refused input of any size is recorded whole', 'return text.length > maxRecorded ?', 'return false ?', 'input of a megabyte'],
    ['unknown-action-printable', 'a name that cannot be kept is recorded', 'const action = printable(asked.action)', 'const action = asked.action', 'no action is refused on record'],
    ['unknown-answered-before', 'a call whose action was taken out of the domain is tried for ever', "return commit.status === 'committed' ? {", "if (commit.status === 'repeat' && commit.answer.outcome === 'approval_required') throw new Error('asked'); return commit.status === 'committed' ? {", 'an action that was known when this very call asked'],
    ['report-asks-nobody', 'a report is tried for ever under an activity id that has asked a person', 'throw ApplicationFailure.nonRetryable(', 'throw new Error(', 'reported under an activity id by which a person was asked', 'test/store/conformance/gate-reports.test.ts'],
    ['unknown-actor-printable', "an actor's name that cannot be kept is recorded", 'actor: printable(asked.actor)', 'actor: asked.actor', 'an actor that cannot be printed'],
  ]),
  ...guardsIn('src/gate/take-up.ts', 'test/store/conformance/gate-take-up.test.ts', [
    ['take-up-after-lease', 'an execution is taken up while its worker may still be running', 'if (open.leaseRemainingMs > 0) throw', 'if (false) throw', 'is waited for as long as its lease lasts', 'test/store/conformance/gate.test.ts'],
    ['resume-within-honour', 'an executor runs again after the receiver has forgotten its key', 'Math.min(open.idempotentRemainingMs ?? 0, honouredMs(proposal) - open.openedAgoMs)', '(honouredMs(proposal) - open.openedAgoMs)', 'is in doubt once the receiver has forgotten the key', 'test/store/conformance/gate.test.ts'],
    ['resume-within-contract', 'an executor runs again after the receiver has forgotten its key, since a row says otherwise', 'Math.min(open.idempotentRemainingMs ?? 0, honouredMs(proposal) - open.openedAgoMs)', '(open.idempotentRemainingMs ?? 0)', 'what was opened so long ago'],
    ['resume-external-never', 'an effect that must not be repeated is repeated, since a row says that it may', "return typeof effect === 'object' ? durationMs(effect.idempotentFor) : 0", "return typeof effect === 'object' ? durationMs(effect.idempotentFor) : 3_600_000", 'what must not be repeated, whatever its row says'],
    ['resume-contradicted-never', "an effect that happened against a person's finding is repeated", "if (open.contradicted) return { why: 'it has happened after all' }", '', 'an attempt that ran after all > ends the next', 'test/store/conformance/gate.test.ts'],
    ['resume-facts', 'an executor runs on facts that only a row says', 'if (moved !== undefined) return', 'if (false) return', 'what rests on other facts than its past leads to'],
    ['resume-open-request', 'what a person has not agreed to is run, since a row says that it was begun', "approval !== null && unanswered.includes(approval.status) ? {", 'false ? {', 'but somebody was asked and has not agreed'],
    ['resume-grant', 'what nobody has agreed to is run, since a row says that it was begun', "if (approval === null || open.grant !== approval.approvalId) return", 'if (approval === null) return', 'what a person has agreed, by a grant that was not used for it'],
    ['resume-asked', 'what somebody has to be asked about is run without', 'if (rule === false) return', 'if (approval === null) return', 'what nobody was asked about'],
    ['resume-signed', 'what is run again rests on a grant that nobody has signed', 'return why === null ? { action } : { why }', 'return { action }', 'what was opened by a grant that nobody has signed'],
    ['resume-fails-closed', 'an execution whose grounds cannot be found again is tried for ever', 'return { why: wordsOfThrown(error) }', 'throw error', 'what has a rule that fails'],
    ['lost-becomes-in-doubt', 'an effect that was lost under way is asked again for ever, and no person told', 'await gate.store.markInDoubt(', 'if (false) await gate.store.markInDoubt(', 'is in doubt once the receiver has forgotten the key', 'test/store/conformance/gate.test.ts'],
  ]),
  ...guardsIn('src/gate/busy.ts', 'test/store/conformance/gate.test.ts', [
    ['busy-bounded-above', 'a waiter sleeps as long as the lease says, however soon the execution ends', 'leaseRemainingMs > soonMs ? {} :', 'false ? {} :', 'with 60000 ms of a lease left, a waiter comes again after undefined ms (undefined: by its own back-off)', 'test/store/conformance/gate.test.ts'],
    ['busy-bounded-below', 'a waiter asks again without a pause', 'nextRetryDelay: Math.max(leaseRemainingMs, 500)', 'nextRetryDelay: leaseRemainingMs', 'with -5 ms of a lease left, a waiter comes again after 500 ms (undefined: by its own back-off)', 'test/store/conformance/gate.test.ts'],
  ]),
]

export const secondLines: readonly SecondLine[] = [
  { id: 'guard-of-facts', file: 'src/gate/proposal.ts', guards: 'a commit on a state or roles that have moved', behind: 'the comparison in SQL (sql-gate-executions), which has nothing to compare with otherwise' },
  { id: 'loader-time', file: 'src/gate/gate.ts', guards: 'loaders that take all the time of the activity', behind: 'loader-deadline; the bound of ten seconds only makes it sooner' },
]
