/** Support: what an agent may do with a ticket, up to which ceiling alone, and what only a person can say. */
import { defineDomain, factFromLoader } from 'kiff-temporal'
import { z } from 'zod'
import { euros } from '../money.ts'
import { refundNeedsPerson } from './refund.ts'
import { category, cents, channel, reason, recordedSubject, refundedCents, Ticket } from './ticket.ts'

const nothing = z.strictObject({})

/** By which channels the customer has agreed to be written to, as the customer register says now. */
const consent = factFromLoader(z.strictObject({ email: z.boolean(), sms: z.boolean() }))

/** Above this, a waived fee is the lead's second thought. */
export const smallFeeCents = 2_000

export const supportOps = defineDomain({
  name: 'support-ops',
  actions: {
    TRIAGE_TICKET: Ticket.action({
      description: 'Sort a new ticket into a category, before anything else is done with it',
      from: ['NEW'],
      params: z.strictObject({ category }),
      output: nothing,
      permission: 'tickets.work',
      risk: 'low',
      effect: 'none',
      describe: ({ params, entityId }) => `Sort ${entityId} into ${params.category}`,
      emits: { TICKET_TRIAGED: ({ params }) => ({ category: params.category }) },
    }),
    ISSUE_REFUND: Ticket.action({
      description: 'Give the customer of a ticket money back, on the order that the ticket is about',
      from: ['TRIAGED'],
      params: z.strictObject({ amountCents: cents, reason }),
      output: z.strictObject({ refundId: z.string().min(1).max(100) }),
      permission: 'tickets.work',
      risk: 'high',
      facts: { refundedCents, ticket: recordedSubject },
      approval: { when: refundNeedsPerson, reviewers: 'tickets.review', expiresIn: '3 days' },
      effect: { idempotentFor: '24 hours' },
      describe: ({ params, entityId, facts }) => `Refund ${euros(params.amountCents)} on ${facts.ticket.orderId} for ${entityId}, where ${euros(facts.refundedCents)} was refunded before`,
      emits: { REFUND_ISSUED: ({ params, output }) => ({ amountCents: params.amountCents, refundId: output.refundId }) },
    }),
    WAIVE_FEE: Ticket.action({
      description: 'Let the customer of a ticket off a fee',
      from: ['TRIAGED'],
      params: z.strictObject({ feeCents: cents, reason }),
      output: nothing,
      permission: 'tickets.work',
      risk: 'high',
      approval: {
        always: 'a waived fee is always a person\'s decision',
        when: ({ params }) => params.feeCents > smallFeeCents && `${euros(params.feeCents)} is more than the usual ${euros(smallFeeCents)}`,
        reviewers: 'tickets.review',
        expiresIn: '3 days',
      },
      effect: 'none',
      describe: ({ params, entityId }) => `Waive a fee of ${euros(params.feeCents)} for ${entityId}`,
      emits: { FEE_WAIVED: ({ params }) => ({ feeCents: params.feeCents, reason: params.reason }) },
    }),
    SEND_OUTREACH: Ticket.action({
      description: 'Write to the customer of a ticket, by a channel they have agreed to',
      from: ['TRIAGED'],
      params: z.strictObject({ channel, message: z.string().min(1).max(2_000) }),
      output: z.strictObject({ messageId: z.string().min(1).max(100) }),
      permission: 'tickets.work',
      risk: 'high',
      facts: { ticket: recordedSubject, consent },
      forbid: ({ params, facts }) => !facts.consent[params.channel] && `${facts.ticket.customerId} has not agreed to be written to by ${params.channel}`,
      // Bound to the state: a further reply of the customer's does not void it, withdrawn consent to be written to does.
      approval: { always: 'a person reads what is sent in our name', reviewers: 'tickets.review', expiresIn: '2 days', binds: 'state' },
      effect: 'external',
      describe: ({ params, facts }) => `Send ${facts.ticket.customerId} this ${params.channel}: ${params.message}`,
      emits: { OUTREACH_SENT: ({ params, output }) => ({ channel: params.channel, messageId: output.messageId }) },
    }),
    ESCALATE_TO_HUMAN: Ticket.action({
      description: 'Hand a ticket to a person, when nothing else is right',
      from: ['NEW', 'TRIAGED'],
      params: z.strictObject({ reason }),
      output: nothing,
      permission: 'tickets.work',
      risk: 'medium',
      effect: 'none',
      describe: ({ entityId }) => `Hand ${entityId} to a person`,
      emits: { ESCALATED_TO_HUMAN: ({ params }) => ({ reason: params.reason }) },
    }),
    CLOSE_TICKET: Ticket.action({
      description: 'Close a ticket that a person has resolved',
      from: ['RESOLVED'],
      params: nothing,
      output: nothing,
      permission: 'tickets.work',
      risk: 'low',
      effect: 'none',
      describe: ({ entityId }) => `Close ${entityId}`,
      emits: { TICKET_CLOSED: () => ({}) },
    }),
  },
  roles: {
    'support-agent': ['tickets.work'],
    'support-lead': ['tickets.review', 'tickets.resolve'],
    'help-desk': ['tickets.report'],
  },
})
