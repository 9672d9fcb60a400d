import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { aPaidOrder, recorded } from '../an-entity.ts'
import { aRefundsStack, type Refunds } from '../held-refunds.ts'
import { asks, ended, endedReading, hasSaid, written, type Ended } from './an-asker.ts'

vi.setConfig({ testTimeout: 180_000 }) // each command is a process that bundles its workflow

let it: Refunds
let folder: string
beforeAll(async () => {
  it = await aRefundsStack()
  folder = await mkdtemp(join(tmpdir(), 'kiff-ask-'))
})
afterAll(() => Promise.all([it.stack.close(), rm(folder, { recursive: true, force: true })]))

const run = (actor: string, ...args: readonly string[]): Promise<Ended> => ended(asks(it.stack.queues.gate, actor, args))
const agent = (...args: readonly string[]): Promise<Ended> => run('support-agent-1', ...args)
const parsed = ({ out }: Ended): Record<string, unknown> => JSON.parse(out)
async function file(name: string, content: unknown): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

describe('evaluate', () => {
  test('tells what would happen, by its exit code as well, and writes nothing', async () => {
    const order = await aPaidOrder(it.stack)
    const before = await written(it.stack)
    const refund = (params: string): readonly string[] => ['evaluate', 'refunds', 'REFUND_ORDER', order, params]
    const large = await file('large.json', { amountCents: 99_900, reason: 'late' })
    const [allowed, held, blocked, invalid] = await Promise.all([
      endedReading('{"amountCents": 4200, "reason": "late"}', it.stack.queues.gate, 'support-agent-1', refund('-')),
      agent(...refund(`@${large}`), '--json'),
      run('shop', ...refund('{"amountCents": 4200, "reason": "late"}')),
      agent(...refund('{"amountCents": "4200", "reason": "late"}')),
    ])
    expect(allowed).toMatchObject({ code: 0, out: `allowed: Refund €42.00 on ${order}\n  state      PAID, version 2` })
    expect(held.code).toBe(4)
    expect(parsed(held)).toEqual({
      workflowId: expect.stringMatching(/^cli-evaluate-/), runId: expect.any(String),
      outcome: 'approval_required', reason: 'approval_required', message: expect.stringMatching(/^above the autonomous limit/), nextStep: 'request_approval',
      summary: `Refund €999.00 on ${order}`, state: 'PAID', stateVersion: 2,
    })
    expect(blocked).toMatchObject({ code: 3, out: expect.stringMatching(/^blocked \(permission_denied\): .+\n {2}state {6}PAID, version 2\n {2}next step {2}ask_operator$/) })
    expect(invalid).toMatchObject({ code: 2, out: expect.stringMatching(/^invalid \(invalid_parameter\): params\.amountCents: /) })
    expect(await written(it.stack)).toBe(before)
    expect(it.effects(order)).toBe(0)
    expect(await it.stack.desk.pending()).toEqual([])
  })
})

describe('allowed', () => {
  test('lists what the state and the roles permit; nothing to whom the gate does not know', async () => {
    const order = await aPaidOrder(it.stack)
    const [mine, told, theirs] = await Promise.all([agent('allowed', 'refunds', order), agent('allowed', 'refunds', order, '--json'), run('mallory', 'allowed', 'refunds', order)])
    expect(mine).toMatchObject({ code: 0, out: expect.stringMatching(/^REFUND_ORDER {2}Give the customer .+ \(high risk, a person may have to agree\)\nWAIVE_FEE {5}/) })
    expect(parsed(told)).toMatchObject({ workflowId: expect.any(String), actions: [{ action: 'REFUND_ORDER', risk: 'high', approval: 'by_rule', params: { type: 'object' } }, { action: 'WAIVE_FEE' }] })
    expect(theirs).toMatchObject({ code: 0, out: 'nothing can be proposed on it now' })
  })

  test('asked of the gate of another domain is refused', async () => {
    expect(await agent('allowed', 'loans', 'loan-1')).toMatchObject({ code: 2, out: expect.stringMatching(/^invalid \(unknown_action\): /) })
  })
})

