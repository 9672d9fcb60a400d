/** The page on which a person says what became of an action whose outcome nobody knows. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { aReconciliationRequest, anInDoubt } from './a-desk.ts'
import { form, hidden, openInbox, type Got, type TestInbox } from './an-inbox.ts'

const page = `/in-doubt/${'9'.repeat(64)}/1`
const happened = { verdict: 'happened', output: '{"refundId":"r-1"}', reason: 'the bank shows it' }
const notHappened = { verdict: 'not_happened', reason: 'the bank shows nothing' }

let inbox: TestInbox
let cookie: string
beforeEach(async () => {
  inbox = await openInbox()
  cookie = await inbox.cookieFrom(inbox.newLink())
})
afterEach(() => inbox.close())

const get = (path = page): Promise<Got> => inbox.send(path, { headers: { cookie } })
const flat = ({ text }: Got): string => text.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')

/** Sends one of the page's forms, as it was opened. */
async function post(fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Got> {
  const { text } = await get()
  const own = { csrf: hidden(text, 'csrf'), digest: hidden(text, 'digest') }
  return inbox.send(page, { method: 'POST', headers: { ...inbox.own, cookie, ...headers }, body: form({ ...own, ...fields }) })
}

describe('the page', () => {
  test('is linked from the inbox, with what was answered and waits', async () => {
    inbox.desk.inDoubtNow = [anInDoubt, { ...anInDoubt, ordinal: 2, status: 'contradicted' }, { ...anInDoubt, ordinal: 3, waiting: true }]
    const list = await get('/')
    expect(list.text).toContain(`href="${page}"`)
    expect(flat(list)).toContain('it happened, though it was on record that it had not')
    expect(flat(list)).toContain('answered, the gate has not applied it yet')
  })

  test('says what was to happen, who asked, why nobody knows, and the key that the provider saw', async () => {
    inbox.desk.putInDoubt(aReconciliationRequest({ summary: 'Refund €999.00 on order-9', on_behalf_of: 'customer-17', facts: { refundedCents: 100 } }))
    const shown = await get()
    for (const words of ['Refund €999.00 on order-9', 'REFUND_ORDER', '99900', 'support-agent-1', 'customer-17', 'no answer within 60000 ms', '21 Nov 2025, 09:30 UTC', 'orders.review', 'refundedCents', 'PAID', 'It happened', 'It did not happen', 'a second time']) {
      expect(flat(shown)).toContain(words)
    }
    expect(shown.text).toContain(`id="provider-key"><bdi>${'9'.repeat(64)}</bdi>`)
    expect(shown.text).toContain('href="http://localhost:8233/namespaces/default/workflows/ticket-9/')
  })

  test('of a later attempt tells the key of that attempt', async () => {
    inbox.desk.putInDoubt(aReconciliationRequest({ ordinal: 2 }))
    expect((await get(`/in-doubt/${'9'.repeat(64)}/2`)).text).toContain(`id="provider-key"><bdi>${'9'.repeat(64)}-2</bdi>`)
  })

  test('escapes whatever anybody wrote, and shows what cannot be seen', async () => {
    const evil = '<img src=x onerror=alert(1)>\u202E'
    inbox.desk.putInDoubt(
      aReconciliationRequest({ action: evil, entity_id: evil, params: { [evil]: evil }, facts: { [evil]: evil }, actor: evil, on_behalf_of: evil, workflow_id: evil, why: evil, returned: { a: evil }, doubt: 'completion_rejected', summary: evil, reconcilers: evil, state: { value: evil, version: 1 } }),
      { rejected: evil, reconciliations: [{ round: 1, verdict: 'happened', output: { a: evil }, reviewer: evil, reason: evil, at: evil }] },
    )
    const { text } = await get()
    expect(text).not.toContain('<img')
    expect(text).not.toContain('\u202E')
    expect(text).toContain('&lt;img')
  })

  test('says what was answered, by whom, and whether the gate has applied it', async () => {
    const reconciliations = [{ round: 1, verdict: 'happened', output: { refundId: 'r-1' }, reviewer: 'omar', reason: 'the bank shows it', at: '2025-11-21T12:13:00.000Z' }] as const
    const put = (over: object) => inbox.desk.putInDoubt(aReconciliationRequest(), { reconciliations, ...over })
    put({ waiting: true })
    const waiting = await get()
    for (const words of ['the gate has not applied it yet', 'omar , 21 Nov 2025, 12:13 UTC : it happened', 'the bank shows it', '{&quot;refundId&quot;:&quot;r-1&quot;}']) expect(flat(waiting)).toContain(words)
    expect(waiting.text).not.toContain('name="verdict"')
    put({ rejected: 'output.refundId: expected string' })
    expect(flat(await get())).toContain('could not be applied; answer again. Why the last answer was not applied: output.refundId: expected string')
    put({ status: 'succeeded' })
    const done = await get()
    expect(flat(done)).toContain('It is recorded as done.')
    expect(done.text).not.toContain('name="verdict"')
    put({ status: 'succeeded', rejected: 'it is no longer what was signed' })
    expect(flat(await get())).not.toContain('answer again')
    put({ status: 'failed' })
    expect(flat(await get())).toContain('It is recorded as not done')
    put({ status: 'failed', contradicted: true })
    expect(flat(await get())).toContain('something else was tried since')
    put({ contradicted: true })
    expect(flat(await get())).toContain('look again')
  })

  test('is for people who are logged in, and of what is there', async () => {
    inbox.desk.putInDoubt(aReconciliationRequest())
    expect((await inbox.send(page)).status).toBe(401)
    for (const path of [`/in-doubt/${'8'.repeat(64)}/1`, `/in-doubt/${'9'.repeat(64)}/0`, `/in-doubt/${'9'.repeat(64)}/x`, '/in-doubt/nothing/1']) expect((await get(path)).status).toBe(404)
    expect(JSON.parse((await get(`/api${page}`)).text)).toMatchObject({ request: { action: 'REFUND_ORDER' }, status: 'in_doubt' })
  })
})

describe('an answer', () => {
  test('that it happened reaches the desk with its output, over the digest that was shown', async () => {
    const { digest } = inbox.desk.putInDoubt(aReconciliationRequest())
    expect(await post(happened)).toMatchObject({ status: 303, headers: { location: page } })
    expect(inbox.desk.reconciled).toEqual([{ executionKey: '9'.repeat(64), ordinal: 1, digest, reason: 'the bank shows it', reviewer: 'lena', verdict: 'happened', output: { refundId: 'r-1' } }])
  })

  test('that it did not carries no output', async () => {
    const { digest } = inbox.desk.putInDoubt(aReconciliationRequest())
    expect((await post({ ...notHappened, output: '{}' })).status).toBe(303)
    expect(inbox.desk.reconciled).toEqual([{ executionKey: '9'.repeat(64), ordinal: 1, digest, reason: 'the bank shows nothing', reviewer: 'lena', verdict: 'not_happened' }])
  })

  test.each([
    ['without a reason', { ...happened, reason: ' ' }, 'needs a reason'], ['without one, that it did not', { ...notHappened, reason: '' }, 'needs a reason'],
    ['with a long reason', { ...notHappened, reason: 'x'.repeat(501) }, '500 are allowed'],
    ['with no JSON', { ...happened, output: '{refundId: 1}' }, 'is not JSON'],
    ['that names a member twice', { ...happened, output: '{"refundId": "r-1", "refundId": "r-2"}' }, 'names a member twice'],
    ['with a number that cannot be kept', { ...happened, output: '{"id":12345678901234567890}' }, 'cannot be kept exactly'],
    ['with too much of it', { ...happened, output: JSON.stringify({ a: 'x'.repeat(16_384) }) }, '16384 are allowed'],
  ])('%s is not one; what was typed stays', async (_, fields, words) => {
    inbox.desk.putInDoubt(aReconciliationRequest())
    const answered = await post(fields)
    expect(answered.status).toBe(422)
    expect(flat(answered)).toContain(words)
    if ('output' in fields && fields.output.length < 100) expect(answered.text).toContain(fields.output.replaceAll('"', '&quot;'))
    expect(inbox.desk.reconciled).toEqual([])
  })

  test('of the largest output that is allowed passes', async () => {
    inbox.desk.putInDoubt(aReconciliationRequest())
    expect((await post({ ...happened, output: JSON.stringify({ a: '€'.repeat(16_384 - 8) }) })).status).toBe(303)
  })

  test.each([
    ['without the form token', { csrf: '' }, {}, 403], ['with that of another session', { csrf: 'x'.repeat(43) }, {}, 403],
    ['from another site', {}, { origin: 'https://evil.example' }, 403], ['for another digest', { digest: '0'.repeat(64) }, {}, 409],
    ['with a verdict of an approval', { verdict: 'granted' }, {}, 400],
  ])('%s is refused', async (_, fields, headers, status) => {
    inbox.desk.putInDoubt(aReconciliationRequest())
    expect((await post({ ...notHappened, ...fields }, headers)).status).toBe(status)
    expect(inbox.desk.reconciled).toEqual([])
  })

  test('of the one who asked is refused, in words', async () => {
    inbox.desk.putInDoubt(aReconciliationRequest({ actor: 'lena' }))
    const answered = await post(notHappened)
    expect(answered.status).toBe(403)
    expect(flat(answered)).toContain('Nobody says what became of their own.')
  })

  test('to a database that is away: nobody knows', async () => {
    inbox.desk.putInDoubt(aReconciliationRequest())
    const { text } = await get()
    inbox.desk.failing = true
    const answered = await inbox.send(page, { method: 'POST', headers: { ...inbox.own, cookie }, body: form({ csrf: hidden(text, 'csrf'), digest: hidden(text, 'digest'), ...notHappened }) })
    expect(answered.status).toBe(503)
  })
})

test('only here may a form be as large as an output', async () => {
  inbox.desk.putInDoubt(aReconciliationRequest())
  expect((await inbox.send('/approvals/approval-2', { method: 'POST', headers: { ...inbox.own, cookie }, body: `a=${'x'.repeat(17_000)}` })).status).toBe(413)
  expect((await inbox.send(page, { method: 'POST', headers: { ...inbox.own, cookie }, body: `a=${'x'.repeat(300_000)}` })).status).toBe(413)
})
