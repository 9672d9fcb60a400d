/**
 * What a person reads before saying what became of an action whose outcome nobody knows, and what has come of their answer. All of it
 * comes from the request's pre-image, whose digest the forms carry back; whoever wrote a word, it is shown as plain text.
 */
import { html } from 'hono/html'
import { canonical } from '../core/canonical.ts'
import { maxOutput, providerKey } from '../core/execution.ts'
import { columns, maxReasonLength, paramRow } from './approval-page.ts'
import type { InDoubtRow, ReconciliationRequest } from './desk.ts'
import { layout, moment, quoted, said, type Html } from './layout.ts'
import { inDoubtPath } from './pages.ts'
import { paramRows } from './params-rows.ts'
import type { Session } from './sessions.ts'
import { visible } from './visible-text.ts'

interface InDoubtPage {
  readonly row: InDoubtRow
  readonly session: Session
  /** Opens the run in the Temporal UI; `undefined` where none is configured. */
  readonly temporalLink: string | undefined
  /** Why the form that was just sent was not accepted, and what it said. */
  readonly refused?: { readonly message: string; readonly verdict: 'happened' | 'not_happened'; readonly reason: string; readonly output: string }
}

/** The page of one execution: with both forms while it is in doubt, with what was answered and whether the gate has applied it. */
export function inDoubtPage({ row, session, temporalLink, refused }: InDoubtPage): Html {
  const { request } = row
  const title = request.summary ?? `${request.action} on ${request.entity_type} ${request.entity_id}`
  const open = isOpen(row)
  return layout(title, session, html`
<article>
${refused && html`<p class="refused" role="alert" id="message">${said(refused.message)}</p>`}
${!refused && whatBecameOfIt(row)}
<h1>${said(title)}</h1>
${open && html`<p>Nobody knows whether this happened. Look it up where it would show, then say what you have found.</p>`}
${target(request)}
${circumstances(request, temporalLink)}
${row.reconciliations.length > 0 && answers(row)}
${open && !row.waiting && html`${happenedForm(row, session, refused)}${notHappenedForm(row, session, refused)}`}
<footer class="small">
<p>An answer is signed over this digest of what stands above; any change to it voids the answer.</p>
<p><code>${row.digest}</code></p>
<p>Contract <code>${said(request.contract, 128)}</code>. Opened by ledger row <code>${said(request.opened, 300)}</code>.</p>
<p><a href="/api${inDoubtPath(request)}">All of it as JSON</a></p>
</footer>
</article>`)
}

function isOpen({ status }: InDoubtRow): boolean {
  return status === 'in_doubt' || status === 'completion_rejected'
}

function target({ action, entity_type: type, entity_id: id, params }: ReconciliationRequest): Html {
  return html`<table>
<caption>What was to happen: <code>${said(action, 80)}</code></caption>
${columns}
<tbody>
<tr><th scope="row">${said(type, 80)}</th><td>${said(id, 200)}</td><td>target</td></tr>
${paramRows(params).map(paramRow)}
</tbody>
</table>`
}

function circumstances(request: ReconciliationRequest, temporalLink: string | undefined): Html {
  const facts = paramRows(request.facts)
  return html`<section aria-labelledby="key">
<h2 id="key">Where to look</h2>
<p>The other side was given this key, and may have done it at most once for it: <code id="provider-key">${said(providerKey({ executionKey: request.execution_key, ordinal: request.ordinal }), 128)}</code></p>
</section>
${facts.length > 0 && html`<section aria-labelledby="facts">
<h2 id="facts">What the gate had read</h2>
<table>${columns}<tbody>${facts.map(paramRow)}</tbody></table>
</section>`}
<section aria-labelledby="circumstances">
<h2 id="circumstances">Why nobody knows, and who asked for it</h2>
<dl>
<dt>Why</dt><dd>${request.why === null ? 'not recorded' : said(request.why)}</dd>
${request.doubt === 'completion_rejected' && html`<dt>What came back</dt><dd>${quoted(JSON.stringify(request.returned, null, 2))}</dd>`}
${request.since !== null && html`<dt>Since</dt><dd>${moment(request.since)}</dd>`}
<dt>Begun</dt><dd>${moment(request.opened_at)}${request.ordinal > 1 && html`, attempt ${request.ordinal}`}</dd>
<dt>State of ${said(request.entity_type, 80)} ${said(request.entity_id, 200)}</dt><dd>${request.state === null ? 'no state' : html`${said(request.state.value, 80)}, version ${request.state.version}`}; nothing moves it until somebody has answered</dd>
<dt>Asked by</dt><dd>${said(request.actor, 200)}</dd>
${request.on_behalf_of !== null && html`<dt>On behalf of</dt><dd>${said(request.on_behalf_of, 200)}</dd>`}
<dt>Workflow</dt><dd><code>${said(request.workflow_id, 300)}</code>${temporalLink !== undefined && html` <a href="${temporalLink}" rel="noreferrer">Open in the Temporal UI</a>`}</dd>
<dt>Who may answer</dt><dd>${request.reconcilers === null ? 'nobody: its contract names no one' : html`whoever has <code>${said(request.reconcilers, 120)}</code>, but not the one who asked${request.on_behalf_of !== null && ', nor whom they act for'}`}</dd>
</dl>
</section>`
}

