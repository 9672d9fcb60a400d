import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { NotDone } from 'kiff-temporal/worker'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createPayments, type Payments } from '../../activities/payments.ts'

const token = 'a-secret-of-this-test'
const folder = mkdtempSync(join(tmpdir(), 'kiff-payments-'))
const ledger = join(folder, 'payments.jsonl')
const Refunds = z.object({ refunds: z.array(z.object({ refund_id: z.string(), order_id: z.string(), amount_cents: z.int() })) })

let provider: { readonly child: ChildProcess; readonly url: string }
let payments: Payments

async function start(env: Record<string, string> = {}): Promise<typeof provider> {
  const child = spawn(process.execPath, ['--conditions=kiff-source', 'activities/payment-provider.ts'], {
    env: { PATH: process.env['PATH'], PAYMENTS_PORT: '0', PAYMENTS_LEDGER: ledger, PAYMENTS_TOKEN: token, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(createInterface(child.stdout), 'line')
  const url = /^payment provider ready on (http:\/\/127\.0\.0\.1:\d+)$/.exec(String(line))?.[1]
  if (url === undefined) throw new Error(`unexpected first line: ${String(line)}`)
  return { child, url }
}

async function stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
  const ended = once(provider.child, 'exit')
  provider.child.kill(signal)
  const [code] = await ended
  return z.number().nullable().parse(code)
}

async function restart(signal?: NodeJS.Signals): Promise<void> {
  await stop(signal)
  provider = await start()
  payments = createPayments({ url: provider.url, token })
}

const ask = (path: string, init: { method?: string; body?: string; headers?: Record<string, string> } = {}) =>
  fetch(new URL(path, provider.url), { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } })

async function behave(behaviour: unknown): Promise<void> {
  const response = await ask('/behaviour', { method: 'POST', body: JSON.stringify(behaviour) })
  expect(response.status).toBe(200)
}

async function paid(orderId: string): Promise<number[]> {
  const { refunds } = Refunds.parse(await (await ask(`/refunds?order_id=${orderId}`)).json())
  return refunds.map((refund) => refund.amount_cents)
}

const refund = (orderId: string, amountCents: number, idempotencyKey: string, signal = AbortSignal.timeout(10_000)) =>
  payments.refund(orderId, amountCents, { idempotencyKey, signal })

let count = 0
let order = ''
beforeAll(async () => {
  provider = await start()
  payments = createPayments({ url: provider.url, token })
})
beforeEach(() => {
  count += 1
  order = `order-${count}`
})
afterEach(() => behave({ mode: 'normal' }))
afterAll(async () => {
  await stop()
  rmSync(folder, { recursive: true })
})

describe('keys', () => {
  test('the same key and body are paid once and answered alike', async () => {
    const first = await refund(order, 4200, `${order}-key`)
    expect(await refund(order, 4200, `${order}-key`)).toEqual(first)
    expect(await paid(order)).toEqual([4200])
  })

  test('concurrent requests under one key are paid once', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => refund(order, 4200, `${order}-key`)))
    expect(new Set(answers.map((answer) => answer.refundId)).size).toBe(1)
    expect(await paid(order)).toEqual([4200])
  })

  test('the same key with another body is a conflict', async () => {
    await refund(order, 4200, `${order}-key`)
    await expect(refund(order, 4300, `${order}-key`)).rejects.toThrow('409')
    expect(await paid(order)).toEqual([4200])
  })

  test('told to ignore keys, it pays twice', async () => {
    await behave({ mode: 'ignore-keys' })
    await refund(order, 4200, `${order}-key`)
    await refund(order, 4200, `${order}-key`)
    expect(await paid(order)).toEqual([4200, 4200])
  })
})

