/** What a person has found out about an execution whose outcome nobody knew, as `0005-reconciliations.sql` has it. */
import { canonical } from '../../core/canonical.ts'
import { sha256 } from '../../core/digest.ts'
import type { ReconciliationRequest } from '../../core/reconciliation.ts'
import type { Committed, DueReconciliation, GateStore } from '../../core/store.ts'
import type { InDoubt, InDoubtRow, RecordedReview } from '../../postgres/review-store.ts'
import { parseBody, toText, type Body } from './body.ts'
import { foldEvents } from './events.ts'
import { holderOf, isAbout, newestExecution, putExecution, saysTheSame, stale } from './guards.ts'
import { append, chainById } from './ledger.ts'
import { mayReview } from './registry.ts'
import { StoreError, type Execution, type Reconciliation, type Transaction } from './tables.ts'

type Commit<Name extends 'applyReconciliation' | 'rejectReconciliation' | 'recordContradiction'> = Parameters<GateStore[Name]>[0]

const isInDoubt = ({ status, completionRejected }: Execution): boolean => status === 'in_doubt' || completionRejected !== null

const time = (ms: number): string => new Date(ms).toISOString()

function reconcilersOf(tx: Transaction, e: Execution): string | null {
  const { domain, action, contract } = parseBody(e.opened)
  return tx.contracts.get(domain, action, contract)?.reconcilers ?? null
}

/** Why somebody may not say what became of it; `null` when they may. */
function whyNot(tx: Transaction, e: Execution, actor: string | null): 'permission_denied' | 'self_review' | null {
  const opened = parseBody(e.opened)
  const permission = reconcilersOf(tx, e)
  if (permission === null || !mayReview(tx, opened.domain ?? '', actor, permission)) return 'permission_denied'
  return actor === opened.actor || actor === opened.on_behalf_of ? 'self_review' : null
}

/** The row by which it came to be in doubt. */
function doubtRow(tx: Transaction, e: Execution) {
  const seq = e.completionRejected === null ? e.contradictedSeq : e.closedSeq
  if (seq !== null) return tx.ledger.get(e.chain, seq)
  return tx.ledger.all().filter((row) => {
    const b = parseBody(row.body)
    return row.chain === e.chain && row.seq > e.openedSeq && b.kind === 'in_doubt' && b.execution_key === e.executionKey
  }).at(-1)
}

function requestText(tx: Transaction, e: Execution): string {
  const opened = JSON.parse(e.opened) as Partial<ReconciliationRequest> & { readonly approval_id?: string }
  const doubt = doubtRow(tx, e)
  const said: unknown = doubt === undefined ? null : JSON.parse(doubt.body)
  const approval = opened.approval_id === undefined ? undefined : tx.approvals.get(opened.approval_id)
  return canonical({
    format: 1, namespace: opened.namespace ?? null, workflow_id: opened.workflow_id ?? null, first_execution_run_id: opened.first_execution_run_id ?? null,
    domain: opened.domain ?? null, contract: opened.contract ?? null, entity_type: opened.entity_type ?? null, entity_id: opened.entity_id ?? null, state: opened.state ?? null,
    action: opened.action ?? null, params: opened.params ?? null, facts: opened.facts ?? {}, actor: opened.actor ?? null, on_behalf_of: opened.on_behalf_of ?? null,
    execution_key: e.executionKey, ordinal: e.ordinal,
    opened: `${chainById(tx, e.chain).key}#${e.openedSeq}`, opened_at: time(tx.ledger.get(e.chain, e.openedSeq)?.at ?? 0),
    doubt: e.completionRejected === null ? 'in_doubt' : 'completion_rejected',
    why: reasonIn(said), since: doubt === undefined ? null : time(doubt.at), returned: Reflect.get(Object(said), 'output') ?? null,
    reconcilers: reconcilersOf(tx, e),
    summary: approval === undefined ? null : (JSON.parse(approval.request) as { readonly summary: string }).summary,
  })
}

function reasonIn(body: unknown): unknown {
  const [entry]: unknown[] = Array.from(Object(Reflect.get(Object(body), 'audit') ?? []))
  return Reflect.get(Object(Reflect.get(Object(entry), 'data')), 'error') ?? null
}

