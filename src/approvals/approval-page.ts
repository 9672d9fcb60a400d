/**
 * What a person reads before saying yes or no, in the order in which it matters. All of it comes from the request's
 * pre-image, whose digest the form carries back; whoever wrote a word, it is shown as plain text.
 */
import { html } from 'hono/html'
import type { ShownClaim } from '../core/claim.ts'
import { boundTo, hasAnswered, hasFacts, peopleRows, progress } from './consent-words.ts'
import type { ApprovalRequest, ApprovalRow } from './desk.ts'
import { layout, moment, quoted, said, type Html } from './layout.ts'
import { approvalPath, riskBadge } from './pages.ts'
import { paramRows, type ParamRow } from './params-rows.ts'
import type { Session } from './sessions.ts'
import { statusWords } from './status-words.ts'
import { fits, visible } from './visible-text.ts'

/** The longest reason that a review, or a revocation, may give, in characters. */
export const maxReasonLength = 500

interface ApprovalPage {
  readonly row: ApprovalRow
  readonly session: Session
  /** Opens the run in the Temporal UI; `undefined` where none is configured. */
  readonly temporalLink: string | undefined
  /** Why the form that was just sent was not accepted, and what it said. */
  readonly refused?: { readonly message: string; readonly reason: string }
}

/** The page of one approval: with a form while it is pending, with what became of it afterwards; an unused grant can be revoked. */
export function approvalPage({ row, session, temporalLink, refused }: ApprovalPage): Html {
  const { request } = row
  return layout(request.summary, session, html`
<article>
${refused && html`<p class="refused" role="alert" id="message">${said(refused.message)}</p>`}
${(row.status !== 'pending' || row.reviews.length > 0) && whatBecameOfIt(row)}
<h1>${said(request.summary)}</h1>
${target(request)}
${!shownInFull(request) && html`<p class="refused">Some of this request is too long for this page. <a href="/api${approvalPath(request.approval_id)}">Read all of it</a> before you decide.</p>`}
<section aria-labelledby="why">
<h2 id="why">Why you are asked</h2>
<p>Approval is needed: ${said(request.rule)} ${riskBadge(request.risk)}</p>
</section>
${request.round > 1 && html`<section aria-labelledby="changed" class="changed">
<h2 id="changed">What changed since you were last asked</h2>
<p>${request.changed === null ? 'Not recorded.' : said(request.changed)}</p>
<p>This is round ${request.round}. Whatever was answered before no longer counts.</p>
</section>`}
${hasFacts(request) && gateReading(request)}
${claim(request)}
${circumstances(row, temporalLink)}
<section aria-labelledby="consent">
<h2 id="consent">What agreeing to it means</h2>
<p>${boundTo(request)}</p>
</section>
${row.status === 'pending' && (hasAnswered(row, session.person) ? answered(row) : reviewForm(row, session, refused?.reason ?? ''))}
${row.status === 'granted' && revokeForm(row, session, refused?.reason ?? '')}
${smallPrint(row)}
</article>`)
}

function target(request: ApprovalRequest): Html {
  return html`<table>
<caption>What exactly: <code>${said(request.action, 80)}</code></caption>
${columns}
<tbody>
<tr><th scope="row">${said(request.entity_type, 80)}</th><td>${said(request.entity_id, 200)}</td><td>target</td></tr>
${paramRows(request.params).map(paramRow)}
</tbody>
</table>`
}

export const columns = html`<thead><tr><th scope="col">Name</th><th scope="col">Value</th><th scope="col">Type</th></tr></thead>`

/** The declared facts: apart from the agent's claim, since nobody but the gate has a say in them. */
function gateReading({ facts }: ApprovalRequest): Html {
  return html`<section aria-labelledby="facts">
<h2 id="facts">What the gate has read</h2>
<table>
<caption>The gate's own reading when it asked, from the records and their sources; no word of the agent's. It is read again before anything happens.</caption>
${columns}
<tbody>
${paramRows(facts).map(paramRow)}
</tbody>
</table>
</section>`
}

/** One value of a table of these columns. */
export function paramRow({ name, value, type }: ParamRow): Html {
  return html`<tr><th scope="row">${said(name, 120)}</th><td class="${type === 'number' ? 'number' : 'text'}"><bdi>${visible(value, { lines: true })}</bdi></td><td>${type}</td></tr>`
}

/** A pointer in words: its kind and id, what it says, and where it lies; never a link (I12). */
function evidenceWords(item: ShownClaim['evidence'][number]): string {
  if (typeof item === 'string') return item
  const { kind, id, summary, source, uri, created_at: at, sha256 } = item
  const more = [source, uri, at, sha256 && `SHA-256 ${sha256}`].filter((each) => each !== undefined)
  return `${kind} ${id}${summary === undefined ? '' : `: ${summary}`}${more.length === 0 ? '' : ` (${more.join(', ')})`}`
}

function claim({ claim }: ApprovalRequest): Html {
  if (claim === null) return html`<section aria-labelledby="claim" class="claim">
<h2 id="claim">The agent says nothing</h2>
<p>It gave no reason.</p>
</section>`
  return html`<section aria-labelledby="claim" class="claim">
<h2 id="claim">The agent says (a claim, not checked)</h2>
${quoted(claim.why)}
<h3>The evidence it names</h3>
${claim.evidence.length === 0 ? html`<p>None.</p>` : html`<ul>${claim.evidence.slice(0, maxEvidence).map((item) => html`<li>${said(evidenceWords(item))}</li>`)}</ul>`}
${claim.evidence.length > maxEvidence && html`<p>And ${claim.evidence.length - maxEvidence} more.</p>`}
<p>Its confidence, by its own account: ${claim.confidence === null ? 'not given' : `${claim.confidence} of 1`}</p>
</section>`
}

