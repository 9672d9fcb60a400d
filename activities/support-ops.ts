/** Support's effects and the facts it loads. Loaded by the gate worker alone. */
import { executors, NotDone, type BoundDomain } from 'kiff-temporal/worker'
import { z } from 'zod'
import { supportOps } from '../domains/support-ops/domain.ts'
import type { Outbox } from './outbox.ts'
import type { Payments } from './payments.ts'
import { openRegister } from './register.ts'

const Customer = z.strictObject({ email: z.string(), phone: z.string(), consent: z.strictObject({ email: z.boolean(), sms: z.boolean() }) })

/** `customersFile`: the customer register, `{ [customerId]: { email, phone, consent: { email, sms } } }`. */
export function boundSupportOps({ payments, outbox, customersFile }: { readonly payments: Payments; readonly outbox: Outbox; readonly customersFile: string }): BoundDomain {
  const customerOf = openRegister(customersFile, Customer)
  return executors(
    supportOps,
    {
      ISSUE_REFUND: ({ facts, params, idempotencyKey, signal }) => payments.refund(facts.ticket.orderId, params.amountCents, { idempotencyKey, signal }),
      async SEND_OUTREACH({ facts, params, idempotencyKey, signal }) {
        const customer = await customerOf(facts.ticket.customerId, signal)
        if (customer === null) throw new NotDone(`the customer register does not know ${facts.ticket.customerId}`)
        const to = params.channel === 'email' ? customer.email : customer.phone
        return { messageId: await outbox.send({ to, by: params.channel, text: params.message }, idempotencyKey) }
      },
    },
    {
      // Whom the ticket is of comes from its recorded events; a customer whom nobody knows has agreed to nothing.
      consent: async ({ facts, signal }) => (await customerOf(facts.ticket.customerId, signal))?.consent ?? { email: false, sms: false },
    },
  )
}
