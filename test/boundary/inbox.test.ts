import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createDevLogin } from '../../src/approvals/login.ts'
import { serveInbox } from '../../src/approvals/serve-inbox.ts'
import { logIn } from '../../src/dev/person.ts'
import { aRequest } from './a-desk.ts'
import { address, form, hidden, openInbox, type TestInbox } from './an-inbox.ts'

let inbox: TestInbox
beforeEach(async () => {
  inbox = await openInbox()
})
afterEach(() => inbox.close())

describe('deciding', () => {
  test('a grant is recorded in the name of whoever is logged in', async () => {
    const { digest } = inbox.desk.put(aRequest())
    const { post } = await inbox.openPage()
    const sent = await post({ reason: 'the photographs show it\r\n', reviewer: 'somebody-else' })
    expect([sent.status, sent.headers['location']]).toEqual([303, address])
    expect(inbox.desk.asked).toEqual([{ approvalId: 'approval-2', digest, verdict: 'granted', reason: 'the photographs show it', reviewer: 'lena' }])
  })

  test('GET never decides, whatever it carries', async () => {
    inbox.desk.put(aRequest())
    const { cookie, fields } = await inbox.openPage()
    for (const method of ['GET', 'HEAD']) {
      const { status } = await inbox.send(`${address}?${form({ ...fields, verdict: 'granted' })}`, { method, headers: { ...inbox.own, cookie } })
      expect(status).toBe(200)
    }
    expect(inbox.desk.asked).toEqual([])
  })

  test.for(['PUT', 'PATCH', 'DELETE'])('%s does not decide', async (method) => {
    inbox.desk.put(aRequest())
    const { cookie, fields } = await inbox.openPage()
    expect((await inbox.send(address, { method, headers: { ...inbox.own, cookie }, body: form(fields) })).status).toBe(404)
    expect(inbox.desk.asked).toEqual([])
  })

  test('tools may read with JSON and not decide with it', async () => {
    inbox.desk.put(aRequest())
    const { cookie, fields } = await inbox.openPage()
    for (const path of ['/api/approvals/approval-2', '/api/approvals', address]) {
      const headers = { ...inbox.own, cookie, 'content-type': 'application/json' }
      const { status } = await inbox.send(path, { method: 'POST', headers, body: JSON.stringify(fields) })
      expect([403, 404]).toContain(status)
    }
    expect(inbox.desk.asked).toEqual([])
  })

  test('a second answer is refused', async () => {
    inbox.desk.put(aRequest())
    const { post } = await inbox.openPage()
    const answers = await Promise.all([post(), post({ verdict: 'denied', reason: 'no' })])
    expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([303, 409])
    expect((await post()).text).toContain('Someone has already answered.')
  })

  test('a request that changed after the page was read is not decided', async () => {
    inbox.desk.put(aRequest())
    const { post } = await inbox.openPage()
    inbox.desk.put(aRequest({ state_version: 3, round: 2, changed: 'the state moved' }))
    const sent = await post()
    expect(sent.status).toBe(409)
    expect(sent.text).toContain('The request has changed')
    expect(inbox.desk.asked).toEqual([])
  })

  test('a denial without a reason, or with too long a one, comes back with what was typed', async () => {
    inbox.desk.put(aRequest())
    const { post } = await inbox.openPage()
    for (const reason of ['', ' \r\n ', `<b>${'x'.repeat(500)}`]) {
      const sent = await post({ verdict: 'denied', reason })
      expect(sent.status).toBe(422)
      expect(sent.text).toContain('role="alert"')
    }
    expect((await post({ verdict: 'granted', reason: `<b>${'x'.repeat(500)}` })).text).toContain('&lt;b&gt;xxx')
    expect(inbox.desk.asked).toEqual([])
    expect((await post({ verdict: 'denied', reason: `${'x'.repeat(498)}\r\n\r\n` })).status).toBe(303)
  })

  test('a verdict of another name, or a missing digest, is refused', async () => {
    inbox.desk.put(aRequest())
    const { post } = await inbox.openPage()
    for (const over of [{ verdict: 'approved' }, { verdict: '' }, { digest: '' }]) expect((await post(over)).status).toBe(400)
    expect(inbox.desk.asked).toEqual([])
  })

  test('when the records are away, a person is told that nobody knows', async () => {
    inbox.desk.put(aRequest())
    const { post, cookie } = await inbox.openPage()
    inbox.desk.failing = true
    expect((await post()).text).toContain('Nobody knows whether that was recorded')
    const { status, text } = await inbox.send('/', { headers: { cookie } })
    expect(status).toBe(503)
    expect(text).not.toContain('database')
    expect(inbox.faults.map(String)).toContain('Error: the database is away')
  })

  test('one who asked is told why they may not answer', async () => {
    inbox.desk.put(aRequest({ actor: 'lena' }))
    const { post } = await inbox.openPage()
    const sent = await post()
    expect(sent.status).toBe(403)
    expect(sent.text).toContain('Nobody reviews what they asked for.')
  })
})

