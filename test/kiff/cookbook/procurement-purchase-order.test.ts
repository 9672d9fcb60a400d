import { testDomain, type Scene } from 'kiff-temporal/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { expectEnd } from './ending.ts'
import { procurementPurchaseOrder } from './procurement-purchase-order.ts'

const approved = { standing: 'approved', isNew: false } as const

let scene: Scene<typeof procurementPurchaseOrder>
beforeEach(async () => {
  scene = await testDomain(procurementPurchaseOrder, {
    members: {
      'agent-procurement-1': { roles: ['procurement-agent'], type: 'agent' }, 'erp-purchasing-service': { roles: ['erp-purchasing'], type: 'service' }, 'request-desk': 'request-desk',
      'procurement-manager-ava': 'procurement-manager', both: ['erp-purchasing', 'procurement-manager'],
    },
    executors: { CREATE_PURCHASE_ORDER: ({ facts: { quoted } }) => ({ orderId: `po-${quoted.vendorId}-${quoted.amountCents}` }) },
    loaders: { vendor: ({ facts }) => (facts.quoted.vendorId === 'v-1' ? approved : null), availableCents: ({ facts }) => (facts.requested.costCenter === 'cc-1' ? 5_000_000 : 0) },
  })
})
const ava = { by: 'procurement-manager-ava' }
const purchase = { requesterId: 'emp-1', department: 'lab', costCenter: 'cc-1', itemDescription: 'a microscope', soleSource: false, securityReviewRequired: false }
const quote = { quoteId: 'q-1', vendorId: 'v-1', amountCents: 84_000, currency: 'EUR' }
const prepare = (action: string, params: unknown) => scene.propose('agent-procurement-1', action, 'r-1', params)
const order = (params: object = {}, by = 'erp-purchasing-service', how = {}) => scene.propose(by, 'CREATE_PURCHASE_ORDER', 'r-1', params, how)

/** r-1, with this quote, and its budget recorded. */
async function budgeted(change: Partial<typeof quote> = {}, filed: Partial<typeof purchase> = {}): Promise<void> {
  await scene.report('request-desk', 'PURCHASE_REQUEST_RECEIVED', 'r-1', { ...purchase, ...filed })
  expect(await prepare('ATTACH_QUOTE', { ...quote, ...change })).toMatchObject({ outcome: 'allowed' })
  expect(await prepare('CHECK_BUDGET', {})).toMatchObject({ outcome: 'allowed' })
}