const ofExecution = (tx: Transaction, e: Execution): Reconciliation[] =>
  tx.reconciliations.all().filter(({ executionKey, ordinal }) => executionKey === e.executionKey && ordinal === e.ordinal)

export function showInDoubt(tx: Transaction, executionKey: string, ordinal: number): InDoubtRow | undefined {
  const e = tx.executions.get(executionKey, ordinal)
  if (e === undefined) return undefined
  const said = ofExecution(tx, e)
  const request = isInDoubt(e) ? requestText(tx, e) : said.at(-1)?.request
  if (request === undefined) return undefined
  return {
    request: JSON.parse(request) as ReconciliationRequest, digest: sha256(request),
    status: e.completionRejected === null ? e.status : 'completion_rejected',
    waiting: e.reconciling !== null, rejected: e.reconciliationRejected, contradicted: e.contradictedSeq !== null,
    reconciliations: said.map(({ round, verdict, output, reviewer, reason, at }) => ({ round, verdict, output: output === null ? null : JSON.parse(output), reviewer, reason, at: time(at) })),
  }
}

const monthMs = 30 * 86_400_000

/** Those that hold their entity; and for a month those that turned out to have happened when something else had been tried already. */
export function listInDoubt(tx: Transaction): readonly InDoubt[] {
  const since = (e: Execution): number => tx.ledger.get(e.chain, e.contradictedSeq ?? e.openedSeq)?.at ?? 0
  const found = tx.executions.all().filter((e) => isInDoubt(e) || (e.contradictedSeq !== null && e.status === 'failed' && since(e) > tx.now - monthMs))
  return found.sort((a, b) => since(a) - since(b)).map((e) => {
    const b = parseBody(e.opened)
    return {
      execution_key: e.executionKey, ordinal: e.ordinal, domain: b.domain ?? '', entity_type: b.entity_type ?? '', entity_id: b.entity_id ?? '', action: b.action ?? '',
      workflow_id: b.workflow_id ?? '', status: isInDoubt(e) ? (e.completionRejected ?? e.status) : 'contradicted', waiting: e.reconciling !== null, since: time(since(e)),
    }
  })
}

function executionIn(tx: Transaction, { review }: Body): Execution | undefined {
  return tx.executions.get(review?.['execution_key'], Number(review?.['ordinal']))
}

