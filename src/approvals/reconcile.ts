/** Recording what a person has found out about an execution whose outcome nobody knew: signed, with its ledger row in one commit. */
import { canonical, isCanonical, type Json } from '../core/canonical.ts'
import { sha256 } from '../core/digest.ts'
import { maxOutput } from '../core/execution.ts'
import { ledgerBody, printable, type AuditEntry, type RowKind } from '../core/ledger-row.ts'
import type { ReconciliationRequest, SignedReconciliation } from '../core/reconciliation.ts'
import type { ReviewStore } from '../postgres/review-store.ts'
import type { Desk, ReconcileOutcome, Reconciliation } from './desk.ts'
import { refusedAs } from './refused-as.ts'
import type { ReviewSigner } from './signing.ts'

const refusals = {
  already_reconciled: 'somebody has answered already, and the gate has not applied it yet',
  output_unusable: `the output must be plain JSON of at most ${maxOutput} characters`,
  permission_denied: 'you do not hold the permission that whoever answers needs',
  self_review: 'whoever proposed it, or is acted for, may not say what became of it',
  not_found: 'there is no such execution in doubt',
  closed: 'it is no longer in doubt, or no longer what you were shown',
} as const

/** The desk's `reconcile`. Whether the output fits the contract only the gate can say: it holds the contracts, this service does not. */
export function reconcileAt(store: ReviewStore, sign: ReviewSigner, now: () => Date): Desk['reconcile'] {
  return async (reconciliation): Promise<ReconcileOutcome> => {
    const { executionKey, ordinal, digest, verdict, reviewer } = reconciliation
    const row = await store.showInDoubt(executionKey, ordinal)
    if (row === undefined) return refusedAs(refusals, 'not_found')
    if (verdict === 'happened' && !isUsable(reconciliation.output)) return refusedAs(refusals, 'output_unusable')
    if (row.digest !== digest) return refusedAs(refusals, 'closed')
    const signed = toSign(reconciliation, now())
    const jws = await sign(signed)
    const { request } = row
    const entry: AuditEntry = {
      kind: 'action_reconciled',
      message: verdict === 'happened' ? 'a person has found that it happened' : 'a person has found that it did not happen',
      data: { action: request.action, verdict, reconciled_by: reviewer, reason: signed.reason, idempotency_key: executionKey, ordinal },
      actor_id: reviewer,
    }
    // The chain holds the signature's hash, and what it is over.
    const recorded = await store.recordReconciliation(reconciliationBody(request, 'reconciled', reviewer, [entry], { ...jsonOf(signed), jws_sha256: sha256(jws) }), jws)
    if (recorded.status === 'committed') return { outcome: 'recorded', verdict }
    await recordRefusal(store, request, reviewer, recorded.reason)
    return refusedAs(refusals, recorded.reason)
  }
}

function toSign(reconciliation: Reconciliation, at: Date): SignedReconciliation {
  const { executionKey, ordinal, digest, reviewer, reason } = reconciliation
  const signed = { purpose: 'reconcile', execution_key: executionKey, ordinal, digest, reviewer, reason: printable(reason), reviewed_at: at.toISOString() } as const
  return reconciliation.verdict === 'happened' ? { ...signed, verdict: 'happened', output: reconciliation.output } : { ...signed, verdict: 'not_happened' }
}

function isUsable(output: unknown): output is Json {
  return isCanonical(output) && canonical(output).length <= maxOutput
}

/** An attempt that did not count is a fact too. */
async function recordRefusal(store: ReviewStore, request: ReconciliationRequest, reviewer: string, reason: string): Promise<void> {
  const { action, execution_key, ordinal } = request
  await store.recordRefusedReconciliation(reconciliationBody(request, 'reconciliation_refused', reviewer, [{
    kind: 'action_reconciliation_rejected',
    message: 'reconciliation refused',
    data: { action, reviewer, reason, idempotency_key: execution_key },
    actor_id: reviewer,
  }], { execution_key, ordinal, reviewer }))
}

/** A ledger row about an execution, written by the human-facing service: of no activity, hence without run and call. */
function reconciliationBody(request: ReconciliationRequest, kind: RowKind, actor: string, audit: readonly AuditEntry[], review: Json): string {
  return ledgerBody({
    kind, actor, audit, review,
    step: { namespace: request.namespace, workflowId: request.workflow_id, firstExecutionRunId: request.first_execution_run_id, runId: '', activityId: '' },
    domain: request.domain,
    entityType: request.entity_type,
    entityId: request.entity_id,
    action: request.action,
    executionKey: request.execution_key,
    causation: request.opened,
  })
}

/** What was checked for its canonical form already. */
function jsonOf(signed: SignedReconciliation): Readonly<Record<string, Json>> {
  return JSON.parse(canonical(signed)) as Readonly<Record<string, Json>>
}
