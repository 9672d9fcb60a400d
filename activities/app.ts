/** The reference application as `kiff-temporal dev` brings it up: which rules, whose roles, which processes, what to try. */
import { fileURLToPath } from 'node:url'
import { refunds } from '../domains/refunds/domain.ts'
import tickets from './tickets.json' with { type: 'json' }

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** What each order of the sample tickets was paid with, in cents. */
const orders = { 'order-1': 4_200, 'order-2': 99_900, 'order-3': 25_000 }

export default {
  domains: [refunds],
  members: [
    { domain: 'refunds', actor: 'support-agent-1', role: 'support-agent' },
    { domain: 'refunds', actor: 'shop', role: 'shop' },
    { domain: 'refunds', actor: 'maria', role: 'finance' },
  ],
  /** Whom the inbox's login link logs in. */
  person: 'maria',
  processes: { provider: here('payment-provider.ts'), gate: here('gate-worker.ts'), agent: here('agent-worker.ts') },
  queues: { agent: 'kiff-dev-agents', gate: 'kiff.refunds' },
  /** Started once; `npm start` shows how they fare. */
  workflows: [
    {
      id: 'shop-reports',
      type: 'shopReports',
      entity: null,
      args: [
        Object.entries(orders).flatMap(([orderId, amountCents]) => [
          { event: 'ORDER_PLACED', orderId, payload: { amountCents }, id: `${orderId}-placed` },
          { event: 'ORDER_PAID', orderId, payload: { paymentId: `payment-of-${orderId}` }, id: `${orderId}-paid` },
        ]),
      ],
    },
    ...tickets.map((ticket) => ({ id: `ticket-${ticket.id}`, type: 'supportAgent', entity: `order-${ticket.id}`, args: [ticket] })),
  ],
}