/** Records what a person has found out. The digest is recomputed here. */
export function recordReconciliation(tx: Transaction, body: string, jws: string): RecordedReview {
  const b = parseBody(body)
  const said: Readonly<Record<string, unknown>> = b.review ?? {}
  const e = executionIn(tx, b)
  if (e === undefined) return { status: 'refused', reason: 'not_found' }
  if (said['jws_sha256'] !== sha256(jws)) throw new StoreError('23514', 'the row does not hold the hash of this signature')
  const request = requestText(tx, e)
  const reviewer = textOf(said['reviewer'])
  const refused = e.reconciling !== null ? 'already_reconciled' : !isInDoubt(e) || sha256(request) !== said['digest'] ? 'closed' : whyNot(tx, e, reviewer)
  if (refused !== null) return { status: 'refused', reason: refused }
  const { verdict } = said
  if (verdict !== 'happened' && verdict !== 'not_happened') throw new StoreError('23514', `${String(verdict)} is no verdict`)
  if (Object.hasOwn(said, 'output') !== (verdict === 'happened')) throw new StoreError('23514', 'what happened has an output, and nothing else has')
  if (textOf(said['reason']) === '') throw new StoreError('23514', 'a reconciliation has a reason')
  const { seq } = append(tx, e.chain, body, ['reconciled'])
  const round = ofExecution(tx, e).length + 1
  tx.reconciliations.insert({
    executionKey: e.executionKey, ordinal: e.ordinal, round, request, verdict, output: verdict === 'happened' ? toText(said['output']) : null,
    reviewer, reason: textOf(said['reason']), jws, seq, at: tx.now,
  })
  putExecution(tx, { ...e, reconciling: round, reconciliationRejected: null })
  return { status: 'committed' }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

export function recordRefusedReconciliation(tx: Transaction, body: string): void {
  const e = executionIn(tx, parseBody(body))
  if (e !== undefined) append(tx, e.chain, body, ['reconciliation_refused'])
}

export function dueReconciliations(tx: Transaction, domain: string): readonly DueReconciliation[] {
  return tx.executions.all().flatMap((e) => {
    const r = tx.reconciliations.get(e.executionKey, e.ordinal, e.reconciling)
    const b = parseBody(e.opened)
    if (r === undefined || b.domain !== domain) return []
    const { executionKey, ordinal, round, request, verdict, reviewer, jws } = r
    const newest = tx.contracts.all().find((each) => each.domain === domain && each.action === b.action && each.newest)?.hash ?? null
    return [{ executionKey, ordinal, round, request, verdict, reviewer, jws, opened: { ...b }, newest, record: `${chainById(tx, e.chain).key}#${r.seq}` }]
  })
}

/** Ends an execution as a person has said. */
export function applyReconciliation(tx: Transaction, { body, executionKey, ordinal, round, answer }: Commit<'applyReconciliation'>): Committed | { readonly status: 'refused'; readonly reason: string } {
  const e = tx.executions.get(executionKey, ordinal)
  if (e === undefined || e.reconciling !== round) return stale
  const r = tx.reconciliations.get(executionKey, ordinal, round)
  if (r === undefined) throw new StoreError('P0002', 'there is no such reconciliation')
  if (!isInDoubt(e) || r.request !== requestText(tx, e)) return { status: 'refused', reason: 'it is no longer what was signed' }
  if (whyNot(tx, e, r.reviewer) !== null) return { status: 'refused', reason: 'whoever signed may no longer' }
  const b = parseBody(body)
  // By the very contract, and of that step.
  const fits = isAbout(e, b) && saysTheSame({ ...parseBody(e.opened) }, b, ['namespace', 'workflow_id', 'first_execution_run_id', 'contract']) && b.causation_id === `${chainById(tx, e.chain).key}#${r.seq}`
  if (!fits || (b.output === undefined ? null : canonical(b.output)) !== (r.output === null ? null : canonical(JSON.parse(r.output)))) {
    throw new StoreError('23514', 'the row is not what was opened and reconciled')
  }
  const record = append(tx, e.chain, body, [r.verdict === 'happened' ? 'executed' : 'failed'])
  if (r.verdict === 'happened') foldEvents(tx, e.chain, b, record.seq)
  const status = r.verdict === 'happened' ? 'succeeded' : 'failed'
  putExecution(tx, { ...e, status, completionRejected: null, reconciling: null, reconciliationRejected: null, closedSeq: record.seq, answer: toText(answer) })
  return { status: 'committed', record }
}

/** It cannot be applied, and says why; a person may answer anew. */
export function rejectReconciliation(tx: Transaction, { body, executionKey, ordinal, round, why }: Commit<'rejectReconciliation'>): Committed {
  const e = tx.executions.get(executionKey, ordinal)
  if (e === undefined || e.reconciling !== round || !isAbout(e, parseBody(body))) return stale
  const record = append(tx, e.chain, body, ['reconciliation_rejected'])
  putExecution(tx, { ...e, reconciling: null, reconciliationRejected: why })
  return { status: 'committed', record }
}

/** It happened after all: nobody knows again, where nothing was done since; else the row alone tells of it. */
export function recordContradiction(tx: Transaction, { body, executionKey, ordinal }: Commit<'recordContradiction'>): Committed {
  const e = tx.executions.get(executionKey, ordinal)
  if (e === undefined || e.status !== 'failed' || e.contradictedSeq !== null || !isAbout(e, parseBody(body))) return stale
  const { state } = JSON.parse(e.opened) as Partial<ReconciliationRequest>
  const again = holderOf(tx, e.chain) === undefined && newestExecution(tx, executionKey)?.ordinal === ordinal && (state?.version ?? 0) === (tx.entities.get(e.chain)?.version ?? 0)
  const record = append(tx, e.chain, body, ['contradicted'])
  putExecution(tx, { ...e, contradictedSeq: record.seq, status: again ? 'in_doubt' : e.status })
  return { status: 'committed', record }
}
