/** The payment provider's own books: one JSON line for each payment made, which outlives the provider. */
import { appendFileSync, closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync } from 'node:fs'
import { z } from 'zod'

const Payment = z.strictObject({
  refund_id: z.string(),
  order_id: z.string(),
  amount_cents: z.int(),
  idempotency_key: z.string(),
  at: z.string(),
})
export type Payment = z.infer<typeof Payment>

export interface PaymentLedger {
  /** Every payment ever made, oldest first. */
  readonly payments: () => readonly Payment[]
  /** Makes a payment: it is on disk (fsync) when this returns. */
  readonly pay: (order: Pick<Payment, 'order_id' | 'amount_cents' | 'idempotency_key'>) => Payment
  readonly close: () => void
}

/**
 * Opens the books at `path`, creating the file where there is none. A last line without its newline is a write that a
 * crash cut off: nobody was told of it, so it is removed. @throws Error naming the line, when any other one is not a payment
 */
export function openPaymentLedger(path: string): PaymentLedger {
  const payments = existsSync(path) ? readPayments(path) : []
  const file = openSync(path, 'a')
  return {
    payments: () => payments,
    pay(order) {
      const payment = { refund_id: `refund-${payments.length + 1}`, ...order, at: new Date().toISOString() }
      appendFileSync(file, `${JSON.stringify(payment)}\n`)
      fsyncSync(file)
      payments.push(payment)
      return payment
    },
    close: () => closeSync(file),
  }
}

function readPayments(path: string): Payment[] {
  const bytes = readFileSync(path)
  const end = bytes.lastIndexOf('\n') + 1
  if (end < bytes.length) truncateSync(path, end)
  const lines = bytes.subarray(0, end).toString('utf8').split('\n').slice(0, -1)
  return lines.map((line, index) => {
    try {
      return Payment.parse(JSON.parse(line))
    } catch (error) {
      throw new Error(`line ${index + 1} of ${path} is not a payment`, { cause: error })
    }
  })
}
