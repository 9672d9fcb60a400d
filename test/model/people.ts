/** What people do to rounds and to executions in doubt, what the human-facing service does by itself, and the gate's part in what they find out. */
import type { RowKind } from '../../src/core/ledger-row.ts'
import type { Written } from './commits.ts'
import type { Rules } from './rules.ts'
import { isInDoubt, moved, roundOf, withExecution, withProposal, withRound, type Db } from './state.ts'

const stale = { status: 'stale' } as const
const committed = (db: Db, row: RowKind): Written => ({ status: 'committed', db, row })

export function review(db: Db, p: number, verdict: 'granted' | 'denied'): Written {
  const round = roundOf(db, p)
  if (round?.status !== 'pending' || round.answerOver) return stale
  return committed(withProposal(withRound(db, p, { status: verdict }), p, (proposal) => ({ ...proposal, denied: proposal.denied || verdict === 'denied' })), 'reviewed')
}

export function revoke(db: Db, p: number): Written {
  const round = roundOf(db, p)
  return round?.status === 'granted' && !round.closed ? committed(withRound(db, p, { status: 'revoked' }), 'approval_revoked') : stale
}

/** The service ends a round that nobody came back for. */
export function closeRound(db: Db, p: number, how: 'expired' | 'withdrawn', rules: Rules): Written {
  const round = roundOf(db, p)
  if (round === null || round.closed || !['pending', 'granted', 'denied', 'revoked'].includes(round.status)) return stale
  const settled = round.status === 'denied' || round.status === 'revoked'
  if (how === 'expired' && ((settled && !rules.expiresTheSettled) || !(round.status === 'pending' ? round.answerOver : round.useOver))) return stale
  return committed(withRound(db, p, { closed: true, status: settled ? round.status : how }), how === 'expired' ? 'approval_expired' : 'approval_withdrawn')
}

/** A person says what became of an execution in doubt. */
export function say(db: Db, p: number, ordinal: number, verdict: 'happened' | 'not_happened', rules: Rules): Written {
  const execution = db.proposals[p]?.executions[ordinal - 1]
  if (execution === undefined || execution.said !== null || !isInDoubt(execution)) return stale
  const { effects } = db.proposals[p]?.books[ordinal - 1] ?? { effects: 0 }
  if (rules.peopleAreRight && (verdict === 'happened') !== effects > 0) return stale
  // Whoever is right that nothing was done has seen to it that nothing will be.
  const settled = rules.peopleAreRight && verdict === 'not_happened' ? withProposal(db, p, (proposal) => ({ ...proposal, books: proposal.books.map((books, index) => (index === ordinal - 1 ? { ...books, refused: true } : books)) })) : db
  return committed(withExecution(settled, p, ordinal, { said: verdict, saidOf: execution.rejected ? 'rejected' : 'in_doubt' }), 'reconciled')
}

/** The gate ends it as they said; or, where it is no longer what they signed, records that it cannot. */
export function apply(db: Db, p: number, ordinal: number): Written {
  const execution = db.proposals[p]?.executions[ordinal - 1]
  if (execution === undefined || execution.said === null) return stale
  if (!isInDoubt(execution) || (execution.rejected ? 'rejected' : 'in_doubt') !== execution.saidOf) return reject(db, p, ordinal)
  const ended = { rejected: false, said: null, saidOf: null } as const
  if (execution.said === 'not_happened') return committed(withExecution(db, p, ordinal, { ...ended, status: 'failed', failedBy: 'person' }), 'failed')
  return { status: 'committed', db: moved(withExecution(db, p, ordinal, { ...ended, status: 'succeeded' })), row: 'executed', moves: true }
}

/** It cannot be applied; a person may answer anew. */
export function reject(db: Db, p: number, ordinal: number): Written {
  if ((db.proposals[p]?.executions[ordinal - 1]?.said ?? null) === null) return stale
  return committed(withExecution(db, p, ordinal, { said: null, saidOf: null }), 'reconciliation_rejected')
}
