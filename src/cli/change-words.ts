/** What happens while `npm start` runs, as lines for its reader. */
import { visible } from '../approvals/visible-text.ts'
import type { Change } from '../dev/watch.ts'

/** One change in a line, or two; `null` for one that only the records need. Whatever others wrote in it is made visible. */
export function changeInWords(change: Change, inbox: string): string | null {
  return linesOf(change, inbox)?.map((line) => visible(line)).join('\n') ?? null
}

function linesOf(change: Change, inbox: string): readonly string[] | null {
  const subject = `${change.at.slice(11, 19)}  ${(change.entity ?? change.workflow ?? '').padEnd(10)}`
  switch (change.change) {
    case 'event':
      return [`${subject} ${change.event} (reported by ${change.actor})`]
    case 'opened':
      return [`${subject} ${change.action} allowed${change.approval_id === null ? ', within what the agent may do alone' : ': a person has granted it'}; it runs`]
    case 'executed':
      return [`${subject} ${change.action} done`]
    case 'approval_requested':
      return [`${subject} ${change.action} waits for a person: ${change.message}`, `${' '.repeat(21)}decide at ${inbox}/approvals/${change.approval_id}`]
    case 'reviewed':
      return [`${subject} ${change.actor} has reviewed ${change.action}`]
    case 'refused':
    case 'approval_denied':
    case 'event_refused':
      return [`${subject} ${change.action ?? change.event} ${change.outcome}: ${change.reason} (${change.message})`]
    case 'in_doubt':
    case 'completion_rejected':
      return [`${subject} ${change.action}: nobody knows how it ended; ${change.entity} is held until a person has looked`]
    case 'approval_expired':
    case 'approval_withdrawn':
    case 'signal_rejected':
    case 'failed':
      return [`${subject} ${change.action} ${change.change.replaceAll('_', ' ')}`]
    default:
      return null
  }
}
