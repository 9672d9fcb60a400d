/** One attempt of the gate activity, as a program: what it reads, what it then means to do, and how far it has come. */
import type { RowKind } from '../../src/core/ledger-row.ts'
import type { Closes } from './commits.ts'
import type { Rules } from './rules.ts'
import { holders, isContradicted, newest, roundOf, type Db, type Execution, type Kind } from './state.ts'

export type Intent =
  | { readonly to: 'answer'; readonly row: RowKind; readonly closes: Closes; readonly waits: boolean }
  | { readonly to: 'ask'; readonly n: number; readonly closes: Closes; readonly keepsDeadline: boolean }
  | { readonly to: 'open' | 'pure'; readonly grant: number }
  | { readonly to: 'resume' | 'doubt' }

export interface Attempt {
  /** The proposal it is about. */
  readonly p: number
  /** The round whose signed reviews came with the call; 0: none. */
  readonly carries: number
  /** Its call has a recorded answer: of another attempt at the same call. */
  readonly answered: boolean
  /** It takes back the request of a cancelled wait. */
  readonly withdraws: boolean
  /**
   * `due`: the server hands it out, for the first time or again. `means`: it has read, and is about to commit. Then, from open on: the
   * executor `runs`, has `returned`, has said that nothing was done, or nobody knows; `contradicts`: it is on record that it had not happened.
   */
  readonly at: 'due' | 'means' | 'runs' | 'returned' | 'not_done' | 'unknown' | 'contradicts'
  readonly intent: Intent | null
  /** What it has read still holds. */
  readonly fresh: boolean
  /** Which execution it runs, from 1. */
  readonly ordinal: number
}

export const dueAttempt = (p: number, carries: number): Attempt => ({ p, carries, answered: false, withdraws: false, at: 'due', intent: null, fresh: true, ordinal: 0 })

const answers = (row: RowKind, closes: Closes = null): Intent => ({ to: 'answer', row, closes, waits: false })
const waiting: Intent = { to: 'answer', row: 'repeated', closes: null, waits: true }

/** What an attempt means to do about what it reads now; `busy`: it comes again later. */
export function read(db: Db, { p, carries }: Pick<Attempt, 'p' | 'carries'>, kind: Kind & { readonly rounds: number }, rules: Rules): Intent | 'busy' {
  const execution = newest(db, p)
  const round = roundOf(db, p)
  if (execution !== undefined && isInDoubtOrRejected(db, p)) return answers('refused')
  if (execution?.status === 'succeeded') return answers('repeated')
  if (rules.stopsAtAContradiction && execution?.status === 'failed' && isContradicted(db, p)) return answers('refused')
  if (rules.denialIsFinal && round?.status !== 'denied' && db.proposals.some(({ denied }) => denied)) return answers('refused')
  if (execution?.status === 'reserved') return takeUp(execution, rules.stopsAtAContradiction && isContradicted(db, p), rules)
  if (!db.allowed) return answers('refused', closing(db, p))
  const [holder] = holders(db)
  if (holder !== undefined && rules.opensOnlyWhatIsFree) return holder.status === 'reserved' ? 'busy' : answers('refused', closing(db, p))
  const does = kind.effect === 'none' ? 'pure' : 'open'
  return kind.asks ? consent(db, { p, carries, does, rounds: kind.rounds }, rules) : { to: does, grant: 0 }
}

function isInDoubtOrRejected(db: Db, p: number): boolean {
  const execution = newest(db, p)
  return execution?.status === 'in_doubt' || execution?.rejected === true
}

function takeUp({ lease, idem }: Execution, knownToHaveHappened: boolean, rules: Rules): Intent | 'busy' {
  if (lease === 'live' && rules.resumesOnlyPastTheLease) return 'busy'
  const honoured = idem === 'ample' || idem === 'short' || !rules.resumesOnlyTheIdempotent
  return honoured && !knownToHaveHappened ? { to: 'resume' } : { to: 'doubt' }
}

/** How the open round ends when the proposal itself is refused meanwhile. */
function closing(db: Db, p: number): Closes {
  const round = roundOf(db, p)
  if (round === null || round.closed) return null
  if (round.status === 'pending' || round.status === 'granted') return 'void'
  return round.status === 'denied' || round.status === 'revoked' ? round.status : null
}

function consent(db: Db, { p, carries, does, rounds }: { readonly p: number; readonly carries: number; readonly does: 'open' | 'pure'; readonly rounds: number }, rules: Rules): Intent {
  const round = roundOf(db, p)
  if (round === null) return { to: 'ask', n: 1, closes: null, keepsDeadline: false }
  const { n, status, closed, fits, answerOver, useOver } = round
  const askAgain = (closes: Closes, keepsDeadline: boolean): Intent => (n === rounds ? answers('refused', closes) : { to: 'ask', n: n + 1, closes, keepsDeadline })
  if (status === 'denied') return rules.denialIsFinal ? answers(closed ? 'refused' : 'approval_denied', closed ? null : 'denied') : askAgain(null, false)
  if (status === 'expired') return answers('refused')
  if (status === 'revoked') return answers('refused', closed ? null : 'revoked')
  if (status !== 'pending' && status !== 'granted') return askAgain(null, false)
  if (useOver || (status === 'pending' && answerOver)) return answers('refused', 'expired')
  if (!fits) return askAgain('void', true)
  return status === 'granted' && carries === n ? { to: does, grant: n } : waiting
}
