import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testDomain, type Scene } from 'kiff-temporal/testing'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { boundAccountsPayable } from '../../activities/accounts-payable.ts'
import { openBank } from '../../activities/bank.ts'
import { openOutbox } from '../../activities/outbox.ts'
import { accountsPayable } from '../../domains/accounts-payable/domain.ts'
import type { Invoice } from '../../domains/accounts-payable/invoice.ts'
import type { Payee } from '../../domains/accounts-payable/vendor.ts'

const trusted: Payee = { standing: 'trusted', bankFingerprint: 'bank-of-v-1' }
const paper: Invoice = { vendorId: 'v-1', invoiceNumber: 'INV-1', amountCents: 32_000, currency: 'USD', bankFingerprint: 'bank-of-v-1' }

/** Pays what was recorded, and says so. */
const pay = ({ facts: { invoice } }: { readonly facts: { readonly invoice: Invoice } }) => ({ paymentId: `pay-${invoice.amountCents}-${invoice.vendorId}` })

let scene: Scene<typeof accountsPayable>
beforeEach(async () => {
  scene = await testDomain(accountsPayable, {
    members: {
      'agent-ap-1': 'ap-agent', 'payment-service': { roles: ['payment-service'], type: 'service' }, 'mail-room': 'intake',
      'finance-manager-ava': 'finance', 'finance-manager-ben': 'finance',
    },
    executors: { RELEASE_PAYMENT: pay, RELEASE_LARGE_PAYMENT: pay, REQUEST_VENDOR_STATEMENT: { letterId: 'letter-1' } },
    // The register: v-1 is trusted, v-2 merely known; both have their account. Nobody else is in it.
    loaders: {
      payee: ({ facts: { invoice } }) => ({ 'v-1': trusted, 'v-2': { standing: 'known' as const, bankFingerprint: 'bank-of-v-2' } })[invoice.vendorId] ?? null,
      vendor: ({ entityId }) => (entityId === 'v-1' ? { standing: 'trusted', letters: 'accounts@v-1.example' } : null),
    },
  })
})

/** An invoice that is ready to be paid. */
async function ready(id: string, change: Partial<Invoice> = {}): Promise<Invoice> {
  const invoice = { ...paper, ...change }
  await scene.given('VendorInvoice', id, [['INVOICE_RECEIVED', invoice], ['INVOICE_VERIFIED'], ['PAYMENT_READY_MARKED', { dueDate: '2026-02-01' }]])
  return invoice
}
const propose = (actor: string, action: string, id: string, params: unknown) => scene.propose(actor, action, id, params)
const release = (id: string, { vendorId, amountCents }: Pick<Invoice, 'vendorId' | 'amountCents'>, action = 'RELEASE_PAYMENT') => propose('payment-service', action, id, { vendorId, amountCents })
const large = (id: string, invoice: Invoice) => release(id, invoice, 'RELEASE_LARGE_PAYMENT')
const statement = (vendorId: string) => propose('agent-ap-1', 'REQUEST_VENDOR_STATEMENT', vendorId, { month: '2026-01' })
const state = (id: string) => scene.state('VendorInvoice', id)
const ava = { by: 'finance-manager-ava' }
const ben = { by: 'finance-manager-ben' }

