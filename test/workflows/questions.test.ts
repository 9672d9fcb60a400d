import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { anInvoicesStack, pay, type Invoices } from '../an-invoices-stack.ts'
import type { Asked } from '../fixtures/workflows/asked.ts'

let it: Invoices
beforeAll(async () => { it = await anInvoicesStack() })
afterAll(() => it.stack.close())
beforeEach(() => { Object.assign(it.register, { trusted: true, bank: 'DE-1', consent: true, fails: false }) })

const ask = (entityId: string, params: unknown, action = 'PAY_PART'): Asked => ({ ask: 'evaluate', action, entityId, params })

async function written(): Promise<number> {
  return Number((await it.stack.db.pool('auditor').query<{ rows: string }>('select (select count(*) from kiff.ledger) + (select count(*) from kiff.calls) + (select count(*) from kiff.chains) as rows')).rows[0]?.rows)
}

describe('asking what would happen', () => {
  test.each<[string, unknown, Readonly<Record<string, unknown>>, string]>([
    ['allowed', { amountCents: 1_000 }, {}, 'clerk-1'],
    ['by a bad parameter', { amountCents: '1000' }, {}, 'clerk-1'],
    ['by a missing parameter', {}, {}, 'clerk-1'],
    ["by the contract's check", { amountCents: 60_000 }, {}, 'clerk-1'],
    ["by the contract's rule", { amountCents: 1_000 }, { trusted: false }, 'clerk-1'],
    ['by the permission', { amountCents: 1_000 }, {}, 'reporter-1'],
    ['by the actor', { amountCents: 1_000 }, {}, 'intern-1'],
  ])('gives the answer that acting then gives, and writes nothing: %s', async (_, params, register, actor) => {
    const entityId = await it.anInvoice()
    Object.assign(it.register, register)
    const before = await written()
    const [would] = await it.ask([ask(entityId, params)], { actor })
    expect(await written()).toBe(before)
    expect(it.effects(entityId)).toEqual([])
    const [did] = await it.ask([{ ask: 'propose', action: 'PAY_PART', entityId, params }], { actor })
    const { outcome, reason, message } = would as Record<string, unknown>
    expect(did).toMatchObject(outcome === 'allowed' ? { outcome } : { outcome, reason, message })
  })

  test('says that a person would be asked, by which rule, in which words; and nobody is asked', async () => {
    const entityId = await it.anInvoice()
    expect(await it.ask([ask(entityId, { amountCents: 20_000 })])).toEqual([
      { outcome: 'approval_required', reason: 'approval_required', message: 'a large part', nextStep: 'request_approval', summary: 'Pay 20000 to DE-1', state: 'OPEN', stateVersion: 1 },
    ])
    expect(await it.stack.desk.pending()).toEqual([])
  })

  test('of an action, or an entity, that there is not', async () => {
    expect(await it.ask([ask('invoice-none', {}, 'PAY_ALL'), ask(`none-${randomUUID()}`, { amountCents: 1 })])).toMatchObject([{ reason: 'unknown_action' }, { reason: 'unknown_entity', state: null }])
  })

  test('does not shift the key of what is proposed after it', async () => {
    const entityId = await it.anInvoice()
    await it.ask([ask(entityId, { amountCents: 1_000 }), pay(entityId, 1_000), ask(entityId, { amountCents: 1_000 }), pay(entityId, 1_000)])
    expect(it.effects(entityId)).toHaveLength(2)
  })
})

const what = (entityId: string): Asked => ({ ask: 'allowedActions', entityId })

