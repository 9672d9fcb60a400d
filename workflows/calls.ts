/** The tool calls of a conversation that the gate has not answered yet, and the answers that nobody has been told. */
import type { Duration } from '@temporalio/common'
import { condition, isCancellation } from '@temporalio/workflow'
import type { ActionResult } from 'kiff-temporal/workflow'
import type { CallResult, ToolCall } from '../activities/model.ts'

export class Calls {
  readonly #propose: (call: ToolCall) => Promise<ActionResult>
  readonly #open = new Map<ToolCall, Promise<void>>()
  readonly #failures: unknown[] = []
  #answered: CallResult[] = []

  constructor(propose: (call: ToolCall) => Promise<ActionResult>) {
    this.#propose = propose
  }

  /** Proposes the call. Its answer is told by one of the waits below, whenever it comes. */
  begin(call: ToolCall): void {
    this.#open.set(call, this.#run(call))
  }

  get open(): readonly ToolCall[] {
    return [...this.#open.keys()]
  }

  get quiet(): boolean {
    return this.#open.size === 0 && this.#answered.length === 0
  }

  /** The answers that have come, at the latest after `patience`; `pending` for those of `calls` that have none. @throws what a call threw */
  async answersTo(calls: readonly ToolCall[], patience: Duration): Promise<readonly CallResult[]> {
    await this.#until(() => calls.every((call) => !this.#open.has(call)), patience)
    const pending = calls.filter((call) => this.#open.has(call))
    return [...this.#take(), ...pending.map(({ id }) => ({ id, result: { outcome: 'pending' as const, message: 'a person is asked; the answer will be told when it comes' } }))]
  }

  /** The next answer, whenever it comes: days, where a person is asked. @throws what a call threw */
  async next(): Promise<readonly CallResult[]> {
    await this.#until(() => this.#answered.length > 0)
    return this.#take()
  }

  /** When the workflow is cancelled, each wait takes its request back first. */
  async settle(failure: unknown): Promise<void> {
    if (isCancellation(failure)) await Promise.all(this.#open.values())
  }

  /** Never rejects: what a call throws is thrown by the next wait. */
  async #run(call: ToolCall): Promise<void> {
    try {
      const result = await this.#propose(call)
      this.#answered.push({ id: call.id, result })
    } catch (error) {
      this.#failures.push(error)
    } finally {
      this.#open.delete(call)
    }
  }

  async #until(done: () => boolean, patience?: Duration): Promise<void> {
    const over = (): boolean => done() || this.#failures.length > 0
    await (patience === undefined ? condition(over) : condition(over, patience))
    if (this.#failures.length > 0) throw this.#failures[0]
  }

  #take(): CallResult[] {
    return this.#answered.splice(0)
  }
}
