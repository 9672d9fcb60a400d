/** What must hold in every state, and of every step that leads to it. */
import { holders, isHolding, type Execution, type Proposal } from './state.ts'
import type { Step, System } from './system.ts'

/** The property that a step breaks, in words; `a person erred`: two effects, since one said wrongly that the first did not happen. */
export function brokenBy(before: System, step: Step): string | null {
  const { db } = step.next
  if (holders(db).length > 1) return 'one execution holds an entity'
  for (const [p, proposal] of db.proposals.entries()) {
    const was = before.db.proposals[p]
    const broken = inItself(proposal) ?? (was === undefined ? null : between(was, proposal, step, before.db.allowed))
    if (broken !== null) return broken
  }
  if (step.row === 'event' && holders(before.db).length > 0) return 'nothing moves a held entity'
  return db.proposals.some(hasErred) ? 'a person erred' : null
}

/** In every state. */
function inItself({ executions, books, used }: Proposal): string | null {
  for (const [index, { effects }] of books.entries()) {
    if (effects > 0 && executions[index] === undefined) return 'no effect without its opened row (I7)'
  }
  const grants = executions.map(({ grant }) => grant).filter((grant) => grant > 0)
  if (grants.some((grant) => !used.includes(grant))) return 'no effect without its consumed grant (I7)'
  if (new Set(grants).size < grants.length || new Set(used).size < used.length) return 'a grant is used once (I5)'
  if (executions.slice(0, -1).some(({ status, failedBy }) => status !== 'failed' || failedBy === null)) return 'a new attempt only after a definitive failure (I8)'
  // What a person has wrongly said to be undone is not the protocol's doing; everything else is.
  const counted = books.reduce((sum, { effects }, index) => sum + (executions[index]?.failedBy === 'person' ? Math.max(0, effects - 1) : effects), 0)
  return counted > 1 ? 'at most one effect (I8)' : null
}

function hasErred({ executions, books }: Proposal): boolean {
  return books.reduce((sum, { effects }) => sum + effects, 0) > 1 && books.some(({ effects }, index) => effects > 0 && executions[index]?.failedBy === 'person')
}

/** Of a step. */
function between(was: Proposal, is: Proposal, { row, by }: Step, allowed: boolean): string | null {
  if (is.executions.length > was.executions.length) {
    if (!allowed) return 'nothing is done in a state that does not allow it (I2)'
    if ((is.executions.at(-1)?.grant ?? 0) > 0 && was.round?.fits !== true) return 'consent is for the entity as it was (I3)'
    if (was.denied) return 'a denial is final (I5)'
    if (was.executions.some(({ contradicted }) => contradicted)) return 'no new attempt at what is known to have happened (I8)'
  }
  for (const [index, now] of is.executions.entries()) {
    const then = was.executions[index]
    if (then === undefined) continue
    if (then.status === 'in_doubt' && now.status !== 'in_doubt' && !isWayOut(now, row)) return 'doubt ends by a person or a late success'
    if (row === 'resumed' && was.executions.some(({ contradicted }) => contradicted)) return 'no new attempt at what is known to have happened (I8)'
    if (row === 'in_doubt' && then.status === 'reserved' && now.status === 'in_doubt' && then.lease === 'live' && then.holder !== by) return 'a live lease is nobody else’s'
    if (row === 'resumed' && then.status === 'reserved' && then.lease === 'live' && then.holder !== now.holder) return 'a live lease is nobody else’s'
    if (then.unmoved && !now.unmoved && isHolding(then) && isHolding(now)) return 'nothing moves a held entity'
  }
  return was.denied && !is.denied ? 'a denial is final (I5)' : null
}

/** In doubt no more: it succeeded, however late, or a person has said that it did not happen. */
function isWayOut(now: Execution, row: Step['row']): boolean {
  if (now.status === 'succeeded') return row === 'executed' || row === 'completion_rejected'
  return now.status === 'failed' && now.failedBy === 'person'
}

/** Nothing is left to be done but by a person who is asked, by name: in the inbox, as an approval or as an execution in doubt. */
export function isAtRest({ db, attempts, awaits, ended }: System): boolean {
  if (attempts.some((each) => each !== null)) return false
  return db.proposals.every(({ round, executions }, p) => {
    if (executions.some(({ status, said, late, onItsWay }) => status === 'reserved' || said !== null || late !== null || onItsWay)) return false
    const asked = round?.status === 'pending' && !round.answerOver && !ended
    return asked || (awaits[p] !== true && (round === null || round.closed))
  })
}
