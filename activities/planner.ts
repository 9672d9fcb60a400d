/** Stands where a model would: behind an activity, choosing by reading the ticket. Deterministic, so that a tour can be told. */

export interface Ticket {
  readonly id: string
  readonly from: string
  readonly text: string
}

/** What a model's tool call looks like: names and values that nobody has checked yet. */
export interface Plan {
  readonly callId: string
  readonly action: string
  readonly entityId: string
  readonly params: unknown
  readonly why: string
  readonly evidence: string[]
  readonly confidence: number
}

export const planner = {
  /** Reads an order number and an amount in euros out of the ticket, and proposes that refund. */
  async planTicket(ticket: Ticket): Promise<Plan> {
    const order = /order-\d+/.exec(ticket.text)?.[0] ?? 'unknown-order'
    const [, whole, part] = /(\d+)\.(\d{2})/.exec(ticket.text) ?? []
    const amountCents = whole === undefined || part === undefined ? null : Number(whole) * 100 + Number(part)
    return {
      callId: `ticket-${ticket.id}`,
      action: 'REFUND_ORDER',
      entityId: order,
      params: { amountCents, reason: ticket.text.slice(0, 200) },
      why: `${ticket.from} wrote: "${ticket.text}"`,
      evidence: [`support ticket ${ticket.id}`],
      confidence: 0.9,
    }
  },
}

export type Planner = typeof planner
