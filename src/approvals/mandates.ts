/**
 * Issuing mandates, for a service that knows for whom an agent works (a login, a ticket system): the other half of what the gate
 * verifies. Any JWT library can do the same; the claims are these.
 */
import { importJWK, SignJWT, type JWK } from 'jose'
import { mandateType } from '../core/mandate.ts'

export interface MandateClaims {
  readonly actor: string
  /** The person the actor acts for. */
  readonly onBehalfOf?: string
  readonly namespace: string
  /** The one workflow it is for. */
  readonly workflowId: string
  /** Left out: in every domain. */
  readonly domain?: string
  /** Left out: every action that the actor's roles permit. */
  readonly actions?: readonly string[]
  /** When it runs out. Consent asked for under it lasts no longer. */
  readonly expiresAt: Date
}

export type MandateSigner = (claims: MandateClaims) => Promise<string>

/**
 * @param issuer the `iss` that gate workers are configured to trust
 * @param key private JWK (Ed25519, or P-256 with `alg` ES256) with a `kid`. @throws TypeError for any other key
 */
export async function createMandateSigner(issuer: string, key: JWK): Promise<MandateSigner> {
  const alg = key.kty === 'OKP' && key.crv === 'Ed25519' ? 'EdDSA' : key.kty === 'EC' && key.crv === 'P-256' ? 'ES256' : undefined
  const { kid } = key
  if (alg === undefined || key.d === undefined || kid === undefined) throw new TypeError('a mandate key must be a private Ed25519 or P-256 JWK with a kid')
  const privateKey = await importJWK(key, alg)
  return async ({ actor, onBehalfOf, namespace, workflowId, domain, actions, expiresAt }) =>
    new SignJWT({
      namespace,
      workflow_id: workflowId,
      ...(onBehalfOf === undefined ? {} : { on_behalf_of: onBehalfOf }),
      ...(domain === undefined ? {} : { domain }),
      ...(actions === undefined ? {} : { actions: [...actions] }),
    })
      .setProtectedHeader({ alg, typ: mandateType, kid })
      .setIssuer(issuer)
      .setSubject(actor)
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .setExpirationTime(Math.floor(expiresAt.getTime() / 1_000))
      .sign(privateKey)
}
