/** The inbox in a real browser, with JavaScript switched off as our policy has it. Screenshots go to `KIFF_SCREENSHOTS` when set. */
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { aRequest, anInDoubt } from '../boundary/a-desk.ts'
import { openInbox, type TestInbox } from '../boundary/an-inbox.ts'

const executablePath = '/usr/bin/chromium'
const args = ['--no-sandbox', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run']
const missing = existsSync(executablePath) ? '' : ' (skipped: no Chromium)'
const screenshots = process.env['KIFF_SCREENSHOTS']

async function keep(page: Page, name: string): Promise<void> {
  if (screenshots !== undefined) await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true })
}

describe.skipIf(missing !== '')(`the inbox in Chromium${missing}`, () => {
  let browser: Browser
  let inbox: TestInbox
  const complaints: string[] = []

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args })
  })
  beforeEach(async () => {
    complaints.length = 0
    inbox = await openInbox()
    inbox.desk.put(aRequest())
  })
  afterEach(async () => {
    // A page left open would go on asking, and complain in the next test.
    await Promise.all(browser.contexts().map((context) => context.close()))
    await inbox.close()
  })
  afterAll(() => browser.close())

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ javaScriptEnabled: false, ...options })
    const page = await context.newPage()
    page.on('console', (message) => complaints.push(message.text()))
    return page
  }

  async function logIn(page: Page): Promise<void> {
    await page.goto(inbox.newLink())
    await page.getByRole('button', { name: 'Log in as lena' }).click()
    await page.getByRole('heading', { name: 'Inbox', level: 1 }).waitFor()
  }

  test('a person logs in, reads, and grants', async () => {
    const page = await open()
    await logIn(page)
    await page.getByRole('link', { name: 'Refund €999.00 on order-2' }).click()
    await page.getByRole('heading', { name: 'Refund €999.00 on order-2', level: 1 }).waitFor()
    await page.getByLabel('Reason').fill('the photographs show it')
    await page.getByRole('button', { name: 'Grant: Refund €999.00 on order-2' }).click()
    await page.getByText('Granted by lena').waitFor()
    await keep(page, 'granted')
    expect(inbox.desk.asked).toMatchObject([{ verdict: 'granted', reviewer: 'lena', reason: 'the photographs show it' }])
    expect(await page.getByRole('button', { name: 'Deny' }).count()).toBe(0)
    expect(complaints).toEqual([])
  })

  test('a grant needs no reason, a denial is held back until there is one', async () => {
    const page = await open()
    await logIn(page)
    await page.getByRole('link', { name: 'Refund €999.00 on order-2' }).click()
    await page.getByRole('button', { name: 'Deny' }).click()
    expect(await page.locator('textarea:invalid').count()).toBe(1)
    expect(inbox.desk.asked).toEqual([])
    await page.getByLabel('Reason').fill('no\nphotographs')
    await page.getByRole('button', { name: 'Deny' }).click()
    await page.getByText('Denied by lena').waitFor()
    expect(inbox.desk.asked).toMatchObject([{ verdict: 'denied', reason: 'no\nphotographs' }])
  })

  test('a grant is taken back, once there is a reason', async () => {
    const page = await open()
    await logIn(page)
    await page.getByRole('link', { name: 'Refund €999.00 on order-2' }).click()
    await page.getByRole('button', { name: 'Grant: Refund €999.00 on order-2' }).click()
    await page.getByRole('button', { name: 'Revoke' }).click()
    expect(await page.locator('textarea:invalid').count()).toBe(1)
    expect(inbox.desk.revoked).toEqual([])
    await page.getByLabel('Why it must not happen after all').fill('the parcel was found')
    await page.getByRole('button', { name: 'Revoke' }).click()
    await page.getByText(/Revoked by lena.*; it had been granted by lena/).waitFor()
    await keep(page, 'revoked')
    expect(inbox.desk.revoked).toEqual([{ approvalId: 'approval-2', reviewer: 'lena', reason: 'the parcel was found' }])
    expect(await page.getByRole('button', { name: 'Revoke' }).count()).toBe(0)
    expect(complaints).toEqual([])
  })

  test('of two people who must agree, one sees what the other has said, and then no form', async () => {
    const reviews = [{ verdict: 'granted', reviewer: 'omar', reason: 'seen the photographs', at: '2025-11-21T12:13:00.000Z' }] as const
    inbox.desk.put(aRequest({ quorum: 3 }), { reviews })
    const page = await open()
    await logIn(page)
    await page.getByText('1 of 3 have agreed').waitFor()
    await page.getByRole('link', { name: 'Refund €999.00 on order-2' }).click()
    await page.getByText('seen the photographs').waitFor()
    await page.getByRole('button', { name: 'Grant: Refund €999.00 on order-2' }).click()
    await page.getByRole('heading', { name: 'You have agreed' }).waitFor()
    await keep(page, 'agreed')
    expect(await page.getByRole('button', { name: 'Grant' }).count()).toBe(0)
  })

  test('keys alone are enough', async () => {
    const page = await open()
    await logIn(page)
    await page.getByRole('link', { name: 'Refund €999.00 on order-2' }).focus()
    await page.keyboard.press('Enter')
    await page.getByLabel('Reason').focus()
    await page.keyboard.type('fine')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByText('Granted by lena').waitFor()
  })

  test('a link from another site opens while logged in, a form from there decides nothing', async () => {
    const page = await open()
    await logIn(page)
    const form = `<form method="post" action="${inbox.url}/approvals/approval-2"><input name="verdict" value="granted"><button>Win</button></form>`
    const other = createServer((_, response) => response.setHeader('content-type', 'text/html').end(`<a href="${inbox.url}/approvals/approval-2">Look</a>${form}`))
    await new Promise<void>((resolve) => other.listen(0, 'localhost', resolve))
    const url = `http://localhost:${(other.address() as AddressInfo).port}/`
    await page.goto(url)
    await page.getByRole('link', { name: 'Look' }).click()
    await page.getByRole('heading', { name: 'Refund €999.00 on order-2', level: 1 }).waitFor()
    await page.goto(url)
    await page.getByRole('button', { name: 'Win' }).click()
    await page.getByRole('heading', { name: 'Not from this page' }).waitFor()
    expect(inbox.desk.asked).toEqual([])
    other.close()
  })

  test('hostile text runs nothing, even where scripts are on', async () => {
    const hostile = '<script>document.title="owned"</script><img src=x onerror="document.title=\'owned\'"> \u202Eevil'
    inbox.desk.put(aRequest({ summary: hostile, params: { note: hostile }, claim: { why: hostile, evidence: ['javascript:alert(1)'], confidence: 1 } }))
    const page = await open({ javaScriptEnabled: true })
    await logIn(page)
    await page.goto(`${inbox.url}/approvals/approval-2`)
    expect(await page.title()).toContain('<script>')
    expect(await page.locator('script, img').count()).toBe(0)
    expect(await page.locator('main a').evaluateAll((links) => links.map((link) => link.getAttribute('href')).filter((href) => href?.includes('evil') || href?.startsWith('javascript')))).toEqual([])
    expect(complaints).toEqual([])
  })

  test.for<[string, BrowserContextOptions]>([
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['phone', { viewport: { width: 360, height: 740 } }],
  ])('nothing runs off the page: %s', async ([name, options]) => {
    inbox.desk.put(
      aRequest({
        approval_id: 'approval-3',
        summary: 'Refund €250.00 on order-3',
        round: 2,
        changed: 'the state of order-3 moved from version 2 to version 3',
        workflow_id: `ticket-${'3'.repeat(120)}`,
        params: { amountCents: 25_000, reason: `very${'long'.repeat(60)}word \u202Etxt.exe`, items: [{ sku: 'A-1', gift: false }] },
        on_behalf_of: 'customer-17',
        facts: { refundedBeforeCents: 12_300, customer: { isKnown: true, since: '2019-04-01' }, note: `very${'long'.repeat(60)}word` },
        binds: 'state',
        quorum: 2,
      }),
      { reviews: [{ verdict: 'granted', reviewer: 'omar', reason: 'the photographs show it', at: '2025-11-21T12:13:00.000Z' }] },
    )
    inbox.desk.put(aRequest({ approval_id: 'approval-4', summary: 'Refund €90.00 on order-4' }), {
      status: 'granted',
      reviews: [{ verdict: 'granted', reviewer: 'omar', reason: '', at: '2025-11-21T12:13:00.000Z' }],
    })
    inbox.desk.put(aRequest({ approval_id: 'approval-1', summary: 'Refund €120.00 on order-1' }), {
      status: 'denied',
      reviews: [{ verdict: 'denied', reviewer: 'omar', reason: 'the photographs show another parcel', at: '2025-11-21T12:13:00.000Z' }],
    })
    inbox.desk.inDoubtNow = [anInDoubt]
    const page = await open(options)
    await page.goto(inbox.newLink())
    await keep(page, `${name}-login`)
    await page.getByRole('button', { name: 'Log in as lena' }).click()
    for (const path of ['/', '/approvals/approval-2', '/approvals/approval-3', '/approvals/approval-1', '/approvals/approval-4', '/approvals/none']) {
      await page.goto(`${inbox.url}${path}`)
      await keep(page, `${name}${path.replaceAll('/', '-')}`)
      expect([path, await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')]).toEqual([path, 0])
    }
  })
})
