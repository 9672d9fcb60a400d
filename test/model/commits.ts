/** The gate's commits, each one guarded step of the store: what it checks under its lock, and what it writes. */
import type { RowKind } from '../../src/core/ledger-row.ts'
import type { Closing } from '../../src/core/store.ts'
import type { Rules } from './rules.ts'
import { holders, isContradicted, moved, newest, roundOf, withExecution, withProposal, withRound, type Db, type Execution, type Kind, type Round } from './state.ts'

export type Written =
  | { readonly status: 'committed'; readonly db: Db; readonly row: RowKind; readonly moves?: true }
  | { readonly status: 'stale' | 'repeat' | 'contradicted' | 'raised' }

const stale = { status: 'stale' } as const
const committed = (db: Db, row: RowKind): Written => ({ status: 'committed', db, row })
/** With the events that the action emits. */
const movedBy = (db: Db, row: RowKind): Written => ({ status: 'committed', db: moved(db), row, moves: true })

export type Closes = Closing['status'] | null

/** Records an answer; with `closes`, ends the newest round in the same commit. */
export function answer(db: Db, p: number, row: RowKind, closes: Closes, rules: Rules): Written {
  const round = roundOf(db, p)
  if (closes === null) return committed(db, row)
  if (round === null || round.closed || !['pending', 'granted', 'denied', 'revoked'].includes(round.status)) return stale
  if (!mayClose(round, closes, rules)) return { status: 'raised' }
  return committed(closeRound(db, p, round, closes), row)
}

function mayClose({ status, answerOver, useOver }: Round, closes: Closing['status'], rules: Rules): boolean {
  switch (closes) {
    case 'denied': return status === 'denied'
    case 'expired': return (status === 'pending' && answerOver) || (status === 'granted' && useOver)
    case 'void': return status === 'pending' || status === 'granted'
    case 'withdrawn': return status === 'pending' || status === 'granted' || status === 'denied' || (status === 'revoked' && rules.withdrawsTheRevoked)
    case 'revoked': return status === 'revoked'
  }
}

function closeRound(db: Db, p: number, { status }: Round, closes: Closing['status']): Db {
  return withRound(db, p, { closed: true, status: status === 'denied' || status === 'revoked' ? status : closes })
}

/** Asks a person, in round `n`; with `closes`, ends the round before in the same commit. */
export function ask(db: Db, p: number, n: number, { closes, keepsDeadline }: { readonly closes: Closes; readonly keepsDeadline: boolean }, rules: Rules): Written {
  const before = roundOf(db, p)
  const ended = closes === null ? committed(db, 'approval_requested') : answer(db, p, 'approval_requested', closes, rules)
  if (ended.status !== 'committed') return ended
  const known = roundOf(ended.db, p)
  if (known !== null && (known.n >= n || known.status === 'pending' || known.status === 'granted')) return stale
  const over = keepsDeadline ? { answerOver: before?.answerOver ?? false, useOver: before?.useOver ?? false } : { answerOver: false, useOver: false }
  const round: Round = { n, status: 'pending', closed: false, fits: true, ...over }
  return committed(withProposal(ended.db, p, (proposal) => ({ ...proposal, round })), 'approval_requested')
}

const begun: Execution = {
  status: 'reserved', rejected: false, lease: 'live', holder: -1, idem: 'never', tight: false, unmoved: true, grant: 0,
  said: null, saidOf: null, contradicted: false, failedBy: null, late: null, onItsWay: false,
}

/** May an execution be opened under this key, by this grant? */
function mayOpen(db: Db, p: number, grant: number, rules: Rules): boolean {
  if (rules.opensOnlyWhatIsFree && holders(db).length > 0) return false
  const executions = db.proposals[p]?.executions ?? []
  if (rules.opensOnceAKey && executions.some(({ status }) => status !== 'failed')) return false
  if (rules.stopsAtAContradiction && isContradicted(db, p)) return false
  const round = roundOf(db, p)
  return grant === 0 || (round !== null && round.n === grant && round.status === 'granted' && !round.useOver)
}

function consumed(db: Db, p: number, grant: number, { consumesTheGrant }: Rules): Db {
  if (grant === 0 || !consumesTheGrant) return db
  return withProposal(withRound(db, p, { status: 'consumed', closed: true }), p, (proposal) => ({ ...proposal, used: [...proposal.used, grant] }))
}

