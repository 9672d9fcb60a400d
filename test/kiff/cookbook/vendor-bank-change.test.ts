import { testDomain, type Scene } from 'kiff-temporal/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { expectEnd } from './ending.ts'
import { vendorBankChange } from './vendor-bank-change.ts'

const trusted = { taxIdMatches: true, calledBack: true, accountKnown: true, openInvoicesCents: 42_000, fraudSignal: false }

let scene: Scene<typeof vendorBankChange>
beforeEach(async () => {
  scene = await testDomain(vendorBankChange, {
    members: {
      'agent-vendor-risk-1': { roles: ['vendor-risk-agent'], type: 'agent' }, 'vendor-master-service': { roles: ['vendor-master'], type: 'service' }, intake: 'intake',
      'finance-controller-ava': 'finance-controller', both: ['vendor-master', 'finance-controller'],
    },
    executors: { APPLY_BANK_CHANGE: ({ facts }) => ({ updateId: `vendor-update-${facts.change.vendorId}-${facts.change.accountFingerprint}` }) },
    loaders: { vendor: ({ facts }) => (facts.change.vendorId === 'v-1' ? trusted : null) },
  })
})
const ava = { by: 'finance-controller-ava' }
const change = { vendorId: 'v-1', accountFingerprint: 'acct-9981', accountCountry: 'DE', requesterEmail: 'pay@v-1.example' }
const prepare = (action: string, params: unknown) => scene.propose('agent-vendor-risk-1', action, 'b-1', params)
const apply = (params: object = {}, by = 'vendor-master-service', how = {}) => scene.propose(by, 'APPLY_BANK_CHANGE', 'b-1', params, how)

/** b-1, as far as the agent takes it. */
async function assessed(riskScorePercent: number): Promise<void> {
  await scene.report('intake', 'BANK_CHANGE_REQUESTED', 'b-1', change)
  for (const [action, params] of [['ATTACH_EVIDENCE', { evidencePacketId: 'e-1' }], ['VERIFY_VENDOR', {}], ['ASSESS_BANK_CHANGE', { riskScorePercent }]] as const) {
    expect(await prepare(action, params)).toMatchObject({ outcome: 'allowed' })
  }
}

