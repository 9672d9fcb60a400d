/** The human-facing service's store in Postgres, called with the reviewer login. */
import type { ApprovalRequest, ApprovalStatus, Verdict } from '../core/approval.ts'
import { sha256 } from '../core/digest.ts'
import type { ExecutionStatus } from '../core/execution.ts'
import type { RunChain } from '../core/proposal.ts'
import type { ReconciliationRequest, ReconciliationVerdict } from '../core/reconciliation.ts'
import { callFunction, callSet, type Pool } from './connect.ts'

/** An approval as a person is shown it. The digest is recomputed here from the very text that is shown. */
export interface ApprovalRow {
  readonly request: ApprovalRequest
  /** SHA-256 (hex) of the stored pre-image. */
  readonly digest: string
  readonly status: ApprovalStatus
  /** Oldest first. */
  readonly reviews: readonly { readonly verdict: Verdict; readonly reviewer: string; readonly reason: string; readonly at: string }[]
  /** Who took the grant back, when, and why. */
  readonly revoked: { readonly reviewer: string; readonly reason: string; readonly at: string } | null
}

export interface InDoubt {
  readonly execution_key: string
  readonly ordinal: number
  readonly domain: string
  readonly entity_type: string
  readonly entity_id: string
  readonly action: string
  readonly workflow_id: string
  readonly since: string
  /** `in_doubt`, why a completion was rejected, or `contradicted`: something else was tried since, and no answer is asked for. */
  readonly status: string
  /** Somebody has answered, and the gate has not applied it yet. */
  readonly waiting: boolean
}

/** An execution in doubt, or that was, as a person is shown it. The digest is recomputed here from the very text that is shown. */
export interface InDoubtRow {
  readonly request: ReconciliationRequest
  readonly digest: string
  readonly status: ExecutionStatus | 'completion_rejected'
  readonly waiting: boolean
  /** Why the gate could not apply the last answer. */
  readonly rejected: string | null
  /** It turned out to have happened after a person had found that it had not. */
  readonly contradicted: boolean
  /** Oldest first. */
  readonly reconciliations: readonly { readonly round: number; readonly verdict: ReconciliationVerdict; readonly output: unknown; readonly reviewer: string; readonly reason: string; readonly at: string }[]
}

export interface Delivery extends RunChain {
  readonly approvalId: string
  readonly attempts: number
  /** Every signed review of it. */
  readonly reviews: readonly string[]
}

export type RecordedReview = { readonly status: 'committed' } | { readonly status: 'refused'; readonly reason: string }

export interface ReviewStore {
  list(which: 'pending' | 'closed', limit: number): Promise<readonly ApprovalRow[]>
  show(approvalId: string): Promise<ApprovalRow | undefined>
  inDoubt(): Promise<readonly InDoubt[]>
  showInDoubt(executionKey: string, ordinal: number): Promise<InDoubtRow | undefined>
  /** What a person has found out, and its ledger row, in one commit; refused where the execution's rules say so. */
  recordReconciliation(body: string, jws: string): Promise<RecordedReview>
  recordRefusedReconciliation(body: string): Promise<void>
  /** Review, ledger row, and outbox in one commit; refused where the row's rules say so. */
  recordReview(body: string, jws: string): Promise<RecordedReview>
  /** Takes back a grant that has not been used; refused where the row's rules say so. */
  revokeApproval(body: string): Promise<RecordedReview>
  recordRefusedReview(body: string): Promise<void>
  /** Rounds past their deadline that nobody has closed, whatever a person has answered. */
  overdueRounds(): Promise<readonly ApprovalRow[]>
  /** Rounds that wait for a person, for the gate, or for their workflow's end: a page in the order of their ids, after one of them. */
  openRounds(after: string | null, limit: number): Promise<readonly ApprovalRow[]>
  /** How many rounds a run chain has had here, and how many of them are open. */
  roundsOf(chain: RunChain): Promise<{ readonly all: number; readonly open: number }>
  /** Expires or withdraws a round, as the row's kind says. @returns false when it was closed already */
  closeApproval(body: string): Promise<boolean>
  dueDeliveries(): Promise<readonly Delivery[]>
  deliveryAttempted(approvalId: string, nextMs: number, error: string | null): Promise<void>
}

/** @param pool connected as `kiff_reviewer` */
export function createReviewStore(pool: Pool): ReviewStore {
  const rows = async (name: string, args: readonly unknown[] = []): Promise<readonly ApprovalRow[]> => (await callSet(pool, name, args)).map(toApprovalRow)
  return {
    list: (which, limit) => rows('kiff.list_approvals', [which === 'pending', limit]),
    async show(approvalId) {
      const row = await callFunction(pool, 'kiff.show_approval', [approvalId])
      return row === undefined ? undefined : toApprovalRow(row)
    },
    async inDoubt() {
      return (await callSet(pool, 'kiff.list_in_doubt', [])) as readonly InDoubt[]
    },
    async showInDoubt(executionKey, ordinal) {
      const row = await callFunction(pool, 'kiff.show_in_doubt', [executionKey, ordinal])
      return row === undefined || row === null ? undefined : toInDoubtRow(row)
    },
    async recordReconciliation(body, jws) {
      return (await callFunction(pool, 'kiff.record_reconciliation', [body, jws])) as RecordedReview
    },
    async recordRefusedReconciliation(body) {
      await callFunction(pool, 'kiff.record_refused_reconciliation', [body])
    },
    async recordReview(body, jws) {
      return (await callFunction(pool, 'kiff.record_review', [body, jws])) as RecordedReview
    },
    async revokeApproval(body) {
      return (await callFunction(pool, 'kiff.revoke_approval', [body])) as RecordedReview
    },
    async recordRefusedReview(body) {
      await callFunction(pool, 'kiff.record_refused_review', [body])
    },
    overdueRounds: () => rows('kiff.overdue_rounds'),
    openRounds: (after, limit) => rows('kiff.open_rounds', [after, limit]),
    async roundsOf({ namespace, workflowId, firstExecutionRunId }) {
      return (await callFunction(pool, 'kiff.rounds_of', [namespace, workflowId, firstExecutionRunId])) as { readonly all: number; readonly open: number }
    },
    async closeApproval(body) {
      return (await callFunction(pool, 'kiff.close_approval', [body])) === true
    },
    async dueDeliveries() {
      return (await callSet(pool, 'kiff.due_deliveries', [])) as readonly Delivery[]
    },
    async deliveryAttempted(approvalId, nextMs, error) {
      await callFunction(pool, 'kiff.delivery_attempted', [approvalId, Math.round(nextMs), error])
    },
  }
}

function toApprovalRow(row: unknown): ApprovalRow {
  const { request, status, reviews, revoked } = row as { request: string } & Pick<ApprovalRow, 'status' | 'reviews' | 'revoked'>
  return { request: JSON.parse(request) as ApprovalRequest, digest: sha256(request), status, reviews, revoked }
}

function toInDoubtRow(row: unknown): InDoubtRow {
  const { request, ...rest } = row as { request: string } & Omit<InDoubtRow, 'request' | 'digest'>
  return { ...rest, request: JSON.parse(request) as ReconciliationRequest, digest: sha256(request) }
}
