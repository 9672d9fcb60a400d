/** What a person agrees to, and who else has to: in words, from the request alone. */
import { html } from 'hono/html'
import { maxRounds } from '../core/approval.ts'
import type { ApprovalRequest, ApprovalRow } from './desk.ts'
import { moment, said, type Html } from './layout.ts'

/** What a grant is bound to, and what voids it. */
export function boundTo(request: ApprovalRequest): Html {
  const facts = hasFacts(request)
  if (request.state === null) {
    return html`A grant is for exactly this${facts && html`, as long as what the gate has read stays as it is above`}; anything else voids it.`
  }
  const which = html`${said(request.entity_type, 80)} ${said(request.entity_id, 200)}`
  if (request.binds === 'state') return html`A grant is for exactly this, as long as ${which} is <strong>${said(request.state, 80)}</strong>${facts && html` and what the gate has read stays as it is above`}. Other events on it do not matter.`
  return html`A grant is for exactly this, with ${which} <strong>exactly as it is now</strong>: ${said(request.state, 80)}, version ${request.state_version}${facts && html`; and as long as what the gate has read stays as it is above`}. Any event on it voids the grant.`
}

/** The gate has read something beside the parameters. */
export function hasFacts({ facts }: ApprovalRequest): boolean {
  return Object.keys(Object(facts)).length > 0
}

/** How many have agreed so far, as "1 of 2 have agreed". */
export function progress({ request, reviews }: ApprovalRow): string {
  const agreed = reviews.filter(({ verdict }) => verdict === 'granted').length
  return `${agreed} of ${request.quorum} ${request.quorum === 1 ? 'has' : 'have'} agreed`
}

/** This person has answered already, and nobody answers twice. */
export function hasAnswered({ reviews }: ApprovalRow, person: string): boolean {
  return reviews.some(({ reviewer }) => reviewer === person)
}

/** The rows of a description list that say who has to agree, who has, and who may. */
export function peopleRows({ request, reviews }: ApprovalRow): Html {
  return html`<dt>Who must agree</dt><dd>${request.quorum === 1 ? 'one person' : `${request.quorum} different people`}; one denial is final</dd>
${reviews.map(({ verdict, reviewer, at }) => html`<dt>${verdict === 'granted' ? 'Agreed' : 'Denied'}</dt><dd>${said(reviewer, 80)}, ${moment(at)}</dd>`)}
<dt>Who may answer</dt><dd>whoever has <code>${said(request.reviewers, 120)}</code>, but not the one who asks${request.on_behalf_of !== null && ', nor whom they act for'}</dd>
<dt>Round</dt><dd>${request.round} of at most ${maxRounds}</dd>`
}
