/** How the inbox says no. */
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { noticePage } from './pages.ts'
import type { Session } from './sessions.ts'

/** A page for people; under `/api`, a problem document for tools (RFC 9457). */
export function refuse(
  c: Context,
  status: ContentfulStatusCode,
  title: string,
  detail: string,
  session?: Session,
): Response | Promise<Response> {
  if (c.req.path.startsWith('/api/')) return c.json({ title, status, detail }, status, { 'content-type': 'application/problem+json' })
  return c.html(noticePage(title, detail, session), status)
}
