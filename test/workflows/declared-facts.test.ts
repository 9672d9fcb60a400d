import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { approval } from '../an-entity.ts'
import { anInvoicesStack, note, pay, type Invoices } from '../an-invoices-stack.ts'
import { eventually } from '../a-stack.ts'

let it: Invoices
beforeAll(async () => { it = await anInvoicesStack() })
afterAll(() => it.stack.close())
beforeEach(() => { Object.assign(it.register, { trusted: true, bank: 'DE-1', consent: true, fails: false, words: 'the register is closed' }) })

async function rows(entityId: string): Promise<readonly { kind: string; facts: unknown; chain: string }[]> {
  return (await it.stack.db.pool('auditor').query(
    "select l.kind, l.body::jsonb -> 'facts' as facts, c.kind as chain from kiff.ledger l join kiff.chains c using (chain) where l.body::jsonb ->> 'entity_id' = $1 order by l.at", [entityId])).rows
}

describe('a fact derived from the recorded events', () => {
  test('is what a rule rests on, whatever the agent asserts: a running total is never exceeded', async () => {
    const entityId = await it.anInvoice()
    const answers = await it.ask([pay(entityId, 9_000), pay(entityId, 9_001), pay(entityId, 45_000), pay(entityId, 10_000)])
    expect(answers).toMatchObject([
      { outcome: 'allowed' },
      { outcome: 'allowed' },
      { outcome: 'invalid', reason: 'invalid_parameter', message: 'only 31999 are left to pay' },
      { outcome: 'allowed' },
    ])
    expect(it.effects(entityId)).toHaveLength(3)
  })

  test('stands in the row that let the action run, and reaches the executor', async () => {
    const entityId = await it.anInvoice()
    await it.ask([pay(entityId, 1_000), pay(entityId, 2_000)])
    const facts = { invoice: { amountCents: 50_000, vendorId: 'v-1' }, paidCents: 1_000, vendor: { trusted: true, bank: 'DE-1' } }
    expect((await rows(entityId)).filter(({ kind }) => kind === 'opened')[1]?.facts).toEqual(facts)
    expect(it.effects(entityId)[1]?.facts).toEqual(facts)
  })
})

describe('a loaded fact', () => {
  test('forbids what no consent of a person can allow, and nobody is asked', async () => {
    const entityId = await it.anInvoice()
    it.register.trusted = false
    expect(await it.ask([pay(entityId, 20_000)])).toMatchObject([{ outcome: 'blocked', reason: 'forbidden', message: 'the vendor is not trusted' }])
    expect((await rows(entityId)).map(({ kind }) => kind)).toEqual(['event', 'refused'])
  })

  test('is read again at the moment of effect: consent for another bank account is void', async () => {
    const entityId = await it.anInvoice()
    const handle = await it.start([pay(entityId, 20_000)])
    const first = await it.stack.asked(entityId)
    it.register.bank = 'XX-666'
    await it.stack.review(first, 'granted', 'maria')
    const second = await it.stack.asked(entityId, 2)
    expect(it.effects(entityId)).toEqual([])
    expect((await approval(it.stack, second))?.request).toMatchObject({
      changed: 'vendor has changed since: it was {"bank":"DE-1","trusted":true}, now it is {"bank":"XX-666","trusted":true}', facts: { vendor: { bank: 'XX-666' } }, summary: 'Pay 20000 to XX-666',
    })
    await it.stack.review(second, 'granted', 'maria')
    expect(await handle.result()).toMatchObject([{ outcome: 'allowed' }])
    expect(it.effects(entityId)).toMatchObject([{ facts: { vendor: { bank: 'XX-666' } } }])
  })

  test('that turns against the action after it was granted stops it', async () => {
    const entityId = await it.anInvoice()
    const handle = await it.start([pay(entityId, 20_000)])
    const approvalId = await it.stack.asked(entityId)
    it.register.trusted = false
    await it.stack.review(approvalId, 'granted', 'maria')
    expect(await handle.result()).toMatchObject([{ outcome: 'blocked', reason: 'forbidden' }])
    expect(await approval(it.stack, approvalId)).toMatchObject({ status: 'void' })
    expect(it.effects(entityId)).toEqual([])
  })

  test('that cannot be read withholds the action, durably, and nothing is recorded of it; then it goes on', async () => {
    const entityId = await it.anInvoice()
    it.register.fails = true
    const handle = await it.start([pay(entityId, 1_000)])
    const failure = await eventually(async () => (await handle.describe()).raw.pendingActivities?.find(({ lastFailure }) => lastFailure !== null)?.lastFailure)
    expect(failure).toMatchObject({ message: expect.stringContaining('cannot be judged: the register is closed; nothing was done'), applicationFailureInfo: { type: 'kiff.FactsUnavailable' } })
    expect((await rows(entityId)).map(({ kind }) => kind)).toEqual(['event'])
    it.register.fails = false
    expect(await handle.result()).toMatchObject([{ outcome: 'allowed' }])
  })

  test('whose loader fails in two megabytes withholds it no less: a failure of that size would end the workflow', async () => {
    const entityId = await it.anInvoice()
    Object.assign(it.register, { fails: true, words: 'x'.repeat(2_000_000) })
    const handle = await it.start([pay(entityId, 1_000)])
    await eventually(async () => (await handle.describe()).raw.pendingActivities?.some(({ lastFailure }) => lastFailure?.applicationFailureInfo?.type === 'kiff.FactsUnavailable'))
    it.register.fails = false
    expect(await handle.result()).toMatchObject([{ outcome: 'allowed' }])
  })

  test('is not loaded for a proposal that is refused without it', async () => {
    const entityId = await it.anInvoice()
    const before = it.register.loads
    expect(await it.ask([{ ask: 'propose', action: 'PAY_PART', entityId, params: { amountCents: 'all' } }, pay(`none-${randomUUID()}`, 1)])).toMatchObject([{ reason: 'invalid_parameter' }, { reason: 'unknown_entity' }])
    expect(it.register.loads).toBe(before)
  })
})

