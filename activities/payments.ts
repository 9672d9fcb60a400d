/** The payment provider as the refund executor sees it. */
import { NotDone } from 'kiff-temporal/worker'

export interface Payments {
  /**
   * Gives the money back, at most once per `idempotencyKey`. The provider's answer is passed on unchecked: the contract's
   * output schema judges it. @throws NotDone when the provider says that no money was moved; after any other error nobody knows
   */
  readonly refund: (
    orderId: string,
    amountCents: number,
    call: { readonly idempotencyKey: string; readonly signal: AbortSignal },
  ) => Promise<{ refundId: string }>
}

/** A client of the provider at `url`; `token` is the secret that only the gate worker holds. */
export function createPayments({ url, token }: { readonly url: string; readonly token: string }): Payments {
  return {
    async refund(orderId, amountCents, { idempotencyKey, signal }) {
      const response = await fetch(new URL('/refunds', url), {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'idempotency-key': idempotencyKey,
        },
        body: JSON.stringify({ order_id: orderId, amount_cents: amountCents }),
        redirect: 'error', // the token goes to no other host
        signal,
      })
      if (response.status === 402) throw new NotDone(`the payment provider declined the refund on ${orderId}`)
      if (!response.ok) throw new Error(`the payment provider answered ${response.status}`)
      const body = (await response.json()) as { refund_id: string }
      return { refundId: body.refund_id }
    },
  }
}
