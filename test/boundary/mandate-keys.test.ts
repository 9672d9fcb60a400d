/** What a mandate's verifier is configured with, and when a mandate counts. How one is judged as a whole: `test/workflows/mandates.test.ts`. */
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { createMandateSigner } from '../../src/approvals/mandates.ts'
import { authorityOf, provenAt } from '../../src/gate/authority.ts'
import { createMandateVerifier } from '../../src/gate/mandate.ts'

const issuer = 'https://desk.test'
const step = { namespace: 'default', workflowId: 'w', firstExecutionRunId: 'r', runId: 'r', activityId: '1' }
let secret: JWK
let open: JWK
let privateKey: CryptoKey

beforeAll(async () => {
  const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  privateKey = pair.privateKey
  secret = { ...(await exportJWK(pair.privateKey)), kid: 'k1' }
  open = { ...(await exportJWK(pair.publicKey)), kid: 'k1' }
})

describe('keys', () => {
  test('a private one is refused', () => {
    expect(() => createMandateVerifier([{ issuer, keys: { keys: [secret] } }])).toThrow('the gate must not hold a private mandate key')
  })

  test('one without a name is refused', () => {
    const { kid: _, ...nameless } = open
    expect(() => createMandateVerifier([{ issuer, keys: { keys: [nameless] } }])).toThrow('each needs a kid')
  })

  test('the signer takes private keys with a name, and no other', async () => {
    await expect(createMandateSigner(issuer, open)).rejects.toThrow('must be a private Ed25519 or P-256 JWK with a kid')
  })
})

describe('time, by the database\'s clock', () => {
  const begins = Date.parse('2026-06-01T00:00:00Z')
  const ends = Date.parse('2026-06-02T00:00:00Z')

  test.each<[string, number, string | true]>([
    ['before it begins', begins - 1, 'the mandate begins at 2026-06-01T00:00:00.000Z'],
    ['when it begins', begins, true],
    ['just before its end', ends - 1, true],
    ['at its end', ends, 'the mandate ran out at 2026-06-02T00:00:00.000Z'],
  ])('%s', async (_, now, proven) => {
    const mandate = await new SignJWT({ namespace: 'default', workflow_id: 'w' })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'kiff-mandate+jwt', kid: 'k1' }).setIssuer(issuer).setSubject('intern-1')
      .setNotBefore(begins / 1_000).setExpirationTime(ends / 1_000).sign(privateKey)
    const rules = { actors: [], verifyMandate: createMandateVerifier([{ issuer, keys: { keys: [open] } }]) }
    const authority = await authorityOf(rules, step, { domain: 'refunds', actor: 'intern-1', action: 'REFUND_ORDER', mandate })
    expect(provenAt(authority, new Date(now).toISOString())).toBe(proven)
  })
})
