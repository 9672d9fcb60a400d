/** The signatures by which people are believed: what signs and what verifies them, and what is no such signature. */
import { CompactSign, generateKeyPair, exportJWK, importJWK, type JWK } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { createMandateSigner } from '../../src/approvals/mandates.ts'
import { createReviewSigner, generateDevReviewKey } from '../../src/approvals/signing.ts'
import { canonical } from '../../src/core/canonical.ts'
import { createReconciliationVerifier, createReviewVerifier } from '../../src/temporal/verify-review.ts'

let secret: JWK
let open: JWK
let otherKind: JWK
beforeAll(async () => {
  const { privateKey, publicKeys } = await generateDevReviewKey()
  secret = privateKey
  const { alg: _, ...named } = publicKeys.keys[0] ?? {}
  open = named // the key itself does not say what it may be used for
  otherKind = { ...(await exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey)), kid: 'k' }
})

const said = { digest: '0'.repeat(64), reviewer: 'maria', reason: 'fine', reviewed_at: '2026-01-01T00:00:00.000Z' }
const review = { ...said, purpose: 'approval', approval_id: 'a-1', verdict: 'granted' } as const
const found = { ...said, purpose: 'reconcile', execution_key: 'k', ordinal: 1, verdict: 'happened', output: { ok: true } } as const

async function signed(payload: object, header: { readonly alg?: string; readonly typ?: string } = {}): Promise<string> {
  const key = await importJWK(secret, 'EdDSA')
  return new CompactSign(new TextEncoder().encode(canonical(payload))).setProtectedHeader({ alg: 'EdDSA', typ: 'kiff-review+jws', kid: secret.kid ?? '', ...header }).sign(key)
}
const reviewIn = async (jws: string) => createReviewVerifier({ keys: [open] })(jws)
const findingIn = async (jws: string) => createReconciliationVerifier({ keys: [open] })(jws)

test('what the human-facing service signs is read as it was said', async () => {
  const sign = await createReviewSigner(secret)
  expect(await reviewIn(await sign(review))).toEqual(review)
  expect(await findingIn(await sign(found))).toEqual(found)
})

describe('no review', () => {
  const { reviewer: _, ...nameless } = review
  test.each<[string, () => Promise<string>]>([
    ['another kind of token by the same key', () => signed(review, { typ: 'JWT' })],
    ['a signature that calls itself another kind', () => signed(review, { alg: 'Ed25519' })],
    ['a text that lacks who reviewed', () => signed(nameless)],
    ['a text that says more', () => signed({ ...review, actor: 'bot-1' })],
    ['what somebody has found out', () => signed(found)],
    ['a verdict of another name', () => signed({ ...review, verdict: 'maybe' })],
    ['something that cannot be read', async () => 'a.b.c'],
  ])('is %s', async (_name, make) => {
    expect(await reviewIn(await make())).toBeNull()
  })

  test('is one by a key that was not given', async () => {
    const sign = await createReviewSigner((await generateDevReviewKey()).privateKey)
    expect(await reviewIn(await sign(review))).toBeNull()
  })
})

describe('no finding', () => {
  const { output: _, ...silent } = found
  test.each<[string, object]>([['that it happened, without an output', silent], ['of no attempt', { ...found, ordinal: 0 }], ['a review', review]])('is one %s', async (_name, payload) => {
    expect(await findingIn(await signed(payload))).toBeNull()
  })
})

describe('a key', () => {
  test.each<[string, () => JWK, string]>([
    ['of another kind', () => otherKind, 'must be Ed25519 keys'],
    ['without a name', () => ({ ...open, kid: undefined as never }), 'with a kid'],
    ['that is private', () => secret, 'must not hold a private review key'],
  ])('%s verifies no review', (_, key, why) => {
    expect(() => createReviewVerifier({ keys: [key()] })).toThrow(why)
  })

  test.each<[string, () => JWK]>([['of another kind', () => otherKind], ['without a name', () => ({ ...secret, kid: undefined as never })], ['that is public', () => open]])('%s signs no review', async (_, key) => {
    await expect(createReviewSigner(key())).rejects.toThrow('must be a private Ed25519 JWK with a kid')
  })

  test('that is public issues no mandate', async () => {
    await expect(createMandateSigner('https://desk.test', open)).rejects.toThrow('must be a private')
  })
})
