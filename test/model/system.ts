/** The whole: the tables, two attempts, and what the server knows of them. */
import type { RowKind } from '../../src/core/ledger-row.ts'
import type { Attempt } from './attempt.ts'
import { empty, type Db, type Kind } from './state.ts'

export interface System {
  readonly db: Db
  readonly attempts: readonly (Attempt | null)[]
  /** Both attempts are at one call: the server took one for lost, and has handed it out again. */
  readonly oneCall: boolean
  /** By proposal: its workflow has been told to wait for a person, and will come again. */
  readonly awaits: readonly boolean[]
  /** The workflow was terminated: nothing is handed out any more. */
  readonly ended: boolean
}

export interface Size extends Kind {
  readonly proposals: 1 | 2
  /** Most executions under a key. */
  readonly ordinals: number
  /** Reported events may come between. */
  readonly events: boolean
  /** Workers may be slow, and requests on their way when they are lost. */
  readonly late: boolean
  /** Most rounds of approval. */
  readonly rounds: number
  /** The workflow may be terminated. */
  readonly ends: boolean
}

export interface Step {
  readonly name: string
  readonly row: RowKind | null
  readonly next: System
  /** Which attempt takes it; `null`: none of them. */
  readonly by: number | null
  /** It comes by itself, sooner or later: not a person's doing, nor anything new. */
  readonly comes: boolean
}

export function begin({ proposals }: Size): System {
  return { db: { allowed: true, proposals: Array.from({ length: proposals }, () => empty) }, attempts: [null, null], oneCall: false, awaits: Array.from({ length: proposals }, () => false), ended: false }
}

export const names = ['A', 'B']
export const keyOf = (p: number, ordinal: number): string => `${'kl'[p] ?? 'm'}${ordinal === 1 ? '' : `-${ordinal}`}`

export function withDb(system: System, { db, moves }: { readonly db: Db; readonly moves?: true }): System {
  const after = { ...system, db: settled(db) }
  return moves === true ? { ...after, attempts: system.attempts.map((each) => (each?.at === 'means' ? { ...each, fresh: false } : each)) } : after
}

/** Of an execution that is no longer open, nobody asks for its lease. */
function settled(db: Db): Db {
  if (db.proposals.every(({ executions }) => executions.every(({ status, lease, holder }) => status === 'reserved' || (lease === 'over' && holder === -1)))) return db
  return { ...db, proposals: db.proposals.map((proposal) => ({ ...proposal, executions: proposal.executions.map((each) => (each.status === 'reserved' ? each : { ...each, lease: 'over', holder: -1 } as const)) })) }
}

export function withAttempt(system: System, index: number, change: Partial<Attempt>): System {
  return { ...system, attempts: system.attempts.map((each, at) => (at === index && each !== null ? { ...each, ...change } : each)) }
}

/** The attempt is over; one that shares its call goes on alone. */
function without(system: System, index: number): System {
  return forget({ ...system, attempts: system.attempts.map((each, at) => (at === index ? null : each)), oneCall: false }, index)
}

/** A lease whose holder is gone is nobody's. */
function forget(system: System, index: number): System {
  const proposals = system.db.proposals.map((proposal) => ({ ...proposal, executions: proposal.executions.map((each) => (each.holder === index ? { ...each, holder: -1 } : each)) }))
  return { ...system, db: { ...system.db, proposals } }
}

/** Its call has its answer. */
export function answered(system: System, index: number, waits: boolean): System {
  const p = system.attempts[index]?.p ?? 0
  const told = { ...system, attempts: system.attempts.map((each) => (each !== null && system.oneCall ? { ...each, answered: true } : each)), awaits: system.awaits.map((each, at) => (at === p && waits && !system.ended ? true : each)) }
  return without(told, index)
}

const nowDue: Partial<Attempt> = { at: 'due', intent: null, fresh: true, ordinal: 0 }

/** It comes again: the server hands the same call out, unless the workflow has ended. */
export function again(system: System, index: number): System {
  return system.ended || system.oneCall ? without(system, index) : forget(withAttempt(system, index, nowDue), index)
}

/** It reads again, in the same attempt. */
export const rereads = (system: System, index: number): System => withAttempt(system, index, nowDue)
