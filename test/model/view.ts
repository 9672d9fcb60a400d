/**
 * The model as its ledger shows it: attempts, time and the provider are left open, and each row is written if any of them could have.
 * Its commits are those of the model itself.
 */
import type { RowKind } from '../../src/core/ledger-row.ts'
import { maxRounds } from '../../src/core/approval.ts'
import { answer, ask, complete, contradict, markInDoubt, open, pure, resume, type Closes, type Written } from './commits.ts'
import { apply, closeRound, reject, review, revoke, say } from './people.ts'
import type { Rules } from './rules.ts'
import { empty, holders, isHolding, moved, roundOf, withExecution, withProposal, withRound, type Books, type Db, type Kind } from './state.ts'

export const atFirst: Db = { allowed: true, proposals: [empty] }

/** Every state in which the ledger can be when a row of this kind has been written; none: it cannot be. */
export function afterRow(db: Db, row: RowKind, kind: Kind, rules: Rules): readonly Db[] {
  return written(db, row, kind, rules).flatMap((commit) => (commit.status === 'committed' && commit.row === row ? [settled(commit.db)] : []))
}

/** Time is always on the side of whoever needs it, so that it need not be remembered; nor which attempt it was. */
function settled(db: Db): Db {
  const round = db.proposals[0]?.round ?? null
  const executions = (db.proposals[0]?.executions ?? []).map((each) => ({ ...each, lease: 'over', holder: -1, tight: false }) as const)
  return withProposal(round === null ? db : withRound(db, 0, { answerOver: false, useOver: false, fits: true }), 0, (proposal) => ({ ...proposal, executions }))
}

function written(db: Db, row: RowKind, kind: Kind, rules: Rules): readonly Written[] {
  const { round, executions } = db.proposals[0] ?? empty
  const ordinal = executions.length
  const same: Written = { status: 'committed', db, row }
  switch (row) {
    case 'event': return executions.some(isHolding) && rules.eventsWait ? [] : [{ status: 'committed', db: moved(db), row }]
    case 'event_refused': return [same]
    case 'refused': return [same, ...endings(db, row, ['void', 'expired', 'revoked'], rules)]
    case 'repeated': return round !== null || executions.some(({ status }) => status === 'succeeded') ? [same] : []
    case 'signal_rejected': case 'review_refused': return round === null ? [] : [same]
    case 'approval_requested': return kind.asks ? asked(db, rules) : []
    // Of several who have to agree, all but the last leave the round as it is.
    case 'reviewed': return [review(db, 0, 'granted'), review(db, 0, 'denied'), ...(round?.status === 'pending' ? [same] : [])]
    case 'approval_denied': return endings(db, row, ['denied'], rules)
    case 'approval_revoked': return [revoke(db, 0)]
    case 'approval_expired': return [closeRound(late(db), 0, 'expired', rules)]
    case 'approval_withdrawn': return [closeRound(db, 0, 'withdrawn', rules), ...endings(db, row, ['withdrawn'], rules)]
    case 'opened': return kind.effect === 'none' ? [] : [open(db, 0, { grant: grantOf(db, kind), holder: -1, effect: kind.effect }, rules)]
    case 'resumed': return [resume(withExecution(db, 0, ordinal, { lease: 'over' }), 0, -1, rules)]
    case 'in_doubt': return [markInDoubt(withExecution(db, 0, ordinal, { lease: 'over' }), 0, null, rules)]
    case 'executed': return kind.effect === 'none' ? [pure(db, 0, grantOf(db, kind), rules)] : [...returned(db, (paid, each) => complete(paid, 0, each, 'succeeded', rules)), ...applied(db, rules)]
    case 'completion_rejected': return returned(db, (paid, each) => complete(paid, 0, each, 'rejected', rules))
    case 'failed': return [...notDone(db, rules), ...applied(db, rules)]
    case 'contradicted': return returned(db, (paid, each) => contradict(paid, 0, each), (each) => executions[each - 1]?.failedBy === 'executor').flatMap((commit) => [commit, ...heldByAnother(commit)])
    case 'reconciled': return each(executions, (at) => [say(db, 0, at, 'happened', lenient(rules)), say(db, 0, at, 'not_happened', lenient(rules))])
    case 'reconciliation_refused': return executions.length > 0 ? [same] : []
    case 'reconciliation_rejected': return each(executions, (at) => [reject(db, 0, at)])
  }
}

