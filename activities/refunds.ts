/** The refunds' effects. Loaded by the gate worker alone: it holds the provider's secret. */
import { executors, type BoundDomain } from 'kiff-temporal/worker'
import { refunds } from '../domains/refunds/domain.ts'
import type { Payments } from './payments.ts'

export function refundExecutors(payments: Payments): BoundDomain {
  return executors(refunds, {
    REFUND_ORDER: ({ entityId, params, idempotencyKey, signal }) => payments.refund(entityId, params.amountCents, { idempotencyKey, signal }),
  })
}
