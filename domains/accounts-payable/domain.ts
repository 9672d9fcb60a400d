/** Accounts payable: invoices come in, an agent prepares them, a service pays them, and finance agrees where it has to. */
import { defineDomain } from 'kiff-temporal'
import { z } from 'zod'
import { differs, invoiceFields, missingFields, reason, recordedInvoice, unfinished, VendorInvoice } from './invoice.ts'
import { inWords, needsFinance, needsNotTwo, needsTwo, notPayable, otherThanRecorded, released, releaseFacts, releaseOutput, releaseParams } from './release.ts'
import { vendor, Vendor } from './vendor.ts'

const nothing = z.strictObject({})
/** What an agent that prepares does: recorded, without an effect outside. */
const preparing = { output: nothing, permission: 'payables.prepare', effect: 'none' } as const
const comparedWithRecord = 'only compared with the recorded invoice, which is what is paid'
const paying = {
  from: ['READY_FOR_PAYMENT', 'PAYMENT_HELD'],
  params: releaseParams,
  output: releaseOutput,
  permission: 'payables.release',
  risk: 'critical',
  facts: releaseFacts,
  check: otherThanRecorded,
  asserted: { vendorId: comparedWithRecord, amountCents: comparedWithRecord },
  effect: { idempotentFor: '24 hours' },
  describe: inWords,
  emits: { PAYMENT_RELEASED: released },
} as const

export const accountsPayable = defineDomain({
  name: 'accounts-payable',
  actions: {
    REQUEST_MISSING_INFO: VendorInvoice.action({
      ...preparing,
      description: 'Ask for what is missing on an invoice',
      from: ['RECEIVED'],
      params: z.strictObject({ missingFields }),
      risk: 'low',
      describe: ({ params, entityId }) => `Ask for ${params.missingFields.join(', ')} of ${entityId}`,
      emits: { MISSING_INFO_REQUESTED: ({ params }) => ({ missingFields: params.missingFields }) },
    }),
    VERIFY_INVOICE: VendorInvoice.action({
      ...preparing,
      description: 'Confirm that an invoice, read anew, says what was recorded',
      from: ['RECEIVED'],
      params: invoiceFields,
      risk: 'medium',
      facts: { invoice: recordedInvoice },
      check: ({ params, facts }) => differs(params, facts.invoice),
      asserted: { amountCents: comparedWithRecord, currency: comparedWithRecord },
      describe: ({ entityId }) => `Confirm what is recorded of ${entityId}`,
      emits: { INVOICE_VERIFIED: () => ({}) },
    }),
    MARK_READY_FOR_PAYMENT: VendorInvoice.action({
      ...preparing,
      description: 'Mark a verified invoice as ready to be paid',
      from: ['VERIFIED'],
      params: z.strictObject({ dueDate: z.iso.date() }),
      risk: 'medium',
      describe: ({ params, entityId }) => `Mark ${entityId} as ready for payment, due ${params.dueDate}`,
      emits: { PAYMENT_READY_MARKED: ({ params }) => ({ dueDate: params.dueDate }) },
    }),
    HOLD_FOR_APPROVAL: VendorInvoice.action({
      ...preparing,
      description: 'Put a payment on hold, so that finance has to agree to it whatever its amount',
      from: ['READY_FOR_PAYMENT'],
      params: z.strictObject({ reason }),
      risk: 'medium',
      describe: ({ params, entityId }) => `Hold the payment of ${entityId}: ${params.reason}`,
      emits: { PAYMENT_HELD: ({ params }) => ({ reason: params.reason }) },
    }),
    REJECT_INVOICE: VendorInvoice.action({
      ...preparing,
      description: 'Reject an invoice for good',
      from: unfinished,
      params: z.strictObject({ reason }),
      risk: 'medium',
      describe: ({ params, entityId }) => `Reject ${entityId}: ${params.reason}`,
      emits: { INVOICE_REJECTED: ({ params }) => ({ reason: params.reason }) },
    }),
    RELEASE_PAYMENT: VendorInvoice.action({
      ...paying,
      description: 'Pay a recorded invoice to the account that the vendor register has for the vendor',
      forbid: (release) => notPayable(release) || needsTwo(release),
      approval: { when: needsFinance, reviewers: 'payables.review', expiresIn: '5 days' },
      unapprovedBecause: 'it forbids itself, by the recorded amount, what RELEASE_LARGE_PAYMENT is for',
    }),
    RELEASE_LARGE_PAYMENT: VendorInvoice.action({
      ...paying,
      description: 'Pay a recorded invoice whose amount takes two people of finance',
      forbid: (release) => notPayable(release) || needsNotTwo(release),
      approval: { always: 'two people of finance have to agree', when: needsFinance, reviewers: 'payables.review', quorum: 2, expiresIn: '5 days' },
    }),
    REQUEST_VENDOR_STATEMENT: Vendor.action({
      description: 'Ask a vendor for a statement of its open invoices',
      from: 'any',
      params: z.strictObject({ month: z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/) }),
      output: z.strictObject({ letterId: z.string().min(1).max(100) }),
      permission: 'payables.prepare',
      risk: 'low',
      facts: { vendor },
      forbid: ({ entityId, facts }) => (facts.vendor === null || facts.vendor.standing === 'blocked') && `the vendor register lists no ${entityId} that we write to`,
      approval: {
        when: ({ entityId, facts }) => facts.vendor?.standing !== 'trusted' && `the vendor register does not trust ${entityId}`,
        reviewers: 'payables.review',
        expiresIn: '2 days',
      },
      effect: { idempotentFor: '24 hours' },
      describe: ({ params, entityId, facts }) => `Ask ${entityId}, at ${facts.vendor?.letters}, for its statement of ${params.month}`,
    }),
  },
  roles: {
    'ap-agent': ['payables.prepare'],
    'payment-service': ['payables.release'],
    finance: ['payables.review'],
    intake: ['payables.report'],
  },
})
