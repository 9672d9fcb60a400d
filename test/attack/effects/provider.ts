/**
 * The provider: a process of its own, whose books outlive every gate. `POST /idempotent/<order>` pays a key once;
 * `POST /external/<order>` pays each time. A payment is on disk (fsync) before it is answered. `POST /conduct` says how requests
 * about an order go, in turn; the last one stays.
 */
import { appendFileSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import type { Booked, Conduct } from './books.ts'

const file = openSync(process.env['BOOKS'] ?? '', 'a')
const conducts = new Map<string, Conduct[]>()
const paid = new Map<string, string>()
let payments = 0

function book(entry: Booked): void {
  appendFileSync(file, `${JSON.stringify(entry)}\n`)
  fsyncSync(file)
}

/** @returns the payment's id */
function pay(asked: Pick<Booked, 'order' | 'key' | 'external' | 'how'>): string {
  const known = asked.external ? undefined : paid.get(asked.key)
  const paymentId = known ?? `payment-${payments += 1}`
  if (known === undefined) paid.set(asked.key, paymentId)
  book({ ...asked, paymentId, effect: known === undefined, at: Date.now() })
  return paymentId
}

async function answer(order: string, key: string, external: boolean, response: ServerResponse): Promise<void> {
  const turns = conducts.get(order) ?? []
  const { how, delayMs } = (turns.length > 1 ? turns.shift() : turns[0]) ?? { how: 'pay', delayMs: 0 }
  const asked = { order, key, external, how }
  // Declined is the truth: what was paid under this key before cannot be declined any more.
  if (how === 'cut' || (how === 'decline' && (external || !paid.has(key)))) {
    book({ ...asked, paymentId: null, effect: false, at: Date.now() })
    return how === 'cut' ? void response.destroy() : void response.writeHead(402).end('{}')
  }
  const paymentId = pay(asked)
  if (delayMs > 0) await pause(delayMs)
  if (how === 'pay_and_cut') return void response.destroy()
  response.end(JSON.stringify(how === 'garbage' ? { paymentId: 7 } : { paymentId }))
}

async function told(request: IncomingMessage, response: ServerResponse): Promise<void> {
  for (const [order, turns] of Object.entries(JSON.parse(await text(request)) as Record<string, Conduct[]>)) conducts.set(order, turns)
  response.end()
}

const server = createServer((request, response) => {
  const [, kind = '', order = ''] = (request.url ?? '').split('/')
  const served = kind === 'conduct' ? told(request, response) : answer(order, String(request.headers['idempotency-key']), kind === 'external', response)
  served.catch((error: unknown) => {
    writeSync(2, `provider: ${String(error)}\n`)
    process.exit(1)
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  writeSync(1, `${(server.address() as AddressInfo).port}\n`)
})
// Ends with whoever started it.
process.stdin.on('end', () => process.exit(0)).resume()
