/** Consent: for exactly one action, by enough genuine people, in time. */
import { guardsIn, type Guard, type SecondLine } from '../guard.ts'

export const consent: readonly Guard[] = [
  ...guardsIn('src/core/approval.ts', 'test/core/approval.test.ts', [
    ['consent-denied', 'a denied approval goes on to be judged', "if (approval.status === 'denied') {", 'if (false) {', 'each status > a denial without its row stays one'],
    ['consent-closed', 'an approval that was revoked, withdrawn or used up is granted', "if (approval.status !== 'pending' && approval.status !== 'granted') return", 'if (false) return', 'each status > void, with everything else in order'],
    ['consent-use-by', 'a grant is used after its time', 'if (approval.useRemainingMs <= 0) return', 'if (false) return', 'time > a grant not used in time has expired (0 ms left)'],
    ['consent-answer-by', 'an answer is awaited after its time', "if (approval.status === 'pending' && approval.answerRemainingMs <= 0) return", 'if (false) return', 'time > a request not answered in time has expired (0 ms left)'],
    ['consent-changed', 'a grant is used for something else than was asked', "if (changed !== null) return { status: 'void', changed }", '', 'what consent binds > but by a fact more'],
    ['consent-pending', 'a review that SQL has not counted is taken for a grant', "if (approval.status === 'pending') return { status: 'waiting' }", '', 'each status > pending, with everything else in order'],
    ['consent-verdict', "a denial's signature counts as agreement", "verdict === 'granted' && reviewer", 'reviewer', 'what is missing, one thing at a time > the row denies while the status grants: it waits'],
    ['consent-not-own', 'whoever asks grants it themselves', 'reviewer !== now.actor && reviewer', 'reviewer', 'what is missing, one thing at a time > who asks has reviewed: it waits'],
    ['consent-not-represented', 'the person acted for grants it', '&& reviewer !== now.on_behalf_of)', ')', 'what is missing, one thing at a time > for whom it is asked has reviewed: it waits'],
    ['consent-people-not-signatures', "one person's signatures count as several people", 'people.size < request.quorum)', 'agreed.length < request.quorum)', 'a quorum of two > one person twice: it waits'],
    ['consent-none-is-none', 'a quorum of nothing is met by nobody', 'people.size === 0 || people.size < request.quorum', 'people.size < request.quorum', 'a quorum of two > a request that asks for nobody is granted by nobody'],
    ['consent-quorum', 'fewer people than the contract says', 'people.size === 0 || people.size < request.quorum', 'people.size === 0', 'a quorum of two > one person: it waits'],
    ['used-binds', 'a grant stands for running something else again', 'if (changed !== null) return changed\n', '', 'and for nothing else: {"params":{"amountCents":1}}'],
    ['used-quorum', 'a grant that too few have signed stands for running it again', 'return people.size > 0 && people.size >= request.quorum ? null', 'return people.size > 0 ? null', 'not when it is signed by one of two'],
    ['used-by-somebody', 'a grant that nobody has signed stands for running it again', 'return people.size > 0 && people.size >= request.quorum ? null', 'return people.size >= request.quorum || people.size === 0 ? null', 'not when it is signed by nobody'],
    ['consent-role-lost', 'a grant by somebody who has since lost the role', 'if (left !== undefined) return', 'if (false) return', 'a quorum of two > one of the two has lost the role since: void'],
    ['changed-version', 'consent for an entity that has moved since', "if (request.binds === 'version' && request.state_version !== now.state_version) {", 'if (false) {', 'a state that moved is told with both versions'],
    ['changed-version-bound', 'an approval bound to the state goes void though only the version moved', "request.binds === 'version' && request.state_version", 'request.state_version', 'what consent binds > a contract that binds the state is not voided by an event that leaves the state and the facts alone'],
    ['changed-state', 'consent for an entity that is in another state', 'if (request.state !== now.state) return', 'if (false) return', 'a state that moved is told with both states'],
    ['changed-contract', 'consent given to other rules', 'if (request.contract !== now.contract) return', 'if (false) return', 'consent is for exactly one action: each bound field, changed alone, voids it > changed rules are told'],
    ['changed-facts', 'consent given on other facts', 'if (fact !== null) return fact', '', 'what consent binds > a fact that has changed voids it, and it says from what to what'],
    ['changed-field', 'consent for another action, entity, actor, or other parameters', 'canonical(Reflect.get(request, field)) !== canonical(value)', 'false', 'what consent binds > but by other parameters'],
    ['changed-fact-value', 'a fact that has changed since', 'if (canonical(was ?? null) !== canonical(value)) return', 'if (false) return', 'what consent binds > a fact that has changed voids it, and it says from what to what'],
  ]),
  ...guardsIn('src/gate/ask.ts', 'test/store/conformance/gate-consent.test.ts', [
    ['review-delivered', 'consent that no signal has brought counts by its row alone', 'verified.filter(({ jws }) => delivered.includes(jws))', 'verified', 'agrees, but no signal has come: it waits'],
    ['review-genuine', 'a recorded review counts whose signature is not genuine', 'if (await isGenuine(review, approval, verify)) genuine.push(review)', 'genuine.push(review)', 'whose signature is by a key that the gate was not given'],
    ['review-signed', 'an unsigned row counts', 'signed !== null &&\n    signed.digest', 'signed === null || signed.digest', 'whose signature is by a key that the gate was not given'],
    ['review-digest', 'a review of another request counts', 'signed.digest === sha256(approval.request) && signed.approval_id', 'signed.approval_id', 'whose signature is for another digest'],
    ['review-approval-id', 'a review of another approval counts', '&& signed.approval_id === approval.approvalId &&', '&&', 'whose signature is for another approval'],
    ['review-verdict', 'a row says something else than its signature', 'signed.verdict === review.verdict &&', '', 'whose signature is for another verdict'],
    ['review-reviewer', 'a row names another reviewer than its signature', '&& signed.reviewer === review.reviewer', '', 'whose signature is for another person'],
    ['rejected-known', 'a genuine review is recorded as rejected', 'if (verified.some((review) => review.jws === jws)) continue', '', 'which counts one person'],
    ['rounds-at-most', 'more rounds than three', 'return next > maxRounds ? null : next', 'return next', 'is asked again when the world has moved'],
    ['ask-bounded-by-mandate', 'consent outlasts the mandate of the one who asks', 'until === null ? ms : Math.min(ms, Date.parse(until))', 'ms', 'lasts no longer than the mandate', 'test/workflows/mandates.test.ts'],
    ['ask-keeps-deadline', 'a new round starts its time anew', 'round.keepDeadlineOf === undefined ? Date.parse(facts.now)', 'true ? Date.parse(facts.now)', 'is asked again when the world has moved'],
    ['ask-reviewers', "another permission than the contract's may review", 'reviewers: contract.approval.reviewers,', "reviewers: '',", 'agrees: it runs once'],
    ['ask-quorum', 'fewer people are asked than the contract says', 'quorum: contract.approval.quorum,', 'quorum: 1,', 'which counts one person'],
    ['ask-claim-shown', "a claim's text that cannot be kept", 'shownClaim(claim)', 'claim as never', 'reads what the agent says'],
  ]),
]

export const secondLines: readonly SecondLine[] = [
  { id: 'ask-nonce', file: 'src/gate/ask.ts', guards: 'two requests with one digest', behind: 'the approval id, which is random as well' },
  { id: 'ask-rule-printable', file: 'src/gate/ask.ts', guards: "a rule's words that no record can hold", behind: 'a rule gives recordable words (src/core/define-action.ts)' },
]
