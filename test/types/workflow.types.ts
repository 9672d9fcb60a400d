/** Compiled, never run: governed calls, written as workflow code writes them, with nothing of the domain but its type. */
import { governed, type ActionResult, type Reason } from 'kiff-temporal/workflow'
import { expectTypeOf } from 'vitest'
import type { refunds } from './domain.types.ts'

const order = governed<typeof refunds>('refunds', { actor: 'support-agent-1', startToCloseTimeout: '1 minute' })

export async function typed(): Promise<void> {
  const result = await order.REFUND_ORDER('order-1', { amountCents: 4200, reason: 'late' }, { why: 'late', evidence: ['ticket 1'], confidence: 0.9, key: 'call-1' })
  expectTypeOf(result).toEqualTypeOf<ActionResult<{ refundId: string }>>()
  if (result.outcome === 'allowed') expectTypeOf(result.output).toEqualTypeOf<{ refundId: string }>()
  else expectTypeOf(result.reason).toEqualTypeOf<Reason>()

  // A parameter with a default may be left out, as may all that goes beside.
  await order.REFUND_ORDER('order-1', { amountCents: 4200 })
  expectTypeOf(result.outcome).toEqualTypeOf<'allowed' | 'blocked' | 'invalid'>()

  // A model's choice: unchecked by types, checked by the gate.
  const chosen = await order.propose('REFUND_ORDER', 'order-1', { whatever: true }, { why: 'the model said so' })
  expectTypeOf(chosen).toEqualTypeOf<ActionResult>()
  await order.report('ORDER_PAID', 'order-1', {}, { id: 'shop-1' })

  await order.REFUND_ORDER('order-1', {
    // @ts-expect-error a parameter of another type
    amountCents: '4200',
  })

  await order.REFUND_ORDER('order-1', {
    amountCents: 4200,
    // @ts-expect-error a parameter that there is not
    approved: true,
  })

  await order.REFUND_ORDER(
    'order-1',
    // @ts-expect-error a parameter is missing
    { reason: 'late' },
  )

  // @ts-expect-error no parameters at all
  await order.REFUND_ORDER('order-1')

  await order.REFUND_ORDER(
    // @ts-expect-error an entity id is text
    1,
    { amountCents: 4200 },
  )

  await order.REFUND_ORDER('order-1', { amountCents: 4200 }, {
    // @ts-expect-error how sure an agent is, is a number
    confidence: 'very',
  })

  // @ts-expect-error an action that the domain does not have
  await order.PAY_ORDER('order-1', {})

  // @ts-expect-error the output is there only when it was allowed
  String(result.output)

  // @ts-expect-error a refusal's reason is there only when it was refused
  if (result.outcome === 'allowed') String(result.reason)
}

// @ts-expect-error the domain's name is its own
governed<typeof refunds>('payouts', { actor: 'support-agent-1', startToCloseTimeout: '1 minute' })

// @ts-expect-error who proposes has to be said
governed<typeof refunds>('refunds', { startToCloseTimeout: '1 minute' })

// @ts-expect-error how long one attempt may take has to be said
governed<typeof refunds>('refunds', { actor: 'support-agent-1' })

governed<typeof refunds>('refunds', {
  actor: 'support-agent-1',
  startToCloseTimeout: '1 minute',
  // @ts-expect-error how often is not the caller's to say: a fault is retried until the gate has answered
  retry: { maximumAttempts: 1 },
})