const placed = (entityId: string) => ['event', 'refunds', 'ORDER_PLACED', entityId, '{"amountCents": 4200}'] as const
const events = async (entityId: string): Promise<readonly unknown[]> =>
  (await it.stack.db.pool('auditor').query('select id, type, payload, source, occurred_at, trace_id, correlation_id, causation_id, tags from kiff.events where entity_id = $1 order by seq', [entityId])).rows

describe('event', () => {
  test('is recorded as it is told, once by one id', async () => {
    const order = `order-${randomUUID()}`
    const whole = [...placed(order), '--id', `${order}-placed`, '--source', 'till-3', '--occurred-at', '2026-01-02T03:04:05Z', '--trace-id', 't1', '--correlation-id', 'c1', '--causation-id', 'mail-1']
    const first = await run('shop', ...whole)
    expect(first).toMatchObject({ code: 0, out: expect.stringMatching(new RegExp(`^allowed: ORDER_PLACED on ${order}\\n.*\\n {2}record {5}refunds/Order/${order}#1 [\\da-f]{64}$`)) })
    expect(await run('shop', ...whole, '--json')).toMatchObject({ code: 0 })
    expect(await events(order)).toEqual([
      { id: `${order}-placed`, type: 'ORDER_PLACED', payload: { amountCents: 4_200 }, source: 'till-3', occurred_at: new Date('2026-01-02T03:04:05Z'), trace_id: 't1', correlation_id: 'c1', causation_id: 'mail-1', tags: null },
    ])
  })

  test('that the actor may not report is refused, and so is one that cannot be', async () => {
    const order = `order-${randomUUID()}`
    const [notTheirs, notNow] = await Promise.all([agent(...placed(order)), run('shop', 'event', 'refunds', 'ORDER_PAID', order, '{"paymentId": "p-1"}', '--json')])
    expect(notTheirs).toMatchObject({ code: 3, out: expect.stringMatching(/^blocked \(event_not_reportable\): support-agent-1 does not hold orders\.report\n/) })
    expect(parsed(notNow)).toMatchObject({ outcome: 'blocked', reason: 'state_not_allowed' })
    expect(notNow.code).toBe(3)
    expect(await events(order)).toEqual([])
  })

  test('is read from raw input, a file or stdin', async () => {
    const order = `order-${randomUUID()}`
    const raw = { id: `${order}-1`, adapter: 'json', type: 'ORDER_PLACED', source: 'shop', entity_id: order, entity_type: 'Order', actor_id: 'someone', received_at: '2026-07-01T10:00:00Z', metadata: { trace_id: 't1', causation_id: 'mail-1', tags: { desk: 'berlin' } }, payload: { amountCents: 4_200 } }
    const first = await run('shop', 'event', 'refunds', '--raw', await file('raw.json', raw), '--json')
    expect(first.code).toBe(0)
    const paid = { ...raw, id: `${order}-2`, type: 'ORDER_PAID', payload: { paymentId: 'p-1' } }
    const read = await endedReading(JSON.stringify(paid), it.stack.queues.gate, 'shop', ['event', 'refunds', '--raw', '-', '--json'])
    expect(read.code).toBe(0)
    expect(await events(order)).toEqual([
      { id: `${order}-1`, type: 'ORDER_PLACED', payload: raw.payload, source: 'shop', occurred_at: new Date(raw.received_at), trace_id: 't1', correlation_id: parsed(first)['workflowId'], causation_id: 'mail-1', tags: { desk: 'berlin' } },
      expect.objectContaining({ id: `${order}-2`, type: 'ORDER_PAID', correlation_id: parsed(read)['workflowId'] }),
    ])
    expect(await recorded(it.stack, order)).not.toContain('event_rejected')
  })
})