const maxEvidence = 20

function circumstances(row: ApprovalRow, temporalLink: string | undefined): Html {
  const { request } = row
  const state = request.state === null ? 'no state' : said(request.state, 80)
  return html`<section aria-labelledby="circumstances">
<h2 id="circumstances">Who asks, and about what</h2>
<dl>
<dt>State of ${said(request.entity_type, 80)} ${said(request.entity_id, 200)}</dt><dd>${state}, version ${request.state_version}</dd>
<dt>Asked by</dt><dd>${said(request.actor, 200)}</dd>
${request.on_behalf_of !== null && html`<dt>On behalf of</dt><dd>${said(request.on_behalf_of, 200)}</dd>`}
<dt>Workflow</dt><dd><code>${said(request.workflow_id, 300)}</code>${temporalLink !== undefined && html` <a href="${temporalLink}" rel="noreferrer">Open in the Temporal UI</a>`}</dd>
<dt>Asked</dt><dd>${moment(request.requested_at)}</dd>
<dt>Answer by</dt><dd>${moment(request.answer_by)}</dd>
<dt>A grant must be used by</dt><dd>${moment(request.use_by)}</dd>
${peopleRows(row)}
</dl>
</section>`
}

function reviewForm({ request, digest }: ApprovalRow, session: Session, reason: string): Html {
  return html`<form method="post" action="${approvalPath(request.approval_id)}" class="review">
<h2>Your answer</h2>
<input type="hidden" name="csrf" value="${session.csrf}">
<input type="hidden" name="digest" value="${digest}">
<label for="reason">Reason</label>
<p id="reason-hint" class="small">Required to deny. At most ${maxReasonLength} characters; kept with your name.</p>
<textarea id="reason" name="reason" rows="3" maxlength="${maxReasonLength}" required aria-describedby="reason-hint">${reason}</textarea>
<div class="buttons">
<button name="verdict" value="granted" class="grant" formnovalidate>Grant: ${said(request.summary, 200)}</button>
<button name="verdict" value="denied" class="deny">Deny</button>
</div>
</form>`
}

/** In place of the form, for someone who has answered: others have to, as well. */
function answered(row: ApprovalRow): Html {
  return html`<section class="review" aria-labelledby="answered">
<h2 id="answered">You have agreed</h2>
<p>${progress(row)}. Nobody answers twice; it waits for somebody else.</p>
</section>`
}

function revokeForm({ request }: ApprovalRow, session: Session, reason: string): Html {
  return html`<form method="post" action="${approvalPath(request.approval_id)}/revoke" class="review">
<h2>Take the grant back</h2>
<input type="hidden" name="csrf" value="${session.csrf}">
<label for="reason">Why it must not happen after all</label>
<p id="reason-hint" class="small">Required. At most ${maxReasonLength} characters; kept with your name. It works only as long as the grant has not been used.</p>
<textarea id="reason" name="reason" rows="3" maxlength="${maxReasonLength}" required aria-describedby="reason-hint">${reason}</textarea>
<div class="buttons"><button class="deny">Revoke</button></div>
</form>`
}

function whatBecameOfIt(row: ApprovalRow): Html {
  return html`<div class="became ${row.status}">
<p id="message"><strong>${statusWords(row)}.</strong></p>
${row.reviews.map(({ reviewer, reason }) => (reason === '' ? html`<p>${said(reviewer, 80)} gave no reason.</p>` : html`<p>The reason of ${said(reviewer, 80)}:</p>${quoted(reason)}`))}
${row.revoked && html`<p>Why ${said(row.revoked.reviewer, 80)} took it back:</p>${quoted(row.revoked.reason)}`}
</div>`
}

function smallPrint({ request, digest }: ApprovalRow): Html {
  return html`<footer class="small">
<p>An answer is signed over this digest of the request; any change to the request voids it.</p>
<p><code>${digest}</code></p>
<p>Approval <code>${said(request.approval_id, 128)}</code>, round ${request.round}. Namespace <code>${said(request.namespace, 128)}</code>, first run <code>${said(request.first_execution_run_id, 128)}</code>.</p>
<p>Contract <code>${said(request.contract, 128)}</code></p>
<p><a href="/api${approvalPath(request.approval_id)}">All of it as JSON</a></p>
</footer>`
}

function shownInFull(request: ApprovalRequest): boolean {
  const rows = [...paramRows(request.params), ...paramRows(request.facts)]
  const onOneLine = [request.summary, request.rule, request.changed ?? '', ...(request.claim?.evidence ?? []).map(evidenceWords)]
  return (
    rows.every((row) => row.type !== 'not shown' && row.name.length <= 120 && fits(row.value)) &&
    fits(request.claim?.why ?? '') &&
    onOneLine.every((text) => text.length <= 500) &&
    request.entity_id.length <= 200 &&
    (request.claim?.evidence.length ?? 0) <= maxEvidence
  )
}
