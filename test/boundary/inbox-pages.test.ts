import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { aRequest, anInDoubt } from './a-desk.ts'
import { address, openInbox, type TestInbox } from './an-inbox.ts'

let inbox: TestInbox
beforeEach(async () => {
  inbox = await openInbox()
})
afterEach(() => inbox.close())

/** The sentence about what a grant is bound to. */
async function consentWords(over: Parameters<typeof aRequest>[0]): Promise<string> {
  inbox.desk.put(aRequest(over))
  const { text } = await inbox.openPage()
  return (/<h2 id="consent">.*?<p>(.*?)<\/p>/s.exec(text)?.[1] ?? '').replace(/<[^>]*>/g, '')
}

describe('the page', () => {
  test('says what, why, who and until when, and which act each button stands for', async () => {
    inbox.desk.put(aRequest())
    const { text } = await inbox.openPage()
    const order = ['<h1>', 'amountCents', 'Why you are asked', 'The agent says (a claim, not checked)', 'PAID', 'version 2', 'support-agent-1', '24 Nov 2025, 10:00', 'Grant: ', '>Deny<', 'signed over this digest']
    const places = order.map((words) => text.indexOf(words))
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    expect(places).not.toContain(-1)
    expect(text).toMatch(/Grant: <bdi>Refund €999\.00 on order-2<\/bdi>/)
    expect(text).toContain('href="http://localhost:8233/namespaces/default/workflows/ticket-2/0199f2c4-1111-7000-8000-000000000001/history"')
    expect(text).toContain(inbox.desk.put(aRequest()).digest)
  })

  test('shows what the gate has read, as its own and apart from the claim, and only where there is something', async () => {
    inbox.desk.put(aRequest())
    expect((await inbox.openPage()).text).not.toContain('What the gate has read')
    inbox.desk.put(aRequest({ facts: { refundedCents: 12_300, customer: { isKnown: true, name: '<b>Ada</b>' }, holds: [] } }))
    const { text, cookie } = await inbox.openPage()
    const section = /<section aria-labelledby="facts">.*?<\/section>/s.exec(text)?.[0] ?? ''
    for (const row of [['refundedCents', '12300', 'number'], ['customer.isKnown', 'yes', 'yes or no'], ['customer.name', '&lt;b&gt;Ada&lt;/b&gt;', 'text'], ['holds', '(none)', 'empty list']]) {
      expect(section).toMatch(new RegExp(row.join('.*'), 's'))
    }
    expect(section).toContain("no word of the agent's")
    expect(text.indexOf('What the gate has read')).toBeLessThan(text.indexOf('The agent says'))
    expect(JSON.parse((await inbox.send('/api/approvals/approval-2', { headers: { cookie } })).text)).toMatchObject({ request: { facts: { refundedCents: 12_300 } } })
  })

  test('says what a grant is bound to', async () => {
    expect(await consentWords({})).toBe('A grant is for exactly this, with Order order-2 exactly as it is now: PAID, version 2. Any event on it voids the grant.')
    expect(await consentWords({ facts: { a: 1 } })).toBe('A grant is for exactly this, with Order order-2 exactly as it is now: PAID, version 2; and as long as what the gate has read stays as it is above. Any event on it voids the grant.')
    expect(await consentWords({ binds: 'state' })).toBe('A grant is for exactly this, as long as Order order-2 is PAID. Other events on it do not matter.')
    expect(await consentWords({ binds: 'state', facts: { a: 1 } })).toBe('A grant is for exactly this, as long as Order order-2 is PAID and what the gate has read stays as it is above. Other events on it do not matter.')
    expect(await consentWords({ state: null, state_version: 0, facts: { a: 1 } })).toBe('A grant is for exactly this, as long as what the gate has read stays as it is above; anything else voids it.')
  })

  test('says how many must agree, who has, for whom it is asked, and which round it is', async () => {
    const reviews = [{ verdict: 'granted', reviewer: 'omar', reason: 'seen the photographs', at: '2025-11-21T12:13:00.000Z' }] as const
    inbox.desk.put(aRequest({ quorum: 2, on_behalf_of: 'customer-17', round: 2, changed: 'it moved' }), { reviews })
    const { text, cookie, post } = await inbox.openPage()
    const flat = text.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
    expect(flat).toContain('Who must agree 2 different people; one denial is final')
    expect(flat).toContain('Agreed omar , 21 Nov 2025, 12:13 UTC')
    expect(flat).toContain('On behalf of customer-17')
    expect(flat).toContain('nor whom they act for')
    expect(flat).toContain('Round 2 of at most 3')
    expect(flat).toContain('Granted by omar , 21 Nov 2025, 12:13 UTC ; 1 more must agree.')
    expect(text).toContain('seen the photographs')
    const list = async () => (await inbox.send('/', { headers: { cookie } })).text
    expect(await list()).toContain('1 of 2 have agreed')
    expect(await list()).not.toContain('you have agreed')
    expect((await post()).status).toBe(303)
    expect((await inbox.send(address, { headers: { cookie } })).text).toMatch(/Granted by <bdi>omar.* and <bdi>lena.*; not yet used/)
  })

  test('one who has agreed already sees it so, and no form', async () => {
    inbox.desk.put(aRequest({ quorum: 3 }))
    const { post, cookie } = await inbox.openPage()
    await post()
    const { text } = await inbox.send(address, { headers: { cookie } })
    expect(text).toMatch(/You have agreed.*1 of 3 have agreed/s)
    expect(text).not.toContain('name="verdict"')
    expect((await inbox.send('/', { headers: { cookie } })).text).toMatch(/1 of 3 have agreed.*<strong>you have agreed<\/strong>/s)
  })

  test('says nothing of a count where one person is enough', async () => {
    inbox.desk.put(aRequest())
    const { text, cookie } = await inbox.openPage()
    expect(text.replace(/<[^>]*>/g, ' ')).toMatch(/Who must agree\s+one person/)
    expect((await inbox.send('/', { headers: { cookie } })).text).not.toContain('have agreed')
  })

  test('says what changed when it asks again, and only then', async () => {
    inbox.desk.put(aRequest())
    expect((await inbox.openPage()).text).not.toContain('What changed')
    inbox.desk.put(aRequest({ round: 2, changed: 'the state moved from version 2 to 3' }))
    expect((await inbox.openPage()).text).toMatch(/What changed since you were last asked.*the state moved from version 2 to 3/s)
  })

  test('once decided shows by whom, when and why, and no form', async () => {
    const at = '2025-11-21T12:13:00.000Z'
    inbox.desk.put(aRequest(), { status: 'denied', reviews: [{ verdict: 'denied', reviewer: 'omar', reason: 'the customer <b>lied</b>', at }] })
    const { text } = await inbox.openPage()
    expect(text).toMatch(/Denied by <bdi>omar<\/bdi>, <time datetime="2025-11-21T12:13:00\.000Z">21 Nov 2025, 12:13 UTC/)
    expect(text).toContain('the customer &lt;b&gt;lied&lt;/b&gt;')
    expect(text).not.toContain('name="verdict"')
  })

  test('once revoked also shows who took the grant back, when, and why', async () => {
    const at = '2025-11-21T12:13:00.000Z'
    inbox.desk.put(aRequest(), { status: 'revoked', reviews: [{ verdict: 'granted', reviewer: 'omar', reason: 'fine', at }], revoked: { reviewer: 'lena', reason: 'the parcel <i>was</i> found', at } })
    const { text } = await inbox.openPage()
    expect(text).toMatch(/Revoked by <bdi>lena<\/bdi>, <time[^>]*>21 Nov 2025, 12:13 UTC<\/time>; it had been granted by <bdi>omar/)
    expect(text).toContain('the parcel &lt;i&gt;was&lt;/i&gt; found')
  })

  test('an approval that nobody reviewed says what became of it', async () => {
    for (const [status, words] of [['expired', 'nobody answered in time'], ['withdrawn', 'no longer waits'], ['void', 'has changed since'], ['revoked', 'Revoked']] as const) {
      inbox.desk.put(aRequest(), { status })
      const { text } = await inbox.openPage()
      expect(text).toContain(words)
      expect(text).not.toContain('name="verdict"')
    }
  })

  test('the list shows what waits, what nobody knows, and what was decided', async () => {
    inbox.desk.put(aRequest())
    inbox.desk.put(aRequest({ approval_id: 'approval-3', summary: 'Refund €250.00 on order-3' }), { status: 'withdrawn' })
    inbox.desk.inDoubtNow = [anInDoubt]
    const { cookie } = await inbox.openPage()
    const { text } = await inbox.send('/', { headers: { cookie } })
    expect(text).toMatch(/Waiting for a person.*order-2.*Outcome unknown: a person must find out.*order-9.*Recent.*order-3/s)
    const api = await inbox.send('/api/approvals', { headers: { cookie } })
    expect(api.headers['content-type']).toBe('application/json')
    expect(JSON.parse(api.text)).toMatchObject({ pending: [{ request: aRequest() }], in_doubt: [anInDoubt], recent: [{ status: 'withdrawn' }] })
  })

  test('every answer forbids scripts, frames, sniffing, caching and referrers', async () => {
    inbox.desk.put(aRequest())
    const { cookie } = await inbox.openPage()
    for (const path of ['/', address, '/login', '/style.css', '/favicon.svg', '/nothing', '/api/approvals']) {
      for (const headers of [{ cookie }, { host: 'evil.example' }, {}]) {
        expect((await inbox.send(path, { headers })).headers).toMatchObject({
          'content-security-policy': expect.stringMatching(/^default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/),
          'x-content-type-options': 'nosniff',
          'referrer-policy': 'no-referrer',
          'cache-control': 'no-store',
          'x-frame-options': 'DENY',
        })
      }
    }
  })
})

