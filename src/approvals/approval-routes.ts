/**
 * What a logged-in person reads and decides. Reading (GET) never decides; deciding (POST) takes a session and its form
 * token, and a review also the digest that the page showed. Who may decide is not judged here: the desk does.
 */
import { Hono, type Context } from 'hono'
import { z } from 'zod'
import { approvalPage, maxReasonLength } from './approval-page.ts'
import type { ApprovalRequest, ApprovalRow, Desk, ReviewOutcome, RevokeOutcome, Verdict } from './desk.ts'
import type { Login } from './login.ts'
import { approvalPath, inboxPage } from './pages.ts'
import { refuse } from './refuse.ts'
import type { Session } from './sessions.ts'
import { signedIn, type Page } from './signed-in.ts'

const recentLimit = 20

const ApprovalId = z.string().regex(/^[\w.:-]{1,200}$/)

/** A reason as it was typed, without what surrounds it. */
export const reasonField = z.string().transform((text) => text.replaceAll('\r\n', '\n').trim())

const ReviewForm = z.object({
  verdict: z.enum(['granted', 'denied']),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  reason: reasonField,
})

const RevokeForm = z.object({ reason: reasonField })

interface Parts {
  readonly desk: Desk
  readonly login: Login
  readonly temporalLink: (request: ApprovalRequest) => string | undefined
}

export function approvalRoutes(parts: Parts): Hono {
  const { desk, login } = parts
  const routes = new Hono()
  routes.get('/', signedIn(login, async (c, session) => c.html(inboxPage(await lists(desk), session))))
  routes.get('/api/approvals', signedIn(login, async (c) => {
    const { inDoubt, ...others } = await lists(desk)
    return c.json({ ...others, in_doubt: inDoubt })
  }))
  routes.get('/approvals/:id', signedIn(login, withApproval(desk, async (c, session, row) => c.html(approvalPage({ row, session, temporalLink: parts.temporalLink(row.request) })))))
  routes.get('/api/approvals/:id', signedIn(login, withApproval(desk, async (c, _session, row) => c.json(row))))
  routes.post('/approvals/:id', signedIn(login, withApproval(desk, (c, session, row) => review(parts, c, session, row))))
  routes.post('/approvals/:id/revoke', signedIn(login, withApproval(desk, (c, session, row) => revoke(parts, c, session, row))))
  return routes
}

function withApproval(desk: Desk, page: (c: Context, session: Session, row: ApprovalRow) => Promise<Response>): Page {
  return async (c, session) => {
    const id = ApprovalId.safeParse(c.req.param('id'))
    const row = id.success ? await desk.show(id.data) : undefined
    return row ? page(c, session, row) : refuse(c, 404, 'Not found', 'There is no approval of this id.', session)
  }
}

async function lists(desk: Desk) {
  const [pending, inDoubt, recent] = await Promise.all([desk.pending(), desk.inDoubt(), desk.recent(recentLimit)])
  return { pending, inDoubt, recent }
}

async function review({ desk, temporalLink }: Parts, c: Context, session: Session, row: ApprovalRow): Promise<Response> {
  const form = ReviewForm.safeParse(await c.req.parseBody())
  if (!form.success) return refuse(c, 400, 'This is not the form of this page', 'Nothing was decided.', session)
  const { verdict, digest, reason } = form.data
  if (digest !== row.digest) {
    return refuse(c, 409, 'The request has changed', 'It is no longer the one that your page showed. Open it again. Nothing was decided.', session)
  }
  const message = problemWith(verdict, reason)
  if (message !== undefined) {
    return c.html(approvalPage({ row, session, temporalLink: temporalLink(row.request), refused: { message, reason } }), 422)
  }
  const outcome = await desk.review({ approvalId: row.request.approval_id, digest, verdict, reason, reviewer: session.person })
  if (outcome.outcome === 'recorded') return c.redirect(c.req.path, 303)
  return refuse(c, refusalStatus[outcome.reason], 'Your answer was not recorded', outcome.message, session)
}

async function revoke({ desk, temporalLink }: Parts, c: Context, session: Session, row: ApprovalRow): Promise<Response> {
  const form = RevokeForm.safeParse(await c.req.parseBody())
  if (!form.success) return refuse(c, 400, 'This is not the form of this page', 'Nothing was revoked.', session)
  const { reason } = form.data
  const message = reason === '' ? 'A revocation needs a reason. Nothing was revoked.' : problemWithText(reason, 'Nothing was revoked.')
  if (message !== undefined) {
    return c.html(approvalPage({ row, session, temporalLink: temporalLink(row.request), refused: { message, reason } }), 422)
  }
  const outcome = await desk.revoke({ approvalId: row.request.approval_id, reason, reviewer: session.person })
  if (outcome.outcome === 'revoked') return c.redirect(approvalPath(row.request.approval_id), 303)
  return refuse(c, refusalStatus[outcome.reason], 'It was not revoked', outcome.message, session)
}

const refusalStatus = {
  already_reviewed: 409,
  expired: 409,
  closed: 409,
  permission_denied: 403,
  self_review: 403,
  not_found: 404,
} as const satisfies Record<Extract<ReviewOutcome | RevokeOutcome, { outcome: 'refused' }>['reason'], number>

function problemWith(verdict: Verdict, reason: string): string | undefined {
  if (verdict === 'denied' && reason === '') return 'A denial needs a reason. Nothing was decided.'
  return problemWithText(reason, 'Nothing was decided.')
}

/** Why these words cannot be kept. */
export function problemWithText(reason: string, nothing: string): string | undefined {
  if (reason.length > maxReasonLength) return `The reason has ${reason.length} characters; ${maxReasonLength} are allowed. ${nothing}`
  if (reason.includes('\0')) return `The reason holds a character that cannot be stored. ${nothing}`
  return undefined
}
