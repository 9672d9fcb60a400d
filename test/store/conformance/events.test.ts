import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RecordedEvent } from '../../../src/core/ledger-row.ts'
import { aProposal, aStep, theStore, nextActivity, noted, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

const stateOf = async (entityId: string) => (await it.facts(aProposal(entityId))).state
const closed: Partial<RecordedEvent> = { type: 'CLOSED', from: 'OPEN', to: 'CLOSED' }

describe('a reported event', () => {
  test('moves the state and its version', async () => {
    const account = await it.anAccount()
    expect(await it.report(closed, account)).toMatchObject({ status: 'committed', record: { chain: `ledgers/Account/${account}`, seq: 2 } })
    expect(await stateOf(account)).toEqual({ value: 'CLOSED', version: 2 })
  })

  test('is what state is rebuilt from: one row of the view for each', async () => {
    const account = await it.anAccount()
    await it.report({ id: 'touch-1' }, account)
    expect((await it.events()).filter(({ entity_id }) => entity_id === account).slice(1)).toMatchObject([
      { id: 'touch-1', type: 'TOUCHED', from_state: 'OPEN', to_state: 'OPEN', actor_id: 'shop' },
    ])
  })
})

const shut = async (): Promise<string> => {
  const account = await it.anAccount()
  await it.report(closed, account)
  return account
}

describe('an event that cannot happen never enters the log, whatever its row says', () => {
  test.each<[string, () => Promise<string>, Partial<RecordedEvent>]>([
    ['out of its state, honestly told', shut, { from: 'CLOSED', to: 'OPEN' }],
    ['out of its state, as if the entity were in another', shut, { from: 'OPEN', to: 'OPEN' }],
    ['to another state than the registry says', () => it.anAccount(), { to: 'CLOSED' }],
    ['to a state that is not declared', () => it.anAccount(), { to: 'BURNED' }],
    ['that is not declared', () => it.anAccount(), { type: 'BURNED', to: 'CLOSED' }],
    ['that makes an entity which exists', () => it.anAccount(), { type: 'OPENED', from: null, to: 'OPEN' }],
    ['of an entity that does not exist', async () => `nobody-${Math.random()}`, {}],
    ['of an entity that does not exist, as if it were open', async () => `nobody-${Math.random()}`, { from: null, to: 'OPEN' }],
    ['to nowhere, as one that is not declared would', () => it.anAccount(), { type: 'BURNED', to: null as never }],
    ['that only an action emits', () => it.anAccount(), { type: 'NOTED', payload: { note: 'x' } }],
  ])('%s', async (_, anEntity, event) => {
    const account = await anEntity()
    const [state, before] = [await stateOf(account), await it.ledgerLength()]
    await expect(it.report(event, account)).rejects.toMatchObject({ code: '23514' })
    expect(await stateOf(account)).toEqual(state)
    expect(await it.ledgerLength()).toBe(before)
  })

  test('of another type of entity than declares it', async () => {
    await expect(it.report({ type: 'OPENED', from: null, to: 'OPEN' }, 'invoice-1', { entityType: 'Invoice' })).rejects.toMatchObject({ code: '23514' })
  })

  test('reported by someone whom the domain does not name', async () => {
    await expect(it.report({}, await it.anAccount(), { actor: 'bot-1' })).rejects.toMatchObject({ code: '23514' })
  })

  test('reported by someone who no longer holds the role, although the caller read otherwise', async () => {
    const account = await it.anAccount()
    await it.revoke('shop', 'reporter')
    await expect(it.report({}, account)).rejects.toMatchObject({ code: '23514' })
    await it.grant('shop', 'reporter')
  })

  test('hidden behind one that can', async () => {
    const account = await it.anAccount()
    await expect(it.report({}, account, { more: [{ id: 'second', type: 'CLOSED', payload: {}, from: 'OPEN', to: 'CLOSED' }] })).rejects.toThrow('one event is reported at a time')
  })

  test('reported as if an action had emitted it', async () => {
    const account = await it.anAccount()
    await expect(it.report(noted(aProposal(account)), account, { action: 'NOTE' })).rejects.toThrow('by no action')
  })
})

describe('an id that an event of an action has', () => {
  test('is its own execution\'s, and in its place: none can take that of another', async () => {
    const [proposal, other] = [aProposal(await it.anAccount(), { action: 'NOTE' }), aProposal(await it.anAccount(), { action: 'NOTE' })]
    for (const id of [noted(other).id, `${proposal.executionKey}-1`, 'another', proposal.executionKey]) {
      await expect(it.pure(proposal, { events: [noted(proposal, { id })] })).rejects.toMatchObject({ code: '23514' })
    }
    await expect(it.pure(proposal, { events: [noted(proposal), noted(proposal, { id: `${proposal.executionKey}-2` })] })).rejects.toMatchObject({ code: '23514' })
    expect(await it.pure(proposal, { events: [noted(proposal), noted(proposal, { id: `${proposal.executionKey}-1` })] })).toMatchObject({ status: 'committed' })
  })

  test('is not for one that is reported: what the action has done could not be recorded', async () => {
    const proposal = aProposal(await it.anAccount())
    const before = await it.ledgerLength()
    await expect(it.report({ id: noted(proposal).id }, proposal.request.entityId)).rejects.toMatchObject({ code: '23514' })
    await expect(it.report({ id: `${'0'.repeat(64)}-12` }, proposal.request.entityId)).rejects.toMatchObject({ code: '23514' })
    expect(await it.ledgerLength()).toBe(before)
    await it.open(proposal)
    expect(await it.complete(proposal)).toMatchObject({ status: 'committed' })
  })

  test.each([
    ['a digest', '0'.repeat(64)],
    ['a digest and a word', `${'0'.repeat(64)}-a`],
    ['something shorter', `${'0'.repeat(63)}-0`],
    ['something longer', `a${'0'.repeat(64)}-0`],
  ])('is not %s', async (_, id) => {
    expect(await it.report({ id }, await it.anAccount())).toMatchObject({ status: 'committed' })
  })
})

test('an event moves its own entity, and no other', async () => {
  const [one, other] = [await it.anAccount(), await it.anAccount()]
  await it.report(closed, one)
  expect(await stateOf(other)).toEqual({ value: 'OPEN', version: 1 })
})

test('a call that was answered reports nothing more', async () => {
  const [account, step] = [await it.anAccount(), aStep()]
  const first = await it.report({ id: 'first' }, account, { step })
  expect(await it.report({ id: 'second' }, account, { step })).toMatchObject({ status: 'repeat', answer: { record: Reflect.get(first, 'record') } })
  expect(await stateOf(account)).toEqual({ value: 'OPEN', version: 2 })
})

describe('an event id', () => {
  test('names one event: reported again it is answered with the first record, and nothing is folded', async () => {
    const account = await it.anAccount()
    const first = await it.report({ id: 'e-1' }, account)
    const before = await it.ledgerLength()
    expect(await it.report({ id: 'e-1' }, account)).toMatchObject({ status: 'repeat', answer: { outcome: 'allowed', record: Reflect.get(first, 'record') } })
    expect(await it.ledgerLength()).toBe(before)
    expect(await stateOf(account)).toEqual({ value: 'OPEN', version: 2 })
  })

  test('is known even when the event could no longer happen', async () => {
    const account = await it.anAccount()
    await it.report({ ...closed, id: 'e-1' }, account)
    expect(await it.report({ ...closed, id: 'e-1' }, account)).toMatchObject({ status: 'repeat' })
  })

  test.each<[string, Partial<RecordedEvent>]>([
    ['another payload', { payload: { more: 1 } }],
    ['another type', closed],
  ])('used for another event is a conflict: %s', async (_, event) => {
    const account = await it.anAccount()
    await it.report({ id: 'e-1' }, account)
    expect(await it.report({ ...event, id: 'e-1' }, account)).toEqual({ status: 'conflict' })
  })

  test('is among the facts, same or not, with the record of the first', async () => {
    const account = await it.anAccount()
    const first = await it.report({ id: 'e-1', payload: {} }, account)
    const read = async (payload: unknown) => {
      const facts = await it.store.readFacts({ step: aStep(), domain: 'ledgers', entityType: 'Account', entityId: account, actor: 'shop', executionKey: 'e-1', proposalDigest: 'e-1', event: { id: 'e-1', type: 'TOUCHED', payload } })
      return facts.event
    }
    expect(await read({})).toEqual({ same: true, record: Reflect.get(first, 'record') })
    expect(await read({ more: 1 })).toMatchObject({ same: false })
  })

  test('belongs to its entity: the same id on another is another event', async () => {
    const [one, other] = [await it.anAccount(), await it.anAccount()]
    await it.report({ id: 'e-1' }, one)
    expect(await it.report({ id: 'e-1' }, other)).toMatchObject({ status: 'committed' })
  })

  test('used twice in one completion is refused whole', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    await expect(it.complete(proposal, { status: 'succeeded' }, [noted(proposal), noted(proposal)])).rejects.toMatchObject({ code: '23514' })
  })
})

test('an event waits while an execution holds its entity, and is taken after', async () => {
  const proposal = aProposal(await it.anAccount())
  const step = aStep()
  await it.open(proposal)
  expect(await it.report({}, proposal.request.entityId, { step })).toEqual({ status: 'busy' })
  await it.complete(proposal)
  expect(await it.report({}, proposal.request.entityId, { step: nextActivity(step) })).toMatchObject({ status: 'committed' })
})
