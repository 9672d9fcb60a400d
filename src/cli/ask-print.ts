/** The gate's answers for a person to read, and as exit codes. Texts of others are made visible; `--json` gives them as they are. */
import { visible } from '../approvals/visible-text.ts'
import type { AllowedAction, Evaluation } from '../core/evaluation.ts'
import type { ActionResult } from '../core/outcome.ts'
import type { Waiting } from '../core/store.ts'
import { exit } from './exit.ts'

/** What an answer of the gate may say; which of it, depends on the question. */
type Answer = ActionResult | Evaluation

/** The exit code that a script goes by. */
export function exitOf(outcome: string): number {
  if (outcome === 'allowed') return exit.ok
  return outcome === 'blocked' ? exit.blocked : outcome === 'invalid' ? exit.usage : outcome === 'approval_required' ? exit.approvalRequired : exit.failure
}

/** An answer in a few lines. */
export function answerText(answer: Answer): string {
  const summary = 'summary' in answer ? answer.summary : null
  const reason = 'reason' in answer && answer.reason !== null && answer.reason !== answer.outcome ? ` (${answer.reason})` : ''
  const words = answer.outcome === 'allowed' ? (summary ?? '') : answer.message
  const lines = [
    `${answer.outcome}${reason}: ${words}`,
    ...(answer.outcome !== 'allowed' && summary !== null ? [`  would      ${summary}`] : []),
    ...('output' in answer ? [`  output     ${JSON.stringify(answer.output)}`] : []),
    ...('state' in answer && answer.state !== null ? [`  state      ${answer.state}, version ${answer.stateVersion}`] : []),
    ...('nextStep' in answer && answer.nextStep !== null ? [`  next step  ${answer.nextStep}`] : []),
    ...('record' in answer ? [`  record     ${answer.record.chain}#${answer.record.seq} ${answer.record.hash}`] : []),
  ]
  return lines.map((line) => visible(line)).join('\n')
}

/** One line an action. */
export function actionsText(actions: readonly AllowedAction[]): string {
  if (actions.length === 0) return 'nothing can be proposed on it now'
  const approvals = { always: 'a person has to agree', by_rule: 'a person may have to agree', never: 'nobody is asked' } as const
  const width = Math.max(...actions.map(({ action }) => action.length))
  return actions.map(({ action, description, risk, approval }) => visible(`${action.padEnd(width)}  ${description} (${risk} risk, ${approvals[approval]})`)).join('\n')
}

/** That a person is asked: for what, by which rule, who, until when, and where. */
export function waitingText({ summary, rule, reviewers, answerBy, link, changed }: Waiting): string {
  const lines = [
    `waiting for a person: ${summary}`,
    `  why        ${rule}`,
    ...(changed === null ? [] : [`  again      ${changed}`]),
    `  from whom  anyone who holds ${reviewers}, but not the one who asks`,
    `  until      ${answerBy}`,
    ...(link === null ? [] : [`  where      ${link}`]),
  ]
  return lines.map((line) => visible(line)).join('\n')
}
