/**
 * Mandates: a JWT by which an issuer that the gate trusts names an actor, whom it acts for, the one workflow it may do so in, and
 * until when (I13). Checked with keys from the worker's configuration; its time is judged by the database's clock, elsewhere.
 */
import { compactVerify, createLocalJWKSet, decodeJwt, type JSONWebKeySet } from 'jose'
import { z } from 'zod'
import { mandateType } from '../core/mandate.ts'
import { sha256 } from '../core/digest.ts'

/** Who may issue mandates. */
export interface MandateIssuer {
  /** The `iss` of its mandates. */
  readonly issuer: string
  /** Its public keys (Ed25519 or P-256), each with a `kid`. */
  readonly keys: JSONWebKeySet
}

/** A mandate whose signature is genuine. Times in milliseconds since the epoch. */
export interface Mandate {
  readonly issuer: string
  readonly id: string | null
  readonly actor: string
  readonly onBehalfOf: string | null
  readonly namespace: string
  readonly workflowId: string
  readonly domain: string | null
  /** The actions it is for; `null`: every one that the actor's roles permit. */
  readonly actions: readonly string[] | null
  readonly notBefore: number | null
  readonly expiresAt: number
  /** SHA-256 of the JWT, hex. */
  readonly sha256: string
}

const name = z.string().min(1).max(200)
const seconds = z.number().min(0).max(8.64e12)
const claims = z.object({
  iss: name,
  sub: name,
  exp: seconds,
  nbf: seconds.optional(),
  jti: name.optional(),
  on_behalf_of: name.optional(),
  namespace: name,
  workflow_id: z.string().min(1).max(1_000),
  domain: name.optional(),
  actions: z.array(name).max(100).optional(),
})

export type MandateVerifier = (jwt: string) => Promise<Mandate | null>

/** `null` for what is not genuine, for whatever reason. @throws TypeError for a key that is private or has no `kid` */
export function createMandateVerifier(issuers: readonly MandateIssuer[]): MandateVerifier {
  const keySets = new Map(issuers.map(({ issuer, keys }) => {
    for (const key of keys.keys) {
      if (key.kid === undefined) throw new TypeError(`mandate keys of ${issuer}: each needs a kid`)
      if (key.d !== undefined) throw new TypeError('the gate must not hold a private mandate key')
    }
    return [issuer, createLocalJWKSet(keys)]
  }))
  return async (jwt) => {
    try {
      const keys = keySets.get(decodeJwt(jwt).iss ?? '')
      if (keys === undefined) return null
      const { payload, protectedHeader } = await compactVerify(jwt, keys, { algorithms: ['EdDSA', 'ES256'] })
      if (protectedHeader.typ !== mandateType) return null
      const { iss, sub, exp, nbf, jti, on_behalf_of: onBehalfOf, namespace, workflow_id: workflowId, domain, actions } = claims.parse(JSON.parse(new TextDecoder().decode(payload)))
      return {
        issuer: iss, id: jti ?? null, actor: sub, onBehalfOf: onBehalfOf ?? null, namespace, workflowId,
        domain: domain ?? null, actions: actions ?? null,
        notBefore: nbf === undefined ? null : nbf * 1_000, expiresAt: exp * 1_000, sha256: sha256(jwt),
      }
    } catch {
      return null
    }
  }
}