/** What a person may say depends on the provider's books, which are open here: it counts when it is applied. */
const lenient = (rules: Rules): Rules => ({ ...rules, peopleAreRight: false })

const each = (executions: readonly unknown[], at: (ordinal: number) => readonly Written[]): readonly Written[] => executions.flatMap((_, index) => at(index + 1))

/** Past its deadlines. */
const late = (db: Db): Db => withRound(db, 0, { answerOver: true, useOver: true })

function endings(db: Db, row: RowKind, closes: readonly NonNullable<Closes>[], rules: Rules): readonly Written[] {
  return closes.map((how) => answer(how === 'expired' ? late(db) : db, 0, row, how, rules))
}

/** The next round: after one that is over by itself, or in the place of one that is open and no longer fits. */
function asked(db: Db, rules: Rules): readonly Written[] {
  const { round, executions } = db.proposals[0] ?? empty
  const n = (round?.n ?? 0) + 1
  if (n > maxRounds || executions.some(({ status }) => status !== 'failed')) return []
  const by = { keepsDeadline: false }
  if (round === null || round.status === 'consumed' || round.status === 'withdrawn' || round.status === 'void') return [ask(db, 0, n, { ...by, closes: null }, rules)]
  return round.status === 'pending' || round.status === 'granted' ? [ask(db, 0, n, { ...by, closes: 'void' }, rules)] : []
}

/** The round whose grant has to be used; -1, which no round has, where one is needed and there is none. */
const grantOf = (db: Db, { asks }: Kind): number => (asks ? (roundOf(db, 0)?.n ?? -1) : 0)

const booksOf = (db: Db, ordinal: number): Books => db.proposals[0]?.books[ordinal - 1] ?? { effects: 0, refused: false }

function withBooks(db: Db, ordinal: number, change: Partial<Books>): Db {
  return withProposal(db, 0, (proposal) => ({ ...proposal, books: proposal.books.map((books, index) => (index === ordinal - 1 ? { ...books, ...change } : books)) }))
}

/** Ends that tell that the effect of an ordinal has happened: of any attempt whose key the provider has not refused, or, as it turns out, has. */
function returned(db: Db, end: (paid: Db, ordinal: number) => Written, afterAll: (ordinal: number) => boolean = () => false): readonly Written[] {
  return each(db.proposals[0]?.executions ?? [], (ordinal) => (booksOf(db, ordinal).refused && !afterAll(ordinal) ? [] : [end(withBooks(db, ordinal, { effects: 1, refused: false }), ordinal)]))
}

/** The executor knows that nothing was done: so it was, and the provider goes on refusing. */
function notDone(db: Db, rules: Rules): readonly Written[] {
  return each(db.proposals[0]?.executions ?? [], (ordinal) => (booksOf(db, ordinal).effects > 0 ? [] : [complete(withBooks(db, ordinal, { refused: true }), 0, ordinal, { failedFor: -1 }, rules)]))
}

function applied(db: Db, { peopleAreRight }: Rules): readonly Written[] {
  return (db.proposals[0]?.executions ?? []).flatMap(({ said }, index) => {
    const ordinal = index + 1
    const { effects, refused } = booksOf(db, ordinal)
    if (!peopleAreRight) return [apply(db, 0, ordinal)]
    if (said === 'happened') return refused ? [] : [apply(withBooks(db, ordinal, { effects: 1 }), 0, ordinal)]
    return effects > 0 ? [] : [apply(withBooks(db, ordinal, { refused: true }), 0, ordinal)]
  })
}

/** The same where another proposal holds the entity, of which this ledger does not tell: nothing comes to be in doubt again. */
function heldByAnother(commit: Written): readonly Written[] {
  if (commit.status !== 'committed' || holders(commit.db).length === 0) return []
  const ordinal = (commit.db.proposals[0]?.executions ?? []).findIndex(({ status, contradicted }) => contradicted && status === 'in_doubt') + 1
  return ordinal === 0 ? [] : [{ ...commit, db: withExecution(commit.db, 0, ordinal, { status: 'failed' }) }]
}
