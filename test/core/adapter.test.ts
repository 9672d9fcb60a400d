import { describe, expect, expectTypeOf, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { adapt, adapters, mappingAdapter, passthroughAdapter, rawInput, type Adapter, type NormalizedEvent, type ReportedEvent } from '../../src/core/adapter.ts'
import type { ReportOptions } from '../../src/workflow/governed.ts'

const placed = {
  id: 'raw-1', adapter: 'json', type: 'ORDER_PLACED', source: 'shop', entity_id: 'order-1', entity_type: 'Order',
  received_at: '2026-07-01T10:00:00Z', payload: { amountCents: 4_200 },
}

const json = adapters(refunds, [passthroughAdapter('json')])

/** What comes of raw input by way of one adapter that makes this of it. */
const by = (normalize: Adapter['normalize'], over: object = {}) => adapt(adapters(refunds, [mappingAdapter('json', normalize)]), { ...placed, ...over })
const giving = (told: unknown) => by(() => told as NormalizedEvent)

describe('a passthrough adapter', () => {
  test('takes raw input as it stands: it happened when it was received', () => {
    expect(adapt(json, placed)).toEqual({
      ok: true,
      event: { event: 'ORDER_PLACED', entityId: 'order-1', payload: { amountCents: 4_200 }, options: { id: 'raw-1', source: 'shop', occurredAt: '2026-07-01T10:00:00Z' } },
    })
  })

  test('leaves out nothing of the metadata, and adds nothing to it', () => {
    const metadata = { trace_id: 't1', correlation_id: 'c1', causation_id: 'mail-1', tags: { desk: 'berlin' } }
    expect(adapt(json, { ...placed, metadata })).toMatchObject({ event: { options: { trace: { traceId: 't1', correlationId: 'c1', causationId: 'mail-1', tags: { desk: 'berlin' } } } } })
    const one = adapt(json, { ...placed, metadata: { correlation_id: 'c1' } })
    expect(one.ok && one.event.options.trace).toEqual({ correlationId: 'c1' })
    const none = adapt(json, { ...placed, metadata: {} })
    expect(none.ok && Object.keys(none.event.options)).toEqual(['id', 'source', 'occurredAt'])
  })

  test('reads a payload that was left out as empty, as senders do that write no empty values', () => {
    const { payload: _, ...without } = placed
    expect(adapt(json, without)).toMatchObject({ ok: true, event: { payload: {} } })
  })

  test('has to be told which entity it is about', () => {
    const { entity_id: _, ...without } = placed
    expect(adapt(json, without)).toEqual({ ok: false, reason: 'invalid_raw_input', message: 'adapter json: input.entity_id: is required' })
  })

  test('does not pass on who the sender says it is', () => {
    expect(JSON.stringify(adapt(json, { ...placed, actor_id: 'mallory' }))).not.toContain('mallory')
  })
})

describe('a mapping adapter', () => {
  test('may find everything in the payload, and keeps what it does not say', () => {
    const shop = mappingAdapter('shop-webhook', ({ payload }) => {
      const { order, paid } = payload as { order: string; paid: string }
      return { event: 'ORDER_PAID', entityId: order, payload: { paymentId: paid }, occurredAt: '2026-06-30T08:00:00+02:00' }
    })
    const hook = { id: 'hook-9', adapter: 'shop-webhook', type: 'order.paid', source: 'shop', received_at: '2026-07-01T10:00:00Z', payload: { order: 'order-7', paid: 'p-1' } }
    expect(adapt(adapters(refunds, [passthroughAdapter('json'), shop]), hook)).toEqual({
      ok: true, event: { event: 'ORDER_PAID', entityId: 'order-7', payload: { paymentId: 'p-1' }, options: { id: 'hook-9', source: 'shop', occurredAt: '2026-06-30T08:00:00+02:00' } },
    })
  })

  test("may name the event's own id and source", () => {
    expect(giving({ event: 'ORDER_PLACED', entityId: 'order-1', payload: {}, id: 'own-1', source: 'till-3' })).toMatchObject({ event: { options: { id: 'own-1', source: 'till-3' } } })
  })

  test('cannot write what the event is part of', () => {
    const metadata = { trace_id: 't1', tags: { desk: 'berlin' } }
    const adapted = by((raw) => {
      Object.assign(raw.metadata, { trace_id: 'forged', causation_id: 'forged' })
      Object.assign(raw.metadata.tags ?? {}, { desk: 'forged' })
      return { event: 'ORDER_PLACED', entityId: 'order-1', payload: {} }
    }, { metadata })
    expect(adapted.ok && adapted.event.options.trace).toEqual({ traceId: 't1', tags: { desk: 'berlin' } })
    expect(giving({ event: 'ORDER_PLACED', entityId: 'order-1', payload: {}, trace: { traceId: 'forged' } })).toMatchObject({ ok: false, reason: 'invalid_event' })
  })

  test('that throws has found the input to be wrong', () => {
    expect(by(() => { throw new Error('no order in it') })).toEqual({ ok: false, reason: 'invalid_raw_input', message: 'adapter json: no order in it' })
  })

  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /^event: /],
    ['a promise', Promise.resolve({}), /^event\.event: is required$/],
    ['no entity', { event: 'ORDER_PLACED', payload: {} }, /^event\.entityId: is required$/],
    ['an entity id that cannot be recorded', { event: 'ORDER_PLACED', entityId: 'a\nb', payload: {} }, /^event\.entityId: contains a control character/],
    ['a time that is none', { event: 'ORDER_PLACED', entityId: 'order-1', payload: {}, occurredAt: 'yesterday' }, /^event\.occurredAt: Invalid ISO datetime$/],
    ['an event that the domain does not have', { event: 'ORDER_LOST', entityId: 'order-1', payload: {} }, /^refunds has no event ORDER_LOST$/],
    ['an event by the name of what every object has', { event: 'toString', entityId: 'order-1', payload: {} }, /^refunds has no event toString$/],
    ['an entity of another type', { event: 'ORDER_PLACED', entityId: 'order-1', entityType: 'Invoice', payload: {} }, /^ORDER_PLACED is an event of Order, not of Invoice$/],
  ])('that makes %s of it is refused', (_, told, message) => {
    expect(giving(told)).toMatchObject({ ok: false, reason: 'invalid_event', message: expect.stringMatching(message) })
  })
})

