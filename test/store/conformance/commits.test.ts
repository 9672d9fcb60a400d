import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ledgerBody } from '../../../src/core/ledger-row.ts'
import type { Committed, Facts } from '../../../src/core/store.ts'
import type { GovernedProposal } from '../../../src/gate/proposal.ts'
import { again, aProposal, aStep, theStore, type Action, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

/** Every guarded commit of the gate, by name. */
const commits: readonly { readonly name: string; readonly action: Action; readonly commit: (proposal: GovernedProposal, facts?: Facts) => Promise<unknown> }[] = [
  { name: 'recordAnswer', action: 'CALL', commit: async (proposal, facts) => it.refuse(proposal, facts) },
  { name: 'requestApproval', action: 'ASK', commit: async (proposal, facts) => it.ask(proposal, facts === undefined ? {} : { facts }) },
  { name: 'openExecution', action: 'CALL', commit: async (proposal, facts) => it.open(proposal, facts === undefined ? {} : { facts }) },
  { name: 'executePure', action: 'NOTE', commit: async (proposal, facts) => it.pure(proposal, facts === undefined ? {} : { facts }) },
  { name: 'reportEvent', action: 'NOTE', commit: async ({ request, step }, facts) => it.report({}, request.entityId, { step, actor: 'shop', ...(facts === undefined ? {} : { facts }) }) },
]
const stale = expect.toSatisfy((commit: unknown) => commit === 'stale' || (commit as Committed).status === 'stale', 'is stale')

describe.each(commits)('$name holds only if what was read still does', ({ action, commit }) => {
  test('the state has moved meanwhile: stale, and nothing is written', async () => {
    const account = await it.anAccount()
    const proposal = aProposal(account, { action })
    const facts = await it.facts(proposal)
    await it.report({}, account)
    const before = await it.ledgerLength()
    expect(await commit(proposal, facts)).toEqual(stale)
    expect(await it.ledgerLength()).toBe(before)
  })

  test('a role was revoked meanwhile, anyone\'s: stale, and nothing is written', async () => {
    const proposal = aProposal(await it.anAccount(), { action })
    const facts = await it.facts(proposal)
    await it.revoke('bot-2', 'bot')
    await it.grant('bot-2', 'bot')
    const before = await it.ledgerLength()
    expect(await commit(proposal, facts)).toEqual(stale)
    expect(await it.ledgerLength()).toBe(before)
  })

  test('a guard left out does not hold', async () => {
    const proposal = aProposal(await it.anAccount(), { action })
    const facts = await it.facts(proposal)
    expect(await commit(proposal, { ...facts, rolesEpoch: null as never })).toEqual(stale)
  })
})

test('another entity that moves meanwhile keeps nobody from acting on this one', async () => {
  const [proposal, other] = [aProposal(await it.anAccount()), await it.anAccount()]
  const facts = await it.facts(proposal)
  await it.report({}, other)
  expect(await it.open(proposal, { facts })).toMatchObject({ status: 'committed' })
})

test('an unguarded answer is recorded whatever has moved: a refusal of input that names nothing', async () => {
  const body = ledgerBody({ kind: 'refused', step: aStep(), domain: 'ledgers', entityType: null, entityId: null, action: 'MADE_UP', actor: 'bot-1', audit: [] })
  const answer = { outcome: 'invalid', reason: 'unknown_action', message: 'no', nextStep: 'fix_proposal' } as const
  expect(await it.store.recordAnswer({ body, answer, guard: null })).toMatchObject({ status: 'committed' })
})

describe('a call is answered once', () => {
  const answering = commits.filter(({ name }) => name !== 'openExecution')

  test.each(answering)('$name, the same call again: the first answer and its record, and nothing is written', async ({ action, commit }) => {
    const proposal = aProposal(await it.anAccount(), { action })
    const first = await commit(proposal)
    const before = await it.ledgerLength()
    const repeated = await commit(proposal, await it.facts(proposal))
    const record = Reflect.get(first as object, 'record') as object
    expect(record).toMatchObject({ seq: 2 })
    expect('status' in (repeated as object) ? repeated : { status: 'repeat', answer: repeated }).toMatchObject({ status: 'repeat', answer: { record } })
    expect(await it.ledgerLength()).toBe(before)
  })

  test('what a call has answered is among its facts, with the record', async () => {
    const proposal = aProposal(await it.anAccount())
    const commit = await it.refuse(proposal)
    expect((await it.facts(proposal)).call).toEqual({ outcome: 'blocked', reason: 'state_not_allowed', message: 'no', nextStep: 'do_not_retry', record: Reflect.get(commit, 'record') })
  })

  test('another activity of the run is another call', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.refuse(proposal)
    expect(await it.refuse(again(proposal))).toMatchObject({ status: 'committed', record: { seq: 3 } })
  })

  test('the same activity id in another run is another call', async () => {
    const account = await it.anAccount()
    const step = aStep()
    await it.refuse(aProposal(account, { step }))
    expect(await it.refuse(aProposal(account, { step: { ...step, runId: 'after-a-reset' } }))).toMatchObject({ status: 'committed' })
  })

  test('the same run and activity in another namespace is another call', async () => {
    const account = await it.anAccount()
    const step = aStep()
    await it.refuse(aProposal(account, { step }))
    expect(await it.refuse(aProposal(account, { step: { ...step, namespace: 'other' } }))).toMatchObject({ status: 'committed' })
  })

  test('a call that has completed an execution does not open another', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    await it.complete(proposal)
    expect(await it.open(proposal)).toMatchObject({ status: 'repeat', answer: { outcome: 'allowed' } })
  })
})
