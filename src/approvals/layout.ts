/** The frame of every page, and the two ways in which a page shows words. */
import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import type { Session } from './sessions.ts'
import { visible } from './visible-text.ts'

export type Html = HtmlEscapedString | Promise<HtmlEscapedString>

/** A whole page. `title` may hold anybody's words; with a session, its person and a way out stand at the top. */
export function layout(title: string, session: Session | undefined, content: Html): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${visible(title, { limit: 120 })} · kiff inbox</title>
<link rel="icon" type="image/svg+xml" href="/favicon.svg">
<link rel="stylesheet" href="/style.css">
</head>
<body>
<a class="skip" href="#content">To the content</a>
<header>
<a class="home" href="/">kiff inbox</a>
${session && html`<form method="post" action="/logout">
<input type="hidden" name="csrf" value="${session.csrf}">
<span>${said(session.person)}</span>
<button class="quiet">Log out</button>
</form>`}
</header>
<main id="content">
${content}
</main>
</body>
</html>`
}

/** Somebody's words on one line: escaped, everything in them visible, unable to reorder what stands around them. */
export function said(text: string, limit = 500): Html {
  return html`<bdi>${visible(text, { limit })}</bdi>`
}

/** Somebody's words as a block with their line breaks, at most 2,000 characters and 40 lines. */
export function quoted(text: string): Html {
  return html`<blockquote dir="auto">${visible(text, { lines: true })}</blockquote>`
}

/** A moment, in UTC, from its ISO form. */
export function moment(iso: string): Html {
  const at = new Date(iso)
  if (Number.isNaN(at.getTime())) return said(iso, 40)
  const words = at.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })
  return html`<time datetime="${at.toISOString()}">${words} UTC</time>`
}
