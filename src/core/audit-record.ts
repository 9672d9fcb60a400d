/** Audit records as the database shows them: their order, and which proposal each belongs to. */

/** A row of the view `kiff.audit_records`. */
export interface AuditRecord {
  readonly id: string
  readonly kind: string
  readonly entity_type: string | null
  readonly entity_id: string | null
  readonly actor_id: string
  readonly message: string
  readonly data: Readonly<Record<string, unknown>>
  readonly trace_id: string
  readonly correlation_id: string
  readonly causation_id: string | null
  /** RFC 3339, UTC. */
  readonly created_at: string
  readonly chain: string
  /** The row of the chain, which one commit wrote, and the place of the entry in it. */
  readonly seq: number
  readonly position: number
}

/** The commit that wrote a record. */
export function commitOf({ chain, seq }: Pick<AuditRecord, 'chain' | 'seq'>): string {
  return `${chain}#${seq}`
}

/** A text in a record's `data`, or `null`. */
export function textIn({ data }: Pick<AuditRecord, 'data'>, name: string): string | null {
  const value = Object.hasOwn(data, name) ? data[name] : undefined
  return typeof value === 'string' ? value : null
}

/** A number in a record's `data`, or `null`. */
export function numberIn({ data }: Pick<AuditRecord, 'data'>, name: string): number | null {
  const value = Object.hasOwn(data, name) ? data[name] : undefined
  return typeof value === 'number' ? value : null
}

/** Records in the order they were written: each chain in its own order, whatever the clock did, and chains by time. */
export function inOrder(records: readonly AuditRecord[]): readonly AuditRecord[] {
  const latest = new Map<string, string>()
  return [...records]
    .sort((a, b) => a.seq - b.seq || a.position - b.position)
    .map((record) => {
      const before = latest.get(record.chain) ?? ''
      const at = record.created_at > before ? record.created_at : before
      latest.set(record.chain, at)
      return { record, at }
    })
    .sort((a, b) => compare(a.at, b.at) || compare(a.record.chain, b.record.chain))
    .map(({ record }) => record)
}

/**
 * The execution key of each record's proposal, or `null`. A commit is about one proposal at most: the one that an entry in it
 * names by its key, or by an approval that was asked for it. Trace and causation tie nothing: whoever asks may choose them.
 * @param ordered as `inOrder` gives them
 */
export function proposalOf(ordered: readonly AuditRecord[]): (record: AuditRecord) => string | null {
  const byCommit = new Map<string, string>()
  const byApproval = new Map<string, string>()
  for (const commit of Map.groupBy(ordered, commitOf).values()) {
    const approvals = commit.flatMap((record) => textIn(record, 'approval_id') ?? [])
    const named = commit.flatMap((record) => textIn(record, 'decision_id') ?? textIn(record, 'idempotency_key') ?? [])
    const key = named[0] ?? approvals.flatMap((approval) => byApproval.get(approval) ?? [])[0]
    if (key === undefined) continue
    for (const record of commit) byCommit.set(commitOf(record), key)
    for (const approval of approvals) if (!byApproval.has(approval)) byApproval.set(approval, key)
  }
  return (record) => byCommit.get(commitOf(record)) ?? null
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
