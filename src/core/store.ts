/** The port between the gate and what keeps its facts. One suite of tests holds every store to it. */
import type { ApprovalFacts } from './approval.ts'
import type { ExecutionFacts } from './execution.ts'
import type { RecordRef, ActionResult } from './outcome.ts'
import type { PastEvent } from './fact.ts'
import type { Step } from './proposal.ts'
import type { ReconciliationVerdict } from './reconciliation.ts'
import type { EntityState } from './state.ts'

/** What the gate activity answers the workflow while a person is asked. */
export interface Waiting {
  readonly outcome: 'approval_required'
  readonly approvalId: string
  readonly round: number
  readonly summary: string
  readonly rule: string
  readonly reviewers: string
  readonly changed: string | null
  readonly answerBy: string
  /** Until something changes by itself: the deadline to answer, or to use a grant. Milliseconds. */
  readonly remainingMs: number
  /** Where a person decides, if the gate worker knows. */
  readonly link: string | null
  /** Signals of this call that were not genuine. */
  readonly rejected: number
  readonly record: RecordRef
}

export type GateAnswer = ActionResult | Waiting

/** An answer before its ledger row exists. */
export type Unrecorded<A> = A extends unknown ? Omit<A, 'record'> : never

export interface FactsQuery {
  readonly step: Step
  readonly domain: string
  readonly entityType: string
  readonly entityId: string
  readonly actor: string
  readonly executionKey: string
  readonly proposalDigest: string
  /** The contract's name and hash, to learn whether it is the newest one registered. */
  readonly contract?: { readonly action: string; readonly hash: string }
  /** The kinds of event whose past the declared facts are derived from. */
  readonly eventTypes?: readonly string[]
  /** A reported event, to learn whether its id is known. */
  readonly event?: { readonly id: string; readonly type: string; readonly payload: unknown }
}

/** Everything one decision rests on, read in one statement. */
export interface Facts {
  /** The database's clock, RFC 3339 UTC. */
  readonly now: string
  readonly state: EntityState | null
  /** `superseded`: a newer one is registered, and this worker has to step aside. `null`: none was asked about. */
  readonly contract: 'newest' | 'superseded' | 'unknown' | null
  /** The entity's past events of the kinds asked for, oldest first. */
  readonly events: readonly PastEvent[]
  /** The entity's chain ends where its row says. */
  readonly intact: boolean
  readonly rolesEpoch: number
  readonly permissions: readonly string[]
  /** What this very call has answered before. */
  readonly call: GateAnswer | null
  /** The newest execution under this key. */
  readonly execution: ExecutionFacts | null
  /** This very call has opened it. */
  readonly begun: boolean
  /** The answer a finished execution under this key gave. */
  readonly executed: ActionResult | null
  /** What holds the entity: an open execution, one in doubt, or one whose completion was rejected. */
  readonly holder: ExecutionFacts | null
  /** The newest round under this key. */
  readonly approval: ApprovalFacts | null
  /** The event of the query has been recorded before, with the same content or another. */
  readonly event: { readonly same: boolean; readonly record: RecordRef } | null
  /** An equal proposal of this run chain was denied before. */
  readonly denied: { readonly reviewer: string; readonly reason: string } | null
}

/** What must still hold in the transaction that commits; otherwise the store answers `stale` and writes nothing. */
export interface Guard {
  readonly stateVersion: number
  readonly rolesEpoch: number
  /** When the actor's mandate runs out, RFC 3339; `null` without one. */
  readonly mandateUntil: string | null
}

/** Closes an approval round in the same commit. */
export interface Closing {
  readonly approvalId: string
  readonly status: 'expired' | 'void' | 'withdrawn' | 'denied' | 'revoked'
}

export type Committed<T = unknown> =
  | ({ readonly status: 'committed'; readonly record: RecordRef } & T)
  /** The world moved between read and write; read again. */
  | { readonly status: 'stale' }
  /** This call, or this key, was answered before. */
  | { readonly status: 'repeat'; readonly answer: GateAnswer }

export interface Lease {
  readonly token: string
  readonly ordinal: number
}

/** What an act means for the round of approval before it, in the same commit. */
export interface RoundOfAct {
  /** The grant that is used. */
  readonly approvalId: string | null
  /** A round that is open, and that nobody has to answer any more. */
  readonly voids?: string | null
}