describe('raw input', () => {
  test.each<[string, unknown, RegExp]>([
    ['is not an object', 'ORDER_PLACED', /^input: /],
    ...['id', 'adapter', 'type', 'source', 'received_at'].map((name): [string, unknown, RegExp] => [`has no ${name}`, { ...placed, [name]: undefined }, new RegExp(`^input\\.${name}: is required$`)]),
    ['has an empty id', { ...placed, id: '' }, /^input\.id: /],
    ['was received at no time', { ...placed, received_at: '1 July' }, /^input\.received_at: Invalid ISO datetime$/],
    ['was received at the zero time', { ...placed, received_at: '0001-01-01T00:00:00Z' }, /^input\.received_at: is not set$/],
    ['has a member that is not KIFF\'s', { ...placed, entityId: 'order-1' }, /^input: Unrecognized key: "entityId"$/],
    ['has metadata that is not KIFF\'s', { ...placed, metadata: { traceId: 't1' } }, /^input\.metadata: Unrecognized key: "traceId"$/],
    ['has more tags than can be recorded', { ...placed, metadata: { tags: Object.fromEntries(Array.from({ length: 21 }, (__, index) => [`t${index}`, 'x'])) } }, /^input\.metadata\.tags: more than 20 tags$/],
  ])('that %s is refused, and the message says where', (_, raw, message) => {
    expect(adapt(json, raw)).toMatchObject({ ok: false, reason: 'invalid_raw_input', message: expect.stringMatching(message) })
    expect(rawInput.safeParse(raw).success).toBe(false)
  })

  test('goes to the adapter that it names, and to no other', () => {
    const two = adapters(refunds, [passthroughAdapter('json'), passthroughAdapter('csv')])
    expect(adapt(two, { ...placed, adapter: 'xml' })).toEqual({ ok: false, reason: 'adapter_not_found', message: 'there is no adapter xml; there is json, csv' })
    expect(adapt(two, { ...placed, adapter: '__proto__' })).toMatchObject({ reason: 'adapter_not_found' })
    expect(adapt(adapters(refunds, []), placed)).toEqual({ ok: false, reason: 'adapter_not_found', message: 'there is no adapter json; there is none' })
  })

  test('cannot make a message that cannot be recorded', () => {
    const { message } = adapt(json, { ...placed, adapter: `x\u0000${'y'.repeat(5_000)}` }) as { message: string }
    expect(message).toHaveLength(1_000)
    expect(message).not.toContain('\u0000')
  })
})

describe('adapters', () => {
  test('have names of their own', () => {
    expect(() => adapters(refunds, [passthroughAdapter('json'), mappingAdapter('json', () => ({ event: 'x', entityId: 'x', payload: {} }))])).toThrow(new TypeError('two adapters are called json'))
    expect(() => passthroughAdapter('')).toThrow(new TypeError('an adapter needs a name'))
    expect(() => mappingAdapter('json', undefined as unknown as Adapter['normalize'])).toThrow(TypeError)
  })

  test('make what a workflow reports with', () => {
    expectTypeOf<ReportedEvent['options']>().toExtend<ReportOptions>()
  })
})