test.each<readonly [string, RegExp]>([
  ['evaluate', /\ngiven up before the gate had answered; /],
  ['event', /\ncancelled: nothing was asked of the gate\n$/],
])('%s that is given up before the gate was asked ends, and leaves nothing', async (command, words) => {
  const order = `order-${randomUUID()}`
  const asking = asks(it.stack.queues.gate, 'shop', command === 'event' ? [...placed(order)] : ['evaluate', 'refunds', 'REFUND_ORDER', order])
  const [, workflowId = ''] = await hasSaid(asking, /in workflow (\S+)/)
  asking.kill('SIGINT')
  expect(await ended(asking)).toMatchObject({ code: 130, out: '', err: expect.stringMatching(words) })
  expect((await it.stack.client.workflow.getHandle(workflowId).describe()).status.name).toMatch(/^(CANCELLED|TERMINATED)$/)
  expect(await events(order)).toEqual([])
})

describe('what cannot be asked is told in one sentence, and no workflow is started', () => {
  const evaluate = ['evaluate', 'refunds', 'REFUND_ORDER', 'order-1'] as const
  const raw = { id: 'r', adapter: 'json', type: 'ORDER_PLACED', source: 'shop', entity_id: 'order-1', received_at: '2026-07-01T10:00:00Z' }

  test.each<readonly [string, readonly string[], RegExp]>([
    ['parameters that are no JSON', [...evaluate, '{"amountCents": 1 "reason": ""}'], /^the parameters: .* at position 18 \(line 1 column 19\)\n$/],
    ['a file of them that there is not', [...evaluate, '@/nowhere/params.json'], /^\/nowhere\/params\.json cannot be read: ENOENT/],
    ['a timeout that is none', [...evaluate, '--timeout', 'soon'], /^--timeout: "soon" is not a duration/],
    ['a claim without its why', ['propose', ...evaluate.slice(1), '--confidence', '0.9'], /^--evidence and --confidence go with --why\n$/],
    ['a confidence that is none', ['propose', ...evaluate.slice(1), '--why', 'x', '--confidence', '90%'], /from 0 to 1/],
    ['a key beside --no-wait', ['propose', ...evaluate.slice(1), '--key', 'k', '--no-wait'], /^give --key or --no-wait/],
    ['an empty key', ['propose', ...evaluate.slice(1), '--key', ''], /^--key is a text of 1 to 200 characters, without control characters\n$/],
    ['a key that is too long', ['propose', ...evaluate.slice(1), '--key', 'k'.repeat(201)], /^--key is a text of 1 to 200 characters/],
    ['a key with control characters', ['propose', ...evaluate.slice(1), '--key', 'a\nb'], /^--key is a text of 1 to 200 characters/],
    ['an event of no entity', ['event', 'refunds', 'ORDER_PAID'], /^say which event, of which entity; or give --raw\n$/],
    ['raw input beside an event', ['event', 'refunds', 'ORDER_PAID', 'order-1', '--raw', 'x.json'], /^--raw says all of the event itself\n$/],
  ])('%s', async (_, args, sentence) => {
    const { code, out, err } = await agent(...args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(sentence)
  })

  test.each<readonly [string, object, RegExp]>([
    ['without a time', { ...raw, received_at: undefined }, /^invalid_raw_input: input\.received_at: is required\n$/],
    ['for an adapter that is not here', { ...raw, adapter: 'stripe' }, /^adapter_not_found: there is no adapter stripe; there is json\n$/],
    ['of an event that the domain does not have', { ...raw, type: 'ORDER_LOST' }, /^invalid_event: refunds has no event ORDER_LOST\n$/],
  ])('raw input %s', async (_, input, sentence) => {
    const { code, err } = await run('shop', 'event', 'refunds', '--raw', await file('bad.json', input))
    expect(code).toBe(2)
    expect(err).toMatch(sentence)
  })

  test('nobody who asks', async () => {
    expect(await run('', ...evaluate)).toEqual({ code: 2, out: '', err: 'say who asks: give --actor, or set KIFF_ACTOR\n' })
  })

  test('a task queue that nobody serves', async () => {
    const queue = `gate-${randomUUID()}`
    expect(await ended(asks(queue, 'support-agent-1', [...evaluate]))).toEqual({ code: 1, out: '', err: `nobody serves task queue ${queue} in namespace default; is the gate worker running?\n` })
  })
})
