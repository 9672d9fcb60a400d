import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, importJWK, SignJWT, type JWK } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMandateSigner, type MandateClaims, type MandateSigner } from '../../src/approvals/mandates.ts'
import { approval } from '../an-entity.ts'
import { anInvoicesStack, pay, type Invoices } from '../an-invoices-stack.ts'

let it: Invoices
let issue: MandateSigner
let key: JWK
const strangers: Record<string, MandateSigner> = {}

async function aKey(kid: string): Promise<{ readonly secret: JWK; readonly open: JWK }> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  return { secret: { ...(await exportJWK(privateKey)), kid }, open: { ...(await exportJWK(publicKey)), kid } }
}

beforeAll(async () => {
  const [ours, theirs] = await Promise.all([aKey('k1'), aKey('k1')])
  key = ours.secret
  it = await anInvoicesStack({ mandateIssuers: [{ issuer: 'https://desk.test', keys: { keys: [ours.open] } }] })
  issue = await createMandateSigner('https://desk.test', ours.secret)
  strangers['another key of the same name'] = await createMandateSigner('https://desk.test', theirs.secret)
  strangers['an issuer the gate does not know'] = await createMandateSigner('https://elsewhere.test', ours.secret)
})
afterAll(() => it.stack.close())

const inAnHour = (): Date => new Date(Date.now() + 3_600_000)

/** A workflow of intern-1, whom the gate worker does not serve, under this mandate. */
async function underMandate(claims: Partial<MandateClaims> = {}, how: { readonly sign?: MandateSigner; readonly amountCents?: number; readonly actor?: string } = {}): Promise<{ readonly entityId: string; readonly answer: unknown; readonly workflowId: string }> {
  const entityId = await it.anInvoice()
  const workflowId = `mandated-${randomUUID()}`
  const mandate = await (how.sign ?? issue)({ actor: 'intern-1', namespace: 'default', workflowId, expiresAt: inAnHour(), ...claims })
  const [answer] = await it.ask([pay(entityId, how.amountCents ?? 1_000)], { actor: how.actor ?? 'intern-1', mandate }, workflowId)
  return { entityId, answer, workflowId }
}

