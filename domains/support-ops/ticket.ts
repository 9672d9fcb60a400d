/** What a support ticket is, what may happen to it, and what its recorded events tell. */
import { entity } from 'kiff-temporal'
import { z } from 'zod'
import { latest } from '../recorded.ts'

export const cents = z.int().positive().max(10_000_000)
export const reason = z.string().min(1).max(500)
export const category = z.enum(['refund', 'delivery', 'billing', 'question', 'other'])
export const channel = z.enum(['email', 'sms'])

const id = z.string().min(1).max(100)
/** Whose ticket it is, and about which order: as the help desk recorded it, whatever an agent says later. */
const subject = z.strictObject({ customerId: id, orderId: id })

export const Ticket = entity('Ticket', {
  states: ['NEW', 'TRIAGED', 'AWAITING_HUMAN', 'RESOLVED', 'CLOSED'],
  events: {
    TICKET_OPENED: { from: null, to: 'NEW', payload: subject, reportedBy: 'tickets.report' },
    TICKET_TRIAGED: { from: 'NEW', to: 'TRIAGED', payload: z.strictObject({ category }) },
    // The customer wrote again: nothing changes but the version, and consent that is bound to the state outlives it.
    CUSTOMER_REPLIED: { from: 'TRIAGED', to: 'TRIAGED', payload: z.strictObject({ messageId: id }), reportedBy: 'tickets.report' },
    REFUND_ISSUED: { from: 'TRIAGED', to: 'TRIAGED', payload: z.strictObject({ amountCents: cents, refundId: id }) },
    FEE_WAIVED: { from: 'TRIAGED', to: 'TRIAGED', payload: z.strictObject({ feeCents: cents, reason }) },
    OUTREACH_SENT: { from: 'TRIAGED', to: 'TRIAGED', payload: z.strictObject({ channel, messageId: id }) },
    ESCALATED_TO_HUMAN: { from: ['NEW', 'TRIAGED'], to: 'AWAITING_HUMAN', payload: z.strictObject({ reason }) },
    // Only a person says that a ticket is resolved; no action of an agent can.
    TICKET_RESOLVED: { from: ['TRIAGED', 'AWAITING_HUMAN'], to: 'RESOLVED', payload: z.strictObject({ how: z.string().min(1).max(500) }), reportedBy: 'tickets.resolve' },
    TICKET_CLOSED: { from: 'RESOLVED', to: 'CLOSED', payload: z.strictObject({}) },
  },
})

/** Whose ticket, about which order. */
export const recordedSubject = Ticket.factFromEvents(['TICKET_OPENED'], subject, latest)

/** What has been refunded on the ticket so far. */
export const refundedCents = Ticket.factFromEvents(['REFUND_ISSUED'], z.int(), (refunds) => refunds.reduce((sum, { payload }) => sum + payload.amountCents, 0))
