/** A provider: it honours a key for as long as it has promised to, or not at all, and what it has refused it goes on refusing. */
import { NotDone } from '../../src/core/execution.ts'

export class Provider {
  /** Every effect there was, by the key under which it was asked for, in order. */
  readonly paid: string[] = []
  readonly #refused = new Set<string>()
  readonly #firstAt = new Map<string, number>()

  /** @param honoursForMs 0: every request is another effect @throws NotDone for a key that it has refused */
  pay(key: string, now: number, honoursForMs: number): void {
    if (this.#refused.has(key)) throw new NotDone('it was refused before')
    const first = this.#firstAt.get(key)
    if (first !== undefined && now < first + honoursForMs) return
    this.#firstAt.set(key, now)
    this.paid.push(key)
  }

  /** Refuses a key, where nothing was done under it. @throws NotDone then */
  refuse(key: string): void {
    if (this.paid.includes(key)) return
    this.#refused.add(key)
    throw new NotDone('refused')
  }
}
