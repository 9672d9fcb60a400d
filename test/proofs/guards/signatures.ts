/** Signatures of reviews and reconciliations. */
import { guardsIn, type Guard, type SecondLine } from '../guard.ts'

export const signatures: readonly Guard[] = [
  ...guardsIn('src/temporal/verify-review.ts', 'test/core/signatures.test.ts', [
    ['review-key-kind', 'a review key of another kind', "if (key.kty !== 'OKP' || key.crv !== 'Ed25519' || key.kid === undefined) throw", 'if (false) throw', 'of another kind verifies no review'],
    ['review-key-kid', 'a review key without a name', '|| key.kid === undefined) throw new', ') throw new', 'without a name verifies no review'],
    ['review-key-public', 'whoever verifies holds the private key', 'if (key.d !== undefined) throw', 'if (false) throw', 'that is private verifies no review'],
    ['review-algorithm', 'a review by a signature of another kind', "{ algorithms: ['EdDSA'] }", '{}', 'is a signature that calls itself another kind'],
    ['review-typ', 'another token signed with the key is taken for a review', 'if (protectedHeader.typ !== reviewType) return null', '', 'is another kind of token by the same key'],
    ['review-payload', 'a signed text that is no review is taken for one', 'return payloadSchema.parse(JSON.parse(new TextDecoder().decode(payload)))', 'return JSON.parse(new TextDecoder().decode(payload)) as Signed', 'is a text that lacks who reviewed'],
    ['review-purpose', 'a signature that says what became of an action counts as consent', "purpose: z.literal('approval')", 'purpose: z.string() as never', 'a signed reconciliation is no review', 'test/store/conformance/applied-reconciliations.test.ts'],
    ['reconciliation-purpose', 'a consent counts as saying what became of an action', "purpose: z.literal('reconcile')", 'purpose: z.string() as never', 'a signed reconciliation is no review', 'test/store/conformance/applied-reconciliations.test.ts'],
    ['review-unreadable', 'a signature that cannot be read stops the gate instead of counting for nothing', 'return null // not genuine', 'throw error // not genuine', 'is something that cannot be read'],
  ]),
  ...guardsIn('src/approvals/signing.ts', 'test/core/signatures.test.ts', [
    ['signing-key', 'another kind of key signs reviews', "if (key.kty !== 'OKP' || key.crv !== 'Ed25519' || key.d === undefined || key.kid === undefined) {", 'if (false) {', 'that is public signs no review'],
  ]),
]

export const secondLines: readonly SecondLine[] = [
  { id: 'reconciliation-output', file: 'src/temporal/verify-review.ts', guards: 'a finding that it happened, without an output', behind: 'the schema asks for the member, and JSON has no undefined' },
]
