/** Everything the ledger holds about one workflow, for comparing it with Temporal's history. */
import type { PastEvent } from '../core/fact.ts'
import { parseBody, type LedgerBody } from './ledger-body.ts'
import { entryColumns, type LedgerEntry, type Snapshot } from './read-ledger.ts'

/** A ledger row that could be read. */
export interface RunRow {
  /** The chain's key. */
  readonly chain: string
  readonly seq: number
  readonly hash: string
  /** The ledger's time, RFC 3339 UTC. */
  readonly at: string
  readonly body: LedgerBody
}

/** An approval as the service and the gate have left it, with the reviews that people gave, oldest first. */
export interface ApprovalRecord {
  readonly approvalId: string
  readonly executionKey: string
  readonly request: string
  readonly status: string
  readonly closed: boolean
  readonly reviews: readonly { readonly verdict: string; readonly reviewer: string; readonly jws: string }[]
  /** The execution key that used the grant up. */
  readonly consumedBy: string | null
}

/** What a person has found out about an execution, as it is kept beside the ledger. */
export interface ReconciliationRecord extends RowPlace {
  readonly ordinal: number
  readonly request: string
  readonly jws: string
}

export interface RowPlace {
  readonly chain: string
  readonly seq: number
}

/** What of the ledger concerns a workflow, read in one snapshot. */
export interface RunLedger {
  /** Rows of these runs, of any activity. */
  readonly rows: readonly RunRow[]
  readonly at: (place: RowPlace) => RunRow | undefined
  readonly approvals: readonly ApprovalRecord[]
  readonly approval: (approvalId: string) => ApprovalRecord | undefined
  /** Of the executions that these runs have opened. */
  readonly reconciliations: readonly ReconciliationRecord[]
  /** The one that this row records. */
  readonly reconciliation: (place: RowPlace) => ReconciliationRecord | undefined
  /** Rows by which the human-facing service recorded a review of this approval, or took its grant back. */
  readonly reviewedRows: (approvalId: string) => readonly RunRow[]
  /** The events that an entity's chain holds before this row, oldest first; only for chains on which this workflow was judged by facts. */
  readonly eventsBefore: (place: RowPlace) => readonly PastEvent[]
  /** What a call would be answered if it came again. */
  readonly answer: (runId: string, activityId: string) => unknown
}

type EntryRow = Omit<LedgerEntry, 'seq'> & { readonly seq: string; readonly key: string }

/** The names of all domains ever registered: what makes an activity type a governed one. */
export async function registeredDomains(snapshot: Snapshot): Promise<readonly string[]> {
  const { rows } = await snapshot.query<{ domain: string }>('select distinct domain from kiff.contracts')
  return rows.map(({ domain }) => domain)
}

