/** What was thrown, in words: recordable, of bounded length, and had from anything that code of others throws. */
import { printable } from './canonical.ts'

/** Longest words of a fault, in UTF-16 units: they go into rows, and into failures, whose size Temporal limits. */
const maxWords = 1_000

/** The message of an error, or whatever can be said of another value. Never throws. */
export function wordsOfThrown(thrown: unknown): string {
  try {
    return inShort(String(thrown instanceof Error ? thrown.message : thrown))
  } catch {
    return 'something that cannot be put into words'
  }
}

/** Words that may be of any length and contain anything, as they are recorded. */
export function inShort(words: string): string {
  return printable(words.length > maxWords ? `${words.slice(0, maxWords)}…` : words)
}
