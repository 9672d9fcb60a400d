/** Who counts as an actor: by the gate worker's configuration, or by a mandate for exactly this. The same on real servers: `test/workflows/mandates.test.ts`. */
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { authorityOf, provenAt, type Authority } from '../../src/gate/authority.ts'
import { createMandateVerifier } from '../../src/gate/mandate.ts'

const issuer = 'https://desk.test'
const step = { namespace: 'default', workflowId: 'ticket-1', firstExecutionRunId: 'run-1', runId: 'run-1', activityId: '1' }
const now = '2026-01-01T00:00:00.000Z'
const seconds = (time: string): number => Date.parse(time) / 1_000
const sound = { iss: issuer, sub: 'bot-1', exp: seconds('2026-01-02T00:00:00Z'), namespace: 'default', workflow_id: 'ticket-1' }

let secret: CryptoKey
let open: JWK
beforeAll(async () => {
  const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  secret = pair.privateKey
  open = { ...(await exportJWK(pair.publicKey)), kid: 'k1' }
})

const signed = (claims: object, header: object = {}, key = secret): Promise<string> =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg: 'EdDSA', typ: 'kiff-mandate+jwt', kid: 'k1', ...header }).sign(key)

/** What becomes of a mandate, asked for `bot-1` and the action PAY. */
async function under(mandate: string | undefined, how: { readonly actors?: readonly string[]; readonly action?: string | null } = {}): Promise<Authority> {
  const rules = { actors: how.actors ?? [], verifyMandate: createMandateVerifier([{ issuer, keys: { keys: [open] } }]) }
  return authorityOf(rules, step, { domain: 'wallets', actor: 'bot-1', action: how.action === undefined ? 'PAY' : how.action, mandate })
}

describe('without a mandate', () => {
  test('those count that the worker is configured to serve, and nobody else', async () => {
    expect(provenAt(await under(undefined, { actors: ['bot-1'] }), now)).toBe(true)
    expect(provenAt(await under(undefined, { actors: ['bot-2'] }), now)).toBe('this gate does not serve bot-1')
  })
})

describe('a mandate', () => {
  test('that holds proves the actor, and says for whom it acts', async () => {
    const authority = await under(await signed({ ...sound, on_behalf_of: 'customer-7', domain: 'wallets', actions: ['PAY'] }))
    expect(provenAt(authority, now)).toBe(true)
    expect(authority).toMatchObject({ onBehalfOf: 'customer-7', until: '2026-01-02T00:00:00.000Z', mandate: { issuer } })
  })

  test('that names actions lets a question be asked that is of none', async () => {
    expect(provenAt(await under(await signed({ ...sound, actions: ['REFUND'] }), { action: null }), now)).toBe(true)
  })

  test.each<[string, object, string]>([
    ['for another actor', { sub: 'bot-2' }, 'the mandate is for bot-2, not for bot-1'],
    ['of another namespace', { namespace: 'other' }, 'the mandate is for another workflow'],
    ['for another workflow', { workflow_id: 'ticket-2' }, 'the mandate is for another workflow'],
    ['for another domain', { domain: 'refunds' }, 'the mandate is for the domain refunds'],
    ['for other actions', { actions: ['REFUND'] }, 'the mandate does not name PAY'],
    ['that has run out', { exp: seconds(now) }, 'the mandate ran out at 2026-01-01T00:00:00.000Z'],
    ['that has not begun', { nbf: seconds('2026-01-01T00:00:01Z') }, 'the mandate begins at 2026-01-01T00:00:01.000Z'],
  ])('%s does not count', async (_, claims, why) => {
    expect(provenAt(await under(await signed({ ...sound, ...claims })), now)).toBe(why)
  })

  const { exp: _, ...endless } = sound
  const { workflow_id: __, ...anywhere } = sound
  test.each<[string, () => Promise<string>]>([
    ['by another key', async () => signed(sound, {}, (await generateKeyPair('EdDSA', { crv: 'Ed25519' })).privateKey)],
    ['by an issuer whom the gate does not trust', async () => signed({ ...sound, iss: 'https://elsewhere.test' })],
    ['that is a token of another kind', async () => signed(sound, { typ: 'JWT' })],
    ['signed in a way that mandates are not', async () => signed(sound, { alg: 'Ed25519' })],
    ['without an end', async () => signed(endless)],
    ['for no workflow in particular', async () => signed(anywhere)],
    ['that is no token', async () => 'a.b.c'],
  ])('%s is none', async (_name, make) => {
    expect(provenAt(await under(await make(), { actors: ['bot-1'] }), now)).toBe('the mandate of bot-1 is not signed by an issuer this gate trusts')
  })
})

describe("an issuer's keys", () => {
  test('have names', () => {
    const { kid: _kid, ...nameless } = open
    expect(() => createMandateVerifier([{ issuer, keys: { keys: [nameless] } }])).toThrow('each needs a kid')
  })

  test('are public', async () => {
    const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
    const key = { ...(await exportJWK(pair.privateKey)), kid: 'k1' }
    expect(() => createMandateVerifier([{ issuer, keys: { keys: [key] } }])).toThrow('the gate must not hold a private mandate key')
  })
})
