/** One effect of ours, from open to its end. "Workflow execution" is Temporal's word; this is never that. */

/** Wire words. `reserved` is an open execution: between open and complete. */
export type ExecutionStatus = 'reserved' | 'succeeded' | 'failed' | 'in_doubt'

/** An execution as the gate reads it. */
export interface ExecutionFacts {
  readonly executionKey: string
  /** Counts new attempts after a definitive failure, from 1. */
  readonly ordinal: number
  readonly proposalDigest: string
  readonly actor: string
  readonly onBehalfOf: string | null
  readonly status: ExecutionStatus
  /** Set when the effect happened but its output or events could not be accepted: the entity waits for a person. */
  readonly completionRejected: string | null
  /** Milliseconds by the database's clock; negative when over. */
  readonly leaseRemainingMs: number
  /** Milliseconds in which the receiver still honours our idempotency key; `null` for an effect that must not be repeated. */
  readonly idempotentRemainingMs: number | null
  /** An attempt under this key turned out to have happened after a person had found that it had not: nothing is started under it any more. */
  readonly contradicted: boolean
  /** Milliseconds since it was opened, by the ledger. */
  readonly openedAgoMs: number
  /** The approval whose grant was used up by opening it. */
  readonly grant: string | null
  /** The declared facts it was opened on; taken up again, it goes on with these. */
  readonly facts: Readonly<Record<string, unknown>>
}

/** Largest output of an execution, as canonical JSON in UTF-16 units. */
export const maxOutput = 16_384

/** The key that a provider sees: a new one only after the provider said, definitively, that nothing was done. */
export function providerKey(execution: Pick<ExecutionFacts, 'executionKey' | 'ordinal'>): string {
  return execution.ordinal === 1 ? execution.executionKey : `${execution.executionKey}-${execution.ordinal}`
}

/**
 * Thrown by an executor, and only when it knows that nothing was done and nothing will be: the execution is `failed`, and may
 * be tried again. Anything else an executor throws means that nobody knows.
 */
export class NotDone extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'NotDone'
  }
}
