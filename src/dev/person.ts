/** A person at a browser without JavaScript, for the tour and the tests: reads pages, fills in forms, follows redirects. */
import { z } from 'zod'
import type { ApprovalRow, Verdict } from '../approvals/desk.ts'

const maxMessage = 2_000

// What the inbox answers is read as far as it is used; the rest is passed on.
const Row: z.ZodType<ApprovalRow> = z.custom<ApprovalRow>(
  (value) => z.looseObject({ request: z.looseObject({ approval_id: z.string() }), digest: z.string(), status: z.string() }).safeParse(value).success,
)
const Pending = z.looseObject({ pending: z.array(Row) })

export interface Person {
  /** What waits for a person, as the inbox tells tools. */
  readonly pending: () => Promise<readonly ApprovalRow[]>
  /** One approval; `undefined` when the inbox knows none of this id. */
  readonly show: (approvalId: string) => Promise<ApprovalRow | undefined>
  /** Opens the page, fills in its form and sends it. `ok` when the inbox recorded the answer; `message` is what it then says. */
  readonly review: (approvalId: string, verdict: Verdict, reason: string) => Promise<{ readonly ok: boolean; readonly message: string }>
}

/** Opens a one-time link and presses its button. @throws Error with the page's words when the link logs nobody in */
export async function logIn(oneTimeLink: string): Promise<Person> {
  const link = new URL(oneTimeLink)
  const token = hiddenField(await page(await fetch(link)), 'token')
  const answer = await sendForm(new URL('/login', link), { token })
  const cookie = answer.headers.getSetCookie().map((line) => line.split(';', 1).join('')).join('; ')
  if (answer.status !== 303 || cookie === '') throw new Error(messageOf(await answer.text()))

  const get = (path: string) => fetch(new URL(path, link), { headers: { cookie } })
  return {
    async pending() {
      return Pending.parse(JSON.parse(await page(await get('/api/approvals')))).pending
    },
    async show(approvalId) {
      const response = await get(`/api/approvals/${encodeURIComponent(approvalId)}`)
      return response.status === 404 ? undefined : Row.parse(JSON.parse(await page(response)))
    },
    async review(approvalId, verdict, reason) {
      const url = new URL(`/approvals/${encodeURIComponent(approvalId)}`, link)
      const shown = await (await get(url.pathname)).text()
      if (!shown.includes('name="digest"')) return { ok: false, message: messageOf(shown) }
      const fields = { csrf: hiddenField(shown, 'csrf'), digest: hiddenField(shown, 'digest'), verdict, reason }
      const sent = await sendForm(url, fields, cookie)
      const next = sent.headers.get('location')
      const result = sent.status === 303 && next !== null ? await get(next) : sent
      return { ok: sent.status === 303, message: messageOf(await result.text()) }
    },
  }
}

async function page(response: Response): Promise<string> {
  const text = await response.text()
  if (!response.ok) throw new Error(messageOf(text))
  return text
}

function sendForm(url: URL, fields: Record<string, string>, cookie = ''): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { origin: url.origin, 'sec-fetch-site': 'same-origin', cookie },
    body: new URLSearchParams(fields),
    redirect: 'manual',
  })
}

function hiddenField(page: string, name: string): string {
  const value = new RegExp(`<input type="hidden" name="${name}" value="([^"]*)">`).exec(page)?.[1]
  if (value === undefined) throw new Error(messageOf(page))
  return plain(value)
}

/** What a page has to say: its message, else its heading, else its beginning. */
function messageOf(page: string): string {
  const found = /id="message">(.*?)<\/p>/s.exec(page)?.[1] ?? /<h1[^>]*>(.*?)<\/h1>/s.exec(page)?.[1] ?? page
  return plain(found.replace(/<[^>]*>/g, '')).trim().slice(0, maxMessage)
}

function plain(html: string): string {
  const characters: Record<string, string> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' }
  return html.replace(/&(lt|gt|quot|#39|amp);/g, (entity, name: string) => characters[name] ?? entity)
}
