/**
 * Paying a recorded invoice: one set of rules for every amount. What is paid, to whom and where to comes from the recorded
 * invoice and the vendor register; what the caller says of it only has to be the same.
 */
import { z } from 'zod'
import { amountOf, differs, heldForFinance, invoiceFields, recordedInvoice, type Invoice } from './invoice.ts'
import { payee, type Payee } from './vendor.ts'

/** Above this, or without the register's trust, finance has to agree. */
export const autonomousLimitCents = 50_000
/** Above this, two people of finance have to, by RELEASE_LARGE_PAYMENT. */
export const onePersonLimitCents = 5_000_000

export const releaseParams = invoiceFields.pick({ vendorId: true, amountCents: true })
export const releaseOutput = z.strictObject({ paymentId: z.string().min(1).max(100) })
export const releaseFacts = { invoice: recordedInvoice, held: heldForFinance, payee }

interface Release {
  readonly params: Pick<Invoice, 'vendorId' | 'amountCents'>
  readonly facts: { readonly invoice: Invoice; readonly held: boolean; readonly payee: Payee | null }
}

/** The caller speaks of another payment than the recorded one. */
export const otherThanRecorded = ({ params, facts }: Release): string | false => differs(params, facts.invoice)

/** Why nobody may pay it, whoever agrees: the register does not know them, has blocked them, or has another account. */
export function notPayable({ facts: { invoice, payee: registered } }: Release): string | false {
  if (registered === null) return `the vendor register does not know ${invoice.vendorId}`
  if (registered.standing === 'blocked') return `the vendor register has blocked ${invoice.vendorId}`
  return registered.bankFingerprint !== invoice.bankFingerprint && `the account on the invoice is not the one that the register has for ${invoice.vendorId}`
}

export const needsTwo = ({ facts: { invoice } }: Release): string | false =>
  invoice.amountCents > onePersonLimitCents && `${amountOf(invoice)} needs two people of finance: RELEASE_LARGE_PAYMENT`

export const needsNotTwo = ({ facts: { invoice } }: Release): string | false =>
  invoice.amountCents <= onePersonLimitCents && `${amountOf(invoice)} does not need two people of finance: RELEASE_PAYMENT`

export function needsFinance({ facts: { invoice, held, payee: registered } }: Release): string | false {
  const reasons = [
    ...(invoice.amountCents > autonomousLimitCents ? [`${amountOf(invoice)} is above the autonomous release limit of ${autonomousLimitCents / 100}`] : []),
    ...(registered?.standing === 'trusted' ? [] : [`the vendor register does not trust ${invoice.vendorId}`]),
    ...(held ? ['the payment was held for finance'] : []),
  ]
  return reasons.length > 0 && reasons.join('; ')
}

export const inWords = ({ facts: { invoice } }: Release): string =>
  `Pay ${amountOf(invoice)} to ${invoice.vendorId}, account ${invoice.bankFingerprint}, for invoice ${invoice.invoiceNumber}`

/** What is recorded as paid: the recorded invoice. */
export const released = ({ facts: { invoice }, output }: Release & { readonly output: z.infer<typeof releaseOutput> }) => ({ paymentId: output.paymentId, ...invoice })
