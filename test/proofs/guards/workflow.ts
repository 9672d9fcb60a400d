/** In the workflow: signals, waits, its place in the run chain. */
import { guardsIn, type Guard } from '../guard.ts'

export const workflow: readonly Guard[] = [
  ...guardsIn('src/workflow/reviews.ts', 'test/core/arriving-reviews.test.ts', [
    ['signal-total', 'a signal of any shape fails the workflow', "return [JSON.stringify(value) ?? 'undefined']", "throw new Error('x')", 'a signal of any shape is queued: a number'],
    ['signal-few', 'a signal with any number of reviews', 'signedReviews(value).slice(0, maxReviews)', 'signedReviews(value)', 'in one signal is no more than twenty'],
    ['signal-short', 'a review of any length', 'jws: jws.slice(0, maxReviewLength) })', 'jws })', 'in one signal is no more than twenty'],
    ['signal-past', 'a review for a round that has ended is judged again', 'if (approvalId !== null && past.has(approvalId)) return', '', 'nor does what was for a round that has ended'],
    ['signal-past-again', 'a round that is awaited once more gets no review', '  past.delete(approvalId)\n', '', 'a round that is awaited once more gets its reviews'],
    ['signal-other-wait', 'of two waits for one round, the first to end takes the reviews from the other', 'if (others > 0) {', 'if (false) {', 'of two waits for one round, the first to end takes no review from the other'],
    ['signal-once', 'the same review is judged again and again', 'if (parked.some((known) => known.approvalId === approvalId && known.jws === jws)) return', '', 'what repeats itself tells nothing new'],
    ['signal-flood', 'a flood is kept without bound', 'if (parked.length >= maxReviews) countDropped(1)', 'if (false) countDropped(1)', 'of signals is kept to twenty'],
    ['signal-for-this', 'a review wakes every wait', 'if (review.approvalId !== null && awaited.has(review.approvalId)) return false', '', 'it wakes no other wait'],
    ['signal-faster-than-answer', "a review that is faster than the request's answer goes to another wait", 'return review.approvalId === null || nothingRuns() || parked.length >= maxReviews', 'return true', 'is left for the call under way'],
    ['signal-unclaimed', 'a forged review is never judged', 'return review.approvalId === null || nothingRuns() || parked.length >= maxReviews', 'return false', 'for an approval that nobody awaits goes to any'],
  ]),
  ...guardsIn('src/workflow/interceptors.ts', 'test/attack/signals.test.ts', [
    ['poison-signal', 'a signal that cannot be decoded stops the workflow for ever', '|| (signal.input ?? []).every(isDecodable)', '|| true', 'a payload with broken JSON, which would wedge a workflow'],
    ['poison-counted', 'dropped signals are told to nobody', 'countDropped(jobs.length - readable.length)', '', 'a payload with broken JSON, which would wedge a workflow'],
    ['continue-waits', 'an answer is lost when the run continues as new', 'await condition(nothingRuns)', '', 'while an action is under way: the next run gets its result', 'test/workflows/chain.test.ts'],
    ['continue-hands-over', 'a call that is open when the run continues is made again under another key', 'handover(input.headers, open)', 'handover(input.headers, []) && {}', 'while an action is under way: the next run gets its result', 'test/workflows/chain.test.ts'],
    ['continue-waits-no-more', 'a run that was continued is shown to wait, and nothing waits in it', '...attributesOfNext(input.options)', '', 'tells the next run, in which nothing waits yet, that it runs', 'test/workflows/temporal-ui.test.ts'],
    ['child-placed', "a reset parent's children act again", 'headers: placeChild(input.headers, input.workflowType, input.options.args) })', 'headers: input.headers })', 'to each of its workflow tasks: what its child did is not done again', 'test/workflows/children.test.ts'],
  ]),
  ...guardsIn('src/workflow/chain.ts', 'test/core/place-in-chain.test.ts', [
    ['cron-refused', 'a run whose place nobody can tell acts', 'if (cronSchedule) return', 'if (false) return', 'not by cron'],
    ['continued-without-header', 'a continued run without our header acts as the first', 'if (continued && generation === 0) return', 'if (false) return', 'not when it was continued without our header'],
    ['retry-is-no-continuation', 'a workflow retry is refused as a continuation', '&& attempt === 1', '', 'when the server retries it'],
    ['generation-counted', "a continued run's equal proposals are taken for the ones before", 'generation: generation + 1,', 'generation: Math.max(1, generation),', 'begins anew in the next generation'],
    ['reattach', 'an open call is made again under another key by the next run', 'takeReattachable(proposal) ?? {', '{', 'takes up the equal call that was left open'],
    ['occurrence-counted', 'two equal calls of one run are taken for one', 'counts.set(equal, seen + 1)', '', 'are counted; another one counts for itself'],
    ['step-closed', 'calls that have ended are handed to the next run as open', 'close: () => open.delete(call)', 'close: () => {}', 'takes up the equal call that was left open'],
    ['unproven-refused', 'a run whose place nobody can tell acts', 'if (problem !== undefined) throw', 'if (false) throw', 'not by cron'],
    ['unplaced-parent', 'the child of a parent whose place nobody can tell acts', 'return unplaced\n}', 'return undefined\n}', 'of a run that has no place has none itself'],
    ['running-counted', 'the run continues while a gate call is under way', 'running += 1', 'running += 0', 'a gate call under way is known'],
  ]),
  ...guardsIn('src/workflow/wait.ts', 'test/attack/signals.test.ts', [
    ['rejections-slow-down', 'forged reviews keep the gate busy', 'if (this.#rejections > freeRejections) await sleep', 'if (false) await sleep', 'that does not end slows the workflow down'],
    ['looks-slow-down', 'demands to look again keep the gate busy', 'if (reviews.length === 0 && looksAskedFor() > this.#looks) this.#rejections += 1', '', 'of demands to look again, which grant nothing'],
    ['continue-as-told', "an author's search attributes for the next run are overwritten", ' || told !== undefined || typed !== undefined', '', 'leaves to the author what the next run is told', 'test/workflows/temporal-ui.test.ts'],
    ['words-no-markup', "an agent's words are markup in the Temporal UI", '.replaceAll(/[\\\\`*_{}[\\]()<>#+!|~&:]/g, (character) => `\\\\${character}`)', '', 'shows an entity id as text', 'test/workflows/temporal-ui.test.ts'],
  ]),
  ...guardsIn('src/workflow/governed.ts', 'test/workflows/waits.test.ts', [
    ['action-name-checked', "a model's choice becomes any activity type", "return typeof name === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(name)", "return typeof name === 'string'", 'an action named as an activity of the gate is refused', 'test/workflows/bad-input.test.ts'],
    ['call-not-cancelled', 'an execution under way is given up', 'CancellationScope.nonCancellable(async () => activity(request))', 'activity(request)', 'cancelling right after a grant withdraws'],
    ['withdraw-on-cancel', 'a cancelled wait leaves its request open', 'if (isCancellation(error) && approvalId !== undefined) {', 'if (false) {', 'cancelling the workflow withdraws the request'],
    ['wait-goes-on', 'what a person is asked is told to the author as an answer', "if (answer.outcome !== 'approval_required') return answer", 'return answer as ActionResult', 'a refund above the limit waits', 'test/workflows/refund.test.ts'],
    ['gate-retried', 'a fault of the gate ends the call', "retry: { initialInterval: '500ms',", "retry: { maximumAttempts: 1, initialInterval: '500ms',", 'is tried again with the same key until it succeeds', 'test/workflows/faults.test.ts'],
  ]),
]
