/** The private review key: read here, in the human-facing service, and nowhere else (I4). */
import { CompactSign, exportJWK, generateKeyPair, importJWK, type JSONWebKeySet, type JWK } from 'jose'
import { canonical } from '../core/canonical.ts'
import { reviewType, type SignedReview } from '../core/approval.ts'
import type { SignedReconciliation } from '../core/reconciliation.ts'

export type ReviewSigner = (review: SignedReview | SignedReconciliation) => Promise<string>

/** @param key private Ed25519 JWK with a `kid`. @throws TypeError for any other key */
export async function createReviewSigner(key: JWK): Promise<ReviewSigner> {
  if (key.kty !== 'OKP' || key.crv !== 'Ed25519' || key.d === undefined || key.kid === undefined) {
    throw new TypeError('the review key must be a private Ed25519 JWK with a kid')
  }
  const { kid } = key
  const privateKey = await importJWK(key, 'EdDSA')
  return async (review) =>
    new CompactSign(new TextEncoder().encode(canonical(review))).setProtectedHeader({ alg: 'EdDSA', typ: reviewType, kid }).sign(privateKey)
}

/** A new pair for development: the private JWK, and the public key set for gate workers. Marked `dev` in its id. */
export async function generateDevReviewKey(): Promise<{ readonly privateKey: JWK; readonly publicKeys: JSONWebKeySet }> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  const kid = `dev-${crypto.randomUUID()}`
  return {
    privateKey: { ...(await exportJWK(privateKey)), kid, alg: 'EdDSA' },
    publicKeys: { keys: [{ ...(await exportJWK(publicKey)), kid, alg: 'EdDSA' }] },
  }
}