describe("KIFF's bank changes", () => {
  test('18, a known account, 42000 open: updated without approval', async () => {
    await assessed(18)
    expect(await apply()).toMatchObject({ outcome: 'allowed', output: { updateId: 'vendor-update-v-1-acct-9981' } })
    expectEnd(scene, 'VendorBankChange', 'b-1', 'UPDATED', ['APPLY_BANK_CHANGE'])
  })

  test('84, a new account, 980000 open, fraud: held, granted, updated once', async () => {
    scene.loads('vendor', { ...trusted, accountKnown: false, openInvoicesCents: 980_000, fraudSignal: true })
    await assessed(84)
    expect(await prepare('HOLD_FOR_FINANCE_REVIEW', { reason: 'new account' })).toMatchObject({ outcome: 'allowed' })
    const keyed = { workflow: 'w', key: 'update' }
    const asked = await apply({}, 'vendor-master-service', keyed)
    expect(asked).toMatchObject({ outcome: 'approval_required', rule: 'risk score 84 is above 30; the account is new; open invoices of 980000 cents are above 100000; fraud signal present; held for finance' })
    expect(await scene.granted(asked, ava)).toMatchObject({ outcome: 'allowed' })
    expect(await apply({}, 'vendor-master-service', keyed)).toMatchObject({ outcome: 'allowed' })
    expect(await apply()).toMatchObject({ outcome: 'blocked', reason: 'state_not_allowed' })
    expectEnd(scene, 'VendorBankChange', 'b-1', 'UPDATED', ['APPLY_BANK_CHANGE'])
  })

  test('a country that there is not is recorded nowhere, and none is told with the change', async () => {
    expect(await scene.report('intake', 'BANK_CHANGE_REQUESTED', 'b-2', { ...change, accountCountry: 'ZZ' })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expect(scene.state('VendorBankChange', 'b-2')).toBeNull()
    await assessed(18)
    expect(await apply({ accountCountry: 'ZZ' })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expectEnd(scene, 'VendorBankChange', 'b-1', 'ASSESSED', [])
  })

  test.each([{ accountFingerprint: 'short' }, { accountFingerprint: 'x'.repeat(101) }, { requesterEmail: 'nobody' }, { requesterEmail: `${'x'.repeat(50)}@${'long.'.repeat(40)}example` }])('a request with %o is none', async (wrong) => {
    expect(await scene.report('intake', 'BANK_CHANGE_REQUESTED', 'b-2', { ...change, ...wrong })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expect(scene.state('VendorBankChange', 'b-2')).toBeNull()
  })

  test('the controller cannot agree to their own change', async () => {
    await assessed(84)
    const own = await apply({}, 'both')
    expect(await scene.review(own, 'granted', { by: 'both' })).toMatchObject({ outcome: 'refused', reason: 'self_review' })
    expect(await scene.again(own)).toMatchObject({ outcome: 'approval_required' })
    expectEnd(scene, 'VendorBankChange', 'b-1', 'ASSESSED', [])
  })

  test.each([[30, 'allowed'], [31, 'approval_required']])('a score of %i: %s', async (score, outcome) => {
    await assessed(score)
    expect(await apply()).toMatchObject({ outcome })
  })
})

describe('what decides is the vendor master\'s', () => {
  test.each([
    [{ accountKnown: false }, 'the account is new'], [{ calledBack: false }, 'the vendor was not called back'], [{ fraudSignal: true }, 'fraud signal present'],
    [{ openInvoicesCents: 100_001 }, 'open invoices of 100001 cents are above 100000'],
  ])('%o asks, though it was said after the assessment', async (changed, rule) => {
    await assessed(0)
    scene.loads('vendor', { ...trusted, ...changed })
    expect(await apply()).toMatchObject({ outcome: 'approval_required', rule })
  })

  test.each([[{ taxIdMatches: false }, 'the tax id is not that of v-1'], [{ calledBack: false }, 'v-1 has not been called back']])('%o: not verified', async (changed, message) => {
    scene.loads('vendor', { ...trusted, ...changed })
    await scene.given('VendorBankChange', 'b-1', [['BANK_CHANGE_REQUESTED', change], ['EVIDENCE_ATTACHED', { evidencePacketId: 'e-1' }]])
    expect(await prepare('VERIFY_VENDOR', {})).toMatchObject({ outcome: 'blocked', reason: 'forbidden', message })
    expect(await prepare('VERIFY_VENDOR', { taxIdMatch: true, callbackVerified: true, existingVendor: true })).toMatchObject({ outcome: 'invalid' })
    expectEnd(scene, 'VendorBankChange', 'b-1', 'EVIDENCE_ATTACHED', [])
  })

  test('a vendor that left it while finance thought is paid nowhere', async () => {
    await assessed(84)
    const asked = await apply()
    scene.loads('vendor', null)
    expect(await scene.granted(asked, ava)).toMatchObject({ outcome: 'blocked', reason: 'forbidden', message: 'the vendor master has no v-1' })
    expectEnd(scene, 'VendorBankChange', 'b-1', 'ASSESSED', [])
  })

  test('invoices that came while finance thought are asked about again', async () => {
    await assessed(84)
    const asked = await apply()
    scene.loads('vendor', { ...trusted, openInvoicesCents: 42_001 })
    expect(await scene.granted(asked, ava)).toMatchObject({ outcome: 'approval_required', round: 2 })
  })

  test('invoices below nothing are none, and nothing is judged by them', async () => {
    await assessed(18)
    scene.loads('vendor', { ...trusted, openInvoicesCents: -1 })
    await expect(apply()).rejects.toThrow('openInvoicesCents')
  })

  test('nothing is judged while it cannot be read', async () => {
    await assessed(18)
    scene.loads('vendor', () => { throw new Error('the vendor master is down') })
    await expect(apply()).rejects.toThrow('the vendor master is down')
    expectEnd(scene, 'VendorBankChange', 'b-1', 'ASSESSED', [])
  })
})

describe('who may do what', () => {
  test('an agent applies nothing, and names no account', async () => {
    await assessed(18)
    expect(await apply({}, 'agent-vendor-risk-1')).toMatchObject({ outcome: 'blocked', reason: 'permission_denied' })
    expect(await apply({ roles: ['vendor-master'] }, 'agent-vendor-risk-1')).toMatchObject({ outcome: 'invalid' })
    expect(await apply({ accountFingerprint: 'mine-mine' })).toMatchObject({ outcome: 'invalid' })
    expect(await scene.report('agent-vendor-risk-1', 'BANK_CHANGE_REQUESTED', 'b-2', { ...change, accountFingerprint: 'mine-mine' })).toMatchObject({ reason: 'event_not_reportable' })
    expectEnd(scene, 'VendorBankChange', 'b-1', 'ASSESSED', [])
  })

  test.each(['agent-vendor-risk-1', 'vendor-master-service'])('%s agrees to nothing', async (by) => {
    await assessed(84)
    expect(await scene.review(await apply(), 'granted', { by })).toMatchObject({ outcome: 'refused', reason: 'permission_denied' })
  })

  test.each(['agent-vendor-risk-1', 'finance-controller-ava'])('%s can reject a change, for good', async (by) => {
    await assessed(18)
    expect(await scene.propose(by, 'REJECT_BANK_CHANGE', 'b-1', { reason: 'the vendor denies it' })).toMatchObject({ outcome: 'allowed' })
    expect(await apply()).toMatchObject({ reason: 'state_not_allowed' })
    expectEnd(scene, 'VendorBankChange', 'b-1', 'REJECTED', [])
  })
})