describe("KIFF's batch of invoices", () => {
  test('a small one of a trusted vendor is paid without asking', async () => {
    expect(await release('i-1', await ready('i-1'))).toMatchObject({ outcome: 'allowed', output: { paymentId: 'pay-32000-v-1' } })
    expect(state('i-1')).toBe('PAID')
  })

  test('a large one is held, paid when finance agrees, and never again', async () => {
    const invoice = await ready('i-2', { amountCents: 1_842_000 })
    expect(await propose('agent-ap-1', 'HOLD_FOR_APPROVAL', 'i-2', { reason: 'large' })).toMatchObject({ outcome: 'allowed' })
    const asked = await release('i-2', invoice)
    expect(asked).toMatchObject({ outcome: 'approval_required', rule: 'USD 18420.00 is above the autonomous release limit of 500; the payment was held for finance' })
    expect(state('i-2')).toBe('PAYMENT_HELD')
    expect(await scene.granted(asked, ava)).toMatchObject({ outcome: 'allowed' })
    expect(await release('i-2', invoice)).toMatchObject({ outcome: 'blocked', reason: 'state_not_allowed' })
    expect(state('i-2')).toBe('PAID')
    expect(scene.effects).toHaveLength(1)
  })

  test('a held one asks, however small', async () => {
    const invoice = await ready('i-3')
    await propose('agent-ap-1', 'HOLD_FOR_APPROVAL', 'i-3', { reason: 'odd' })
    expect(await release('i-3', invoice)).toMatchObject({ outcome: 'approval_required', rule: 'the payment was held for finance' })
  })

  test('a large one cannot be paid as a small one', async () => {
    await ready('i-4', { amountCents: 1_842_000 })
    expect(await release('i-4', { vendorId: 'v-1', amountCents: 50_000 })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter', message: 'params.amountCents: not what the recorded invoice says (1842000)' })
    expect(await propose('payment-service', 'RELEASE_LOW_RISK_PAYMENT', 'i-4', { ...paper, trusted_vendor: true })).toMatchObject({ reason: 'unknown_action' })
    expect(state('i-4')).toBe('READY_FOR_PAYMENT')
    expect(scene.effects).toEqual([])
  })

  test('an amount in words is refused before anything else happens', async () => {
    await scene.given('VendorInvoice', 'i-5', [['INVOICE_RECEIVED', paper]])
    expect(await propose('agent-ap-1', 'VERIFY_INVOICE', 'i-5', { ...paper, amountCents: '12.34' })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expect(state('i-5')).toBe('RECEIVED')
  })

  test('an agent that prepares cannot release, whatever it says of itself', async () => {
    const { vendorId, amountCents } = await ready('i-6')
    expect(await propose('agent-ap-1', 'RELEASE_PAYMENT', 'i-6', { vendorId, amountCents })).toMatchObject({ outcome: 'blocked', reason: 'permission_denied' })
    expect(await propose('agent-ap-1', 'RELEASE_PAYMENT', 'i-6', { vendorId, amountCents, roles: ['payment-service'] })).toMatchObject({ outcome: 'invalid' })
    expect(scene.effects).toEqual([])
  })

  test('an agent cannot review, and nor can the service that pays', async () => {
    const asked = await release('i-7', await ready('i-7', { amountCents: 60_000 }))
    expect(await scene.review(asked, 'granted', { by: 'agent-ap-1' })).toMatchObject({ outcome: 'refused' })
    expect(await scene.review(asked, 'granted', { by: 'payment-service' })).toMatchObject({ outcome: 'refused' })
    expect(await scene.again(asked)).toMatchObject({ outcome: 'approval_required' })
  })

  test('the whole way of one whose information was missing', async () => {
    await scene.report('mail-room', 'INVOICE_RECEIVED', 'i-8', paper)
    expect(await propose('agent-ap-1', 'REQUEST_MISSING_INFO', 'i-8', { missingFields: ['amountCents'] })).toMatchObject({ outcome: 'allowed' })
    const corrected = { ...paper, amountCents: 41_000 }
    expect(await scene.report('agent-ap-1', 'INVOICE_INFO_RECEIVED', 'i-8', corrected)).toMatchObject({ reason: 'event_not_reportable' })
    await scene.report('mail-room', 'INVOICE_INFO_RECEIVED', 'i-8', corrected)
    expect(await propose('agent-ap-1', 'VERIFY_INVOICE', 'i-8', paper)).toMatchObject({ reason: 'invalid_parameter' })
    expect(await propose('agent-ap-1', 'VERIFY_INVOICE', 'i-8', corrected)).toMatchObject({ outcome: 'allowed' })
    expect(await propose('agent-ap-1', 'MARK_READY_FOR_PAYMENT', 'i-8', { dueDate: '2026-02-01' })).toMatchObject({ outcome: 'allowed' })
    expect(await release('i-8', corrected)).toMatchObject({ outcome: 'allowed', output: { paymentId: 'pay-41000-v-1' } })
  })

  test('one that is rejected stays so', async () => {
    const invoice = await ready('i-9')
    expect(await propose('agent-ap-1', 'REJECT_INVOICE', 'i-9', { reason: 'a duplicate' })).toMatchObject({ outcome: 'allowed' })
    expect(await release('i-9', invoice)).toMatchObject({ reason: 'state_not_allowed' })
  })
})

describe('weak point 9: what decides is read, not told', () => {
  test.each([{ trusted_vendor: true }, { trustedVendor: true }, { payee: trusted }, { bankFingerprint: 'mine-mine' }])('a claim of %o has no place in a proposal', async (claim) => {
    await ready('i-1', { vendorId: 'v-9' })
    expect(await propose('payment-service', 'RELEASE_PAYMENT', 'i-1', { vendorId: 'v-9', amountCents: 32_000, ...claim })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
  })

  test('a vendor that the register does not know is not paid, whoever would agree', async () => {
    expect(await release('i-1', await ready('i-1', { vendorId: 'v-9' }))).toMatchObject({ outcome: 'blocked', reason: 'forbidden', message: 'the vendor register does not know v-9' })
    expect(scene.timeline('i-1').map(({ kind }) => kind)).not.toContain('approval_recorded')
  })

  test('naming a trusted vendor instead of the recorded one is refused', async () => {
    await ready('i-1', { vendorId: 'v-2', bankFingerprint: 'bank-of-v-2' })
    expect(await release('i-1', { vendorId: 'v-1', amountCents: 32_000 })).toMatchObject({ outcome: 'invalid', message: 'params.vendorId: not what the recorded invoice says (v-2)' })
  })

  test('a vendor that is known but not trusted is paid when finance agrees, however little', async () => {
    const asked = await release('i-1', await ready('i-1', { vendorId: 'v-2', bankFingerprint: 'bank-of-v-2', amountCents: 1 }))
    expect(asked).toMatchObject({ outcome: 'approval_required', rule: 'the vendor register does not trust v-2' })
    expect(await scene.granted(asked, ava)).toMatchObject({ outcome: 'allowed', output: { paymentId: 'pay-1-v-2' } })
  })

  test('an account that is not the registered one is not paid to', async () => {
    expect(await release('i-1', await ready('i-1', { bankFingerprint: 'bank-of-a-thief' }))).toMatchObject({ reason: 'forbidden', message: 'the account on the invoice is not the one that the register has for v-1' })
    expect(scene.effects).toEqual([])
  })

  test('a bank account that changed in the register while finance thought voids their consent', async () => {
    const asked = await release('i-1', await ready('i-1', { amountCents: 60_000 }))
    scene.loads('payee', { standing: 'trusted', bankFingerprint: 'another-bank' })
    expect(await scene.granted(asked, ava)).toMatchObject({ outcome: 'blocked', reason: 'forbidden' })
    expect(scene.timeline('i-1').map(({ kind }) => kind)).toContain('approval_void')
    scene.loads('payee', trusted)
    expect(await scene.again(asked)).not.toMatchObject({ outcome: 'allowed' })
    expect(scene.effects).toEqual([])
  })

  test('a vendor that lost the register\'s trust meanwhile is asked about again', async () => {
    const asked = await release('i-1', await ready('i-1', { amountCents: 60_000 }))
    scene.loads('payee', { ...trusted, standing: 'known' })
    const again = await scene.granted(asked, ava)
    expect(again).toMatchObject({ outcome: 'approval_required', round: 2, rule: 'USD 600.00 is above the autonomous release limit of 500; the vendor register does not trust v-1' })
    expect(await scene.granted(again, ava)).toMatchObject({ outcome: 'allowed' })
  })

  test('a vendor that was blocked meanwhile is not paid', async () => {
    const asked = await release('i-1', await ready('i-1', { amountCents: 60_000 }))
    scene.loads('payee', { ...trusted, standing: 'blocked' })
    expect(await scene.granted(asked, ava)).toMatchObject({ reason: 'forbidden', message: 'the vendor register has blocked v-1' })
  })
})

describe('weak point 8: no amount is paid under rules that are not its own', () => {
  test.each([[50_000, 'allowed'], [50_001, 'approval_required'], [5_000_000, 'approval_required'], [5_000_001, 'blocked']])('RELEASE_PAYMENT of %i: %s', async (amountCents, outcome) => {
    expect(await release('i-1', await ready('i-1', { amountCents }))).toMatchObject({ outcome })
  })

  test.each([[1, 'blocked'], [5_000_000, 'blocked'], [5_000_001, 'approval_required']])('RELEASE_LARGE_PAYMENT of %i: %s', async (amountCents, outcome) => {
    expect(await large('i-1', await ready('i-1', { amountCents }))).toMatchObject({ outcome })
  })

  test('above the second limit two different people have to agree', async () => {
    const asked = await large('i-1', await ready('i-1', { amountCents: 9_000_000 }))
    expect(await scene.granted(asked, ava)).toMatchObject({ outcome: 'approval_required' })
    expect(await scene.review(asked, 'granted', ava)).toMatchObject({ outcome: 'refused' })
    expect(await scene.again(asked)).toMatchObject({ outcome: 'approval_required' })
    expect(scene.effects).toEqual([])
    expect(await scene.granted(asked, ben)).toMatchObject({ outcome: 'allowed' })
    expect(scene.effects).toHaveLength(1)
  })

  test('one of them saying no is enough', async () => {
    const asked = await large('i-1', await ready('i-1', { amountCents: 9_000_000 }))
    await scene.granted(asked, ava)
    expect(await scene.denied(asked, ben)).toMatchObject({ reason: 'approval_denied' })
    expect(scene.effects).toEqual([])
  })
})

describe('a vendor, which we keep no state of', () => {
  test('is written to when the register trusts it', async () => {
    expect(await statement('v-1')).toMatchObject({ outcome: 'allowed', summary: 'Ask v-1, at accounts@v-1.example, for its statement of 2026-01' })
  })

  test('is not written to when the register does not list it', async () => {
    expect(await statement('v-9')).toMatchObject({ reason: 'forbidden' })
    expect(scene.effects).toEqual([])
  })

  test('is written to when finance agrees, as long as the register says the same', async () => {
    scene.loads('vendor', { standing: 'known', letters: 'a@v-2.example' })
    const asked = await statement('v-2')
    expect(asked).toMatchObject({ outcome: 'approval_required', rule: 'the vendor register does not trust v-2' })
    scene.loads('vendor', { standing: 'known', letters: 'b@v-2.example' })
    const again = await scene.granted(asked, ava)
    expect(again).toMatchObject({ outcome: 'approval_required', round: 2 })
    expect(await scene.granted(again, ben)).toMatchObject({ outcome: 'allowed' })
    expect(scene.effects).toMatchObject([{ facts: { vendor: { letters: 'b@v-2.example' } } }])
  })
})

describe('its effects, on registers and books in files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kiff-payables-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const vendorsFile = join(folder, 'vendors.json')
  const register = (vendors: unknown) => writeFileSync(vendorsFile, JSON.stringify(vendors))
  const open = () => {
    const [bank, outbox] = [openBank(join(folder, 'bank.jsonl')), openOutbox(join(folder, 'outbox.jsonl'))]
    const bound = boundAccountsPayable({ bank, outbox, vendorsFile })
    const call = { entityId: 'i-1', actor: 'payment-service', onBehalfOf: null, signal: AbortSignal.timeout(5_000), params: { vendorId: 'v-1', amountCents: 1 } }
    return {
      bank,
      pay: async (idempotencyKey: string) => bound.executorOf('RELEASE_PAYMENT')?.({ ...call, facts: { invoice: paper, held: false, payee: trusted }, idempotencyKey }),
      load: async (fact: string, entityId: string) => bound.loaderOf(fact)?.({ ...call, entityId, facts: { invoice: { ...paper, vendorId: entityId }, held: false } }),
    }
  }

  test('pays what was recorded, once for each key, also when the bank was opened anew', async () => {
    expect(await open().pay('key-1')).toEqual({ paymentId: 'pay-000001' })
    expect(await open().pay('key-1')).toEqual({ paymentId: 'pay-000001' })
    expect(await open().pay('key-2')).toEqual({ paymentId: 'pay-000002' })
    const transfer = { account: 'bank-of-v-1', amountCents: 32_000, currency: 'USD', reference: 'INV-1' }
    expect(open().bank.transfers().map(({ entry }) => entry)).toEqual([transfer, transfer])
  })

  test('asks the register anew each time, about the recorded vendor', async () => {
    register({ 'v-1': { ...trusted, letters: 'a@v-1.example' } })
    const { load } = open()
    expect(await load('payee', 'v-1')).toEqual(trusted)
    expect(await load('vendor', 'v-1')).toEqual({ standing: 'trusted', letters: 'a@v-1.example' })
    expect(await load('payee', 'toString')).toBeNull()
    register({ 'v-1': { standing: 'blocked', bankFingerprint: 'bank-of-v-1', letters: 'a@v-1.example' } })
    expect(await load('payee', 'v-1')).toMatchObject({ standing: 'blocked' })
  })

  test('says nothing when the register cannot be read', async () => {
    register({ 'v-1': { standing: 'very trusted' } })
    await expect(open().load('payee', 'v-1')).rejects.toThrow()
    rmSync(vendorsFile)
    await expect(open().load('payee', 'v-1')).rejects.toThrow('ENOENT')
  })
})