describe('revoking', () => {
  const at = '2025-11-21T12:13:00.000Z'
  const granted = { status: 'granted', reviews: [{ verdict: 'granted', reviewer: 'omar', reason: '', at }] } as const

  test('takes an unused grant back, in the name of whoever is logged in, with a reason', async () => {
    inbox.desk.put(aRequest(), granted)
    const { text, revoke, cookie } = await inbox.openPage()
    expect(text).toContain('action="/approvals/approval-2/revoke"')
    const sent = await revoke({ reason: 'the parcel\r\nwas found', reviewer: 'somebody-else' })
    expect([sent.status, sent.headers['location']]).toEqual([303, address])
    expect(inbox.desk.revoked).toEqual([{ approvalId: 'approval-2', reviewer: 'lena', reason: 'the parcel\nwas found' }])
    const after = (await inbox.send(address, { headers: { cookie } })).text
    expect(after).toMatch(/Revoked by <bdi>lena<\/bdi>.*; it had been granted by <bdi>omar<\/bdi>/)
    expect(after).not.toContain('/revoke"')
  })

  test.for(['pending', 'consumed', 'denied', 'expired', 'revoked', 'withdrawn', 'void'] as const)('is not offered for one that is %s, and refused', async (status) => {
    inbox.desk.put(aRequest(), { ...granted, status })
    const { text, revoke } = await inbox.openPage()
    expect(text).not.toContain('/revoke"')
    const sent = await revoke()
    expect(sent.status).toBe(409)
    expect(sent.text).toContain('It was not revoked')
    expect(sent.text).toContain('It is no grant that waits.')
  })

  test('needs a reason that can be kept, and gives back what was typed', async () => {
    inbox.desk.put(aRequest(), granted)
    const { revoke } = await inbox.openPage()
    for (const reason of ['', ' \r\n ', `<b>${'x'.repeat(500)}`, 'x\0y']) {
      const sent = await revoke({ reason })
      expect(sent.status).toBe(422)
      expect(sent.text).toMatch(/role="alert" id="message">.*Nothing was revoked\./)
    }
    expect((await revoke({ reason: `<b>${'x'.repeat(500)}` })).text).toContain('&lt;b&gt;xxx')
    expect(inbox.desk.revoked).toEqual([])
  })

  test('takes the session, its form token, and our own page', async () => {
    inbox.desk.put(aRequest(), granted)
    const [mine, other] = [await inbox.openPage(), await inbox.openPage()]
    for (const csrf of ['', 'guess', other.fields.csrf]) expect((await mine.revoke({ csrf })).status).toBe(403)
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }]) expect((await mine.revoke({}, headers)).status).toBe(403)
    expect((await mine.revoke({}, { cookie: '' })).status).toBe(401)
    for (const method of ['GET', 'PUT', 'DELETE']) {
      expect((await inbox.send(`${address}/revoke?${form({ csrf: mine.fields.csrf, reason: 'x' })}`, { method, headers: { ...inbox.own, cookie: mine.cookie } })).status).toBe(404)
    }
    expect(inbox.desk.revoked).toEqual([])
  })

  test('one who asked is told why they may not, and nobody knows when the records are away', async () => {
    inbox.desk.put(aRequest({ actor: 'lena' }), granted)
    const { revoke } = await inbox.openPage()
    const sent = await revoke()
    expect([sent.status, sent.text.includes('Nobody revokes what they asked for.')]).toEqual([403, true])
    inbox.desk.failing = true
    expect((await revoke()).text).toContain('Nobody knows whether that was recorded')
  })

  test('of an approval that does not exist is not found', async () => {
    const { cookie, fields } = await inbox.openPage()
    expect((await inbox.send('/approvals/approval-99/revoke', { method: 'POST', headers: { ...inbox.own, cookie }, body: form({ csrf: fields.csrf, reason: 'x' }) })).status).toBe(404)
  })
})

