/** Reconciling: what a person is shown of an execution whose outcome nobody knows, and what they sign (I3, I4, I8). */

/** The pre-image whose SHA-256 a reconciliation signs; the page shows nothing else. Wire form, snake_case. */
export interface ReconciliationRequest {
  readonly format: 1
  readonly namespace: string
  readonly workflow_id: string
  readonly first_execution_run_id: string
  readonly domain: string
  /** The contract's hash. */
  readonly contract: string
  readonly entity_type: string
  readonly entity_id: string
  /** As it was when the execution was opened; nothing has moved it since. */
  readonly state: { readonly value: string; readonly version: number } | null
  readonly action: string
  /** As they were proposed. */
  readonly params: unknown
  readonly facts: unknown
  readonly actor: string
  readonly on_behalf_of: string | null
  readonly execution_key: string
  readonly ordinal: number
  /** The row that opened it, as `chain#seq`. */
  readonly opened: string
  readonly opened_at: string
  /** `completion_rejected`: it is said to have happened, but what came back could not be accepted. */
  readonly doubt: 'in_doubt' | 'completion_rejected'
  readonly why: string | null
  readonly since: string | null
  /** What came back, where something did. */
  readonly returned: unknown
  /** The permission that whoever answers needs; `null`: nobody may. */
  readonly reconcilers: string | null
  /** What was to happen, in the contract's words, where a person was asked for approval. */
  readonly summary: string | null
}

export type ReconciliationVerdict = 'happened' | 'not_happened'

/** What a reconciliation's JWS carries, under the same header as a review's; the purpose keeps them apart. */
export type SignedReconciliation = {
  readonly purpose: 'reconcile'
  readonly execution_key: string
  readonly ordinal: number
  /** SHA-256 of the request's text, hex. */
  readonly digest: string
  readonly reviewer: string
  readonly reason: string
  readonly reviewed_at: string
} & ({ readonly verdict: 'happened'; readonly output: unknown } | { readonly verdict: 'not_happened' })

/** The fields of the request that are those of the row which opened the execution. */
export const openedFields = [
  'namespace', 'workflow_id', 'first_execution_run_id', 'domain', 'contract', 'entity_type', 'entity_id', 'state', 'action', 'params', 'actor', 'on_behalf_of',
] as const satisfies readonly (keyof ReconciliationRequest)[]
