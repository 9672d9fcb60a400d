/** Whatever an agent or a shop sends: a refusal with outcome and reason, recorded, nothing executed, the log still replayable. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { executors } from '../../src/gate/index.ts'
import { aStack, type Stack } from '../a-stack.ts'
import { anAccount, aPaidOrder, recordedOf, states } from '../an-entity.ts'
import { ledgers } from '../fixtures/ledgers.ts'

const ran: string[] = []
const run = async ({ entityId }: { entityId: string }): Promise<never> => {
  ran.push(entityId)
  throw new Error('nothing may run here')
}
let orders: Stack
let accounts: Stack

beforeAll(async () => {
  ;[orders, accounts] = await Promise.all([
    aStack({
      bound: executors(refunds, { REFUND_ORDER: run }),
      actors: ['support-agent-1', 'intern', 'shop'],
      members: { 'support-agent-1': 'support-agent', shop: 'shop', maria: 'finance' },
    }),
    aStack({ bound: executors(ledgers, { CALL: run, SEND: run, FETCH: run }), actors: ['bot', 'clerk'], members: { bot: 'bot', clerk: 'reporter' } }),
  ])
})
afterAll(() => Promise.all([orders.close(), accounts.close()]))

const good = { amountCents: 4_200, reason: 'late' }
/** As JSON brings it: with members that no object literal can have. */
const json = (text: string): unknown => JSON.parse(text)
const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) })

type Call = Readonly<Record<string, unknown>>
const proposals: Record<string, { readonly call: Call; readonly outcome: 'invalid' | 'blocked'; readonly reason: string }> = {
  'an unknown action': { call: { action: 'PAY_ME' }, outcome: 'invalid', reason: 'unknown_action' },
  'an action in lower case, which is no activity type': { call: { action: 'refund_order' }, outcome: 'invalid', reason: 'unknown_action' },
  'an action named by a sentence': { call: { action: 'please refund\nthe order' }, outcome: 'invalid', reason: 'unknown_action' },
  'an action without a name': { call: { action: '' }, outcome: 'invalid', reason: 'unknown_action' },
  'an action of 5000 characters': { call: { action: 'R'.repeat(5_000) }, outcome: 'invalid', reason: 'unknown_action' },
  'an action named as an activity of the gate': { call: { action: 'report' }, outcome: 'invalid', reason: 'unknown_action' },
  'an action named as a member of every object': { call: { action: 'constructor' }, outcome: 'invalid', reason: 'unknown_action' },
  'an action with U+0000 in its name': { call: { action: 'A\u0000B' }, outcome: 'invalid', reason: 'unknown_action' },
  'an action with a lone surrogate in its name': { call: { action: 'A\uD800' }, outcome: 'invalid', reason: 'unknown_action' },
  'an order nobody knows': { call: { entityId: `order-${randomUUID()}` }, outcome: 'invalid', reason: 'unknown_entity' },
  'an order id that is too long': { call: { entityId: 'o'.repeat(201) }, outcome: 'invalid', reason: 'invalid_parameter' },
  'an order id of 100 KB': { call: { entityId: 'o'.repeat(100_000) }, outcome: 'invalid', reason: 'invalid_parameter' },
  'an empty order id': { call: { entityId: '' }, outcome: 'invalid', reason: 'invalid_parameter' },
  'an order id with U+0000': { call: { entityId: 'order\u0000' }, outcome: 'invalid', reason: 'invalid_parameter' },
  'an order id with a lone surrogate': { call: { entityId: 'order\uDC00' }, outcome: 'invalid', reason: 'invalid_parameter' },
  'an order id that is no string': { call: { entityId: { id: 1 } }, outcome: 'invalid', reason: 'invalid_parameter' },
  'no parameters': { call: { params: undefined }, outcome: 'invalid', reason: 'invalid_parameter' },
  'parameters that are null': { call: { params: null }, outcome: 'invalid', reason: 'invalid_parameter' },
  'parameters that are unparsed text': { call: { params: '{"amountCents": 4200' }, outcome: 'invalid', reason: 'invalid_parameter' },
  'parameters that are a list': { call: { params: [4_200, 'late'] }, outcome: 'invalid', reason: 'invalid_parameter' },
  'a missing parameter': { call: { params: { reason: 'late' } }, outcome: 'invalid', reason: 'missing_parameter' },
  'an extra parameter': { call: { params: { ...good, approved: true } }, outcome: 'invalid', reason: 'invalid_parameter' },
  'an amount in words': { call: { params: { ...good, amountCents: '4200' } }, outcome: 'invalid', reason: 'invalid_parameter' },
  'an amount with a fraction': { call: { params: { ...good, amountCents: 42.5 } }, outcome: 'invalid', reason: 'invalid_parameter' },
  'a negative amount': { call: { params: { ...good, amountCents: -4_200 } }, outcome: 'invalid', reason: 'invalid_parameter' },
  'an amount beyond any order': { call: { params: { ...good, amountCents: 1e15 } }, outcome: 'invalid', reason: 'invalid_parameter' },
  'a number that JSON cannot hold': { call: { params: json('{"amountCents": 1e400, "reason": "late"}') }, outcome: 'invalid', reason: 'invalid_parameter' },
  'a reason that is too long': { call: { params: { ...good, reason: 'x'.repeat(501) } }, outcome: 'invalid', reason: 'invalid_parameter' },
  'a reason of half a megabyte': { call: { params: { ...good, reason: 'x'.repeat(500_000) } }, outcome: 'invalid', reason: 'invalid_parameter' },
  'a reason with U+0000': { call: { params: { ...good, reason: 'late\u0000' } }, outcome: 'invalid', reason: 'invalid_parameter' },
  'a reason with a lone surrogate': { call: { params: { ...good, reason: 'late \uD83D' } }, outcome: 'invalid', reason: 'invalid_parameter' },
  'a parameter with U+0000 in its name': { call: { params: { ...good, 'a\u0000': 1 } }, outcome: 'invalid', reason: 'invalid_parameter' },
  'a parameter named __proto__': { call: { params: json('{"amountCents": 4200, "reason": "late", "__proto__": {"approved": true}}') }, outcome: 'invalid', reason: 'invalid_parameter' },
  'parameters nested 500 deep': { call: { params: nested(500) }, outcome: 'invalid', reason: 'invalid_parameter' },
  'a key that is too long': { call: { key: 'k'.repeat(201) }, outcome: 'invalid', reason: 'invalid_parameter' },
  'a key with U+0000': { call: { key: 'k\u0000' }, outcome: 'invalid', reason: 'invalid_parameter' },
  'a key with a lone surrogate': { call: { key: 'k\uD800' }, outcome: 'invalid', reason: 'invalid_parameter' },
  'an actor the worker does not serve': { call: { actor: 'mallory' }, outcome: 'blocked', reason: 'actor_unproven' },
  'an actor with U+0000': { call: { actor: 'support-agent-1\u0000' }, outcome: 'invalid', reason: 'invalid_parameter' },
  'an actor without the role': { call: { actor: 'intern' }, outcome: 'blocked', reason: 'permission_denied' },
}

