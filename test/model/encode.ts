/** A state as a short text, equal for equal states: and, where told so, for those that differ only in which attempt is which. */
import type { Attempt, Intent } from './attempt.ts'
import type { Execution, Proposal, Round } from './state.ts'
import type { System } from './system.ts'

/** @param symmetric the two attempts are interchangeable */
export function encode(system: System, symmetric: boolean): string {
  const here = textOf(system, [0, 1])
  if (!symmetric) return here
  const there = textOf(system, [1, 0])
  return here < there ? here : there
}

type Order = readonly [number, number]

function textOf({ db, attempts, oneCall, awaits, ended }: System, order: Order): string {
  let text = `${bit(db.allowed)}${bit(oneCall)}${bit(ended)}`
  for (const [p, proposal] of db.proposals.entries()) text += `/${bit(awaits[p] === true)}${proposalText(proposal, order)}`
  for (const index of order) text += `|${attemptText(attempts[index] ?? null)}`
  return text
}

const bit = (value: boolean): string => (value ? '1' : '0')

const statuses = { pending: 'p', granted: 'g', denied: 'd', expired: 'e', revoked: 'r', withdrawn: 'w', void: 'v', consumed: 'c' } as const
const executionStatuses = { reserved: 'r', succeeded: 's', failed: 'f', in_doubt: 'd' } as const
const idems = { ample: 'a', short: 's', over: 'o', never: 'n' } as const

function proposalText({ round, denied, used, executions, books }: Proposal, order: Order): string {
  let text = `${round === null ? '' : roundText(round)}${bit(denied)}${used.join('')}`
  for (const execution of executions) text += `.${executionText(execution, order)}`
  for (const { effects, refused } of books) text += `$${effects}${bit(refused)}`
  return text
}

function roundText({ n, status, closed, fits, answerOver, useOver }: Round): string {
  return `${n}${statuses[status]}${bit(closed)}${bit(fits)}${bit(answerOver)}${bit(useOver)}`
}

function executionText(execution: Execution, order: Order): string {
  const { status, rejected, lease, holder, idem, tight, unmoved, grant, said, saidOf, contradicted, failedBy, late, onItsWay } = execution
  return `${executionStatuses[status]}${bit(rejected)}${lease[0]}${holder < 0 ? '-' : order[holder]}${idems[idem]}${bit(tight)}${bit(unmoved)}${grant}${said?.[0] ?? '-'}${saidOf?.[0] ?? '-'}${bit(contradicted)}${failedBy?.[0] ?? '-'}${late?.[1] ?? '-'}${bit(onItsWay)}`
}

function attemptText(attempt: Attempt | null): string {
  if (attempt === null) return ''
  const { p, carries, answered, withdraws, at, intent, fresh, ordinal } = attempt
  return `${p}${carries}${bit(answered)}${bit(withdraws)}${at}${bit(fresh)}${ordinal}${intent === null ? '' : intentText(intent)}`
}

function intentText(intent: Intent): string {
  switch (intent.to) {
    case 'answer': return `${intent.row}${intent.closes ?? ''}${bit(intent.waits)}`
    case 'ask': return `ask${intent.n}${intent.closes ?? ''}${bit(intent.keepsDeadline)}`
    case 'open': case 'pure': return `${intent.to}${intent.grant}`
    case 'resume': case 'doubt': return intent.to
  }
}