describe('asking what could be proposed', () => {
  test('names the actions that the state and the roles permit, with what a model needs to know', async () => {
    const entityId = await it.anInvoice()
    const [allowed] = await it.ask([what(entityId)])
    expect(allowed).toMatchObject([
      { action: 'PAY_PART', risk: 'high', approval: 'by_rule', description: 'Pay a part of an invoice to its vendor', params: { type: 'object' } },
      { action: 'CALL_VENDOR', approval: 'never' },
      { action: 'SUSPEND_VENDOR', approval: 'always' },
    ])
  })

  test('leaves out what the state does not permit', async () => {
    const entityId = await it.anInvoice()
    await it.ask([{ ask: 'report', event: 'INVOICE_CLOSED', entityId, payload: {} }], { actor: 'reporter-1' })
    const [allowed] = await it.ask([what(entityId)])
    expect(allowed).toMatchObject([{ action: 'CALL_VENDOR' }, { action: 'SUSPEND_VENDOR' }])
  })

  test.each(['reporter-1', 'intern-1'])('is nothing for %s', async (actor) => {
    expect(await it.ask([what(await it.anInvoice())], { actor })).toEqual([[]])
  })
})

async function records(column: 'trace_id' | 'correlation_id', id: string): Promise<readonly { kind: string; causation_id: string }[]> {
  return (await it.stack.db.pool('auditor').query(`select kind, causation_id, entity_id from kiff.audit_records where ${column} = $1 order by chain, seq, position`, [id])).rows
}

describe('what a request is part of', () => {
  const trace = { traceId: 'trace-9', correlationId: 'case-9', causationId: 'mail-9', tags: { desk: 'berlin' } }

  test('is carried by the workflow and the call into every record, and nothing is guessed from what came before', async () => {
    const entityId = await it.anInvoice()
    await it.ask([{ ask: 'propose', action: 'PAY_PART', entityId, params: { amountCents: 1_000 }, beside: { trace: { causationId: 'mail-10' } } }], { trace })
    const found = await records('trace_id', 'trace-9')
    expect(found.map(({ kind }) => kind)).toEqual(['decision_proposed', 'action_validated', 'action_executed', 'event_ingested', 'state_changed'])
    expect(await records('correlation_id', 'case-9')).toEqual(found)
    expect(found[0]?.causation_id).toBe('mail-10')
    expect(found[2]?.causation_id).toBe(`invoices/Invoice/${entityId}#2`) // the row that opened it, which mail-10 caused
  })

  test('left out, it is the run chain itself', async () => {
    const entityId = await it.anInvoice()
    const handle = await it.start([pay(entityId, 1_000)])
    await handle.result()
    expect(await records('correlation_id', handle.workflowId)).toHaveLength(5)
    const { raw } = await handle.describe()
    expect(await records('trace_id', raw.workflowExecutionInfo?.firstRunId ?? '')).toHaveLength(5)
  })

  test("an event keeps its reporter's source and time, beside the ledger's own", async () => {
    const entityId = `invoice-${randomUUID()}`
    const reported = { ask: 'report', event: 'INVOICE_RECEIVED', entityId, payload: { amountCents: 1, vendorId: 'v-1' }, beside: { id: 'scan-1', source: 'scanner-3', occurredAt: '2026-01-02T03:04:05Z', trace } } as const
    await it.ask([reported], { actor: 'reporter-1' })
    const { rows } = await it.stack.db.pool('auditor').query('select source, occurred_at, recorded_at > occurred_at as later, trace_id, correlation_id, causation_id, tags from kiff.events where entity_id = $1', [entityId])
    expect(rows).toEqual([{ source: 'scanner-3', occurred_at: new Date('2026-01-02T03:04:05Z'), later: true, trace_id: 'trace-9', correlation_id: 'case-9', causation_id: 'mail-9', tags: { desk: 'berlin' } }])
  })

  test.each<[string, unknown]>([
    ['an id with a control character', { traceId: 'a\nb' }],
    ['too many tags', { tags: Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`t${index}`, 'x'])) }],
    ['anything else', { spanId: 'x' }],
  ])('%s is refused', async (_, bad) => {
    expect(await it.ask([pay(await it.anInvoice(), 1_000)], { trace: bad })).toMatchObject([{ outcome: 'invalid', reason: 'invalid_parameter' }])
  })
})