describe('who may look', () => {
  test.for(['/', address, '/api/approvals', '/api/approvals/approval-2'])('%s takes a session', async (path) => {
    inbox.desk.put(aRequest())
    for (const cookie of ['', `kiff_session_${new URL(inbox.url).port}=guess`]) {
      const { status, text } = await inbox.send(path, { headers: { cookie } })
      expect(status).toBe(401)
      expect(text).toContain('one-time login link')
      expect(text).not.toContain('999')
    }
  })

  test('a POST without a session decides nothing', async () => {
    inbox.desk.put(aRequest())
    const { fields } = await inbox.openPage()
    expect((await inbox.send(address, { method: 'POST', headers: inbox.own, body: form(fields) })).status).toBe(401)
    expect(inbox.desk.asked).toEqual([])
  })

  test("another session's form token is refused", async () => {
    inbox.desk.put(aRequest())
    const [mine, other] = [await inbox.openPage(), await inbox.openPage()]
    for (const csrf of ['', 'guess', other.fields.csrf]) expect((await mine.post({ csrf })).status).toBe(403)
    expect(inbox.desk.asked).toEqual([])
  })

  test.for<[string, Record<string, string>]>([
    ['another site', { origin: 'https://evil.example' }],
    ['another port', { origin: 'http://127.0.0.1:1' }],
    ['an opaque origin', { origin: 'null' }],
    ['an opaque origin across sites', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
    ['our origin, said to be cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['our origin, said to be same-site', { 'sec-fetch-site': 'same-site' }],
    ['nobody says', { origin: '' }],
  ])('a form from %s decides nothing', async ([, headers]) => {
    inbox.desk.put(aRequest())
    const { post } = await inbox.openPage()
    expect((await post({}, headers)).status).toBe(403)
    expect(inbox.desk.asked).toEqual([])
  })

  test.for(['evil.example', '127.0.0.1', '127.0.0.1:1', '[::1]:80'])('the Host %s is foreign', async (host) => {
    const { cookie } = await inbox.openPage()
    for (const path of ['/', '/login', '/style.css']) expect((await inbox.send(path, { headers: { cookie, host } })).status).toBe(403)
  })

  test('localhost is the same inbox by another name', async () => {
    const host = `localhost:${new URL(inbox.url).port}`
    const cookie = await inbox.cookieFrom(inbox.newLink())
    expect((await inbox.send('/', { headers: { cookie, host } })).status).toBe(200)
  })

  test.for(['/approvals/approval-99', '/approvals/..%2f..%2fetc', `/approvals/${'x'.repeat(5000)}`, '/nothing'])('%s is not found', async (path) => {
    const { cookie } = await inbox.openPage()
    expect((await inbox.send(path, { headers: { cookie } })).status).toBe(404)
  })

  test('a body of more than 16 KiB is not read', async () => {
    inbox.desk.put(aRequest())
    const { post } = await inbox.openPage()
    expect((await post({ reason: 'x'.repeat(17_000) })).status).toBe(413)
  })
})

describe('logging in', () => {
  test('a prefetched link is not used up, a used one is', async () => {
    const link = inbox.newLink()
    for (let i = 0; i < 3; i++) {
      const { headers, text } = await inbox.send(link)
      expect(headers['set-cookie']).toBeUndefined()
      expect(text).toContain('Log in as')
    }
    await logIn(link)
    expect((await inbox.send(link)).status).toBe(401)
    await expect(logIn(link)).rejects.toThrow('A login link works once')
  })

  test('links pressed at the same moment log in once', async () => {
    const token = new URL(inbox.newLink()).searchParams.get('token') ?? ''
    const post = () => inbox.send('/login', { method: 'POST', headers: inbox.own, body: form({ token }) })
    const statuses = (await Promise.all([post(), post(), post()])).map((got) => got.status)
    expect(statuses.toSorted((a, b) => a - b)).toEqual([303, 401, 401])
  })

  test('a guessed or absent token logs nobody in', async () => {
    for (const fields of [{ token: 'guess' }, { token: '' }, {}]) {
      expect((await inbox.send('/login', { method: 'POST', headers: inbox.own, body: form(fields) })).status).toBe(401)
    }
    expect((await inbox.send('/login')).status).toBe(401)
  })

  test('the session cookie is out of reach for scripts and other sites', async () => {
    const token = new URL(inbox.newLink()).searchParams.get('token') ?? ''
    const { headers } = await inbox.send('/login', { method: 'POST', headers: inbox.own, body: form({ token }) })
    expect(String(headers['set-cookie'])).toMatch(/^kiff_session_\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/)
  })

  test('a logout ends the session; without the form token it does not', async () => {
    const { cookie } = await inbox.openPage()
    const logout = (csrf: string) => inbox.send('/logout', { method: 'POST', headers: { ...inbox.own, cookie }, body: form({ csrf }) })
    expect((await logout('guess')).status).toBe(403)
    expect((await inbox.send('/', { headers: { cookie } })).status).toBe(200)
    const page = await inbox.send('/', { headers: { cookie } })
    expect((await logout(hidden(page.text, 'csrf'))).status).toBe(200)
    expect((await inbox.send('/', { headers: { cookie } })).status).toBe(401)
  })

  test.for(['0.0.0.0', '::', '192.168.1.2', 'inbox.example', '127.0.0.1.evil.example', ''])('it refuses to be bound to "%s"', async (host) => {
    expect(() => createDevLogin({ person: 'lena', bindHost: host })).toThrow(/^the development login works on 127\.0\.0\.1, ::1 or localhost only/)
    await expect(serveInbox({ desk: inbox.desk, person: 'lena', host, port: 0 })).rejects.toThrow('the development login')
  })

  test.for(['javascript:alert(1)', 'localhost:8233', ''])('it refuses "%s" as the address of the Temporal UI', async (temporalUi) => {
    const options = { desk: inbox.desk, person: 'lena', host: '127.0.0.1', port: 0, temporalUi }
    await expect(serveInbox(options)).rejects.toThrow('must start with http:// or https://')
  })

  test('it says that its port is taken', async () => {
    const port = Number(new URL(inbox.url).port)
    await expect(serveInbox({ desk: inbox.desk, person: 'lena', host: '127.0.0.1', port })).rejects.toThrow('EADDRINUSE')
  })
})

describe('the person at a browser without JavaScript', () => {
  test('logs in, reads, grants, and is told', async () => {
    const { digest } = inbox.desk.put(aRequest())
    const person = await logIn(inbox.newLink())
    expect((await person.pending()).map((row) => row.digest)).toEqual([digest])
    expect(await person.show('approval-2')).toMatchObject({ status: 'pending', request: aRequest() })
    expect(await person.show('approval-99')).toBeUndefined()
    expect(await person.review('approval-2', 'granted', 'fine')).toEqual({ ok: true, message: 'Granted by lena, 21 Nov 2025, 12:13 UTC; not yet used.' })
    expect(await person.review('approval-2', 'denied', 'or not')).toEqual({ ok: false, message: 'Granted by lena, 21 Nov 2025, 12:13 UTC; not yet used.' })
  })

  test('is told why an answer was refused', async () => {
    inbox.desk.put(aRequest())
    const person = await logIn(inbox.newLink())
    expect(await person.review('approval-2', 'denied', '')).toEqual({ ok: false, message: 'A denial needs a reason. Nothing was decided.' })
    expect(await person.review('approval-99', 'denied', 'x')).toEqual({ ok: false, message: 'There is no approval of this id.' })
    inbox.desk.put(aRequest({ actor: 'lena' }))
    expect(await person.review('approval-2', 'granted', '')).toEqual({ ok: false, message: 'Nobody reviews what they asked for.' })
  })
})
