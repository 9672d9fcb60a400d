/**
 * KIFF's procurement-purchase-order. The branch: quote and budget are recorded, and CREATE_PURCHASE_ORDER's approval rule decides on
 * them; assessing anew (and other amounts, vendors, flags than the recorded ones) has no place. Vendor and budget are read again
 * from their registers as the order is made.
 */
import { defineDomain, entity, factFromLoader } from 'kiff-temporal'
import { z } from 'zod'
import { latest } from '../../../domains/recorded.ts'
import { because } from './because.ts'
import { cents, currency, id, nothing, reason } from './fields.ts'

/** As the one who needs it has filed it. */
const purchase = z.strictObject({ requesterId: id, department: id, costCenter: id, itemDescription: reason, soleSource: z.boolean(), securityReviewRequired: z.boolean() })
const quote = z.strictObject({ quoteId: id, vendorId: id, amountCents: cents, currency })
const open = ['RECEIVED', 'QUOTE_ATTACHED', 'BUDGET_VERIFIED', 'REVIEW_REQUIRED'] as const

const PurchaseRequest = entity('PurchaseRequest', {
  states: [...open, 'ORDERED', 'REJECTED'],
  events: {
    PURCHASE_REQUEST_RECEIVED: { from: null, to: 'RECEIVED', payload: purchase, reportedBy: 'procurement.report' },
    QUOTE_ATTACHED: { from: 'RECEIVED', to: 'QUOTE_ATTACHED', payload: quote },
    BUDGET_CHECKED: { from: 'QUOTE_ATTACHED', to: 'BUDGET_VERIFIED', payload: z.strictObject({ availableCents: z.int() }) },
    PROCUREMENT_REVIEW_REQUIRED: { from: 'BUDGET_VERIFIED', to: 'REVIEW_REQUIRED', payload: z.strictObject({ reason }) },
    PURCHASE_ORDER_CREATED: { from: ['BUDGET_VERIFIED', 'REVIEW_REQUIRED'], to: 'ORDERED', payload: z.strictObject({ orderId: id, ...quote.shape }) },
    PURCHASE_REQUEST_REJECTED: { from: open, to: 'REJECTED', payload: z.strictObject({ reason }) },
  },
})

const requested = PurchaseRequest.factFromEvents(['PURCHASE_REQUEST_RECEIVED'], purchase, latest)
const quoted = PurchaseRequest.factFromEvents(['QUOTE_ATTACHED'], quote, latest)
const held = PurchaseRequest.factFromEvents(['PROCUREMENT_REVIEW_REQUIRED'], z.boolean(), (holds) => holds.length > 0)
/** What the recorded cost centre has left. */
const availableCents = factFromLoader(z.int())
/** The recorded quote's vendor, as the vendor register has it; `null` for one that it does not have. */
const vendor = factFromLoader(z.strictObject({ standing: z.enum(['approved', 'unapproved', 'blocked']), isNew: z.boolean() }).nullable())

/** Up to this, nobody is asked. */
const autonomousLimitCents = 250_000
const preparing = { output: nothing, permission: 'procurement.prepare', effect: 'none' } as const

export const procurementPurchaseOrder = defineDomain({
  name: 'procurement-purchase-order',
  actions: {
    ATTACH_QUOTE: PurchaseRequest.action({
      ...preparing, description: 'Record the quote that is to be ordered by', from: ['RECEIVED'], params: quote, risk: 'medium',
      describe: ({ params, entityId }) => `Record ${params.quoteId} of ${params.vendorId} for ${entityId}: ${params.amountCents} cents ${params.currency}`,
      emits: { QUOTE_ATTACHED: ({ params }) => params },
    }),
    CHECK_BUDGET: PurchaseRequest.action({
      ...preparing, description: 'Record what the cost centre has left', from: ['QUOTE_ATTACHED'], params: nothing, risk: 'low',
      facts: { requested, availableCents },
      describe: ({ facts }) => `Record what ${facts.requested.costCenter} has left`,
      emits: { BUDGET_CHECKED: ({ facts }) => ({ availableCents: facts.availableCents }) },
    }),
    HOLD_FOR_PROCUREMENT_REVIEW: PurchaseRequest.action({
      ...preparing, description: 'Have procurement agree, whatever was recorded', from: ['BUDGET_VERIFIED'], params: z.strictObject({ reason }), risk: 'medium',
      describe: ({ params, entityId }) => `Hold ${entityId}: ${params.reason}`,
      emits: { PROCUREMENT_REVIEW_REQUIRED: ({ params }) => params },
    }),
    CREATE_PURCHASE_ORDER: PurchaseRequest.action({
      description: 'Order by the recorded quote', from: ['BUDGET_VERIFIED', 'REVIEW_REQUIRED'], params: nothing, output: z.strictObject({ orderId: id }), permission: 'procurement.order', risk: 'critical',
      facts: { requested, quoted, held, vendor, availableCents },
      forbid: ({ facts }) => facts.vendor?.standing === 'blocked' && `the vendor register has blocked ${facts.quoted.vendorId}`,
      approval: {
        when: ({ facts }) => because(
          facts.quoted.amountCents > autonomousLimitCents && `amount ${facts.quoted.amountCents} cents exceeds autonomous limit ${autonomousLimitCents}`,
          facts.vendor?.standing !== 'approved' && 'vendor is not approved',
          facts.availableCents < facts.quoted.amountCents && 'budget is not available',
          facts.vendor?.isNew !== false && 'new vendor',
          facts.requested.soleSource && 'sole-source purchase',
          facts.requested.securityReviewRequired && 'security review required',
          facts.held && 'held for procurement',
        ),
        reviewers: 'procurement.review', expiresIn: '5 days',
      },
      effect: { idempotentFor: '24 hours' },
      describe: ({ facts: { requested: { itemDescription, department }, quoted: { quoteId, vendorId, amountCents, currency: unit } } }) =>
        `Order ${itemDescription} for ${department} from ${vendorId} by ${quoteId}: ${amountCents} cents ${unit}`,
      emits: { PURCHASE_ORDER_CREATED: ({ facts, output }) => ({ orderId: output.orderId, ...facts.quoted }) },
    }),
    REJECT_PURCHASE_REQUEST: PurchaseRequest.action({
      ...preparing, description: 'Reject a request for good', from: open, params: z.strictObject({ reason }), permission: 'procurement.reject', risk: 'medium',
      describe: ({ params, entityId }) => `Reject ${entityId}: ${params.reason}`,
      emits: { PURCHASE_REQUEST_REJECTED: ({ params }) => params },
    }),
  },
  roles: { 'procurement-agent': ['procurement.prepare', 'procurement.reject'], 'erp-purchasing': ['procurement.order'], 'procurement-manager': ['procurement.review', 'procurement.reject'], 'request-desk': ['procurement.report'] },
})