/** `body` is always the canonical text of one ledger row; the store takes what it needs from it. */
export interface GateStore {
  readFacts(query: FactsQuery): Promise<Facts>
  /** Records a refusal, a repeated answer, or a rejected signal, and what the call answers. */
  recordAnswer(commit: { readonly body: string; readonly answer: Unrecorded<GateAnswer>; readonly guard: Guard | null; readonly closing?: Closing | undefined }): Promise<Committed>
  /** Opens a round; with `closing`, voids the one before in the same commit. */
  requestApproval(commit: { readonly body: string; readonly answer: Unrecorded<Waiting>; readonly request: string; readonly guard: Guard; readonly closing?: Closing | undefined }): Promise<Committed>
  /** Consumes the grant, opens the execution, records the intent: before any effect (I7). */
  openExecution(commit: { readonly body: string; readonly guard: Guard; readonly leaseMs: number; readonly idempotentForMs: number | null } & RoundOfAct): Promise<Committed<Lease>>
  /** Takes over an execution whose lease is over, while its receiver still honours the key. */
  resumeExecution(commit: { readonly body: string; readonly executionKey: string; readonly leaseMs: number }): Promise<Committed<Lease>>
  /** Ends a lease early: the executor has returned, and nothing of ours runs any more. */
  yieldLease(executionKey: string, token: string): Promise<void>
  /** Effect known: outcome, events folded, new state, audit, in one commit. `contradicted`: a person, or the executor, has said that it did not happen; nothing is written. */
  completeExecution(commit: {
    readonly body: string
    readonly executionKey: string
    readonly answer: Unrecorded<ActionResult>
    /** `ordinal`: which attempt it was, so that its late end is never taken for that of the next; left out, the newest. */
    readonly end: ({ readonly status: 'succeeded' } | { readonly status: 'failed'; readonly token: string } | { readonly status: 'rejected'; readonly why: string }) & { readonly ordinal?: number }
  }): Promise<Committed | { readonly status: 'contradicted' }>
  /** An action without an effect of its own: consumed, recorded and folded in one commit. */
  executePure(commit: { readonly body: string; readonly guard: Guard; readonly answer: Unrecorded<ActionResult> } & RoundOfAct): Promise<Committed>
  /** Nobody knows: only past the lease, or by its holder. */
  markInDoubt(commit: { readonly body: string; readonly executionKey: string; readonly token: string | null }): Promise<Committed>
  /** Folds a reported event. `busy`: an execution holds the entity; `duplicate`: this id is recorded with the same content. */
  reportEvent(commit: { readonly body: string; readonly answer: Unrecorded<ActionResult>; readonly guard: Guard }): Promise<Committed | { readonly status: 'busy' | 'conflict' }>
  /** Open executions of this Temporal namespace whose lease is over, for its sweepers. */
  overdueExecutions(namespace: string): Promise<readonly OverdueExecution[]>
  /** What people have found out about executions of this domain, and the gate has not applied yet. */
  dueReconciliations(domain: string): Promise<readonly DueReconciliation[]>
  /** Ends an execution as a person has said. `refused`: it is no longer what they signed, or they may no longer; nothing is written. */
  applyReconciliation(commit: ReconciliationCommit & { readonly answer: Unrecorded<ActionResult> }): Promise<Committed | { readonly status: 'refused'; readonly reason: string }>
  /** It cannot be applied, and says why; a person may answer anew. */
  rejectReconciliation(commit: ReconciliationCommit & { readonly why: string }): Promise<Committed>
  /** It happened after all, though a person had found, or the executor had said, that it had not: in doubt again where nothing was done since, else only told. */
  recordContradiction(commit: { readonly body: string; readonly executionKey: string; readonly ordinal: number }): Promise<Committed>
}

export interface ReconciliationCommit {
  readonly body: string
  readonly executionKey: string
  readonly ordinal: number
  readonly round: number
}

/** A reconciliation as the gate reads it. */
export interface DueReconciliation {
  readonly executionKey: string
  readonly ordinal: number
  readonly round: number
  /** The pre-image, as text: what the person was shown. */
  readonly request: string
  readonly verdict: ReconciliationVerdict
  readonly reviewer: string
  readonly jws: string
  /** The row that opened the execution, without its audit entries. */
  readonly opened: Readonly<Record<string, unknown>>
  /** The hash of the contract registered last for its action; `null` when the domain no longer has that action. */
  readonly newest: string | null
  /** The row that recorded the reconciliation, as `chain#seq`. */
  readonly record: string
}

export interface OverdueExecution extends Step {
  readonly executionKey: string
  /** The API caller's key it is done under, which any workflow may bring; `null` for one that stays in its run chain. */
  readonly callerKey: string | null
  /** The row that opened the execution, without its audit entries. */
  readonly opened: Readonly<Record<string, unknown>>
  /** That row, as `chain#seq`. */
  readonly record: string
  /** Milliseconds by the store's clock: negative, since it is over. */
  readonly leaseRemainingMs: number
}