/** @param places rows that results in the history refer to */
export async function loadRunLedger(snapshot: Snapshot, runIds: readonly string[], places: readonly RowPlace[]): Promise<RunLedger> {
  const rows = await readRows(snapshot, 'l.run_id = any ($1)', [[...runIds]])
  const referred = await rowsAt(snapshot, places)
  const caused = await rowsAt(snapshot, [...rows, ...referred].flatMap(({ body }) => placeOf(body.causation_id) ?? []))
  const byPlace = new Map([...rows, ...referred, ...caused].map((row) => [`${row.chain}#${row.seq}`, row]))
  const approvalIds = [...new Set([...rows, ...referred].flatMap(({ body }) => (isUuid(body.approval_id) ? [body.approval_id] : [])))]
  const approvals = await readApprovals(snapshot, approvalIds)
  const reviewed = await readRows(snapshot, `l.approval_id = any ($1) and l.kind in ('reviewed', 'approval_revoked')`, [approvalIds])
  const reconciliations = await readReconciliations(snapshot, [...new Set(rows.flatMap(({ body }) => body.execution_key ?? []))])
  const judged = [...new Set(rows.flatMap(({ chain, body }) => (body.facts == null ? [] : [chain])))]
  const past = judged.length === 0 ? [] : await readRows(snapshot, `c.key = any ($1) and l.body::jsonb ? 'events'`, [judged])
  const namespaces = [...new Set(rows.flatMap(({ body }) => body.namespace ?? []))]
  const answers = await snapshot.query<{ run_id: string; activity_id: string; answer: unknown }>(
    'select run_id, activity_id, answer from kiff.calls where namespace = any ($1) and run_id = any ($2)', [namespaces, [...runIds]])
  return {
    rows,
    at: ({ chain, seq }) => byPlace.get(`${chain}#${seq}`),
    approvals: [...approvals.values()],
    approval: (approvalId) => approvals.get(approvalId),
    reconciliations,
    reconciliation: ({ chain, seq }) => reconciliations.find((each) => each.chain === chain && each.seq === seq),
    reviewedRows: (approvalId) => reviewed.filter(({ body }) => body.approval_id === approvalId),
    eventsBefore: ({ chain, seq }) =>
      past.filter((row) => row.chain === chain && row.seq < seq).flatMap(({ at, body }) => (body.events ?? []).map(({ type, payload }) => ({ type, payload, at }))),
    answer: (runId, activityId) => answers.rows.find((row) => row.run_id === runId && row.activity_id === activityId)?.answer,
  }
}

async function readRows(snapshot: Snapshot, condition: string, args: unknown[]): Promise<readonly RunRow[]> {
  const { rows } = await snapshot.query<EntryRow>(
    `select ${entryColumns}, c.key from kiff.ledger l join kiff.chains c using (chain) where ${condition} order by l.chain, l.seq`, args)
  return rows.flatMap(({ key, seq, hash, at, body }) => {
    const parsed = parseBody(body)
    return 'body' in parsed ? [{ chain: key, seq: Number(seq), hash, at, body: parsed.body }] : []
  })
}

async function rowsAt(snapshot: Snapshot, places: readonly RowPlace[]): Promise<readonly RunRow[]> {
  if (places.length === 0) return []
  return readRows(snapshot, '(c.key, l.seq) in (select * from unnest($1::text[], $2::bigint[]))', [places.map(({ chain }) => chain), places.map(({ seq }) => seq)])
}

async function readReconciliations(snapshot: Snapshot, executionKeys: readonly string[]): Promise<readonly ReconciliationRecord[]> {
  const { rows } = await snapshot.query<ReconciliationRecord>(
    `select c.key as chain, r.seq::float8 as seq, r.ordinal, r.request, r.jws
     from kiff.reconciliations r join kiff.executions e using (execution_key, ordinal) join kiff.chains c using (chain)
     where r.execution_key = any ($1) order by r.at`, [[...executionKeys]])
  return rows
}

async function readApprovals(snapshot: Snapshot, approvalIds: readonly string[]): Promise<ReadonlyMap<string, ApprovalRecord>> {
  const { rows } = await snapshot.query<ApprovalRecord>(
    `select a.approval_id as "approvalId", a.execution_key as "executionKey", a.request, a.status, a.closed_seq is not null as closed,
       (select coalesce(jsonb_agg(jsonb_build_object('verdict', r.verdict, 'reviewer', r.reviewer, 'jws', r.jws) order by r.at), '[]')
         from kiff.reviews r where r.approval_id = a.approval_id) as reviews,
       c.execution_key as "consumedBy"
     from kiff.approvals a left join kiff.consumptions c using (approval_id)
     where a.approval_id = any ($1::uuid[])`, [[...approvalIds]])
  return new Map(rows.map((row) => [row.approvalId, row]))
}

/** A row named as `refunds/Order/order-2#7`, as causation does. */
export function placeOf(reference: string | null | undefined): RowPlace | undefined {
  const [, chain, seq] = /^(.+)#(\d{1,15})$/s.exec(reference ?? '') ?? []
  return chain === undefined ? undefined : { chain, seq: Number(seq) }
}

export function isUuid(text: string | null | undefined): text is string {
  return typeof text === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(text)
}
