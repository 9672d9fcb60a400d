/** The body of a ledger row: one canonical JSON text for one commit, with KIFF's audit entries inside. */
import { canonical, isCanonical, printable, type Json } from './canonical.ts'
import { sha256 } from './digest.ts'
import type { Claim } from './claim.ts'
import type { Step, Trace } from './proposal.ts'
import type { EntityState } from './state.ts'

/** What a row is about; views and checks switch on it. */
export type RowKind =
  | 'refused' | 'approval_requested' | 'approval_expired' | 'approval_withdrawn' | 'approval_denied' | 'signal_rejected' | 'approval_revoked'
  | 'opened' | 'resumed' | 'executed' | 'failed' | 'in_doubt' | 'completion_rejected' | 'repeated'
  | 'reconciled' | 'reconciliation_refused' | 'reconciliation_rejected' | 'contradicted'
  | 'reviewed' | 'review_refused' | 'event' | 'event_refused'

/** KIFF's audit kinds that we produce, and ours (marked) beside them. */
export type AuditKind =
  | 'event_ingested' | 'state_changed' | 'decision_proposed' | 'action_validated' | 'approval_required' | 'approval_recorded'
  | 'approval_granted' | 'approval_denied' | 'approval_review_rejected' | 'action_executed' | 'action_failed' | 'action_deduplicated'
  // ours
  | 'event_rejected' | 'approval_expired' | 'approval_withdrawn' | 'approval_void' | 'approval_revoked' | 'action_resumed' | 'action_in_doubt' | 'action_completion_rejected'
  | 'action_reconciled' | 'action_reconciliation_rejected' | 'action_contradicted'

export interface AuditEntry {
  readonly kind: AuditKind
  readonly message: string
  readonly data: Json
  /** Left out: the row's actor. */
  readonly actor_id?: string
  /** Left out: the row's cause. */
  readonly causation_id?: string
}

/** An event as a row records it. */
export interface RecordedEvent {
  readonly id: string
  readonly type: string
  readonly payload: unknown
  readonly from: string | null
  readonly to: string
  /** Where it comes from; left out, the workflow. */
  readonly source?: string | undefined
  /** When it happened, by the reporter's clock. */
  readonly occurredAt?: string | undefined
}

export interface LedgerRow {
  readonly kind: RowKind
  readonly step: Step
  readonly domain: string
  readonly entityType: string | null
  readonly entityId: string | null
  readonly action: string | null
  readonly actor: string
  /** The person the actor acts for. */
  readonly onBehalfOf?: string | null | undefined
  /** The mandate that proves the actor, where the worker's configuration does not. */
  readonly mandate?: Json | undefined
  readonly trace?: Trace | undefined
  readonly audit: readonly AuditEntry[]
  /** What caused this row: an approval, the row that opened the execution, an event. */
  readonly causation?: string | undefined
  readonly contract?: string | undefined
  readonly params?: unknown
  readonly claim?: Claim | undefined
  readonly proposalDigest?: string | undefined
  readonly executionKey?: string | undefined
  /** The API caller's own key, where the execution key is made from it. */
  readonly callerKey?: string | undefined
  readonly decision?: { readonly outcome: string; readonly reason: string | null; readonly message: string } | undefined
  readonly state?: EntityState | null | undefined
  /** The declared facts it was judged on. */
  readonly facts?: unknown
  readonly approvalId?: string | undefined
  readonly review?: Json | undefined
  readonly events?: readonly RecordedEvent[] | undefined
  readonly output?: unknown
}

/**
 * The canonical text of a row, format 1. Trace and correlation are the request's; left out, the run chain's first run and
 * its workflow id. What has no canonical
 * form (hostile parameters) is kept as its hash and an escaped excerpt, so that every refusal can be recorded.
 */
export function ledgerBody(row: LedgerRow): string {
  return canonical({
    format: 1,
    kind: row.kind,
    namespace: row.step.namespace,
    workflow_id: row.step.workflowId,
    first_execution_run_id: row.step.firstExecutionRunId,
    run_id: row.step.runId,
    activity_id: row.step.activityId,
    trace_id: row.trace?.traceId ?? row.step.firstExecutionRunId,
    correlation_id: row.trace?.correlationId ?? row.step.workflowId,
    causation_id: row.causation ?? row.trace?.causationId ?? null,
    domain: row.domain,
    entity_type: row.entityType,
    entity_id: row.entityId,
    action: row.action,
    actor: row.actor,
    on_behalf_of: row.onBehalfOf ?? null,
    audit: row.audit.map(({ kind, message, data, actor_id, causation_id }) => ({ kind, message: printable(message), data, ...present({ actor_id, causation_id }) })),
    ...present({
      mandate: row.mandate,
      tags: row.trace?.tags === undefined ? undefined : recordable(row.trace.tags),
      contract: row.contract,
      params: row.params === undefined ? undefined : recordable(row.params),
      claim: row.claim === undefined ? undefined : recordable({ why: row.claim.why, evidence: row.claim.evidence ?? [], confidence: row.claim.confidence ?? null }),
      proposal_digest: row.proposalDigest,
      execution_key: row.executionKey,
      caller_key: row.callerKey,
      decision: row.decision && { ...row.decision, message: printable(row.decision.message) },
      state: row.state,
      facts: row.facts === undefined || Object.keys(Object(row.facts)).length === 0 ? undefined : row.facts,
      approval_id: row.approvalId,
      review: row.review,
      events: row.events?.map(({ id, type, payload, from, to, source, occurredAt }) => ({ id, type, payload, from, to, ...present({ source, occurred_at: occurredAt }) })),
      output: row.output === undefined ? undefined : recordable(row.output),
    }),
  })
}

/** The value itself where it has a canonical form; else its hash and an escaped excerpt. */
export function recordable(value: unknown): Json {
  if (isCanonical(value)) return value
  const text = jsonOf(value)
  return { not_canonical: { sha256: sha256(text), excerpt: printable(text.slice(0, 200)) } }
}

export { printable }

/** Total: also for what JSON cannot say at all (a cycle, a bigint, a function), as an executor may return it. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? typeof value
  } catch {
    return typeof value
  }
}

function present(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