describe('faults on demand', () => {
  test('hang pays and never answers; the same key later gets the first payment', async () => {
    await behave({ mode: 'hang', times: 1 })
    await expect(refund(order, 4200, `${order}-key`, AbortSignal.timeout(300))).rejects.toThrow('aborted')
    expect(await paid(order)).toEqual([4200])
    await refund(order, 4200, `${order}-key`)
    expect(await paid(order)).toEqual([4200])
  })

  test('hang-before neither pays nor answers', async () => {
    await behave({ mode: 'hang-before', times: 1 })
    await expect(refund(order, 4200, `${order}-key`, AbortSignal.timeout(300))).rejects.toThrow('aborted')
    expect(await paid(order)).toEqual([])
  })

  test('fail is a plain error: the outcome is unknown', async () => {
    await behave({ mode: 'fail' })
    const error: unknown = await refund(order, 4200, `${order}-key`).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(Error)
    expect(error).not.toBeInstanceOf(NotDone)
    expect(await paid(order)).toEqual([])
  })

  test('decline is NotDone', async () => {
    await behave({ mode: 'decline' })
    await expect(refund(order, 4200, `${order}-key`)).rejects.toBeInstanceOf(NotDone)
    expect(await paid(order)).toEqual([])
  })

  test('a refund that was paid under the key is never declined', async () => {
    const first = await refund(order, 4200, `${order}-key`)
    await behave({ mode: 'decline' })
    expect(await refund(order, 4200, `${order}-key`)).toEqual(first)
  })

  test('garbage and huge pay, and their answers are passed on unchecked', async () => {
    await behave({ mode: 'garbage', times: 1 })
    expect(await refund(order, 1, `${order}-garbage`)).toEqual({ refundId: 42 })
    await behave({ mode: 'huge', times: 1 })
    expect((await refund(order, 2, `${order}-huge`)).refundId.length).toBe(2_000_000)
    expect(await paid(order)).toEqual([1, 2])
  })

  test('times counts requests, then it is normal again', async () => {
    await behave({ mode: 'fail', times: 2 })
    await expect(refund(order, 4200, `${order}-key`)).rejects.toThrow('500')
    await expect(refund(order, 4200, `${order}-key`)).rejects.toThrow('500')
    await refund(order, 4200, `${order}-key`)
    expect(await paid(order)).toEqual([4200])
  })

  test('delay_ms holds the answer back, not the payment', async () => {
    await behave({ mode: 'normal', delay_ms: 60_000 })
    const abort = new AbortController()
    const answer = refund(order, 4200, `${order}-key`, abort.signal).catch((error: unknown) => error)
    await expect.poll(() => paid(order)).toEqual([4200])
    abort.abort()
    expect(await answer).toBeInstanceOf(Error)
  })
})

describe('the books', () => {
  test('outlive a kill, and so do the keys', async () => {
    const first = await refund(order, 4200, `${order}-key`)
    await restart('SIGKILL')
    expect(await refund(order, 4200, `${order}-key`)).toEqual(first)
    expect(await paid(order)).toEqual([4200])
  })

  test('a torn last line is dropped, and what follows is whole', async () => {
    await refund(order, 4200, `${order}-key`)
    await stop()
    appendFileSync(ledger, '{"refund_id":"refund-99","order_id":"or')
    provider = await start()
    payments = createPayments({ url: provider.url, token })
    await refund(order, 4300, `${order}-key-2`)
    expect(await paid(order)).toEqual([4200, 4300])
    expect(readFileSync(ledger, 'utf8')).not.toContain('refund-99')
  })

  test('a request that hangs does not keep the provider up', async () => {
    await behave({ mode: 'hang' })
    const answer = refund(order, 4200, `${order}-key`).catch((error: unknown) => error)
    await expect.poll(() => paid(order)).toEqual([4200])
    expect(await stop('SIGTERM')).toBe(0)
    expect(await answer).toBeInstanceOf(Error)
    provider = await start()
    payments = createPayments({ url: provider.url, token })
  })
})

describe('refusals', () => {
  test.for([
    ['no token', '/refunds', { headers: { authorization: '' } }, 401],
    ['another token', '/refunds', { headers: { authorization: 'Bearer guess' } }, 401],
    ['no key', '/refunds', { method: 'POST', body: '{"order_id":"x","amount_cents":1}' }, 400],
    ['no JSON', '/refunds', { method: 'POST', body: 'x', headers: { 'idempotency-key': 'k' } }, 400],
    ['a negative amount', '/refunds', { method: 'POST', body: '{"order_id":"x","amount_cents":-1}', headers: { 'idempotency-key': 'k' } }, 400],
    ['an unknown behaviour', '/behaviour', { method: 'POST', body: '{"mode":"nice"}' }, 400],
    ['an unknown path', '/nothing', {}, 404],
  ] as const)('%s', async ([, path, init, status]) => {
    expect((await ask(path, init)).status).toBe(status)
  })

  test('without its configuration it says in one line what is missing', async () => {
    const child = spawn(process.execPath, ['activities/payment-provider.ts'], { env: { PAYMENTS_PORT: '0' }, stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', (chunk) => (said += String(chunk)))
    const [code] = await once(child, 'close')
    expect(code).toBe(2)
    expect(said).toMatch(/^payment provider: set PAYMENTS_LEDGER, PAYMENTS_TOKEN .*\n$/)
  })
})
