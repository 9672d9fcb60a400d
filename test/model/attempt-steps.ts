/** What an attempt of the gate activity can do next, wherever it stands; it can be lost at any point. */
import type { RowKind } from '../../src/core/ledger-row.ts'
import { read, type Attempt, type Intent } from './attempt.ts'
import { answer, ask, complete, contradict, markInDoubt, open, pure, resume, yieldLease, type Written } from './commits.ts'
import { pay, refuse } from './provider-books.ts'
import type { Rules } from './rules.ts'
import { withExecution, type Db } from './state.ts'
import { again, answered, keyOf, names, rereads, withAttempt, withDb, type Size, type Step, type System } from './system.ts'

export function attemptSteps(steps: Step[], system: System, index: number, size: Size, rules: Rules): void {
  const attempt = system.attempts[index]
  if (attempt === null || attempt === undefined) return
  const who = names[index] ?? ''
  const { p, ordinal } = attempt
  const step = (name: string, next: System, row: RowKind | null = null): void => {
    steps.push({ name: `${who} ${name}`, row, by: index, next, comes: true })
  }
  switch (attempt.at) {
    case 'due': {
      if (attempt.answered) return step('finds its call answered', answered(system, index, false))
      if (attempt.withdraws) return step('is to withdraw', withAttempt(system, index, { at: 'means', intent: { to: 'answer', row: 'approval_withdrawn', closes: 'withdrawn', waits: false } }))
      const intent = read(system.db, attempt, size, rules)
      if (intent === 'busy') return
      if (intent.to === 'open' && (system.db.proposals[p]?.executions.length ?? 0) >= size.ordinals) return step('gives up: the model counts no further', answered(system, index, false))
      return step(`reads, and means to ${wordsOf(intent)}`, withAttempt(system, index, { at: 'means', intent, fresh: true }))
    }
    case 'means': {
      step('is lost', again(system, index))
      if (attempt.intent !== null) commitSteps(steps, system, index, attempt, attempt.intent, size, rules)
      return
    }
    case 'runs': {
      const { paid, refusable } = pay(system.db, p, ordinal)
      if (paid !== null) step(`pays ${keyOf(p, ordinal)}`, withAttempt({ ...system, db: paid }, index, { at: 'returned' }))
      if (paid !== null) step(`pays ${keyOf(p, ordinal)}, and gets no answer`, withAttempt({ ...system, db: paid }, index, { at: 'unknown' }))
      if (refusable && ordinal < size.ordinals) step(`is refused ${keyOf(p, ordinal)}`, withAttempt({ ...system, db: refuse(system.db, p, ordinal, rules) }, index, { at: 'not_done' }))
      step('gets no answer', withAttempt(system, index, { at: 'unknown' }))
      step('is lost while it runs', again(system, index))
      const known = system.db.proposals[p]?.executions[ordinal - 1]
      if (!size.late || known === undefined) return
      if (!known.onItsWay) step('is lost, its request on its way', again({ ...system, db: withExecution(system.db, p, ordinal, { onItsWay: true }) }, index))
      if (known.late === null) step('waits no longer for its executor', withAttempt({ ...system, db: withExecution(system.db, p, ordinal, { late: 'running' }) }, index, { at: 'unknown' }))
      return
    }
    case 'returned': {
      step('is lost before it has completed', again(system, index))
      for (const end of ['succeeded', 'rejected'] as const) ended(steps, system, index, complete(system.db, p, ordinal, end, rules), `completes, ${end}`)
      return
    }
    case 'not_done': {
      step('is lost before it has told', again(system, index))
      ended(steps, system, index, complete(system.db, p, ordinal, { failedFor: index }, rules), 'completes, failed')
      return
    }
    case 'unknown': {
      if (size.effect !== 'external') return step('comes again', again({ ...system, db: system.db.proposals[p]?.executions[ordinal - 1]?.late === null ? yieldLease(system.db, p, index) : system.db }, index))
      const doubt = markInDoubt(system.db, p, index, rules)
      step('says that nobody knows', rereads(doubt.status === 'committed' ? withDb(system, doubt) : system, index), doubt.status === 'committed' ? doubt.row : null)
      return
    }
    case 'contradicts': {
      const told = contradict(system.db, p, ordinal)
      step('tells that it happened after all', rereads(told.status === 'committed' ? withDb(system, told) : system, index), told.status === 'committed' ? told.row : null)
    }
  }
}