describe("KIFF's purchases", () => {
  test('84000 from an approved vendor, within the budget: ordered without approval', async () => {
    await budgeted()
    expect(await order()).toMatchObject({ outcome: 'allowed', output: { orderId: 'po-v-1-84000' } })
    expectEnd(scene, 'PurchaseRequest', 'r-1', 'ORDERED', ['CREATE_PURCHASE_ORDER'])
  })

  test('1842000 from a new vendor, sole source, security review: held, granted, ordered once', async () => {
    scene.loads('vendor', { standing: 'unapproved', isNew: true })
    await budgeted({ amountCents: 1_842_000 }, { soleSource: true, securityReviewRequired: true })
    expect(await prepare('HOLD_FOR_PROCUREMENT_REVIEW', { reason: 'large' })).toMatchObject({ outcome: 'allowed' })
    const keyed = { workflow: 'w', key: 'order' }
    const asked = await order({}, 'erp-purchasing-service', keyed)
    expect(asked).toMatchObject({
      outcome: 'approval_required', summary: 'Order a microscope for lab from v-1 by q-1: 1842000 cents EUR',
      rule: 'amount 1842000 cents exceeds autonomous limit 250000; vendor is not approved; new vendor; sole-source purchase; security review required; held for procurement',
    })
    expect(await scene.granted(asked, ava)).toMatchObject({ outcome: 'allowed' })
    expect(await order({}, 'erp-purchasing-service', keyed)).toMatchObject({ outcome: 'allowed', output: { orderId: 'po-v-1-1842000' } })
    expect(await order()).toMatchObject({ outcome: 'blocked', reason: 'state_not_allowed' })
    expectEnd(scene, 'PurchaseRequest', 'r-1', 'ORDERED', ['CREATE_PURCHASE_ORDER'])
  })

  test.each([{ currency: 'BTC' }, { amountCents: 0 }, { amountCents: 9_999_999_900 }, { amountCents: '84000' }, { approvedVendor: true }])('a quote with %o is none', async (change) => {
    await scene.report('request-desk', 'PURCHASE_REQUEST_RECEIVED', 'r-1', purchase)
    expect(await prepare('ATTACH_QUOTE', { ...quote, ...change })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expectEnd(scene, 'PurchaseRequest', 'r-1', 'RECEIVED', [])
  })

  test.each([[250_000, 'allowed'], [250_001, 'approval_required'], [1_000_000_000, 'approval_required']])('a quote of %i: %s', async (amountCents, outcome) => {
    await budgeted({ amountCents })
    scene.loads('availableCents', 1_000_000_000)
    expect(await order()).toMatchObject({ outcome })
  })
})

describe('weak point 9: what is ordered is what was recorded', () => {
  test.each([{ amountCents: 9_999_999_900 }, { vendorId: 'v-9' }, { currency: 'BTC' }, { approvedVendor: true }, { budgetAvailable: true }])('another order (%o) has no place', async (claim) => {
    await budgeted()
    expect(await order(claim)).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expectEnd(scene, 'PurchaseRequest', 'r-1', 'BUDGET_VERIFIED', [])
  })

  test('a second quote cannot take the place of the first', async () => {
    await budgeted()
    expect(await prepare('ATTACH_QUOTE', { ...quote, amountCents: 1 })).toMatchObject({ outcome: 'blocked', reason: 'state_not_allowed' })
  })

  test.each([
    [{ soleSource: true }, {}, 'sole-source purchase'], [{ securityReviewRequired: true }, {}, 'security review required'],
    [{ costCenter: 'cc-9' }, {}, 'budget is not available'], [{}, { vendorId: 'v-9' }, 'vendor is not approved; new vendor'],
  ])('%o %o asks', async (filed, change, rule) => {
    await budgeted(change, filed)
    expect(await order()).toMatchObject({ outcome: 'approval_required', rule })
  })

  test('a budget that was spent after the check asks', async () => {
    await budgeted()
    scene.loads('availableCents', 83_999)
    expect(await order()).toMatchObject({ outcome: 'approval_required', rule: 'budget is not available' })
    scene.loads('availableCents', 84_000)
    expect(await order()).toMatchObject({ outcome: 'allowed' })
  })

  test('a vendor that was blocked while the manager thought gets no order', async () => {
    await budgeted({ amountCents: 300_000 })
    const asked = await order()
    scene.loads('vendor', { standing: 'blocked', isNew: false })
    expect(await scene.granted(asked, ava)).toMatchObject({ outcome: 'blocked', reason: 'forbidden' })
    expectEnd(scene, 'PurchaseRequest', 'r-1', 'BUDGET_VERIFIED', [])
  })
})

describe('who may do what', () => {
  test('an agent orders nothing, whatever it says of itself', async () => {
    await budgeted()
    expect(await order({}, 'agent-procurement-1')).toMatchObject({ outcome: 'blocked', reason: 'permission_denied' })
    expect(await order({ roles: ['erp-purchasing'] }, 'agent-procurement-1')).toMatchObject({ outcome: 'invalid' })
    expect(await scene.report('agent-procurement-1', 'PURCHASE_REQUEST_RECEIVED', 'r-2', purchase)).toMatchObject({ reason: 'event_not_reportable' })
    expectEnd(scene, 'PurchaseRequest', 'r-1', 'BUDGET_VERIFIED', [])
  })

  test('neither the agent, nor the service, nor whoever asks agrees to it', async () => {
    await budgeted({ amountCents: 300_000 })
    const asked = await order()
    for (const by of ['agent-procurement-1', 'erp-purchasing-service']) expect(await scene.review(asked, 'granted', { by })).toMatchObject({ outcome: 'refused', reason: 'permission_denied' })
    const own = await order({}, 'both')
    expect(await scene.review(own, 'granted', { by: 'both' })).toMatchObject({ outcome: 'refused', reason: 'self_review' })
    expect(await scene.again(own)).toMatchObject({ outcome: 'approval_required' })
    expectEnd(scene, 'PurchaseRequest', 'r-1', 'BUDGET_VERIFIED', [])
  })

  test.each(['agent-procurement-1', 'procurement-manager-ava'])('%s can reject a request, for good', async (by) => {
    await budgeted()
    expect(await scene.propose(by, 'REJECT_PURCHASE_REQUEST', 'r-1', { reason: 'we have one' })).toMatchObject({ outcome: 'allowed' })
    expect(await order()).toMatchObject({ reason: 'state_not_allowed' })
    expectEnd(scene, 'PurchaseRequest', 'r-1', 'REJECTED', [])
  })
})
