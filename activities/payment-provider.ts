/**
 * The example's payment provider: a server of its own, with books of its own, so that "it happened once" is seen from
 * outside. `POST /refunds`, `GET /refunds`, and `POST /behaviour`; each with `Authorization: Bearer $PAYMENTS_TOKEN`.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { Behaviour, createConduct, type Conduct } from './payment-behaviour.ts'
import { openPaymentLedger, type Payment, type PaymentLedger } from './payment-ledger.ts'

const Config = z.object({
  PAYMENTS_PORT: z.coerce.number().int().min(0).max(65_535),
  /** Loopback unless told: the provider is an example, not a service for a network. */
  PAYMENTS_HOST: z.string().min(1).default('127.0.0.1'),
  PAYMENTS_LEDGER: z.string().min(1),
  PAYMENTS_TOKEN: z.string().min(1),
})
const Refund = z.strictObject({ order_id: z.string().min(1).max(200), amount_cents: z.int().positive() })
const maxBodyBytes = 64 * 1024

interface Answer {
  readonly status: number
  readonly body: unknown
}

/** Pays, or not, as the behaviour says; `null` is no answer, for ever. */
async function refund(request: IncomingMessage, ledger: PaymentLedger, conduct: Conduct): Promise<Answer | null> {
  const key = request.headers['idempotency-key']
  if (typeof key !== 'string' || key === '') return { status: 400, body: { error: 'Idempotency-Key is required' } }
  const order = Refund.safeParse(await readJson(request))
  if (!order.success) return { status: 400, body: { error: z.prettifyError(order.error) } }

  // From here on nothing is awaited until the payment is on the books: equal requests can't overtake each other.
  const { mode, delay_ms: delayMs = 0 } = conduct.next()
  if (mode === 'hang-before') return null
  if (mode === 'fail') return { status: 500, body: { error: 'told to fail' } }
  const known = mode === 'ignore-keys' ? undefined : ledger.payments().find((payment) => payment.idempotency_key === key)
  if (known && (known.order_id !== order.data.order_id || known.amount_cents !== order.data.amount_cents)) {
    return { status: 409, body: { error: 'this key was used for another refund' } }
  }
  // A refund that was paid under this key can't be declined any more: 402 has to be the truth.
  if (mode === 'decline' && !known) return { status: 402, body: { error: 'declined: no money was moved' } }
  const payment = known ?? ledger.pay({ ...order.data, idempotency_key: key })
  if (delayMs > 0) await sleep(delayMs)
  return answerFor(mode, payment)
}

function answerFor(mode: Behaviour['mode'], payment: Payment): Answer | null {
  if (mode === 'hang') return null
  if (mode === 'garbage') return { status: 200, body: { refund_id: 42, note: ['not what', 'was agreed'] } }
  if (mode === 'huge') return { status: 200, body: { refund_id: payment.refund_id.padEnd(2_000_000, '.') } }
  return { status: 200, body: { refund_id: payment.refund_id } }
}

async function route(request: IncomingMessage, ledger: PaymentLedger, conduct: Conduct): Promise<Answer | null> {
  const url = new URL(request.url ?? '/', 'http://provider')
  switch (`${request.method} ${url.pathname}`) {
    case 'POST /refunds':
      return refund(request, ledger, conduct)
    case 'GET /refunds': {
      const orderId = url.searchParams.get('order_id')
      const refunds = ledger.payments().filter((payment) => orderId === null || payment.order_id === orderId)
      return { status: 200, body: { refunds } }
    }
    case 'POST /behaviour': {
      const behaviour = Behaviour.safeParse(await readJson(request))
      if (!behaviour.success) return { status: 400, body: { error: z.prettifyError(behaviour.error) } }
      conduct.change(behaviour.data)
      return { status: 200, body: behaviour.data }
    }
    default:
      return { status: 404, body: { error: 'not found' } }
  }
}

/** The body as JSON; `undefined`, which no schema here accepts, when it is not JSON or too large. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length > maxBodyBytes) return undefined
  }
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const digest = (text: string) => createHash('sha256').update(text).digest()

function hasToken(request: IncomingMessage, token: string): boolean {
  return timingSafeEqual(digest(request.headers.authorization ?? ''), digest(`Bearer ${token}`))
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function main(): void {
  const config = Config.safeParse(process.env)
  if (!config.success) {
    const names = [...new Set(config.error.issues.map((issue) => String(issue.path[0])))].join(', ')
    process.stderr.write(`payment provider: set ${names} (a port or 0, a file, a secret)\n`)
    process.exit(2)
  }
  const ledger = openPaymentLedger(config.data.PAYMENTS_LEDGER)
  const conduct = createConduct()
  const server = createServer((request, response) => {
    if (!hasToken(request, config.data.PAYMENTS_TOKEN)) return send(response, { status: 401, body: { error: 'wrong token' } })
    route(request, ledger, conduct).then(
      (answer) => answer && send(response, answer),
      (error: unknown) => {
        process.stderr.write(`payment provider: ${String(error)}\n`)
        send(response, { status: 500, body: { error: 'the provider failed' } })
      },
    )
  })
  server.on('error', (error) => {
    process.stderr.write(`payment provider: cannot listen on port ${config.data.PAYMENTS_PORT}: ${error.message}\n`)
    process.exit(1)
  })
  server.listen(config.data.PAYMENTS_PORT, config.data.PAYMENTS_HOST, () => {
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    process.stdout.write(`payment provider ready on http://127.0.0.1:${port}\n`)
  })
  const stop = () => {
    server.close(() => ledger.close())
    server.closeAllConnections() // those told to hang would keep it up for ever
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

main()
