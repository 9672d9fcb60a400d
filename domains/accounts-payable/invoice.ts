/** What a vendor's invoice is, what may happen to it, and what its recorded events tell. */
import { entity } from 'kiff-temporal'
import { z } from 'zod'
import { latest } from '../recorded.ts'

const text = z.string().min(1).max(100)

/** What is on the paper. The one who takes the post in records it; no agent can. */
export const invoiceFields = z.strictObject({
  vendorId: text,
  invoiceNumber: text,
  amountCents: z.int().positive().max(1_000_000_000),
  currency: z.enum(['EUR', 'USD']),
  /** Of the account to pay to, as printed on the invoice. */
  bankFingerprint: z.string().min(6).max(100),
})
export type Invoice = z.infer<typeof invoiceFields>

export const reason = z.string().min(1).max(500)
export const missingFields = z.array(z.enum(['vendorId', 'invoiceNumber', 'amountCents', 'currency', 'bankFingerprint'])).min(1).max(5)

/** Everything but PAID and REJECTED. */
export const unfinished = ['RECEIVED', 'NEEDS_INFO', 'VERIFIED', 'READY_FOR_PAYMENT', 'PAYMENT_HELD'] as const

export const VendorInvoice = entity('VendorInvoice', {
  states: [...unfinished, 'PAID', 'REJECTED'],
  events: {
    INVOICE_RECEIVED: { from: null, to: 'RECEIVED', payload: invoiceFields, reportedBy: 'payables.report' },
    MISSING_INFO_REQUESTED: { from: 'RECEIVED', to: 'NEEDS_INFO', payload: z.strictObject({ missingFields }) },
    INVOICE_INFO_RECEIVED: { from: 'NEEDS_INFO', to: 'RECEIVED', payload: invoiceFields, reportedBy: 'payables.report' },
    INVOICE_VERIFIED: { from: 'RECEIVED', to: 'VERIFIED', payload: z.strictObject({}) },
    PAYMENT_READY_MARKED: { from: 'VERIFIED', to: 'READY_FOR_PAYMENT', payload: z.strictObject({ dueDate: z.iso.date() }) },
    PAYMENT_HELD: { from: 'READY_FOR_PAYMENT', to: 'PAYMENT_HELD', payload: z.strictObject({ reason }) },
    PAYMENT_RELEASED: { from: ['READY_FOR_PAYMENT', 'PAYMENT_HELD'], to: 'PAID', payload: z.strictObject({ paymentId: text, ...invoiceFields.shape }) },
    INVOICE_REJECTED: { from: unfinished, to: 'REJECTED', payload: z.strictObject({ reason }) },
  },
})

/** The invoice as it was recorded last. */
export const recordedInvoice = VendorInvoice.factFromEvents(['INVOICE_RECEIVED', 'INVOICE_INFO_RECEIVED'], invoiceFields, latest)

/** Someone has put its payment on hold. */
export const heldForFinance = VendorInvoice.factFromEvents(['PAYMENT_HELD'], z.boolean(), (holds) => holds.length > 0)

/** The first field in which a reading differs from the recorded invoice, in words; `false` when it is the same. */
export function differs(reading: Partial<Invoice>, recorded: Invoice): string | false {
  const field = Object.keys(invoiceFields.shape).find((name) => Reflect.has(reading, name) && Reflect.get(reading, name) !== Reflect.get(recorded, name))
  return field !== undefined && `params.${field}: not what the recorded invoice says (${String(Reflect.get(recorded, field))})`
}

export const amountOf = ({ amountCents, currency }: Pick<Invoice, 'amountCents' | 'currency'>): string =>
  `${currency} ${Math.trunc(amountCents / 100)}.${String(amountCents % 100).padStart(2, '0')}`
