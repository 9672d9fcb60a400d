/** What verifying and replaying find. */
import { guardsIn, type Guard, type SecondLine } from '../guard.ts'

export const evidence: readonly Guard[] = [
  ...guardsIn('src/evidence/chain.ts', 'test/evidence/chain.test.ts', [
    ['verify-missing', 'a row that was taken out', 'if (row.seq !== walk.seq + 1) {', 'if (false) {', 'nor take a row out of the middle'],
    ['verify-link', 'a row that was chained to another', '} else if (row.prev !== walk.hash) {', '} else if (false) {', 'nor a hash: the row after it'],
    ['verify-body', 'a body that was altered', 'if (sha256(row.body) !== row.digest) find', 'if (false) find', 'cannot alter a body unseen'],
    ['verify-hash', 'a time, place or digest that was altered', 'if (link(head, row) !== row.hash) find', 'if (false) find', 'nor the time at which it was written'],
    ['verify-canonical', 'a body that readers read in two ways', 'if (!isCanonicalText(row.body)) find', 'if (false) find', 'nor write a body that readers could read in two ways'],
    ['verify-place', 'a row that was put into another chain', 'if (placeOf(walk.head.kind, body) !== walk.head.key) find', 'if (false) find', 'nor put a row of one entity into the chain of another'],
    ['verify-events', 'an event that cannot have happened', 'if (folded.problem !== null) find', 'if (false) find', 'nor record an event that the rules do not have'],
    ['verify-last', 'the last row was taken away', 'if (seq < head.seq) find', 'if (false) find', 'nor the last row'],
    ['verify-more', 'a row was put at the end', 'else if (seq > head.seq) find', 'else if (false) find', 'nor put a row at the end'],
    ['verify-head', 'the head was moved', 'else if (hash !== head.head) find', 'else if (false) find', 'nor move the head'],
    ['verify-state', 'the state was set by hand', 'if (live !== rebuilt) find', 'if (false) find', 'nor set the state of an entity'],
    ['verify-reviews', 'a signature that a person gave was exchanged', 'for (const altered of await alteredReviews(snapshot, options.keys)) findings', 'for (const altered of [] as Awaited<ReturnType<typeof alteredReviews>>) findings', 'nor exchange the signature'],
  ]),
  ...guardsIn('src/evidence/check-row.ts', 'test/evidence/replay-tampered.test.ts', [
    ['check-input', 'an input that was changed in the history', 'if (different !== null) return `the recorded input is', 'if (false) return `the recorded input is', 'names the step whose input was changed'],
    ['check-own-rows', 'a row that says something else than its input', 'const problem = mismatch(context, row.body) ?? envelopeMismatch(context, row.body)', 'const problem = null as string | null', 'names the step whose row was altered'],
    ['check-other-call', 'a result with the record of another step', 'if (!answersOtherCall(context, recorded)) return', 'if (false) return', 'with the record of another step', 'test/evidence/replay.test.ts'],
    ['check-no-row', 'a completion of which the gate knows nothing', "return 'history has completed it, but the gate has written no row'", 'return null', 'names the step whose rows are gone, with a chain'],
    ['check-key', 'a row with another execution key', 'if (keys !== null && body.execution_key !== keys.key) return', 'if (false) return', 'names the step whose execution key was altered'],
    ['check-question', 'a question that has a row', "return 'a question was asked, of which nothing is recorded'", 'return null', 'that have a row in the ledger are named', 'test/evidence/replay-consent.test.ts'],
    ['check-params', 'a row with other parameters', "difference(recordable(request.params ?? null), body.params, 'params') ??", '', 'names the step whose row was altered'],
    ['check-caller-key', "a row with another API caller's key", "difference(request.callerKey, body.caller_key ?? undefined, 'caller_key') ??", '', 'names the step whose row says another caller', 'test/evidence/replay-tampered.test.ts'],
    ['check-trace', 'a row with another trace', '{ trace_id: body.trace_id, correlation_id: body.correlation_id, tags: body.tags },', '{ trace_id: traceId ?? history.firstExecutionRunId, correlation_id: correlationId ?? workflowId, tags: tags && recordable(tags) },', 'names a row with another trace_id', 'test/evidence/replay-consent.test.ts'],
    ['check-mandate', 'a row that speaks for somebody by another mandate', '?? mandateMismatch(request?.mandate, body)', '', 'names a row with another mandate', 'test/evidence/replay-consent.test.ts'],
  ]),
  ...guardsIn('src/evidence/check-answer.ts', 'test/evidence/replay-tampered.test.ts', [
    ['answer-record-exists', 'a result whose record does not exist', 'if (recorded === undefined) return `history', 'if (recorded === undefined) return null; if (false) return `history', 'with a record that does not exist', 'test/evidence/replay.test.ts'],
    ['answer-record-hash', 'a result whose record has another hash', 'return recorded.hash === hash ? null :', 'return true ? null :', 'a chain that was rewritten to its end'],
    ['answer-rederived', 'an execution that the contract would not have let run', 'if (rederived !== undefined) return rederived', '', 'names a run that needed an approval'],
    ['answer-kept', 'a result that is not the answer the gate keeps', 'return different === null ? null : `the result in history is not the answer', 'return true ? null : `the result in history is not the answer', 'names words that were changed'],
    ['answer-needs-approval', 'an execution that needed an approval and had none', "(decision.outcome === 'approval_required' && body.approval_id != null)", "decision.outcome === 'approval_required'", 'names a run that needed an approval'],
  ]),
  ...guardsIn('src/evidence/check-consent.ts', 'test/evidence/replay-consent.test.ts', [
    ['consent-request', 'an execution rests on an approval for something else', 'if (different !== null) return `it asked', 'if (false) return `it asked', 'names a grant whose request was replaced', 'test/evidence/replay-tampered.test.ts'],
    ['consent-circumstances', 'an execution rests on an approval for other circumstances', 'if (bound !== null) return', 'if (false) return', 'names loaded facts that differ'],
    ['consent-denied-beside', 'an execution rests on an approval that somebody has denied', "if (approval.reviews.some(({ verdict }) => verdict === 'denied')) return", 'if (false) return', 'names a denial, or a revocation'],
    ['consent-revoked', 'an execution rests on a revoked grant', "if (ledger.reviewedRows(approval.approvalId).some((row) => row.body.kind === 'approval_revoked')) return", 'if (false) return', 'names a denial, or a revocation'],
    ['consent-enough', 'fewer people have granted it than it needs', 'if (people < request.quorum) return', 'if (false) return', 'names a grant of which one review is gone'],
    ['consent-used', 'an execution rests on a grant that another has used', 'return approval.consumedBy === approval.executionKey ? null :', 'return true ? null :', 'names a grant that was not used up'],
    ['consent-signed', 'a signed review of something else', 'if (signed !== null) return', 'if (false) return', 'names a grant of which one review was given to somebody else'],
    ['consent-signature', 'a review that no review key has signed', 'if (signatures?.get(jws) === false) return', 'if (false) return', 'whoever steals the reviewer login'],
    ['consent-delivered', 'a review that did not come by signal', 'return delivered?.includes(jws) === true ? null :', 'return true ? null :', 'names a review that was forged with a ledger'],
  ]),
  ...guardsIn('src/evidence/check-facts.ts', 'test/evidence/replay-consent.test.ts', [
    ['facts-derived', 'facts that the events do not lead to', 'return different === null ? null : `the events', 'return true ? null : `the events', 'a gate that lies about them is found, whatever'],
  ]),
  ...guardsIn('src/evidence/check-reconciled.ts', 'test/workflows/reconcile.test.ts', [
    ['reconciled-named', 'an end of what nobody knew that names no reconciliation', 'if (needsOne(context, row)) return', 'if (false) return', 'an end of what nobody knew that names no reconciliation'],
    ['reconciled-kept', 'a reconciliation that is not kept', 'if (kept === undefined) return `the', 'if (kept === undefined) return null; if (false) return `the', 'a signature that was exchanged, or is gone'],
    ['reconciled-signed', 'a reconciliation that says something else', 'if (different !== null) return', 'if (false) return', 'another output than was signed'],
    ['reconciled-signature', 'a reconciliation that no review key has signed', 'return signatures?.get(kept.jws) === false ? `the', 'return false ? `the', 'each step of the workflow checks, with its signature'],
  ]),
  ...guardsIn('src/evidence/check-chain.ts', 'test/evidence/replay-tampered.test.ts', [
    ['check-chain', 'a step whose rows do not verify', 'return finding === undefined ? null : `row', 'return true ? null : `row', 'names a hash that was rewritten'],
    ['check-state', 'a step whose entity was set by hand', 'return finding === undefined ? null : `${finding.chain}:', 'return true ? null : `${finding?.chain}:', 'names the entity whose state was altered'],
  ]),
]

export const secondLines: readonly SecondLine[] = [
  { id: 'answer-differs', file: 'src/evidence/check-answer.ts', guards: 'a result that its own row does not say', behind: 'answer-kept: the answer that the gate keeps of the call' },
]
