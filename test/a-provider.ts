/** A payment provider in the test's own process, with books of its own; it honours idempotency keys, and can be slow. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { refunds } from '../domains/refunds/domain.ts'
import { executors, type BoundDomain } from '../src/gate/index.ts'

export interface Provider {
  readonly url: string
  /** Refunds with their effects: executors that pay here. */
  readonly bound: BoundDomain
  /** How often an order was paid. */
  readonly paid: (order: string) => number
  /** The keys of all requests for an order, in turn, whether or not they led to a payment. */
  readonly keys: (order: string) => readonly string[]
  /** Pays this order at once, but answers only when told. */
  readonly slowDown: (order: string) => () => void
  readonly close: () => void
}

export async function aProvider(): Promise<Provider> {
  const asked: { readonly order: string; readonly key: string }[] = []
  const slow = new Map<string, Promise<void>>()
  const server = createServer((request, response) => {
    const order = (request.url ?? '').slice(1)
    asked.push({ order, key: String(request.headers['idempotency-key']) })
    void (slow.get(order) ?? Promise.resolve()).then(() => response.end(JSON.stringify({ refundId: `r-${asked.length}` })))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const keys = (order: string): string[] => asked.filter((payment) => payment.order === order).map(({ key }) => key)
  return {
    url, keys,
    bound: executors(refunds, {
      async REFUND_ORDER({ entityId, idempotencyKey }) {
        const answer = await fetch(`${url}/${entityId}`, { method: 'POST', headers: { 'idempotency-key': idempotencyKey } })
        return (await answer.json()) as { refundId: string }
      },
    }),
    paid: (order) => new Set(keys(order)).size,
    slowDown(order) {
      const released = Promise.withResolvers<void>()
      slow.set(order, released.promise)
      return released.resolve
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
