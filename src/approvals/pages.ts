/** The small pages, and the inbox's list. What one approval looks like is `approval-page.ts`. */
import { html } from 'hono/html'
import { hasAnswered, progress } from './consent-words.ts'
import type { ApprovalRow, InDoubt } from './desk.ts'
import { layout, moment, said, type Html } from './layout.ts'
import type { Session } from './sessions.ts'
import { statusWords } from './status-words.ts'

/** A page that says one thing: why something was refused, or what to do next. */
export function noticePage(title: string, message: string, session?: Session): Html {
  return layout(title, session, html`
<h1>${said(title)}</h1>
<p id="message">${said(message)}</p>
${session && html`<p><a href="/">Back to the inbox</a></p>`}`)
}

/** What a one-time link opens. Only the button logs in, so a prefetched link is not used up. */
export function loginPage(person: string, token: string): Html {
  return layout('Log in', undefined, html`
<h1>Log in</h1>
<p>This link logs you in as <strong>${said(person)}</strong>, once.</p>
<form method="post" action="/login">
<input type="hidden" name="token" value="${token}">
<button class="grant">Log in as ${said(person)}</button>
</form>
<p class="small">Development login: whoever has the link is that person. It works on this machine only.</p>`)
}

interface InboxLists {
  readonly pending: readonly ApprovalRow[]
  readonly inDoubt: readonly InDoubt[]
  readonly recent: readonly ApprovalRow[]
}

/** What waits for a person, what only a person can find out, and what was decided lately. */
export function inboxPage({ pending, inDoubt, recent }: InboxLists, session: Session): Html {
  return layout(`${pending.length} waiting`, session, html`
<h1>Inbox</h1>
<section aria-labelledby="pending">
<h2 id="pending">Waiting for a person <span class="count">${pending.length}</span></h2>
${pending.length === 0 ? html`<p class="empty">Nothing waits.</p>` : html`<ul class="cards">${pending.map((row) => pendingCard(row, session))}</ul>`}
</section>
${inDoubt.length > 0 && html`<section aria-labelledby="in-doubt">
<h2 id="in-doubt">Outcome unknown: a person must find out <span class="count">${inDoubt.length}</span></h2>
<p class="small">Nobody knows whether these happened. They are not tried again by themselves, and hold their entity until somebody has looked.</p>
<ul class="cards">${inDoubt.map(inDoubtCard)}</ul>
</section>`}
<section aria-labelledby="recent">
<h2 id="recent">Recent</h2>
${recent.length === 0 ? html`<p class="empty">Nothing yet.</p>` : html`<ul class="rows">${recent.map(recentRow)}</ul>`}
</section>`)
}

function pendingCard(row: ApprovalRow, { person }: Session): Html {
  const { request } = row
  return html`<li>
<h3><a href="${approvalPath(request.approval_id)}">${said(request.summary, 200)}</a></h3>
<p>${said(request.rule, 200)}</p>
<p class="facts">${riskBadge(request.risk)} <span>asked by ${said(request.actor, 80)}${request.on_behalf_of !== null && html` for ${said(request.on_behalf_of, 80)}`}</span> <span>answer by ${moment(request.answer_by)}</span>
${request.quorum > 1 && html`<span>${progress(row)}</span>`} ${hasAnswered(row, person) && html`<strong>you have agreed</strong>`}
${request.round > 1 && html`<span>asked again, round ${request.round}</span>`}</p>
</li>`
}

function inDoubtCard(doubt: InDoubt): Html {
  const contradicted = doubt.status === 'contradicted'
  const status = contradicted ? 'it happened, though it was on record that it had not, and something else was tried since' : doubt.status
  return html`<li class="doubt">
<h3><a href="${inDoubtPath(doubt)}">${said(doubt.action, 80)} on ${said(doubt.entity_type, 80)} ${said(doubt.entity_id, 120)}</a></h3>
<p class="facts"><span>${said(doubt.domain, 80)}</span> <span>${said(status, 120)}, since ${moment(doubt.since)}</span> <span>workflow <code>${said(doubt.workflow_id, 200)}</code></span>
${doubt.waiting && html`<strong>answered, the gate has not applied it yet</strong>`}</p>
</li>`
}

function recentRow(row: ApprovalRow): Html {
  return html`<li><a href="${approvalPath(row.request.approval_id)}">${said(row.request.summary, 200)}</a> <span class="small">${statusWords(row)}</span></li>`
}

/** The risk in words; its colour only repeats them. */
export function riskBadge(risk: string): Html {
  const known = ['low', 'medium', 'high', 'critical'].includes(risk) ? risk : 'unknown'
  return html`<span class="risk ${known}">${said(risk, 40)} risk</span>`
}

export function inDoubtPath({ execution_key: key, ordinal }: Pick<InDoubt, 'execution_key' | 'ordinal'>): string {
  return `/in-doubt/${encodeURIComponent(key.toWellFormed())}/${ordinal}`
}

export function approvalPath(approvalId: string): string {
  return `/approvals/${encodeURIComponent(approvalId.toWellFormed())}`
}
