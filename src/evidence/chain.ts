/**
 * Verifying the ledger: every hash recomputed here, from the stored texts, by the rule that `kiff.link` states in
 * 0001-ledger.sql; and every entity's state rebuilt from the events in the rows.
 */
import { canonical } from '../core/canonical.ts'
import { sha256 } from '../core/digest.ts'
import type { Domain } from '../core/domain.ts'
import type { EntityState } from '../core/state.ts'
import type { Pool } from '../postgres/connect.ts'
import { parseBody, type LedgerBody } from './ledger-body.ts'
import { alteredReviews } from './check-reviews.ts'
import { inSnapshot, readLedger, type ChainHead, type LedgerEntry, type Snapshot } from './read-ledger.ts'
import { foldRecorded } from './rebuild.ts'

export type ChainFindingKind =
  /** The body is not what its digest was made from. */
  | 'body_altered'
  /** Time, place, digest or predecessor are not what the hash was made from. */
  | 'hash_altered'
  /** The row before has another hash than this row was chained to. */
  | 'link_broken'
  | 'missing'
  /** The chain ends elsewhere than its head says. */
  | 'head_mismatch'
  /** The row speaks of something else than its chain. */
  | 'misplaced'
  | 'unreadable'
  /** The event cannot happen in the state that the events before led to. */
  | 'event_illegal'
  /** The signature kept for a review is not the one whose hash the row holds. */
  | 'review_altered'
  /** The entity's live state is not what its events lead to. */
  | 'state_mismatch'

export interface ChainFinding {
  /** The chain's key, as `refunds/Order/order-2`. */
  readonly chain: string
  /** The row; for the head and the state, the last one. */
  readonly seq: number
  readonly kind: ChainFindingKind
  readonly message: string
}

export interface ChainReport {
  readonly ok: boolean
  readonly rows: number
  readonly chains: number
  readonly findings: readonly ChainFinding[]
}

export interface ChainOptions {
  /** Whose rules say how events fold. Entities of other domains are rebuilt from what their events say themselves. */
  readonly domains?: readonly Domain[]
  /** Only these chains, by key. */
  readonly keys?: readonly string[]
}

/** Verifies every chain as it stands at one moment. @param auditor connected as `kiff_auditor` */
export async function verifyChains(auditor: Pool, options: ChainOptions = {}): Promise<ChainReport> {
  return inSnapshot(auditor, (snapshot) => verifyIn(snapshot, options))
}

/** The same, inside a snapshot that has been taken already. */
export async function verifyIn(snapshot: Snapshot, options: ChainOptions = {}): Promise<ChainReport> {
  const findings: ChainFinding[] = []
  let rows = 0
  let chains = 0
  let walk: Walk | undefined
  for await (const item of readLedger(snapshot, options.keys)) {
    if ('head' in item) {
      if (walk) finish(walk)
      walk = { head: item.head, domains: options.domains ?? [], findings, seq: 0, hash: '', state: null }
      chains += 1
    } else if (walk) {
      step(walk, item.row)
      rows += 1
    }
  }
  if (walk) finish(walk)
  for (const altered of await alteredReviews(snapshot, options.keys)) findings.push({ ...altered, kind: 'review_altered' })
  return { ok: findings.length === 0, rows, chains, findings }
}

/** How far along its chain the check is, and what the rows so far have come to. */
interface Walk {
  readonly head: ChainHead
  readonly domains: readonly Domain[]
  readonly findings: ChainFinding[]
  seq: number
  hash: string
  state: EntityState | null
}

function find({ head, findings }: Walk, seq: number, kind: ChainFindingKind, message: string): void {
  findings.push({ chain: head.key, seq, kind, message })
}

function step(walk: Walk, row: LedgerEntry): void {
  const { head } = walk
  if (row.seq !== walk.seq + 1) {
    find(walk, walk.seq + 1, 'missing', row.seq === walk.seq + 2 ? 'the row is missing' : `rows ${walk.seq + 1} to ${row.seq - 1} are missing`)
  } else if (row.prev !== walk.hash) {
    find(walk, row.seq, 'link_broken', walk.seq === 0 ? 'the first row is chained to a row before it' : `it is chained to another row than #${walk.seq} as it now stands`)
  }
  if (sha256(row.body) !== row.digest) find(walk, row.seq, 'body_altered', 'the body was altered: its digest is of another text')
  if (link(head, row) !== row.hash) find(walk, row.seq, 'hash_altered', 'the hash is not that of its digest, time, place and predecessor')
  readBody(walk, row)
  walk.seq = row.seq
  walk.hash = row.hash
}

/** The six lines of `kiff.link`. */
function link(head: ChainHead, row: LedgerEntry): string {
  return sha256([row.prev, head.kind, head.key, String(row.seq), row.at, row.digest].join('\n'))
}

function readBody(walk: Walk, row: LedgerEntry): void {
  const parsed = parseBody(row.body)
  if ('problem' in parsed) return find(walk, row.seq, 'unreadable', `the body cannot be read: ${parsed.problem}`)
  if (!isCanonicalText(row.body)) find(walk, row.seq, 'unreadable', 'the body is not canonical JSON, so readers may differ about it')
  const { body } = parsed
  if (placeOf(walk.head.kind, body) !== walk.head.key) find(walk, row.seq, 'misplaced', `the body belongs to ${placeOf(walk.head.kind, body)}`)
  for (const event of body.events ?? []) {
    const folded = foldRecorded(entityOf(walk.domains, body), walk.state, event)
    if (folded.problem !== null) find(walk, row.seq, 'event_illegal', folded.problem)
    walk.state = folded.state
  }
}

function finish(walk: Walk): void {
  const { head, seq, hash, state } = walk
  const { entity } = head
  if (seq < head.seq) find(walk, seq + 1, 'missing', head.seq === seq + 1 ? 'the last row is missing' : `the last rows, ${seq + 1} to ${head.seq}, are missing`)
  else if (seq > head.seq) find(walk, seq, 'head_mismatch', `the chain ends at #${head.seq}, but there are rows up to #${seq}`)
  else if (hash !== head.head) find(walk, seq, 'head_mismatch', "the chain's head is not the hash of its last row")
  if (entity !== null && (head.kind !== 'entity' || entity.key !== head.key)) find(walk, seq, 'state_mismatch', `the state kept for this chain is that of ${entity.key}`)
  const live = entity === null ? null : `${entity.state}, version ${entity.version}`
  const rebuilt = state === null ? null : `${state.value}, version ${state.version}`
  if (live !== rebuilt) find(walk, seq, 'state_mismatch', `the state is ${live ?? 'absent'}, but its events lead to ${rebuilt ?? 'none'}`)
}

/** The key of the chain that a body belongs on. */
function placeOf(kind: string, body: LedgerBody): string {
  if (kind === 'entity') return `${body.domain}/${body.entity_type}/${body.entity_id}`
  if (kind === 'run') return `${body.namespace}/${body.first_execution_run_id}/${body.workflow_id}`
  return body.domain
}

function entityOf(domains: readonly Domain[], body: LedgerBody): Domain['entities'][string] | undefined {
  const entities = domains.find(({ name }) => name === body.domain)?.entities ?? {}
  const type = body.entity_type ?? ''
  return Object.hasOwn(entities, type) ? entities[type] : undefined
}

function isCanonicalText(source: string): boolean {
  try {
    return canonical(JSON.parse(source)) === source
  } catch {
    return false
  }
}
