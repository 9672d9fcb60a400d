/** What a logged-in person reads, and says, of an action whose outcome nobody knows. Who may is not judged here: the desk does. */
import { Hono, type Context } from 'hono'
import { z } from 'zod'
import { canonical, isCanonical } from '../core/canonical.ts'
import { maxOutput } from '../core/execution.ts'
import { parseJsonText } from '../core/json-text.ts'
import { problemWithText, reasonField } from './approval-routes.ts'
import type { Desk, InDoubtRow, ReconcileOutcome, ReconciliationRequest } from './desk.ts'
import { inDoubtPage } from './in-doubt-page.ts'
import type { Login } from './login.ts'
import { inDoubtPath } from './pages.ts'
import { refuse } from './refuse.ts'
import type { Session } from './sessions.ts'
import { signedIn, type Page } from './signed-in.ts'

const Place = z.object({ key: z.string().regex(/^[0-9a-f]{64}$/), ordinal: z.coerce.number().int().min(1).max(1_000_000) })

const shared = { digest: z.string().regex(/^[0-9a-f]{64}$/), reason: reasonField }
const Form = z.discriminatedUnion('verdict', [
  z.object({ ...shared, verdict: z.literal('happened'), output: z.string() }),
  z.object({ ...shared, verdict: z.literal('not_happened') }),
])

interface Parts {
  readonly desk: Desk
  readonly login: Login
  readonly temporalLink: (request: ReconciliationRequest) => string | undefined
}

export function inDoubtRoutes(parts: Parts): Hono {
  const { desk, login, temporalLink } = parts
  const routes = new Hono()
  routes.get('/in-doubt/:key/:ordinal', signedIn(login, withExecution(desk, async (c, session, row) => c.html(inDoubtPage({ row, session, temporalLink: temporalLink(row.request) })))))
  routes.get('/api/in-doubt/:key/:ordinal', signedIn(login, withExecution(desk, async (c, _session, row) => c.json(row))))
  routes.post('/in-doubt/:key/:ordinal', signedIn(login, withExecution(desk, (c, session, row) => reconcile(parts, c, session, row))))
  return routes
}

function withExecution(desk: Desk, page: (c: Context, session: Session, row: InDoubtRow) => Promise<Response>): Page {
  return async (c, session) => {
    const place = Place.safeParse(c.req.param())
    const row = place.success ? await desk.showInDoubt(place.data.key, place.data.ordinal) : undefined
    return row ? page(c, session, row) : refuse(c, 404, 'Not found', 'There is nothing in doubt of this key.', session)
  }
}

async function reconcile({ desk, temporalLink }: Parts, c: Context, session: Session, row: InDoubtRow): Promise<Response> {
  const form = Form.safeParse(await c.req.parseBody())
  if (!form.success) return refuse(c, 400, 'This is not the form of this page', 'Nothing was recorded.', session)
  const { verdict, digest, reason } = form.data
  if (digest !== row.digest) {
    return refuse(c, 409, 'It has changed', 'It is no longer what your page showed. Open it again. Nothing was recorded.', session)
  }
  const typed = form.data.verdict === 'happened' ? form.data.output : ''
  const output = form.data.verdict === 'happened' ? parseOutput(typed) : undefined
  const message = reason === '' ? 'An answer needs a reason. Nothing was recorded.' : (problemWithText(reason, 'Nothing was recorded.') ?? output?.problem)
  if (message !== undefined) {
    return c.html(inDoubtPage({ row, session, temporalLink: temporalLink(row.request), refused: { message, verdict, reason, output: typed } }), 422)
  }
  const { execution_key: executionKey, ordinal } = row.request
  const said = { executionKey, ordinal, digest, reason, reviewer: session.person }
  const outcome = await desk.reconcile(form.data.verdict === 'happened' ? { ...said, verdict: 'happened', output: output?.value } : { ...said, verdict: 'not_happened' })
  if (outcome.outcome === 'recorded') return c.redirect(inDoubtPath(row.request), 303)
  return refuse(c, refusalStatus[outcome.reason], 'Your answer was not recorded', outcome.message, session)
}

/** What was typed, as the JSON value that is signed; or why it is none. */
function parseOutput(typed: string): { readonly value?: unknown; readonly problem?: string } {
  let value: unknown
  try {
    value = parseJsonText(typed)
  } catch {
    return { problem: 'The output is not JSON, or names a member twice. Nothing was recorded.' }
  }
  if (!isCanonical(value)) return { problem: 'The output holds a number or a character that cannot be kept exactly. Nothing was recorded.' }
  const size = canonical(value).length
  return size > maxOutput ? { problem: `The output has ${size} characters; ${maxOutput} are allowed. Nothing was recorded.` } : { value }
}

const refusalStatus = {
  already_reconciled: 409,
  output_unusable: 422,
  closed: 409,
  permission_denied: 403,
  self_review: 403,
  not_found: 404,
} as const satisfies Record<Extract<ReconcileOutcome, { outcome: 'refused' }>['reason'], number>
