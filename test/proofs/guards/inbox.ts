/** The inbox: sessions, origins, forms, and text made safe to look at. */
import { guardsIn, type Guard, type SecondLine } from '../guard.ts'

export const inbox: readonly Guard[] = [
  ...guardsIn('src/approvals/login.ts', 'test/boundary/inbox.test.ts', [
    ['login-loopback', 'the development login serves a network', 'if (!isLoopback(bindHost)) {', 'if (false) {', 'it refuses to be bound to "0.0.0.0"'],
    ['login-get-does-not-use', 'a link preview uses a login link up', 'return links.isOpen(token) ? c.html(loginPage(person, token))', 'return links.use(token) ? c.html(loginPage(person, token))', 'a prefetched link is not used up, a used one is'],
    ['login-token', 'a guessed token logs somebody in', 'if (!form.success || !links.use(form.data.token)) return', 'if (!form.success) return', 'logging in > a guessed or absent token logs nobody in'],
    ['login-link-once', 'a login link works twice', 'until.delete(sha256(token))\n      return open', 'return open', 'a prefetched link is not used up, a used one is'],
    ['login-link-time', 'a login link works for ever', '(until.get(sha256(token)) ?? -Infinity) > now()', 'until.has(sha256(token))', 'a link works for 24 hours', 'test/boundary/dev-login.test.ts'],
    ['login-cookie-http-only', 'scripts can read the session', 'sessions.open(person), { httpOnly: true, sameSite', 'sessions.open(person), { sameSite', 'logging in > the session cookie is out of reach for scripts and other sites'],
    ['login-cookie-same-site', "other sites' forms carry the session", "sessions.open(person), { httpOnly: true, sameSite: 'Lax', path: '/' }", "sessions.open(person), { httpOnly: true, path: '/' }", 'logging in > the session cookie is out of reach for scripts and other sites'],
    ['login-closes-old', 'a new login leaves the old session open', 'if (!form.success || !links.use(form.data.token)) return c.html(usedLink(), 401)\n    sessions.close(getCookie(c, cookie()))', 'if (!form.success || !links.use(form.data.token)) return c.html(usedLink(), 401)', 'logging in again ends the session', 'test/boundary/login-again.test.ts'],
    ['logout-form-token', 'another site logs a person out', '!sameSecret(form.data.csrf, current.csrf)', 'false', 'logging in > a logout ends the session; without the form token it does not'],
    ['logout-ends-session', 'a logged-out cookie still works', 'sessions.close(getCookie(c, cookie()))\n    setCookie(c, cookie(), \'\',', "setCookie(c, cookie(), '',", 'logging in > a logout ends the session; without the form token it does not'],
    ['login-host', 'a foreign host name reaches the inbox', 'host === `${name}:${port}`', 'host !== undefined', 'the Host evil.example is foreign'],
    ['login-loopback-exact', 'a host that only begins like a loopback address', "(isIPv4(host) && host.startsWith('127.'))", "host.startsWith('127.')", 'logging in > it refuses to be bound to "127.0.0.1.evil.example"'],
  ]),
  ...guardsIn('src/approvals/sessions.ts', 'test/boundary/dev-login.test.ts', [
    ['session-idle', 'a session that nobody uses stays open', '|| now() - used > idleMs', '', 'a session ends after 2 hours unused'],
    ['session-absolute', 'a session that is used never ends', 'now() - since > absoluteMs ||', '', 'a session ends after 12 hours, however much it is used'],
    ['session-over', 'a session that is over is found', 'if (isOver(session)) {', 'if (false) {', 'a session ends after 2 hours unused'],
    ['session-form-token', 'two sessions share their form token', "update(key).digest('base64url')", "update('').digest('base64url')", "who may look > another session's form token is refused", 'test/boundary/inbox.test.ts'],
  ]),
  ...guardsIn('src/approvals/same-origin.ts', 'test/boundary/inbox.test.ts', [
    ['same-site', 'a form of another site is taken for ours', "if (site !== undefined && site !== 'same-origin') return false", '', 'who may look > a form from our origin, said to be same-site decides nothing'],
    ['same-origin-missing', 'a request that says nothing of where it comes from', "return site === 'same-origin'", 'return true', 'who may look > a form from an opaque origin decides nothing'],
    ['same-origin-claimed', 'a form of another origin', 'return claimed === origin', 'return true', 'who may look > a form from nobody says decides nothing'],
    ['same-origin-null', 'an opaque origin counts by itself', "if (claimed === undefined || claimed === 'null') return site", "if (claimed === 'null') return true; if (claimed === undefined) return site", 'who may look > a form from an opaque origin decides nothing'],
  ]),
  ...guardsIn('src/approvals/signed-in.ts', 'test/boundary/inbox.test.ts', [
    ['signed-in-session', 'a page without a session', 'if (session === undefined) return', 'if (false) return', 'who may look > / takes a session'],
    ['signed-in-form-token', "a form without its session's token", 'sameSecret(csrf, session.csrf)', 'true', "who may look > another session's form token is refused"],
  ]),
  ...guardsIn('src/approvals/inbox.ts', 'test/boundary/inbox.test.ts', [
    ['inbox-headers', 'a page without the headers that forbid scripts and frames', 'app.use(withHeaders)', '', 'every answer forbids scripts', 'test/boundary/inbox-pages.test.ts'],
    ['inbox-host', 'a request under a foreign name (DNS rebinding)', 'if (origin === undefined) return', 'if (false) return', 'the Host evil.example is foreign'],
    ['inbox-same-origin', 'a change that another site asks for', 'if (!reads && !isSameOrigin', 'if (false && !isSameOrigin', 'takes the session, its form token, and our own page'],
    ['inbox-body-limit', 'a body of any size is read', "c.req.path.startsWith('/in-doubt/') ? 1 : 0", '1', 'only here may a form be as large as an output', 'test/boundary/in-doubt-pages.test.ts'],
  ]),
  ...guardsIn('src/approvals/approval-routes.ts', 'test/boundary/inbox.test.ts', [
    ['route-digest', 'a decision about a request that has changed since the page was read', 'if (digest !== row.digest) {', 'if (false) {', 'deciding > a request that changed after the page was read is not decided'],
    ['route-reviewer', 'a form names its reviewer', 'verdict, reason, reviewer: session.person })', "verdict, reason, reviewer: String((await c.req.parseBody())['reviewer'] ?? session.person) })", 'deciding > a grant is recorded in the name of whoever is logged in'],
    ['route-denial-reason', 'a denial without a reason', "if (verdict === 'denied' && reason === '') return", 'if (false) return', 'a denial without a reason'],
    ['route-reason-length', 'a reason of any length', 'if (reason.length > maxReasonLength) return', 'if (false) return', 'deciding > a denial without a reason, or with too long a one, comes back with what was typed'],
    ['route-reason-nul', 'a reason that cannot be kept', String.raw`if (reason.includes('\0')) return`, 'if (false) return', 'revoking > needs a reason that can be kept, and gives back what was typed'],
    ['route-verdict', 'a verdict of another name', "verdict: z.enum(['granted', 'denied']),", 'verdict: z.string() as never,', 'deciding > a verdict of another name, or a missing digest, is refused'],
    ['route-revoke-reason', 'a revocation without a reason', "reason === '' ? 'A revocation needs a reason. Nothing was revoked.' : problemWithText", 'problemWithText', 'revoking > needs a reason that can be kept, and gives back what was typed'],
    ['route-post-only', 'reading decides', "routes.post('/approvals/:id', signedIn", "routes.all('/approvals/:id', signedIn", 'deciding > PUT does not decide'],
  ]),
  ...guardsIn('src/approvals/in-doubt-routes.ts', 'test/boundary/in-doubt-pages.test.ts', [
    ['in-doubt-digest', 'an answer to a question that has changed since the page was read', 'if (digest !== row.digest) {', 'if (false) {', 'an answer > for another digest is refused'],
    ['in-doubt-reason', 'an answer without a reason', "reason === '' ? 'An answer needs a reason. Nothing was recorded.' :", '', 'an answer > without a reason is not one; what was typed stays'],
    ['in-doubt-canonical', 'an output that cannot be kept exactly', 'if (!isCanonical(value)) return', 'if (false) return', 'an answer > with a number that cannot be kept is not one; what was typed stays'],
    ['in-doubt-size', 'an output of any size', 'return size > maxOutput ? {', 'return false ? {', 'an answer > with too much of it is not one; what was typed stays'],
    ['in-doubt-json', 'an output that is no JSON', "return { problem: 'The output is not JSON", "return { value: typed }; return { problem: 'The output is not JSON", 'an answer > with no JSON is not one; what was typed stays'],
  ]),
  ...guardsIn('src/approvals/visible-text.ts', 'test/boundary/visible-text.test.ts', [
    ['visible-hidden', 'a character that cannot be seen stays in what a person reads', 'line.replace(hidden, mark)', 'line', 'a tab is written out'],
    ['visible-marks', 'marks that draw over the lines beside them', '.replace(piledMarks, mark)', '', 'marks piled on one letter are written out from the fourth on'],
    ['visible-length', 'a text of any length', 'const start = text.slice(0, limit)', 'const start = text', 'a cut > says how many characters more there are'],
    ['visible-lines', 'a block of any height', String.raw`whole.split('\n').slice(0, lineLimit).join('\n')`, 'whole', 'a cut > keeps a block to 40 lines'],
    ['visible-half', 'a cut through one character', String.raw`start.length < text.length && /[\uD800-\uDBFF]$/.test(start) ? start.slice(0, -1) : start`, 'start', 'a cut > never halves a character'],
    ['visible-bracket', 'an agent writes our marks by hand', '⟦⟧]|(?!', ']|(?!', 'our own bracket is written out'],
  ]),
]

export const secondLines: readonly SecondLine[] = [
  { id: 'login-before-port', file: 'src/approvals/login.ts', guards: 'an inbox that answers before it knows its address', behind: 'no host name ends in a port that is not known' },
]