/** Opens an execution, its grant used up in the same commit. */
export function open(db: Db, p: number, { grant, holder, effect }: { readonly grant: number; readonly holder: number; readonly effect: Kind['effect'] }, rules: Rules): Written {
  if (!mayOpen(db, p, grant, rules)) return stale
  const execution: Execution = { ...begun, holder, grant, idem: effect === 'idempotent' ? 'ample' : 'never' }
  return committed(withProposal(consumed(db, p, grant, rules), p, (proposal) => ({ ...proposal, executions: [...proposal.executions, execution], books: [...proposal.books, { effects: 0, refused: false }] })), 'opened')
}

const noProvider = { effects: 0, refused: true }

/** An action that only emits: opened, done and folded in one commit. */
export function pure(db: Db, p: number, grant: number, rules: Rules): Written {
  if (!mayOpen(db, p, grant, rules) || (db.proposals[p]?.executions.length ?? 0) > 0) return stale
  const execution: Execution = { ...begun, grant, status: 'succeeded', lease: 'over' }
  return movedBy(withProposal(consumed(db, p, grant, rules), p, (proposal) => ({ ...proposal, executions: [execution], books: [noProvider] })), 'executed')
}

/** Takes over an open execution. */
export function resume(db: Db, p: number, holder: number, rules: Rules): Written {
  const execution = newest(db, p)
  if (execution?.status !== 'reserved' || (rules.resumesOnlyPastTheLease && execution.lease === 'live')) return stale
  if (rules.resumesOnlyTheIdempotent && (execution.idem === 'never' || execution.idem === 'over')) return stale
  if (rules.stopsAtAContradiction && isContradicted(db, p)) return stale
  return committed(withExecution(db, p, ordinalOf(db, p), { lease: 'live', holder, tight: execution.tight || (execution.idem === 'short' && !rules.leasesEndInTime) }), 'resumed')
}

const ordinalOf = (db: Db, p: number): number => db.proposals[p]?.executions.length ?? 0

/** Ends the lease early. */
export function yieldLease(db: Db, p: number, holder: number): Db {
  const execution = newest(db, p)
  return execution?.status === 'reserved' && execution.holder === holder ? withExecution(db, p, ordinalOf(db, p), { lease: 'over' }) : db
}

/** Nobody knows. `holder`: the attempt that says so of its own; `null`: whoever finds it past its lease. */
export function markInDoubt(db: Db, p: number, holder: number | null, rules: Rules): Written {
  const execution = newest(db, p)
  if (execution?.status !== 'reserved') return stale
  if (rules.doubtsOnlyPastTheLease && execution.lease === 'live' && execution.holder !== holder) return stale
  return committed(withExecution(db, p, ordinalOf(db, p), { status: 'in_doubt' }), 'in_doubt')
}

/** Records how attempt `ordinal` ended. */
export function complete(db: Db, p: number, ordinal: number, end: 'succeeded' | 'rejected' | { readonly failedFor: number }, rules: Rules): Written {
  const execution = db.proposals[p]?.executions[ordinal - 1]
  if (execution === undefined) return stale
  if (execution.status === 'succeeded') return { status: 'repeat' }
  if (typeof end === 'object') {
    if (execution.status === 'failed') return stale
    if (rules.failsOnlyByTheHolder && (execution.status !== 'reserved' || execution.holder !== end.failedFor)) return stale
    return committed(withExecution(db, p, ordinal, { status: 'failed', failedBy: 'executor' }), 'failed')
  }
  if (execution.status === 'failed') return { status: 'contradicted' }
  const done = withExecution(db, p, ordinal, { status: 'succeeded', rejected: end === 'rejected' })
  return end === 'succeeded' ? movedBy(done, 'executed') : committed(done, 'completion_rejected')
}

/** It happened, though it is on record that it had not: in doubt again, where nothing was done since. */
export function contradict(db: Db, p: number, ordinal: number): Written {
  const execution = db.proposals[p]?.executions[ordinal - 1]
  if (execution?.status !== 'failed' || execution.contradicted) return stale
  const again = holders(db).length === 0 && ordinalOf(db, p) === ordinal && execution.unmoved
  return committed(withExecution(db, p, ordinal, { contradicted: true, status: again ? 'in_doubt' : 'failed' }), 'contradicted')
}

/** A reported event. `leaves`: the action is no longer allowed in the state that it leads to. */
export function report(db: Db, leaves: boolean, rules: Rules): Written {
  if (rules.eventsWait && holders(db).length > 0) return stale
  return movedBy({ ...db, allowed: db.allowed && !leaves }, 'event')
}
