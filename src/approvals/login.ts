/** How people get into the inbox: the port, and the development login by one-time link. */
import { isIPv4 } from 'node:net'
import { Hono, type Context } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { z } from 'zod'
import { loginPage, noticePage } from './pages.ts'
import { createSessions, randomToken, sameSecret, sha256, type Session } from './sessions.ts'

const linkMs = 24 * 60 * 60_000

/** What the inbox asks of a way to log in; another identity provider implements the same. */
export interface Login {
  /** The origin that a browser must have asked for, given the `Host` header; `undefined` for a foreign one (DNS rebinding). */
  readonly originOf: (host: string | undefined) => string | undefined
  /** The logged-in person's session. Counts as a use of it. */
  readonly session: (c: Context) => Session | undefined
  /** `/login` and `/logout`. */
  readonly routes: Hono
  /** One sentence for someone who is not logged in. */
  readonly howTo: string
}

export interface DevLogin extends Login {
  /** Tells which port is listened on; before that every request is foreign and there are no links. */
  readonly listensOn: (port: number) => void
  /** A new link that logs in once, within 24 hours. Earlier links stay valid. @throws Error before `listensOn` */
  readonly newLink: () => string
}

interface DevLoginOptions {
  /** Whom the links log in: the reviewer's id, as roles are granted to it. */
  readonly person: string
  readonly bindHost: string
  /** Milliseconds; the system's clock unless told. */
  readonly now?: () => number
}

/** @throws Error, one sentence, unless `bindHost` is a loopback address: such a link is no login for a network */
export function createDevLogin({ person, bindHost, now = Date.now }: DevLoginOptions): DevLogin {
  if (!isLoopback(bindHost)) {
    throw new Error(`the development login works on 127.0.0.1, ::1 or localhost only, not on ${bindHost}: a one-time link is no login for a network`)
  }
  const links = createLinks(now)
  const sessions = createSessions(now)
  const authority = bindHost.includes(':') ? `[${bindHost}]` : bindHost
  let port: number | undefined

  // Cookies know no ports: the name keeps two inboxes on one machine apart.
  const cookie = () => `kiff_session_${port}`
  const session = (c: Context) => sessions.find(getCookie(c, cookie()))

  const routes = new Hono()
  // A link preview or a mail scanner only ever GETs: the token is used up by the button.
  routes.get('/login', (c) => {
    const token = c.req.query('token') ?? ''
    return links.isOpen(token) ? c.html(loginPage(person, token)) : c.html(usedLink(), 401)
  })
  routes.post('/login', async (c) => {
    const form = z.object({ token: z.string() }).safeParse(await c.req.parseBody())
    if (!form.success || !links.use(form.data.token)) return c.html(usedLink(), 401)
    sessions.close(getCookie(c, cookie()))
    // Lax: with Strict, an inbox link in the Temporal UI or a chat would seem logged out. GET never decides, and a POST needs more than the cookie.
    setCookie(c, cookie(), sessions.open(person), { httpOnly: true, sameSite: 'Lax', path: '/' })
    return c.redirect('/', 303)
  })
  routes.post('/logout', async (c) => {
    const form = z.object({ csrf: z.string() }).safeParse(await c.req.parseBody())
    const current = session(c)
    if (current && (!form.success || !sameSecret(form.data.csrf, current.csrf))) return c.html(noticePage('This form is not yours', 'You are still logged in.'), 403)
    sessions.close(getCookie(c, cookie()))
    setCookie(c, cookie(), '', { httpOnly: true, sameSite: 'Lax', path: '/', maxAge: 0 })
    return c.html(noticePage('Logged out', howTo))
  })

  return {
    originOf: (host) => (port !== undefined && [authority, 'localhost'].some((name) => host === `${name}:${port}`) ? `http://${host}` : undefined),
    session,
    routes,
    howTo,
    listensOn(bound) {
      port = bound
    },
    newLink() {
      if (port === undefined) throw new Error('a login link needs the port that the inbox listens on')
      return `http://${authority}:${port}/login?token=${links.add()}`
    },
  }
}

const howTo = 'Open the one-time login link that the terminal printed when the inbox started. If it is used up, start the service again ("npm start", or "kiff-temporal serve"): it prints a new one.'

function usedLink() {
  return noticePage('This link no longer logs in', `A login link works once, within 24 hours. ${howTo}`)
}

/** One-time tokens, kept as hashes. */
function createLinks(now: () => number) {
  const until = new Map<string, number>()
  const isOpen = (token: string) => (until.get(sha256(token)) ?? -Infinity) > now()
  return {
    add(): string {
      for (const [key, end] of until) if (end <= now()) until.delete(key)
      const token = randomToken()
      until.set(sha256(token), now() + linkMs)
      return token
    },
    isOpen,
    use(token: string): boolean {
      const open = isOpen(token)
      until.delete(sha256(token))
      return open
    },
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}
