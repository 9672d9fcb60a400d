/** Accounts payable's effects and the facts it loads. Loaded by the gate worker alone. */
import { executors, NotDone, type BoundDomain } from 'kiff-temporal/worker'
import { z } from 'zod'
import { accountsPayable } from '../domains/accounts-payable/domain.ts'
import type { Invoice } from '../domains/accounts-payable/invoice.ts'
import type { Bank } from './bank.ts'
import type { Outbox } from './outbox.ts'
import { openRegister } from './register.ts'

const Registered = z.strictObject({ standing: z.enum(['trusted', 'known', 'blocked']), bankFingerprint: z.string(), letters: z.string() })

/** `vendorsFile`: the vendor register, `{ [vendorId]: { standing, bankFingerprint, letters } }`. */
export function boundAccountsPayable({ bank, outbox, vendorsFile }: { readonly bank: Bank; readonly outbox: Outbox; readonly vendorsFile: string }): BoundDomain {
  const vendorOf = openRegister(vendorsFile, Registered)
  // The recorded invoice is paid; the parameters were only compared with it.
  const pay = async ({ facts: { invoice }, idempotencyKey }: { readonly facts: { readonly invoice: Invoice }; readonly idempotencyKey: string }) => ({
    paymentId: await bank.transfer({ account: invoice.bankFingerprint, amountCents: invoice.amountCents, currency: invoice.currency, reference: invoice.invoiceNumber }, idempotencyKey),
  })
  return executors(
    accountsPayable,
    {
      RELEASE_PAYMENT: pay,
      RELEASE_LARGE_PAYMENT: pay,
      async REQUEST_VENDOR_STATEMENT({ entityId, facts, params, idempotencyKey }) {
        if (facts.vendor === null) throw new NotDone(`the vendor register does not know ${entityId}`)
        return { letterId: await outbox.send({ to: facts.vendor.letters, by: 'email', text: `Please send us your statement of ${params.month}.` }, idempotencyKey) }
      },
    },
    {
      async payee({ facts, signal }) {
        const registered = await vendorOf(facts.invoice.vendorId, signal)
        return registered && { standing: registered.standing, bankFingerprint: registered.bankFingerprint }
      },
      async vendor({ entityId, signal }) {
        const registered = await vendorOf(entityId, signal)
        return registered && { standing: registered.standing, letters: registered.letters }
      },
    },
  )
}
