/** What KIFF's own suite of a store does not ask, beside what stands with its cases in `kiff.test.ts`. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { faultsOf } from '../recompute.ts'
import { again, aProposal, blocked, bodyOf, noted, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

const eventsOf = async (entityId: string) => (await it.events()).filter((event) => event.entity_id === entityId)

describe("what KIFF's suite lacks", () => {
  test('duplicate ids: an event id is used once an entity, the same event is told its first record, another is a conflict', async () => {
    const account = await it.anAccount()
    const first = await it.report({ id: 'e-1' }, account)
    expect(await it.report({ id: 'e-1' }, account)).toMatchObject({ status: 'repeat', answer: { record: Reflect.get(first, 'record') } })
    expect(await it.report({ id: 'e-1', type: 'CLOSED', to: 'CLOSED' }, account)).toEqual({ status: 'conflict' })
    expect(await eventsOf(account)).toHaveLength(2)
  })

  test('concurrency: of ten who read the same, one commits; the others are told that the world has moved', async () => {
    const account = await it.anAccount()
    const facts = await it.facts(aProposal(account))
    const commits = await Promise.all(Array.from({ length: 10 }, () => it.report({}, account, { facts })))
    expect(commits.map(({ status }) => status).sort()).toEqual(['committed', ...Array<string>(9).fill('stale')])
    expect((await it.facts(aProposal(account))).state?.version).toBe(2)
    expect(await faultsOf(it)).toEqual([])
  })

  test('append-only: whatever happens after, rows stay as they were, to the last character, and so they do when what was read of them is changed', async () => {
    const proposal = aProposal(await it.anAccount())
    const before = await it.ledger()
    await it.open(proposal)
    await it.complete(proposal)
    for (const row of await it.ledger()) Object.assign(row, { body: 'changed' })
    Object.assign((await it.facts(proposal)).state ?? {}, { value: 'CHANGED' })
    const after = await it.ledger()
    for (const row of before) expect(after).toContainEqual(row)
    expect((await it.facts(proposal)).state?.value).toBe('OPEN')
  })

  test('entity-type mismatch: an id names one entity of each type, and an event belongs to the type that declares it', async () => {
    const account = await it.anAccount()
    const ping = aProposal(account, { action: 'PING' })
    await it.open(ping)
    expect((await it.facts(ping)).state).toBeNull()
    expect(await it.open(aProposal(account))).toMatchObject({ status: 'committed', record: { chain: `ledgers/Account/${account}` } })
    await expect(it.report({}, `other-${account}`, { entityType: 'Endpoint' })).rejects.toMatchObject({ code: '23514' })
  })

  test('idempotency: under one key an effect happens once; the first answer is what everybody is told', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'SEND' })
    await it.open(proposal)
    const first = await it.complete(proposal)
    expect(await it.open(again(proposal))).toEqual({ status: 'stale' })
    expect((await it.facts(again(proposal))).executed).toMatchObject({ outcome: 'allowed', record: Reflect.get(first, 'record') })
    const rows = (await it.ledger()).map(bodyOf).filter((row) => row['execution_key'] === proposal.executionKey)
    expect(rows.map(({ kind }) => kind)).toEqual(['opened', 'executed'])
  })

  test('idempotency: another occurrence of an equal proposal is another effect', async () => {
    const { step, request: { entityId }, ...first } = aProposal(await it.anAccount(), { action: 'NOTE' })
    const second = aProposal(entityId, { action: 'NOTE', step: { ...step, activityId: '2' }, occurrence: 1 })
    expect(second.executionKey).not.toBe(first.executionKey)
    await it.pure(aProposal(entityId, { action: 'NOTE', step }))
    expect(await it.pure(second, { events: [noted(second)] })).toMatchObject({ status: 'committed' })
    expect((await eventsOf(entityId)).filter(({ type }) => type === 'NOTED')).toHaveLength(2)
  })

  test.each(['[]', '"text"', 'null', '7', '{}'])('a body that names nothing is recorded by nobody: %s', async (body) => {
    const before = await it.ledgerLength()
    await expect(it.store.recordAnswer({ body, answer: blocked, guard: null })).rejects.toMatchObject({ code: expect.stringMatching(/^2/) })
    expect(await it.ledgerLength()).toBe(before)
  })

  test('a body that is no JSON is recorded by nobody', async () => {
    const before = await it.ledgerLength()
    await expect(it.store.recordAnswer({ body: 'not JSON', answer: blocked, guard: null })).rejects.toMatchObject({ code: '22P02' })
    expect(await it.ledgerLength()).toBe(before)
  })
})
