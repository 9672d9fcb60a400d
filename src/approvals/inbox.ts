/**
 * The inbox: where a person reads what an agent wants and says yes or no. Server-rendered, without JavaScript. Here is
 * what every request meets first; what a logged-in person then reads and decides is `approval-routes.ts`, and `in-doubt-routes.ts`.
 */
import { Hono, type Context, type MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { approvalRoutes } from './approval-routes.ts'
import type { Desk } from './desk.ts'
import { inDoubtRoutes } from './in-doubt-routes.ts'
import { favicon } from './favicon.ts'
import type { Login } from './login.ts'
import { pageStyle } from './page-style.ts'
import { refuse } from './refuse.ts'
import { isSameOrigin } from './same-origin.ts'
import { temporalLinks } from './temporal-link.ts'

const maxBodyBytes = 16 * 1024
/** An output of 16 Ki characters, each of several bytes, and each byte written as three. */
const maxOutputBodyBytes = 256 * 1024

const headers = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

export interface InboxOptions {
  readonly desk: Desk
  readonly login: Login
  /** The Temporal UI's address, for links to the runs. */
  readonly temporalUi?: string
  /** Told of each fault behind a 503 page, which itself says nothing of it; standard error unless given. */
  readonly onFault?: (error: unknown) => void
}

/** The inbox as a Hono app, to be served at the address that `login` knows. @throws Error when `temporalUi` is not an http(s) address */
export function createInbox({ desk, login, temporalUi, onFault = toStderr }: InboxOptions): Hono {
  const app = new Hono()
  app.use(withHeaders)
  app.use(fromOurOwnPages(login))
  const limits = [maxBodyBytes, maxOutputBodyBytes].map((maxSize) => bodyLimit({ maxSize, onError: (c) => refuse(c, 413, 'Too large', 'Nothing was decided.') }))
  app.use((c, next) => (limits[c.req.path.startsWith('/in-doubt/') ? 1 : 0] ?? next)(c, next))
  app.get('/style.css', (c) => c.body(pageStyle, 200, { 'content-type': 'text/css; charset=utf-8' }))
  app.get('/favicon.svg', (c) => c.body(favicon, 200, { 'content-type': 'image/svg+xml' }))
  app.route('/', login.routes)
  app.route('/', approvalRoutes({ desk, login, temporalLink: temporalLinks(temporalUi) }))
  app.route('/', inDoubtRoutes({ desk, login, temporalLink: temporalLinks(temporalUi) }))
  app.notFound((c) => refuse(c, 404, 'Not found', 'There is nothing at this address.', login.session(c)))
  app.onError((error, c) => {
    onFault(error)
    return fault(c, login)
  })
  return app
}

const withHeaders: MiddlewareHandler = async (c, next) => {
  await next()
  for (const [name, value] of Object.entries(headers)) c.header(name, value)
}

/** Refuses what came under a foreign name (DNS rebinding), and whatever may change something but came from another site. */
function fromOurOwnPages(login: Login): MiddlewareHandler {
  return async (c, next) => {
    const origin = login.originOf(c.req.header('host'))
    if (origin === undefined) return refuse(c, 403, 'Wrong address', 'This inbox answers only at the address that it printed.')
    const reads = c.req.method === 'GET' || c.req.method === 'HEAD'
    if (!reads && !isSameOrigin({ origin: c.req.header('origin'), site: c.req.header('sec-fetch-site') }, origin)) {
      return refuse(c, 403, 'Not from this page', 'The form was sent by another site. Nothing was decided.')
    }
    return next()
  }
}

function fault(c: Context, login: Login): Response | Promise<Response> {
  const session = login.session(c)
  if (c.req.method !== 'POST') return refuse(c, 503, 'The records do not answer', 'Try again in a moment. Nothing is lost.', session)
  return refuse(c, 503, 'Nobody knows whether that was recorded', 'The records did not answer. Open the approval again: it shows what is recorded.', session)
}

function toStderr(error: unknown): void {
  process.stderr.write(`inbox: ${error instanceof Error ? error.message : String(error)}\n`)
}
