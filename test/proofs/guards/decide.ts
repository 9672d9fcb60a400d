/** What the gate does about a proposal, given what was decided and what holds the entity before. */
import { guardsIn, type Guard } from '../guard.ts'

export const decide: readonly Guard[] = [
  ...guardsIn('src/gate/decide.ts', 'test/core/decide.test.ts', [
    ['proven-before-earlier', 'an unproven actor is told what was decided before', 'if (proven === true) {', '{', 'is not told to one who is only named (0)'],
    ['repeat-not-again', 'what has succeeded under a key is done again', "return before.outcome === 'allowed' ? { do: 'repeat' } : { do: 'refuse', refusal: before }", "if (before.outcome !== 'allowed') return { do: 'refuse', refusal: before }", 'a success is answered again'],
    ['earlier-refusal-sticks', 'a denial or a conflict under the same key is judged afresh', "return before.outcome === 'allowed' ? { do: 'repeat' } : { do: 'refuse', refusal: before }", "if (before.outcome === 'allowed') return { do: 'repeat' }", 'an unknown outcome stays unknown'],
    ['own-open-execution', 'a second execution beside an open one of the same key', "if (facts.execution?.status === 'reserved') return { do: 'take_up' }", '', 'an open execution is taken up'],
    ['refusal-stands', 'what the judgement refuses goes on to execute', "return { do: 'refuse', refusal: decision, closing: closingOf(proposal, facts.approval), declared }", '', 'what the judgement refuses is refused'],
    ['refusal-closes-round', 'the round of a proposal that is refused meanwhile stays open', 'refusal: decision, closing: closingOf(proposal, facts.approval)', 'refusal: decision', 'by the judgement > is void while it is pending'],
    ['executor-missing', 'an action with no executor is opened, and never ends', 'bound.executorOf(action) === undefined', 'false', 'an action with an effect is refused before anything is opened'],
    ['pure-needs-no-executor', 'an action that only emits is refused for want of an executor', "contract.effect !== 'none' && bound", 'bound', 'an action without an effect needs none'],
    ['wait-behind-open', 'an action starts beside another one that is under way on the entity', "if (facts.holder.status === 'reserved') return { do: 'wait'", "if (false) return { do: 'wait'", 'an open execution is waited for'],
    ['held-by-doubt', 'an action starts on an entity about whose last action nobody knows', 'return { do: \'refuse\', refusal: refuse(\'outcome_unknown\', `an earlier action on', 'if (false) return { do: \'refuse\', refusal: refuse(\'outcome_unknown\', `an earlier action on', 'what else holds the entity > an outcome that nobody knows'],
    ['key-conflict', 'a key is used for another proposal', 'if (known !== null && known.proposalDigest !== proposalDigest) return', 'if (false) return', 'an execution of another proposal is a conflict'],
    ['key-conflict-execution', 'a key under which something was executed is used for another proposal', 'for (const known of [execution, approval]) {', 'for (const known of [approval]) {', 'an execution of another proposal is a conflict'],
    ['key-conflict-approval', 'a key under which a person was asked is used for another proposal', 'for (const known of [execution, approval]) {', 'for (const known of [execution]) {', 'a request for another proposal is a conflict'],
    ['failed-may-try-again', 'what has failed definitively can never be tried again', "if (execution !== null && execution.status !== 'failed') {", 'if (execution !== null) {', 'a definitive failure may be tried again by another actor'],
    ['another-actor', 'another actor is told the answer of a proposal that is not theirs', 'execution.actor !== request.actor ||', '', 'is told to no other actor'],
    ['another-person', 'an actor who acts for somebody else is told the answer', '|| execution.onBehalfOf !== authority.onBehalfOf) return', ') return', 'is told to nobody who acts for another person'],
    ['own-doubt', 'an action whose outcome nobody knows is repeated under its own key', "if (execution.status === 'in_doubt' ||", 'if (', 'an unknown outcome stays unknown'],
    ['completion-rejected', 'an effect whose result could not be accepted is taken for a success', 'execution.completionRejected !== null', 'false', 'a success whose result could not be accepted is no success'],
    ['succeeded-is-answered', 'a success is judged again', "if (execution.status === 'succeeded') return { outcome: 'allowed' }", '', 'a success is answered again'],
    ['denied-before', 'an equal proposal is put to a person again after a denial', "if (denied !== null && approval?.status !== 'denied') {", 'if (false) {', 'the denial of an equal proposal stands'],
    ['own-denial-is-closed', "the own round's denial is reported as that of an earlier one, and never closed", "&& approval?.status !== 'denied') {", ') {', 'the denial of its own round'],
    ['closing-open-round', 'a round stays open though its proposal was refused', 'if (isOpen(approval)) return { approvalId:', 'if (false) return { approvalId:', 'by the judgement > is void while it is pending'],
    ['closing-own', 'the round of another workflow is ended', 'approval === null || !isOwn(proposal, approval)', 'approval === null', 'by the judgement > is not theirs to end when it was asked for in another (workflow_id)'],
    ['contradicted-stays', "an effect that happened against a person's finding is tried again", "if (execution?.status === 'failed' && execution.contradicted) {", 'if (false) {', 'a failure that turned out to be none'],
    ['closed-stays-closed', 'a round that is closed is closed once more', 'if (approval.closed) return undefined', '', 'by the judgement > is not recorded as denied twice'],
    ['closing-denied', 'a denied round is never recorded as closed', "approval.status === 'denied' || approval.status === 'revoked' ?", "approval.status === 'revoked' ?", 'by the judgement > is recorded as denied'],
    ['closing-revoked', 'a revoked round is never recorded as closed', "approval.status === 'denied' || approval.status === 'revoked' ?", "approval.status === 'denied' ?", 'by the judgement > is recorded as revoked'],
  ]),
]
