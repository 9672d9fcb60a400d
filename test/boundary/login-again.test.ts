import { afterEach, beforeEach, expect, test } from 'vitest'
import { form, openInbox, type TestInbox } from './an-inbox.ts'

let inbox: TestInbox
beforeEach(async () => {
  inbox = await openInbox()
})
afterEach(() => inbox.close())

test('logging in again ends the session that the browser had before', async () => {
  const before = await inbox.cookieFrom(inbox.newLink())
  expect((await inbox.send('/', { headers: { cookie: before } })).status).toBe(200)
  const token = new URL(inbox.newLink()).searchParams.get('token') ?? ''
  const { headers } = await inbox.send('/login', { method: 'POST', headers: { ...inbox.own, cookie: before }, body: form({ token }) })
  const now = String(headers['set-cookie']).split(';', 1).join('')
  expect((await inbox.send('/', { headers: { cookie: now } })).status).toBe(200)
  expect((await inbox.send('/', { headers: { cookie: before } })).status).toBe(401)
})
