/** An inbox on a real port for a test, and a browser that can be made to lie. */
import { request as httpRequest } from 'node:http'
import { serveInbox } from '../../src/approvals/serve-inbox.ts'
import { createTestDesk } from './a-desk.ts'

export const address = '/approvals/approval-2'

export interface Sent {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

export interface Got {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly text: string
}

export type TestInbox = Awaited<ReturnType<typeof openInbox>>

/** One inbox with an empty desk, in which `lena` reviews. */
export async function openInbox() {
  const desk = createTestDesk()
  const faults: unknown[] = []
  const inbox = await serveInbox({
    desk,
    person: 'lena',
    host: '127.0.0.1',
    port: 0,
    temporalUi: 'http://localhost:8233/',
    onFault: (error) => faults.push(error),
  })
  const send = (path: string, sent: Sent = {}) => sendTo(new URL(path, inbox.url), sent)
  const own = { origin: inbox.url, 'content-type': 'application/x-www-form-urlencoded' }

  async function cookieFrom(link: string): Promise<string> {
    const token = new URL(link).searchParams.get('token') ?? ''
    const { headers } = await send('/login', { method: 'POST', headers: own, body: form({ token }) })
    return String(headers['set-cookie']).split(';', 1).join('')
  }

  /** Logs in and opens the page of `approval-2`: what a browser then holds. */
  async function openPage() {
    const cookie = await cookieFrom(inbox.newLink())
    const { text, headers } = await send(address, { headers: { cookie } })
    const fields = { csrf: hidden(text, 'csrf'), digest: hidden(text, 'digest'), verdict: 'granted', reason: '' }
    const post = (over: Record<string, string> = {}, claimed: Record<string, string> = {}) =>
      send(address, { method: 'POST', headers: { ...own, cookie, ...claimed }, body: form({ ...fields, ...over }) })
    const revoke = (over: Record<string, string> = {}, claimed: Record<string, string> = {}) =>
      send(`${address}/revoke`, { method: 'POST', headers: { ...own, cookie, ...claimed }, body: form({ csrf: fields.csrf, reason: 'it was a mistake', ...over }) })
    return { cookie, text, headers, fields, post, revoke }
  }

  return { ...inbox, desk, faults, own, send, cookieFrom, openPage }
}

export const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString()

export const hidden = (page: string, name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? ''

/** A request byte for byte: `fetch` would not let a test choose the Host. */
function sendTo(url: URL, { method = 'GET', headers = {}, body = '' }: Sent): Promise<Got> {
  return new Promise((resolve, reject) => {
    const length = body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const request = httpRequest(url, { method, headers: { ...length, ...headers } }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => (text += String(chunk)))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
    request.on('error', reject).end(body)
  })
}
