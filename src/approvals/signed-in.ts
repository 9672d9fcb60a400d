/** Pages for logged-in people only. */
import type { Context } from 'hono'
import type { Login } from './login.ts'
import { refuse } from './refuse.ts'
import { sameSecret, type Session } from './sessions.ts'

export type Page = (c: Context, session: Session) => Promise<Response>

/** Only for a logged-in person; a POST also only with that session's form token. */
export function signedIn(login: Login, page: Page): (c: Context) => Promise<Response> {
  return async (c) => {
    const session = login.session(c)
    if (session === undefined) return refuse(c, 401, 'You are not logged in', login.howTo)
    if (c.req.method !== 'POST') return page(c, session)
    const { csrf } = await c.req.parseBody()
    if (typeof csrf === 'string' && sameSecret(csrf, session.csrf)) return page(c, session)
    return refuse(c, 403, 'This form is out of date', 'Open the approval again. Nothing was decided.', session)
  }
}
