/** The example's bank: pays once for each key, and keeps its own books, so that "it was paid once" is seen from outside. */
import { z } from 'zod'
import { openKeyedLines, type KeyedLine } from './keyed-lines.ts'

const Transfer = z.strictObject({ account: z.string(), amountCents: z.int().positive(), currency: z.enum(['EUR', 'USD']), reference: z.string() })
export type Transfer = z.infer<typeof Transfer>

export interface Bank {
  /** Makes a transfer, at most once for a key. @returns its id */
  readonly transfer: (order: Transfer, idempotencyKey: string) => Promise<string>
  readonly transfers: () => readonly KeyedLine<Transfer>[]
}

export function openBank(path: string): Bank {
  const lines = openKeyedLines(path, 'pay', Transfer)
  return {
    transfer: async (order, key) => lines.once(key, order).id,
    transfers: lines.all,
  }
}