describe.concurrent('a proposal of', () => {
  test.each(Object.entries(proposals))('%s is refused and recorded, and nothing runs', async (_, { call, outcome, reason }) => {
    const entityId = await aPaidOrder(orders)
    const before = await states(orders, refunds, entityId)
    const handle = await orders.start('propose', [{ queue: orders.queues.gate, entityId, params: good, ...call }])
    expect(await handle.result()).toMatchObject({ outcome, reason, message: expect.any(String), nextStep: expect.any(String), record: { seq: expect.any(Number), hash: expect.stringMatching(/^[\da-f]{64}$/) } })
    expect((await recordedOf(orders, handle.workflowId)).map(({ kind }) => kind)).toContain('action_failed')
    expect(ran).toEqual([])
    expect(await states(orders, refunds, entityId)).toEqual(before)
    expect(before.live).toEqual(before.rebuilt)
  })

  test('an action whose approval rule throws is refused', async () => {
    const entityId = await anAccount(accounts)
    expect(await accounts.run('ledger', [{ queue: accounts.queues.gate, action: 'BROKEN_RULE', entityId, params: { note: 'x' } }])).toMatchObject({ outcome: 'blocked', reason: 'approval_policy_error' })
  })

  test('an action in a state that does not permit it is refused', async () => {
    const entityId = await anAccount(accounts)
    await accounts.run('report', [accounts.queues.gate, 'clerk', [{ event: 'CLOSED', entityId, payload: {} }], 'ledgers'])
    expect(await accounts.run('ledger', [{ queue: accounts.queues.gate, action: 'SEND', entityId, params: { note: 'x' } }])).toMatchObject({ outcome: 'blocked', reason: 'state_not_allowed' })
  })

  test('an action that no executor is bound for is refused', async () => {
    const queue = `gate-${randomUUID()}`
    await orders.startGate({ queue, bound: { domain: refunds, executorOf: () => undefined, loaderOf: () => undefined } })
    expect(await orders.run('propose', [{ queue, entityId: await aPaidOrder(orders), params: good }])).toMatchObject({ outcome: 'invalid', reason: 'executor_missing' })
  })

  test('an agent that talks too much is refused, and its words are not recorded in full', async () => {
    const entityId = await aPaidOrder(orders)
    const handle = await orders.start('propose', [{ queue: orders.queues.gate, entityId, params: good, why: 'w'.repeat(300_000) }])
    expect(await handle.result()).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    const { rows } = await orders.db.pool('auditor').query<{ size: number }>("select length(body) as size from kiff.ledger where body::jsonb ->> 'workflow_id' = $1", [handle.workflowId])
    expect(rows).toEqual([{ size: expect.any(Number) }])
    expect(rows[0]?.size).toBeLessThan(20_000)
  })

  test('what an agent says with U+0000 in it is recorded, and harms nothing', async () => {
    const entityId = await aPaidOrder(orders)
    const handle = await orders.start('propose', [{ queue: orders.queues.gate, entityId, params: { ...good, amountCents: 99_900 }, why: 'because\u0000 \uD800' }])
    const row = await orders.desk.show(await orders.asked(entityId))
    expect(row?.request.claim?.why).toBe('because\u2400 \uFFFD')
    await handle.terminate()
  })
})