/** An executor has ended, and the attempt records it. */
function ended(steps: Step[], system: System, index: number, written: Written, name: string): void {
  const next = written.status === 'committed' ? answered(withDb(system, written), index, false)
    : written.status === 'repeat' ? answered(system, index, false)
    : written.status === 'contradicted' ? withAttempt(system, index, { at: 'contradicts' })
    : rereads(system, index)
  steps.push({ name: `${names[index]} ${name}${written.status === 'committed' ? '' : `: ${written.status}`}`, row: written.status === 'committed' ? written.row : null, by: index, next, comes: true })
}

function commitSteps(steps: Step[], system: System, index: number, attempt: Attempt, intent: Intent, size: Size, rules: Rules): void {
  const { p, withdraws } = attempt
  const name = `${names[index]} commits to ${wordsOf(intent)}`
  const stepTo = (next: System, row: RowKind | null, how = ''): void => {
    steps.push({ name: `${name}${how}`, row, by: index, next, comes: true })
  }
  if (attempt.answered && intent.to !== 'resume' && intent.to !== 'doubt') return stepTo(answered(system, index, false), null, ': answered before')
  const guarded = intent.to !== 'resume' && intent.to !== 'doubt' && !withdraws
  if (guarded && !attempt.fresh && rules.commitsOnWhatWasRead) return stepTo(rereads(system, index), null, ': stale')
  const written = commit(system.db, index, p, intent, size, rules)
  // It would run all the same where opening does not come first.
  const runs = (db: System, ordinal: number): System => withAttempt(db, index, { at: 'runs', intent: null, ordinal })
  if (intent.to === 'open' && !rules.opensBeforeTheEffect && system.db.proposals[p]?.executions.length === 0) stepTo(runs(system, 1), null, ': later, it runs first')
  if (written.status === 'raised') return stepTo(again(system, index), null, ': a fault')
  // A withdrawal that comes too late has nothing left to take back: the row before ends it as well.
  if (written.status !== 'committed') return stepTo(withdraws ? answered(system, index, false) : rereads(system, index), null, `: ${written.status}`)
  const after = withDb(system, written)
  if (intent.to === 'open' || intent.to === 'resume') return stepTo(runs(after, after.db.proposals[p]?.executions.length ?? 1), written.row)
  if (intent.to === 'doubt') return stepTo(rereads(after, index), written.row)
  stepTo(answered(after, index, intent.to === 'ask' || (intent.to === 'answer' && intent.waits)), written.row)
}

function commit(db: Db, index: number, p: number, intent: Intent, size: Size, rules: Rules): Written {
  switch (intent.to) {
    case 'answer': return answer(db, p, intent.row, intent.closes, rules)
    case 'ask': return ask(db, p, intent.n, intent, rules)
    case 'open': return open(db, p, { grant: intent.grant, holder: index, effect: size.effect }, rules)
    case 'pure': return pure(db, p, intent.grant, rules)
    case 'resume': return resume(db, p, index, rules)
    case 'doubt': return markInDoubt(db, p, null, rules)
  }
}

function wordsOf(intent: Intent): string {
  switch (intent.to) {
    case 'answer': return `answer, ${intent.row}${intent.closes === null ? '' : `, the round ${intent.closes}`}`
    case 'ask': return `ask, round ${intent.n}`
    case 'open': case 'pure': return `${intent.to === 'pure' ? 'emit' : 'open'}${intent.grant === 0 ? '' : ` by the grant of round ${intent.grant}`}`
    case 'resume': case 'doubt': return intent.to
  }
}
