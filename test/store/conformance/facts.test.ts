/** What the gate reads before it decides: of this entity, this key, this call, and of nothing that only looks like it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toQuery, type GovernedProposal } from '../../../src/gate/proposal.ts'
import { again, aProposal, aStep, leaseOf, noted, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

/** A run whose chain is named as this account's is. */
const namesake = (account: string) => aStep({ namespace: 'ledgers', firstExecutionRunId: 'Account', workflowId: account })

describe('facts', () => {
  test('are of the entity, not of a run that is named alike', async () => {
    const account = await it.anAccount()
    await it.refuse(aProposal('nobody', { step: namesake(account) }))
    await it.refuse(aProposal('nobody', { step: namesake(account) }))
    expect(await it.facts(aProposal(account))).toMatchObject({ state: { value: 'OPEN', version: 1 }, intact: true })
  })

  test('are of the newest attempt', async () => {
    const proposal = aProposal(await it.anAccount())
    const { token } = leaseOf(await it.open(proposal))
    await it.complete(proposal, { status: 'failed', token })
    await it.open(again(proposal))
    expect((await it.facts(again(again(proposal)))).execution).toMatchObject({ ordinal: 2, status: 'reserved' })
  })

  test('are of the newest round', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
    const first = await it.asked(proposal)
    await it.ask(again(proposal), { round: 2, voids: first })
    const { approval } = await it.facts(again(again(proposal)))
    expect(approval?.status).toBe('pending')
    expect(approval?.approvalId).not.toBe(first)
  })

  test('tell what was answered to this call alone', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.refuse(proposal)
    const { step } = proposal
    const called = async (over: object) => (await it.facts({ ...proposal, step: { ...step, ...over } })).call
    expect(await called({})).not.toBeNull()
    expect(await Promise.all([{ namespace: 'another' }, { runId: 'another' }, { activityId: 'another' }].map(called))).toEqual([null, null, null])
  })

  test('name no holder of another entity', async () => {
    await it.open(aProposal(await it.anAccount()))
    expect((await it.facts(aProposal(await it.anAccount()))).holder).toBeNull()
  })

  test('name no execution, and no approval, of another key', async () => {
    const [opened, asked] = [aProposal(await it.anAccount()), aProposal(await it.anAccount(), { action: 'ASK' })]
    await it.open(opened)
    await it.asked(asked)
    expect(await it.facts(aProposal(await it.anAccount()))).toMatchObject({ execution: null, executed: null, approval: null })
  })

  test('tell the reviews of the approval, and of no other', async () => {
    await it.granted(aProposal(await it.anAccount(), { action: 'ASK' }))
    const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
    const approvalId = await it.asked(proposal)
    expect((await it.facts(again(proposal))).approval?.reviews).toEqual([])
    expect(await it.reviews.show(approvalId)).toMatchObject({ reviews: [], revoked: null })
  })

  test('tell no past of another entity', async () => {
    await it.pure(aProposal(await it.anAccount(), { action: 'NOTE' }))
    expect((await it.store.readFacts({ ...toQuery(aProposal(await it.anAccount())), eventTypes: ['NOTED'] })).events).toEqual([])
  })

  test('know no event by another id, nor of another entity', async () => {
    const [account, other] = [await it.anAccount(), await it.anAccount()]
    await it.report({ id: 'touch' }, account)
    const known = async (entityId: string, id: string) => (await it.store.readFacts({ ...toQuery(aProposal(entityId)), event: { id, type: 'TOUCHED', payload: {} } })).event
    expect(await known(account, 'touch')).toMatchObject({ same: true })
    expect([await known(account, 'another'), await known(other, 'touch')]).toEqual([null, null])
  })

  test('tell each event of a row once', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'NOTE' })
    await it.pure(proposal, { events: [noted(proposal), noted(proposal, { id: `${proposal.executionKey}-1`, payload: { note: 'again' } })] })
    const { events } = await it.store.readFacts({ ...toQuery(aProposal(proposal.request.entityId)), eventTypes: ['NOTED'] })
    expect(events.map(({ payload }) => payload)).toEqual([{ note: 'hello' }, { note: 'again' }])
  })
})

/** The same proposal, as it comes a second time. */
const equal = (proposal: GovernedProposal, over: object = {}): GovernedProposal => aProposal(proposal.request.entityId, { action: 'ASK', step: { ...proposal.step, activityId: '2', ...over }, occurrence: 1 })

describe('facts of what was denied', () => {
  test.each(['namespace', 'firstExecutionRunId'])('tell of no denial that is another\'s: %s', async (field) => {
    const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
    await it.review(await it.asked(proposal), 'denied', 'olga')
    expect((await it.facts(equal(proposal))).denied).not.toBeNull()
    expect((await it.facts(equal(proposal, { [field]: 'another' }))).denied).toBeNull()
  })

  test('name the one who denied, not the one who had granted before', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'ASK_TWO' })
    const approvalId = await it.asked(proposal)
    await it.review(approvalId, 'granted', 'olga')
    await it.review(approvalId, 'denied', 'otto')
    expect((await it.facts(again(proposal))).denied).toEqual({ reviewer: 'otto', reason: 'because' })
  })
})