const delivered = { event: 'ORDER_DELIVERED', payload: { parcelId: 'p-1' } }
const events: Record<string, { readonly event: Call; readonly actor?: string; readonly reason: string }> = {
  'an unknown event': { event: { event: 'ORDER_BURNT' }, reason: 'event_not_reportable' },
  'an event with U+0000 in its name': { event: { event: 'ORDER\u0000' }, reason: 'event_not_reportable' },
  'an event without a name': { event: { event: '' }, reason: 'invalid_parameter' },
  'an event that cannot happen in this state': { event: { event: 'ORDER_PAID', payload: { paymentId: 'p-2' } }, reason: 'state_not_allowed' },
  'an event that only an action makes happen': { event: { event: 'ORDER_REFUNDED', payload: { amountCents: 1, refundId: 'r' } }, reason: 'event_not_reportable' },
  'an event about an order nobody knows': { event: { entityId: `order-${randomUUID()}` }, reason: 'state_not_allowed' },
  'an event by someone not named': { event: {}, actor: 'support-agent-1', reason: 'event_not_reportable' },
  'an event by an actor the worker does not serve': { event: {}, actor: 'mallory', reason: 'actor_unproven' },
  'an event without its payload': { event: { payload: {} }, reason: 'missing_parameter' },
  'an event with more than its payload': { event: { payload: { parcelId: 'p', state: 'REFUNDED' } }, reason: 'invalid_parameter' },
  'an event with U+0000 in its payload': { event: { payload: { parcelId: 'p\u0000' } }, reason: 'invalid_parameter' },
  'an event with a lone surrogate in its payload': { event: { payload: { parcelId: 'p\uD800' } }, reason: 'invalid_parameter' },
  'an event whose id is too long': { event: { id: 'e'.repeat(201) }, reason: 'invalid_parameter' },
  'an event whose id has U+0000': { event: { id: 'e\u0000' }, reason: 'invalid_parameter' },
}

describe.concurrent('a report of', () => {
  test.each(Object.entries(events))('%s is refused and recorded, and the state stays', async (_, { event, actor = 'shop', reason }) => {
    const entityId = await aPaidOrder(orders)
    const before = await states(orders, refunds, entityId)
    const handle = await orders.start('report', [orders.queues.gate, actor, [{ entityId, ...delivered, ...event }]])
    expect(await handle.result()).toEqual([expect.objectContaining({ reason })])
    expect((await recordedOf(orders, handle.workflowId)).map(({ kind }) => kind)).toEqual([expect.stringMatching(/^(event_rejected|action_failed)$/)])
    expect(await states(orders, refunds, entityId)).toEqual(before)
    expect(before.rebuilt).toEqual({ value: 'PAID', version: 2 })
  })

  test('one event twice under one id happens once', async () => {
    const entityId = await aPaidOrder(orders)
    const event = { entityId, ...delivered, id: 'parcel-1' }
    const results = await Promise.all([orders.run('report', [orders.queues.gate, 'shop', [event, event]]), orders.run('report', [orders.queues.gate, 'shop', [event]])])
    expect(results.flat()).toEqual([1, 2, 3].map(() => expect.objectContaining({ outcome: 'allowed' })))
    expect(await states(orders, refunds, entityId)).toEqual({ live: { value: 'PAID', version: 3 }, rebuilt: { value: 'PAID', version: 3 } })
  })

  test('another event under the same id is refused', async () => {
    const entityId = await aPaidOrder(orders)
    const event = { entityId, ...delivered, id: 'parcel-1' }
    const results = await orders.run('report', [orders.queues.gate, 'shop', [event, { ...event, payload: { parcelId: 'p-2' } }]])
    expect(results).toEqual([expect.objectContaining({ outcome: 'allowed' }), expect.objectContaining({ outcome: 'invalid', reason: 'invalid_parameter' })])
    expect((await states(orders, refunds, entityId)).live).toEqual({ value: 'PAID', version: 3 })
  })
})