describe('hostile text', () => {
  const hostile = '<script>alert(1)</script><img src=x onerror=alert(1)>"\' onfocus="alert(1)" [pay](javascript:alert(1)) https://evil.example \u202Etxt.exe\u200B\u{E0041}\u0007'
  const everywhere = {
    summary: `Refund ${hostile}`,
    rule: hostile,
    changed: hostile,
    round: 2,
    actor: hostile,
    on_behalf_of: hostile,
    entity_id: hostile,
    entity_type: hostile,
    state: hostile,
    workflow_id: hostile,
    action: hostile,
    risk: hostile,
    reviewers: hostile,
    contract: hostile,
    answer_by: hostile,
    params: { [hostile]: hostile, list: [hostile], isEscaped: true },
    facts: { [hostile]: hostile },
    claim: { why: hostile, evidence: [hostile, 'javascript:alert(1)'], confidence: 1 },
  }

  test('is never markup, a link, or invisible, wherever it stands', async () => {
    inbox.desk.put(aRequest(everywhere), { status: 'denied', reviews: [{ verdict: 'denied', reviewer: hostile, reason: hostile, at: hostile }] })
    const decided = await inbox.openPage()
    inbox.desk.put(aRequest(everywhere))
    const pending = await inbox.openPage()
    inbox.desk.inDoubtNow = [{ ...anInDoubt, entity_id: hostile, action: hostile, workflow_id: hostile, since: hostile, status: hostile }]
    const list = await inbox.send('/', { headers: { cookie: pending.cookie } })
    for (const page of [decided.text, pending.text, list.text]) {
      expect(page).not.toMatch(/<script|<img|onfocus="|href="(javascript|https?:\/\/evil)/i)
      for (const unseen of ['\u202E', '\u200B', '\u{E0041}', '\u0007']) expect(page).not.toContain(unseen)
      expect(page).toContain('⟦U+202E⟧txt.exe⟦U+200B⟧')
    }
    const links = [...pending.text.matchAll(/href="([^"]*)"/g)].map((match) => match[1] ?? '')
    expect(links.filter((link) => !/^(\/|#|http:\/\/localhost:8233\/namespaces\/)/.test(link))).toEqual([])
  })

  test('of a megabyte is cut, and the page says so and where all of it is', async () => {
    const long = 'x'.repeat(1_000_000)
    inbox.desk.put(aRequest({ params: { long }, claim: { why: long, evidence: Array.from({ length: 21 }, () => long), confidence: null } }))
    const { text, cookie } = await inbox.openPage()
    expect(text.length).toBeLessThan(40_000)
    expect(text).toContain('⟦… 998,000 more characters⟧')
    expect(text).toContain('And 1 more.')
    expect(text).toContain('too long for this page')
    expect((await inbox.send('/', { headers: { cookie } })).text.length).toBeLessThan(10_000)
  })

  test('of many values is cut, and the page says so', async () => {
    inbox.desk.put(aRequest({ params: { items: Array.from({ length: 5000 }, (_, index) => index) } }))
    const { text } = await inbox.openPage()
    expect(text).toContain('4,900 more values')
    expect(text).toContain('too long for this page')
  })

  test('in what the gate has read is cut in the same way', async () => {
    inbox.desk.put(aRequest({ facts: { note: 'x'.repeat(1_000_000) } }))
    const { text } = await inbox.openPage()
    expect(text.length).toBeLessThan(20_000)
    expect(text).toContain('⟦… 998,000 more characters⟧')
    expect(text).toContain('too long for this page')
  })

  test('as JSON is data that no browser takes for a page', async () => {
    inbox.desk.put(aRequest(everywhere))
    const { cookie } = await inbox.openPage()
    const { headers, text } = await inbox.send('/api/approvals/approval-2', { headers: { cookie } })
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'x-content-type-options': 'nosniff' })
    expect(JSON.parse(text)).toMatchObject({ request: everywhere })
  })
})
