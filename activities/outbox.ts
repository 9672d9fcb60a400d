/** Letters that leave the house: the example's mail and text message provider, which sends once for each key. */
import { z } from 'zod'
import { openKeyedLines, type KeyedLine } from './keyed-lines.ts'

const Letter = z.strictObject({ to: z.string(), by: z.enum(['email', 'sms']), text: z.string() })
export type Letter = z.infer<typeof Letter>

export interface Outbox {
  /** Sends a letter, at most once for a key. @returns its id */
  readonly send: (letter: Letter, idempotencyKey: string) => Promise<string>
  readonly sent: () => readonly KeyedLine<Letter>[]
}

export function openOutbox(path: string): Outbox {
  const lines = openKeyedLines(path, 'letter', Letter)
  return {
    send: async (letter, key) => lines.once(key, letter).id,
    sent: lines.all,
  }
}
