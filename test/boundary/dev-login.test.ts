import { beforeEach, expect, test } from 'vitest'
import { createInbox } from '../../src/approvals/inbox.ts'
import { createDevLogin, type DevLogin } from '../../src/approvals/login.ts'
import { createTestDesk } from './a-desk.ts'

const hour = 60 * 60_000
const headers = { host: '127.0.0.1:4600', origin: 'http://127.0.0.1:4600' }
let clock: number
let login: DevLogin
let ask: (path: string, init?: RequestInit) => Promise<Response>

beforeEach(() => {
  clock = 1_000_000
  login = createDevLogin({ person: 'lena', bindHost: '127.0.0.1', now: () => clock })
  login.listensOn(4600)
  const inbox = createInbox({ desk: createTestDesk(), login })
  ask = async (path, init = {}) => inbox.request(path, { ...init, headers: { ...headers, ...Object.fromEntries(new Headers(init.headers)) } })
})

async function pressed(link: string): Promise<Response> {
  return ask('/login', { method: 'POST', body: new URLSearchParams(new URL(link).search) })
}

async function loggedIn(): Promise<() => Promise<number>> {
  const cookie = (await pressed(login.newLink())).headers.getSetCookie().join('').split(';', 1).join('')
  return async () => (await ask('/', { headers: { cookie } })).status
}

test('a link works for 24 hours', async () => {
  const link = login.newLink()
  clock += 24 * hour - 1
  expect((await ask(`/login${new URL(link).search}`)).status).toBe(200)
  clock += 1
  expect((await ask(`/login${new URL(link).search}`)).status).toBe(401)
  expect((await pressed(link)).status).toBe(401)
})

test('a used link says how there is a new one', async () => {
  const link = login.newLink()
  await pressed(link)
  expect(await (await pressed(link)).text()).toContain('start the service again (&quot;npm start&quot;, or &quot;kiff-temporal serve&quot;): it prints a new one')
})

test('links are unlike each other, and a new one leaves the earlier ones valid', async () => {
  const [first, second] = [login.newLink(), login.newLink()]
  expect(first).toMatch(/^http:\/\/127\.0\.0\.1:4600\/login\?token=[\w-]{43}$/)
  expect(first).not.toBe(second)
  expect([(await pressed(second)).status, (await pressed(first)).status]).toEqual([303, 303])
})

test('a session ends after 2 hours unused', async () => {
  const look = await loggedIn()
  clock += 2 * hour
  expect(await look()).toBe(200)
  clock += 2 * hour + 1
  expect(await look()).toBe(401)
})

test('a session ends after 12 hours, however much it is used', async () => {
  const look = await loggedIn()
  for (let i = 0; i < 12; i++) {
    clock += hour
    expect(await look()).toBe(200)
  }
  clock += 1
  expect(await look()).toBe(401)
})

test('before it knows its port every request is foreign, and there are no links', async () => {
  const early = createDevLogin({ person: 'lena', bindHost: '::1' })
  expect(early.originOf('[::1]:4600')).toBeUndefined()
  expect(() => early.newLink()).toThrow('port')
  early.listensOn(4600)
  expect(early.originOf('[::1]:4600')).toBe('http://[::1]:4600')
  expect(early.newLink()).toContain('http://[::1]:4600/login?token=')
})
