/** The shop tells what happened to its orders. It proposes nothing; the domain names it as the one who may report. */
import { governed } from 'kiff-temporal/workflow'
import type { refunds } from '../domains/refunds/domain.ts'

export interface ShopEvent {
  readonly event: string
  readonly orderId: string
  readonly payload: Readonly<Record<string, unknown>>
  /** The shop's own id of the event: reported twice, it is one event. */
  readonly id: string
}

const order = governed<typeof refunds>('refunds', { actor: 'shop', startToCloseTimeout: '10 seconds', taskQueue: 'kiff.refunds.shop' })

export async function shopReports(events: readonly ShopEvent[]): Promise<readonly string[]> {
  const outcomes: string[] = []
  for (const { event, orderId, payload, id } of events) {
    const result = await order.report(event, orderId, payload, { id })
    outcomes.push(result.outcome === 'allowed' ? result.summary : `${event} ${orderId}: ${result.reason}`)
  }
  return outcomes
}
