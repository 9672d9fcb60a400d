/**
 * KIFF's vendor-bank-change. The branch: an assessment is recorded, and APPLY_BANK_CHANGE's approval rule decides on it and on what
 * the vendor master says at that moment (known account, call-back, open invoices, fraud). The account is the one that intake
 * recorded: no action takes an account, a vendor or a country.
 */
import { defineDomain, entity, factFromLoader } from 'kiff-temporal'
import { z } from 'zod'
import { latest } from '../../../domains/recorded.ts'
import { because } from './because.ts'
import { id, nothing, percent, reason } from './fields.ts'

const change = z.strictObject({ vendorId: id, accountFingerprint: z.string().min(6).max(100), accountCountry: z.enum(['US', 'CA', 'GB', 'FR', 'DE', 'MX']), requesterEmail: z.email().max(200) })
const open = ['RECEIVED', 'EVIDENCE_ATTACHED', 'VENDOR_VERIFIED', 'ASSESSED', 'REVIEW_REQUIRED'] as const

const VendorBankChange = entity('VendorBankChange', {
  states: [...open, 'UPDATED', 'REJECTED'],
  events: {
    BANK_CHANGE_REQUESTED: { from: null, to: 'RECEIVED', payload: change, reportedBy: 'vendors.report' },
    EVIDENCE_ATTACHED: { from: 'RECEIVED', to: 'EVIDENCE_ATTACHED', payload: z.strictObject({ evidencePacketId: id }) },
    VENDOR_VERIFIED: { from: 'EVIDENCE_ATTACHED', to: 'VENDOR_VERIFIED', payload: nothing },
    BANK_CHANGE_ASSESSED: { from: 'VENDOR_VERIFIED', to: 'ASSESSED', payload: z.strictObject({ riskScorePercent: percent }) },
    REVIEW_REQUIRED: { from: 'ASSESSED', to: 'REVIEW_REQUIRED', payload: z.strictObject({ reason }) },
    BANK_DETAILS_UPDATED: { from: ['ASSESSED', 'REVIEW_REQUIRED'], to: 'UPDATED', payload: z.strictObject({ updateId: id, ...change.shape }) },
    BANK_CHANGE_REJECTED: { from: open, to: 'REJECTED', payload: z.strictObject({ reason }) },
  },
})

const recorded = VendorBankChange.factFromEvents(['BANK_CHANGE_REQUESTED'], change, latest)
const riskScore = VendorBankChange.factFromEvents(['BANK_CHANGE_ASSESSED'], percent, (assessed) => latest(assessed).riskScorePercent)
const held = VendorBankChange.factFromEvents(['REVIEW_REQUIRED'], z.boolean(), (holds) => holds.length > 0)
/** The recorded vendor and account, as the vendor master has them; `null` for a vendor that it does not have. */
const vendor = factFromLoader(z.strictObject({
  taxIdMatches: z.boolean(), calledBack: z.boolean(), accountKnown: z.boolean(), openInvoicesCents: z.int().min(0), fraudSignal: z.boolean(),
}).nullable())

/** Up to these, nobody is asked. */
const riskLimit = 30
const exposureLimitCents = 100_000
const preparing = { output: nothing, permission: 'vendors.prepare', effect: 'none' } as const

export const vendorBankChange = defineDomain({
  name: 'vendor-bank-change',
  actions: {
    ATTACH_EVIDENCE: VendorBankChange.action({
      ...preparing, description: 'Attach the papers that came with a request', from: ['RECEIVED'], params: z.strictObject({ evidencePacketId: id }), risk: 'low',
      describe: ({ params, entityId }) => `Attach ${params.evidencePacketId} to ${entityId}`,
      emits: { EVIDENCE_ATTACHED: ({ params }) => params },
    }),
    VERIFY_VENDOR: VendorBankChange.action({
      ...preparing, description: 'Confirm that the vendor is who it says', from: ['EVIDENCE_ATTACHED'], params: nothing, risk: 'medium',
      facts: { change: recorded, vendor },
      forbid: ({ facts: { change: { vendorId }, vendor: master } }) => master === null
        ? `the vendor master has no ${vendorId}`
        : because(!master.taxIdMatches && `the tax id is not that of ${vendorId}`, !master.calledBack && `${vendorId} has not been called back`),
      describe: ({ entityId }) => `Confirm the vendor of ${entityId}`,
      emits: { VENDOR_VERIFIED: () => ({}) },
    }),
    ASSESS_BANK_CHANGE: VendorBankChange.action({
      ...preparing, description: 'Say how risky the change is', from: ['VENDOR_VERIFIED'], params: z.strictObject({ riskScorePercent: percent }), risk: 'medium',
      describe: ({ params, entityId }) => `Assess ${entityId}: ${params.riskScorePercent}`,
      emits: { BANK_CHANGE_ASSESSED: ({ params }) => params },
    }),
    HOLD_FOR_FINANCE_REVIEW: VendorBankChange.action({
      ...preparing, description: 'Have finance agree, whatever the assessment', from: ['ASSESSED'], params: z.strictObject({ reason }), risk: 'medium',
      describe: ({ params, entityId }) => `Hold ${entityId}: ${params.reason}`,
      emits: { REVIEW_REQUIRED: ({ params }) => params },
    }),
    APPLY_BANK_CHANGE: VendorBankChange.action({
      description: 'Pay the vendor to the recorded account from now on', from: ['ASSESSED', 'REVIEW_REQUIRED'], params: nothing, output: z.strictObject({ updateId: id }), permission: 'vendors.apply', risk: 'critical',
      facts: { change: recorded, riskScore, held, vendor },
      forbid: ({ facts }) => facts.vendor === null && `the vendor master has no ${facts.change.vendorId}`,
      approval: {
        when: ({ facts }) => because(
          facts.riskScore > riskLimit && `risk score ${facts.riskScore} is above ${riskLimit}`,
          facts.vendor?.accountKnown !== true && 'the account is new',
          facts.vendor?.calledBack !== true && 'the vendor was not called back',
          (facts.vendor?.openInvoicesCents ?? Infinity) > exposureLimitCents && `open invoices of ${facts.vendor?.openInvoicesCents} cents are above ${exposureLimitCents}`,
          facts.vendor?.fraudSignal !== false && 'fraud signal present',
          facts.held && 'held for finance',
        ),
        reviewers: 'vendors.review', expiresIn: '5 days',
      },
      effect: { idempotentFor: '24 hours' },
      describe: ({ facts: { change: { vendorId, accountFingerprint, accountCountry } } }) => `Pay ${vendorId} to account ${accountFingerprint} (${accountCountry}) from now on`,
      emits: { BANK_DETAILS_UPDATED: ({ facts, output }) => ({ updateId: output.updateId, ...facts.change }) },
    }),
    REJECT_BANK_CHANGE: VendorBankChange.action({
      ...preparing, description: 'Reject a change for good', from: open, params: z.strictObject({ reason }), permission: 'vendors.reject', risk: 'medium',
      describe: ({ params, entityId }) => `Reject ${entityId}: ${params.reason}`,
      emits: { BANK_CHANGE_REJECTED: ({ params }) => params },
    }),
  },
  roles: { 'vendor-risk-agent': ['vendors.prepare', 'vendors.reject'], 'vendor-master': ['vendors.apply'], 'finance-controller': ['vendors.review', 'vendors.reject'], intake: ['vendors.report'] },
})