describe('an actor whom the worker is not configured to serve', () => {
  test('is refused without a mandate', async () => {
    const entityId = await it.anInvoice()
    expect(await it.ask([pay(entityId, 1_000)], { actor: 'intern-1' })).toMatchObject([{ outcome: 'blocked', reason: 'actor_unproven', message: 'this gate does not serve intern-1' }])
  })

  test('counts with one, and for whom it acts reaches the executor, the record, and never the digest of another', async () => {
    const { entityId, answer, workflowId } = await underMandate({ onBehalfOf: 'customer-7' })
    expect(answer).toMatchObject({ outcome: 'allowed' })
    expect(it.effects(entityId)).toMatchObject([{ actor: 'intern-1', onBehalfOf: 'customer-7' }])
    const { rows } = await it.stack.db.pool('auditor').query("select body::jsonb -> 'mandate' as mandate, body::jsonb ->> 'on_behalf_of' as who from kiff.ledger where body::jsonb ->> 'workflow_id' = $1", [workflowId])
    expect(rows).toEqual([1, 2].map(() => ({ who: 'customer-7', mandate: { issuer: 'https://desk.test', id: expect.any(String), expires_at: expect.any(String), sha256: expect.stringMatching(/^[\da-f]{64}$/) } })))
  })

  test.each<[string, Partial<MandateClaims>, string]>([
    ['for another workflow', { workflowId: 'another' }, 'for another workflow'],
    ['of another namespace', { namespace: 'other' }, 'for another workflow'],
    ['for another domain', { domain: 'refunds' }, 'for the domain refunds'],
    ['that names other actions', { actions: ['CALL_VENDOR'] }, 'does not name PAY_PART'],
    ['for another actor', { actor: 'clerk-1' }, 'is for clerk-1, not for intern-1'],
    ['that has run out', { expiresAt: new Date(Date.now() - 1_000) }, 'ran out at'],
  ])('a mandate %s does not count', async (_, claims, message) => {
    const { entityId, answer } = await underMandate(claims)
    expect(answer).toMatchObject({ outcome: 'blocked', reason: 'actor_unproven', message: expect.stringContaining(message) })
    expect(it.effects(entityId)).toEqual([])
  })

  test.each(['another key of the same name', 'an issuer the gate does not know'])('a mandate by %s does not count', async (name) => {
    const sign = strangers[name]
    expect((await underMandate({}, sign === undefined ? {} : { sign })).answer).toMatchObject({ reason: 'actor_unproven', message: expect.stringContaining('not signed by an issuer this gate trusts') })
  })

  test.each<[string, () => Promise<string>]>([
    ['another kind of token by the same issuer', async () => new SignJWT({ namespace: 'default', workflow_id: 'w' }).setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: 'k1' }).setIssuer('https://desk.test').setSubject('intern-1').setExpirationTime('1h').sign(await importJWK(key, 'EdDSA'))],
    ['a token without a signature', async () => Promise.resolve(`${Buffer.from('{"alg":"none","typ":"kiff-mandate+jwt","kid":"k1"}').toString('base64url')}.${Buffer.from('{"iss":"https://desk.test","sub":"intern-1","exp":9999999999,"namespace":"default","workflow_id":"w"}').toString('base64url')}.`)],
    ['no token at all', async () => Promise.resolve('not a token')],
  ])('%s does not count', async (_, make) => {
    const mandate = await make()
    expect((await underMandate({}, { sign: async () => Promise.resolve(mandate) })).answer).toMatchObject({ reason: 'actor_unproven' })
  })

  test('it needs the permission all the same', async () => {
    expect((await underMandate({ actor: 'nobody-1' }, { actor: 'nobody-1' })).answer).toMatchObject({ reason: 'permission_denied' })
  })
})

test('a mandate that does not hold spoils also what the worker would serve: it claims to act for somebody', async () => {
  expect((await underMandate({ actor: 'clerk-1', workflowId: 'another', onBehalfOf: 'the-queen' }, { actor: 'clerk-1' })).answer).toMatchObject({ reason: 'actor_unproven' })
})

describe('consent asked for under a mandate', () => {
  test('lasts no longer than the mandate, and is not given by the one who is acted for', async () => {
    const entityId = await it.anInvoice()
    const workflowId = `mandated-${randomUUID()}`
    const expiresAt = new Date(Math.floor(inAnHour().getTime() / 1_000) * 1_000)
    const mandate = await issue({ actor: 'intern-1', onBehalfOf: 'omar', namespace: 'default', workflowId, expiresAt })
    const handle = await it.start([pay(entityId, 20_000)], { actor: 'intern-1', mandate }, workflowId)
    const approvalId = await it.stack.asked(entityId)
    expect((await approval(it.stack, approvalId))?.request).toMatchObject({ on_behalf_of: 'omar', answer_by: expiresAt.toISOString(), use_by: expiresAt.toISOString() })
    expect(await it.stack.review(approvalId, 'granted', 'omar')).toMatchObject({ outcome: 'refused', reason: 'self_review' })
    await it.stack.review(approvalId, 'granted', 'maria')
    expect(await handle.result()).toMatchObject([{ outcome: 'allowed' }])
  })

  test('is of no use when the mandate has run out meanwhile: SQL looks at it too', async () => {
    const entityId = await it.anInvoice()
    const workflowId = `mandated-${randomUUID()}`
    const mandate = await issue({ actor: 'intern-1', namespace: 'default', workflowId, expiresAt: new Date(Date.now() + 4_000) })
    const handle = await it.start([pay(entityId, 20_000)], { actor: 'intern-1', mandate }, workflowId)
    await it.stack.asked(entityId)
    expect(await handle.result()).toMatchObject([{ outcome: 'blocked', reason: 'actor_unproven', message: expect.stringContaining('ran out') }])
    expect(it.effects(entityId)).toEqual([])
  })
})