function happenedForm(row: InDoubtRow, session: Session, refused: InDoubtPage['refused']): Html {
  const sent = refused?.verdict === 'happened' ? refused : undefined
  return html`<form method="post" action="${inDoubtPath(row.request)}" class="review">
<h2>It happened</h2>
${hidden(row, session, 'happened')}
<label for="output">Its output, as JSON</label>
<p id="output-hint" class="small">As the action would have returned it: the contract checks it, and what it emits is derived from it. At most ${maxOutput.toLocaleString('en')} characters.</p>
<textarea id="output" name="output" rows="5" spellcheck="false" required aria-describedby="output-hint">${sent?.output ?? '{}'}</textarea>
${reasonBox('happened', sent?.reason, 'How you know')}
<div class="buttons"><button class="grant">It happened</button></div>
</form>`
}

function notHappenedForm(row: InDoubtRow, session: Session, refused: InDoubtPage['refused']): Html {
  const sent = refused?.verdict === 'not_happened' ? refused : undefined
  return html`<form method="post" action="${inDoubtPath(row.request)}" class="review">
<h2>It did not happen</h2>
<p class="refused">If it did happen after all, or still will, it may now happen a second time: from here on it can be tried again, with a new key. Be sure.</p>
${hidden(row, session, 'not_happened')}
${reasonBox('not_happened', sent?.reason, 'How you know')}
<div class="buttons"><button class="deny">It did not happen</button></div>
</form>`
}

function hidden({ digest }: InDoubtRow, session: Session, verdict: string): Html {
  return html`<input type="hidden" name="csrf" value="${session.csrf}">
<input type="hidden" name="digest" value="${digest}">
<input type="hidden" name="verdict" value="${verdict}">`
}

function reasonBox(id: string, reason: string | undefined, label: string): Html {
  return html`<label for="reason-${id}">${label}</label>
<p id="hint-${id}" class="small">Required. At most ${maxReasonLength} characters; kept with your name.</p>
<textarea id="reason-${id}" name="reason" rows="3" maxlength="${maxReasonLength}" required aria-describedby="hint-${id}">${reason ?? ''}</textarea>`
}

function whatBecameOfIt(row: InDoubtRow): Html | undefined {
  const words = becameWords(row)
  if (words === undefined) return undefined
  return html`<div class="became ${row.status === 'succeeded' ? 'granted' : 'denied'}">
<p id="message"><strong>${words}</strong></p>
${row.rejected !== null && html`<p>Why the last answer was not applied:</p>${quoted(row.rejected)}`}
</div>`
}

function becameWords(row: InDoubtRow): string | undefined {
  const { status, waiting, rejected, contradicted } = row
  if (waiting) return 'Answered; the gate has not applied it yet.'
  if (rejected !== null && isOpen(row)) return 'The last answer could not be applied; answer again.'
  if (status === 'succeeded') return 'It is recorded as done.'
  if (contradicted) return status === 'failed' ? 'It happened, though it was on record that it had not, and something else was tried since.' : 'It seems to have happened, though it was on record that it had not: look again.'
  return status === 'failed' ? 'It is recorded as not done; it can be tried again.' : undefined
}

function answers({ reconciliations }: InDoubtRow): Html {
  return html`<section aria-labelledby="answers">
<h2 id="answers">What was answered</h2>
${reconciliations.map(({ verdict, reviewer, at, reason, output }) => html`<p>${said(reviewer, 80)}, ${moment(at)}: ${verdict === 'happened' ? 'it happened' : 'it did not happen'}.</p>
${quoted(reason)}
${verdict === 'happened' && html`<p>Its output:</p><blockquote dir="auto"><code>${visible(canonical(output), { lines: true })}</code></blockquote>`}`)}
</section>`
}
