/**
 * Checks the signature of a review, or of a reconciliation, as the signal brings it and the records keep it, with keys from the
 * reader's own configuration: never from the database, never from a signal. The gate judges by it, and so does the evidence, anew.
 */
import { compactVerify, createLocalJWKSet, decodeProtectedHeader, errors, type JSONWebKeySet } from 'jose'
import { z } from 'zod'
import { reviewType, type SignedReview } from '../core/approval.ts'
import type { SignedReconciliation } from '../core/reconciliation.ts'

const said = { digest: z.string(), reviewer: z.string(), reason: z.string(), reviewed_at: z.string() }

/** The purpose is a literal: a signature for one is never taken for the other. */
const signedReview = z.strictObject({ ...said, purpose: z.literal('approval'), approval_id: z.string(), verdict: z.enum(['granted', 'denied']) })

const reconciled = { ...said, purpose: z.literal('reconcile'), execution_key: z.string(), ordinal: z.int().positive() }
const signedReconciliation = z.discriminatedUnion('verdict', [
  z.strictObject({ ...reconciled, verdict: z.literal('happened'), output: z.unknown().refine((output) => output !== undefined) }),
  z.strictObject({ ...reconciled, verdict: z.literal('not_happened') }),
])

export type ReviewVerifier = (jws: string) => Promise<SignedReview | null>
export type ReconciliationVerifier = (jws: string) => Promise<SignedReconciliation | null>

/** A signature names a key that the reader does not have: its id as the signature says, a text of anybody's. */
export type OnUnknownKey = (unknown: string, known: readonly string[]) => void

/** @param keys public Ed25519 keys, each with a `kid`. @throws TypeError for a key that is private or no Ed25519 key */
export function createReviewVerifier(keys: JSONWebKeySet, onUnknownKey?: OnUnknownKey): ReviewVerifier {
  return createVerifier(keys, signedReview, onUnknownKey)
}

/** The same for what people have found out about executions. @throws as `createReviewVerifier` */
export function createReconciliationVerifier(keys: JSONWebKeySet, onUnknownKey?: OnUnknownKey): ReconciliationVerifier {
  return createVerifier(keys, signedReconciliation, onUnknownKey)
}

function createVerifier<Signed>(keys: JSONWebKeySet, payloadSchema: z.ZodType<Signed>, onUnknownKey?: OnUnknownKey): (jws: string) => Promise<Signed | null> {
  for (const key of keys.keys) {
    if (key.kty !== 'OKP' || key.crv !== 'Ed25519' || key.kid === undefined) throw new TypeError('review keys must be Ed25519 keys (OKP) with a kid')
    if (key.d !== undefined) throw new TypeError('whoever verifies must not hold a private review key')
  }
  const keySet = createLocalJWKSet(keys)
  return async (jws) => {
    try {
      const { payload, protectedHeader } = await compactVerify(jws, keySet, { algorithms: ['EdDSA'] })
      if (protectedHeader.typ !== reviewType) return null
      return payloadSchema.parse(JSON.parse(new TextDecoder().decode(payload)))
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) onUnknownKey?.(decodeProtectedHeader(jws).kid ?? '', keys.keys.map(({ kid }) => kid ?? ''))
      return null // not genuine, for whatever reason: it counts for nothing
    }
  }
}
