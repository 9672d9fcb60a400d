/** Recording what a person has decided. */
import { guardsIn, type Guard } from '../guard.ts'

export const desk: readonly Guard[] = [
  ...guardsIn('src/approvals/review.ts', 'test/store/conformance/desk.test.ts', [
    ['desk-digest', 'a review of what a person was not shown', "if (row.digest !== digest) return refusedAs(refusals, 'closed')", '', 'of what was not shown is neither signed nor recorded'],
    ['desk-not-found', 'a review of what does not exist', "if (row === undefined) return refusedAs(refusals, 'not_found')", "if (row === undefined) throw new Error('x')", 'of no approval there is'],
    ['desk-signature-in-chain', 'a kept signature can be exchanged unnoticed', '{ ...review, jws_sha256: sha256(jws) }', '{ ...review }', 'a review > is kept with the hash'],
    ['desk-refusal-recorded', 'a review that did not count leaves no trace', "return refusedAs(refusals, await recordRefusal(store, request, reviewer, recorded.reason, 'approval review rejected'))", 'return refusedAs(refusals, recorded.reason)', 'by somebody who may not is refused, on record'],
    ['desk-revocation-refusal-recorded', 'a revocation that did not count leaves no trace', "return refusedAs(revocationRefusals, await recordRefusal(store, request, reviewer, recorded.reason, 'approval revocation rejected'))", 'return refusedAs(revocationRefusals, recorded.reason)', 'of what is no grant is refused, on record'],
    ['desk-reason-printable', 'a reason that no record can hold', 'reason: printable(reason), reviewed_at', 'reason, reviewed_at', 'holds words that cannot be kept'],
    ['desk-committed', 'a refused review is answered as recorded', "if (recorded.status === 'committed') return { outcome: 'recorded', verdict }", "return { outcome: 'recorded', verdict }", 'by somebody who may not is refused, on record'],
    ['desk-revoked-committed', 'a refused revocation is answered as recorded', "if (recorded.status === 'committed') return { outcome: 'revoked' }", "return { outcome: 'revoked' }", 'of what is no grant is refused, on record'],
  ]),
  ...guardsIn('src/approvals/reconcile.ts', 'test/store/conformance/desk.test.ts', [
    ['finding-usable', 'an output that no record can hold is signed', 'return isCanonical(output) && canonical(output).length <= maxOutput', 'return true', 'with an output that cannot be kept'],
    ['finding-size', 'an output of any size is signed', '&& canonical(output).length <= maxOutput', '', 'with an output that is too large'],
    ['finding-digest', 'an answer to a question that a person was not shown', 'if (row.digest !== digest) return', 'if (false) return', 'of what was not shown is none'],
    ['finding-not-found', 'an answer about nothing', "if (row === undefined) return refusedAs(refusals, 'not_found')", "if (row === undefined) throw new Error('x')", 'about nothing'],
    ['finding-signature-in-chain', 'a kept answer can be exchanged unnoticed', '{ ...jsonOf(signed), jws_sha256: sha256(jws) }', 'jsonOf(signed)', 'a finding > is kept with the hash'],
    ['finding-refusal-recorded', 'an answer that did not count leaves no trace', 'await recordRefusal(store, request, reviewer, recorded.reason)', '', 'of the one who proposed it is refused, on record'],
    ['finding-committed', 'a refused answer is told to be recorded', "if (recorded.status === 'committed') return { outcome: 'recorded', verdict }", "return { outcome: 'recorded', verdict }", 'of the one who proposed it is refused, on record'],
  ]),
  ...guardsIn('src/approvals/mandates.ts', 'test/core/signatures.test.ts', [
    ['mandate-signer-key', 'another kind of key issues mandates', 'if (alg === undefined || key.d === undefined || kid === undefined) throw', 'if (false) throw', 'that is public issues no mandate'],
  ]),
]
