/** What the model keeps of one entity and of the proposals about it: as much of the tables as the protocol decides by, and the provider's books. */
import type { ApprovalStatus } from '../../src/core/approval.ts'
import type { ExecutionStatus } from '../../src/core/execution.ts'

/** The newest round of approval of a proposal. */
export interface Round {
  readonly n: number
  readonly status: ApprovalStatus
  readonly closed: boolean
  /** The entity is as it was when this was asked. */
  readonly fits: boolean
  readonly answerOver: boolean
  readonly useOver: boolean
}

export interface Execution {
  readonly status: ExecutionStatus
  /** It happened, but what came back could not be accepted. */
  readonly rejected: boolean
  readonly lease: 'live' | 'over'
  /** The attempt that was given the lease last; -1: one that is gone. */
  readonly holder: number
  /** How much is left of the time in which the receiver honours the key: more than a lease, less, nothing; or it never does. */
  readonly idem: 'ample' | 'short' | 'over' | 'never'
  /** An attempt was begun with less than a lease left of that time. */
  readonly tight: boolean
  /** The entity's version is the one it was opened on. */
  readonly unmoved: boolean
  /** The round whose grant was used for it; 0: none was needed. */
  readonly grant: number
  /** What a person has said of it, and the gate has not applied yet; and what it was that they were asked. */
  readonly said: 'happened' | 'not_happened' | null
  readonly saidOf: 'in_doubt' | 'rejected' | null
  /** It is known to have happened, after it was on record that it had not. */
  readonly contradicted: boolean
  readonly failedBy: 'executor' | 'person' | null
  /** An executor that did not answer in time, and is still at work, or has returned. */
  readonly late: 'running' | 'returned' | null
  /** A request that left before its worker was lost, and may still arrive. */
  readonly onItsWay: boolean
}

/** The provider's books under one key. */
export interface Books {
  readonly effects: number
  /** It has refused this key, definitively. */
  readonly refused: boolean
}

export interface Proposal {
  readonly round: Round | null
  /** A round of it was denied. */
  readonly denied: boolean
  /** The rounds whose grants were consumed. */
  readonly used: readonly number[]
  /** By ordinal, from 1. */
  readonly executions: readonly Execution[]
  readonly books: readonly Books[]
}

export interface Db {
  /** The entity is in a state in which the action is allowed. */
  readonly allowed: boolean
  readonly proposals: readonly Proposal[]
}

export interface Kind {
  readonly effect: 'idempotent' | 'external' | 'none'
  /** A person has to agree. */
  readonly asks: boolean
}

export const empty: Proposal = { round: null, denied: false, used: [], executions: [], books: [] }

export const isHolding = ({ status, rejected }: Execution): boolean => status === 'reserved' || status === 'in_doubt' || rejected

export const isInDoubt = ({ status, rejected }: Execution): boolean => status === 'in_doubt' || rejected

export function holders({ proposals }: Db): readonly Execution[] {
  return proposals.flatMap(({ executions }) => executions.filter(isHolding))
}

/** Some attempt of it is known to have happened, after it was on record that it had not. */
export const isContradicted = (db: Db, p: number): boolean => db.proposals[p]?.executions.some(({ contradicted }) => contradicted) === true

export const newest = (db: Db, p: number): Execution | undefined => db.proposals[p]?.executions.at(-1)

export const roundOf = (db: Db, p: number): Round | null => db.proposals[p]?.round ?? null

export function withProposal(db: Db, p: number, change: (proposal: Proposal) => Proposal): Db {
  return { ...db, proposals: db.proposals.map((proposal, index) => (index === p ? change(proposal) : proposal)) }
}

export function withRound(db: Db, p: number, change: Partial<Round>): Db {
  return withProposal(db, p, (proposal) => ({ ...proposal, round: proposal.round === null ? null : { ...proposal.round, ...change } }))
}

export function withExecution(db: Db, p: number, ordinal: number, change: Partial<Execution>): Db {
  return withProposal(db, p, (proposal) => ({ ...proposal, executions: proposal.executions.map((each, index) => (index === ordinal - 1 ? { ...each, ...change } : each)) }))
}

/** The entity's version counts on: whatever was bound to the one before no longer fits. */
export function moved(db: Db): Db {
  return {
    ...db,
    proposals: db.proposals.map((proposal) => ({
      ...proposal,
      round: proposal.round === null ? null : { ...proposal.round, fits: false },
      executions: proposal.executions.map((each) => ({ ...each, unmoved: false })),
    })),
  }
}
