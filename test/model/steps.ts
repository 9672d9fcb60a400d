/** Every step that can be taken from a state: by the attempts, the server, people, the sweeper, the provider and time. */
import { attemptSteps } from './attempt-steps.ts'
import { dueAttempt, type Attempt } from './attempt.ts'
import { complete, contradict, markInDoubt, report, type Written } from './commits.ts'
import { apply, closeRound, review, revoke, say } from './people.ts'
import { pay } from './provider-books.ts'
import type { Rules } from './rules.ts'
import { isInDoubt, newest, roundOf, withExecution, withRound, type Execution } from './state.ts'
import { keyOf, names, withDb, type Size, type Step, type System } from './system.ts'

/** Every step from here. */
export function stepsOf(system: System, size: Size, rules: Rules): readonly Step[] {
  const steps: Step[] = []
  for (const index of system.attempts.keys()) attemptSteps(steps, system, index, size, rules)
  handOut(steps, system, size)
  for (const p of system.db.proposals.keys()) {
    roundSteps(steps, system, p, rules)
    for (const [at, execution] of (system.db.proposals[p]?.executions ?? []).entries()) executionSteps(steps, system, p, at + 1, execution, size, rules)
  }
  if (size.events) for (const leaves of [false, true]) push(steps, system, leaves ? 'an event moves the entity where the action is not allowed' : 'an event moves the entity', report(system.db, leaves, rules), false)
  if (size.ends && !system.ended) steps.push({ name: 'the workflow is terminated', row: null, by: null, comes: false, next: { ...system, ended: true, attempts: system.attempts.map((each) => (each?.at === 'due' ? null : each)), awaits: system.awaits.map(() => false) } })
  return steps
}

/** Adds a step that is one commit, where it commits. */
function push(steps: Step[], system: System, name: string, written: Written, comes: boolean): void {
  if (written.status === 'committed') steps.push({ name, row: written.row, by: null, comes, next: withDb(system, written) })
}

/** What the server hands out: a call's retry to another worker, a call of a workflow that waits, one that is proposed again. */
function handOut(steps: Step[], system: System, size: Size): void {
  const free = system.attempts.findIndex((each) => each === null)
  if (free < 0 || system.ended) return
  const take = (name: string, attempt: Attempt, comes: boolean, change: Partial<System> = {}): void => {
    steps.push({ name: `${names[free]} ${name}`, row: null, by: null, comes, next: { ...system, ...change, attempts: system.attempts.map((each, at) => (at === free ? attempt : each)) } })
  }
  const other = system.attempts.find((each) => each !== null)
  if (other !== undefined && other !== null && other.at !== 'due' && !system.oneCall) take('is handed the same call', { ...dueAttempt(other.p, other.carries), answered: other.answered, withdraws: other.withdraws }, false, { oneCall: true })
  for (const p of system.db.proposals.keys()) {
    const round = roundOf(system.db, p)
    const awaits = system.awaits.map((each, at) => (at === p ? false : each))
    const waited = system.awaits[p] === true
    const reviewed = round !== null && ['granted', 'denied', 'revoked'].includes(round.status) && !round.closed
    take(waited ? `wakes${size.proposals > 1 ? ` for ${keyOf(p, 1)}` : ''}` : `is handed ${keyOf(p, 1)}`, dueAttempt(p, 0), waited, { awaits })
    if (reviewed) take('wakes, the review with it', dueAttempt(p, round.n), waited, { awaits })
    if (waited) take('is to withdraw: the wait was cancelled', { ...dueAttempt(p, 0), withdraws: true }, false, { awaits })
  }
}

function roundSteps(steps: Step[], system: System, p: number, rules: Rules): void {
  const round = roundOf(system.db, p)
  if (round === null) return
  for (const verdict of ['granted', 'denied'] as const) push(steps, system, `a person reviews: ${verdict}`, review(system.db, p, verdict), false)
  push(steps, system, 'a person revokes the grant', revoke(system.db, p), false)
  push(steps, system, 'the service expires the round', closeRound(system.db, p, 'expired', rules), true)
  if (system.ended) push(steps, system, 'the service withdraws the round', closeRound(system.db, p, 'withdrawn', rules), true)
  if (round.closed) return
  if (!round.answerOver) steps.push({ name: 'the time to answer is over', row: null, by: null, comes: true, next: { ...system, db: withRound(system.db, p, { answerOver: true }) } })
  else if (!round.useOver) steps.push({ name: 'the time to use the grant is over', row: null, by: null, comes: true, next: { ...system, db: withRound(system.db, p, { useOver: true }) } })
}

function executionSteps(steps: Step[], system: System, p: number, ordinal: number, execution: Execution, size: Size, rules: Rules): void {
  const to = (name: string, change: Partial<Execution>, db = system.db): void => {
    steps.push({ name, row: null, by: null, comes: true, next: { ...system, db: withExecution(db, p, ordinal, change) } })
  }
  const last = newest(system.db, p) === execution
  if (execution.status === 'reserved' && execution.lease === 'live') to('the lease is over', { lease: 'over' })
  if (last && execution.idem === 'ample') to('less than a lease is left of the time in which the receiver honours the key', { idem: 'short' })
  // Whatever was begun with a lease to spare is over by then, and has arrived.
  const busy = execution.late === 'running' || execution.onItsWay || (execution.status === 'reserved' && execution.lease === 'live') || system.attempts.some((each) => each?.at === 'runs' && each.p === p && each.ordinal === ordinal)
  if (last && execution.idem === 'short' && (!busy || execution.tight)) to('the receiver no longer honours the key', { idem: 'over' })
  // The sweeper asks whether the call will be taken up; a reset can make it err, so here it need not be right.
  if (last && execution.lease === 'over') push(steps, system, 'the sweeper finds it past its lease', markInDoubt(system.db, p, null, rules), true)
  if (isInDoubt(execution)) {
    for (const verdict of ['happened', 'not_happened'] as const) if (verdict === 'happened' || ordinal < size.ordinals) push(steps, system, `a person finds that it ${verdict === 'happened' ? 'happened' : 'did not happen'}`, say(system.db, p, ordinal, verdict, rules), false)
  }
  push(steps, system, 'the gate applies what they found', apply(system.db, p, ordinal), true)
  const { paid } = pay(system.db, p, ordinal)
  if (execution.onItsWay) to(`the request of a lost worker pays ${keyOf(p, ordinal)}`, { onItsWay: false }, paid ?? system.db)
  if (execution.onItsWay) to('the request of a lost worker never arrives', { onItsWay: false })
  if (execution.late === 'running') to(`the late executor pays ${keyOf(p, ordinal)}, and returns`, { late: 'returned' }, paid ?? system.db)
  if (execution.late !== null) to('the late executor is lost', { late: null })
  if (execution.late !== 'returned') return
  const late = complete(system.db, p, ordinal, 'succeeded', rules)
  const told = late.status === 'contradicted' ? contradict(system.db, p, ordinal) : late
  const after = told.status === 'committed' ? withDb(system, told) : system
  steps.push({ name: 'the late executor completes', row: told.status === 'committed' ? told.row : null, by: null, comes: true, next: { ...after, db: withExecution(after.db, p, ordinal, { late: null }) } })
}