describe('consent that binds the state and the facts', () => {
  test('is not void because of an event that changes neither', async () => {
    const entityId = await it.anInvoice()
    const handle = await it.start([pay(entityId, 20_000)])
    const approvalId = await it.stack.asked(entityId)
    await it.ask([note(entityId)], { actor: 'reporter-1' })
    await it.stack.review(approvalId, 'granted', 'maria')
    expect(await handle.result()).toMatchObject([{ outcome: 'allowed' }])
    expect(await approval(it.stack, approvalId)).toMatchObject({ status: 'consumed', request: { binds: 'state', state: 'OPEN', state_version: 1 } })
  })

  test('is void when a fact has changed by an event', async () => {
    const entityId = await it.anInvoice()
    const handle = await it.start([pay(entityId, 20_000)])
    const approvalId = await it.stack.asked(entityId)
    await it.ask([pay(entityId, 5_000)])
    await it.stack.review(approvalId, 'granted', 'maria')
    const second = await it.stack.asked(entityId, 2)
    expect((await approval(it.stack, second))?.request).toMatchObject({ changed: 'paidCents has changed since: it was 0, now it is 5000' })
    await it.stack.review(second, 'denied', 'maria')
    await handle.result()
  })
})

const call = (entityId: string, words = 'hello') => ({ ask: 'propose' as const, action: 'CALL_VENDOR', entityId, params: { words } })

describe('something that we keep no state of', () => {
  test('is acted on by what its facts say; no entity is made for it, but a chain of its own', async () => {
    const vendor = `vendor-${randomUUID()}`
    expect(await it.ask([call(vendor)])).toMatchObject([{ outcome: 'allowed', record: { chain: `invoices/Vendor/${vendor}`, seq: 2 } }])
    expect(await it.stack.db.pool('auditor').query('select from kiff.entities where entity_id = $1', [vendor])).toMatchObject({ rowCount: 0 })
    expect(it.effects(vendor)).toHaveLength(1)
  })

  test('a refusal about one that nothing was ever done with goes to the run chain', async () => {
    it.register.consent = false
    const vendor = `vendor-${randomUUID()}`
    expect(await it.ask([call(vendor)])).toMatchObject([{ outcome: 'blocked', reason: 'forbidden' }])
    expect(await rows(vendor)).toMatchObject([{ kind: 'refused', chain: 'run' }])
  })

  test('is held by an execution like any other: two at once happen one after the other', async () => {
    const vendor = `vendor-${randomUUID()}`
    await Promise.all([it.ask([call(vendor, 'one')]), it.ask([call(vendor, 'two')], { actor: 'clerk-2' })])
    expect(await rows(vendor)).toMatchObject([{ kind: 'opened' }, { kind: 'executed' }, { kind: 'opened' }, { kind: 'executed' }])
  })

  test('static approval: the rule may add to it, and two people are needed', async () => {
    const vendor = `vendor-${randomUUID()}`
    const handle = await it.start([{ ask: 'propose', action: 'SUSPEND_VENDOR', entityId: vendor, params: { words: 'at once' } }])
    const approvalId = await it.stack.asked(vendor)
    expect((await approval(it.stack, approvalId))?.request).toMatchObject({ rule: 'a vendor is never suspended by one alone; and it is urgent', quorum: 2, state: null, state_version: 0 })
    await it.stack.review(approvalId, 'granted', 'maria')
    expect(await it.stack.review(approvalId, 'granted', 'maria')).toMatchObject({ outcome: 'refused', reason: 'already_reviewed' })
    expect(await approval(it.stack, approvalId)).toMatchObject({ status: 'pending' })
    await it.stack.review(approvalId, 'granted', 'rita')
    expect(await handle.result()).toMatchObject([{ outcome: 'allowed' }])
    expect(it.effects(vendor)).toHaveLength(1)
  })
})
