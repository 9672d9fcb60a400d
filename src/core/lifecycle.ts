/**
 * The lifecycle of an entity: KIFF's read-only view over its audit records, and beside KIFF's stages one line for each proposal,
 * with what has become of it. Pure.
 */
import { commitOf, inOrder, numberIn, proposalOf, textIn, type AuditRecord } from './audit-record.ts'
import { moves, wordOf, type Disposition } from './disposition.ts'

/** One thing that happened. */
export interface Stage {
  readonly kind: string
  readonly at: string
  readonly actor: string
  readonly message: string
  readonly action: string | null
  readonly correlationId: string
  readonly data: Readonly<Record<string, unknown>>
  /** The proposal it belongs to; `null` for a reported event. */
  readonly executionKey: string | null
}

/** What has become of one proposal. */
export interface ProposalLine {
  /** `null` where no entry names it: such a commit stands for itself, and is never counted to another proposal. */
  readonly executionKey: string | null
  readonly action: string | null
  readonly actor: string
  readonly disposition: Disposition
  readonly proposedAt: string
  /** When it was last heard of. */
  readonly lastAt: string
  readonly correlationId: string
  /** Every round in which a person was asked, oldest first. */
  readonly approvalIds: readonly string[]
  /** Who has reviewed the newest round: all that have granted it, or the one that denied it. */
  readonly reviewedBy: readonly string[]
  /** Why it stands as it does, in the words of the entry that brought it there. */
  readonly reason: string | null
}

export interface Lifecycle {
  readonly entityId: string
  readonly entityType: string
  /** Where the last event led; `null` before the first. */
  readonly currentState: string | null
  readonly stages: readonly Stage[]
  /** In the order in which they were proposed. */
  readonly proposals: readonly ProposalLine[]
}

/**
 * The lifecycle of the one entity that all `records`, given in any order, are about.
 * @throws TypeError when there are none, or they are of more than one entity
 */
export function lifecycleOf(records: readonly AuditRecord[]): Lifecycle {
  const [first] = records
  if (first === undefined || first.entity_id === null || first.entity_type === null) throw new TypeError('a lifecycle needs records of an entity')
  const { entity_id: entityId, entity_type: entityType } = first
  if (records.some((record) => record.entity_id !== entityId || record.entity_type !== entityType)) throw new TypeError('the records are of more than one entity')
  const ordered = inOrder(records)
  const keyOf = proposalOf(ordered)
  const stages = ordered.map((record) => toStage(record, keyOf(record)))
  const currentState = ordered.reduce<string | null>((state, record) => (record.kind === 'state_changed' ? textIn(record, 'to') ?? state : state), null)
  return { entityId, entityType, currentState, stages, proposals: linesOf(ordered, keyOf) }
}

/** What has become of a proposal; without a key, of the one heard of last. `null` when there is none. */
export function dispositionOf({ proposals }: Lifecycle, executionKey?: string): Disposition | null {
  const asked = proposals.filter((line) => executionKey === undefined || line.executionKey === executionKey)
  return asked.reduce<ProposalLine | null>((last, line) => (last === null || line.lastAt >= last.lastAt ? line : last), null)?.disposition ?? null
}

/** The proposals that have come to one of these ends, or stand there. */
export function proposalsThat({ proposals }: Lifecycle, ...dispositions: readonly Disposition[]): readonly ProposalLine[] {
  return proposals.filter(({ disposition }) => dispositions.includes(disposition))
}

export const executed = (lifecycle: Lifecycle): readonly ProposalLine[] => proposalsThat(lifecycle, 'executed')
export const failed = (lifecycle: Lifecycle): readonly ProposalLine[] => proposalsThat(lifecycle, 'failed')
export const denied = (lifecycle: Lifecycle): readonly ProposalLine[] => proposalsThat(lifecycle, 'denied')
export const awaitingApproval = (lifecycle: Lifecycle): readonly ProposalLine[] => proposalsThat(lifecycle, 'awaiting_approval')

/** Whether anything of this kind has ever happened. */
export function hasStage({ stages }: Lifecycle, kind: string): boolean {
  return stages.some((stage) => stage.kind === kind)
}

/** A line on its way: which commit has moved it last, and how many people have to agree in its newest round. */
interface Followed {
  readonly line: ProposalLine
  readonly movedBy: string
  readonly quorum: number
}

function linesOf(ordered: readonly AuditRecord[], keyOf: (record: AuditRecord) => string | null): readonly ProposalLine[] {
  const followed = new Map<string, Followed>()
  for (const record of ordered) {
    const executionKey = keyOf(record)
    const place = executionKey ?? commitOf(record)
    const before = followed.get(place)
    const after = follow(before, record, executionKey)
    if (after !== undefined) followed.set(place, after)
  }
  return [...followed.values()].map(({ line }) => line)
}

/** A proposal after one more of its records; `undefined`: the record begins none, as a reported event, or a kind nobody knows. */
function follow(before: Followed | undefined, record: AuditRecord, executionKey: string | null): Followed | undefined {
  const said = wordOf(record)
  if (before === undefined && said === null) return undefined
  const commit = commitOf(record)
  const { line, movedBy, quorum: known } = before ?? { line: begun(record, executionKey), movedBy: commit, quorum: 1 }
  const quorum = said === 'awaiting_approval' ? (numberIn(record, 'quorum') ?? 1) : known
  const reviewedBy = reviewers(line.reviewedBy, said, record)
  // One of several who have to agree leaves the others to be waited for.
  const word = said === 'granted' && reviewedBy.length < quorum ? 'awaiting_approval' : said
  const moved = word !== null && moves(before?.line.disposition, word, movedBy === commit)
  return { line: { ...heard(line, record, moved ? word : null), reviewedBy }, movedBy: moved ? commit : movedBy, quorum }
}

function reviewers(before: readonly string[], word: Disposition | null, record: AuditRecord): readonly string[] {
  if (word === 'awaiting_approval') return []
  const reviewer = textIn(record, 'reviewed_by') ?? record.actor_id
  if (word === 'denied') return [reviewer]
  return word === 'granted' && !before.includes(reviewer) ? [...before, reviewer] : before
}

function begun(record: AuditRecord, executionKey: string | null): ProposalLine {
  return {
    executionKey,
    action: actionIn(record),
    actor: record.actor_id,
    disposition: 'proposed',
    proposedAt: record.created_at,
    lastAt: record.created_at,
    correlationId: record.correlation_id,
    approvalIds: [],
    reviewedBy: [],
    reason: null,
  }
}

/** The line after one more entry; `word`: where the entry has moved it, if it has. */
function heard(line: ProposalLine, record: AuditRecord, word: Disposition | null): ProposalLine {
  const approvalId = textIn(record, 'approval_id')
  return {
    ...line,
    action: line.action ?? actionIn(record),
    lastAt: record.created_at,
    approvalIds: approvalId === null || line.approvalIds.includes(approvalId) ? line.approvalIds : [...line.approvalIds, approvalId],
    ...(word === null ? {} : { disposition: word, reason: textIn(record, 'error') ?? textIn(record, 'reason') }),
  }
}

function toStage(record: AuditRecord, executionKey: string | null): Stage {
  return {
    kind: record.kind,
    at: record.created_at,
    actor: record.actor_id,
    message: record.message,
    action: actionIn(record),
    correlationId: record.correlation_id,
    data: record.data,
    executionKey,
  }
}

function actionIn(record: AuditRecord): string | null {
  return textIn(record, 'action') ?? textIn(record, 'proposed_action')
}
