/** What the registry has to say of a row, whatever the gate has judged: the store believes neither the gate nor its clock. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canonical } from '../../../src/core/canonical.ts'
import type { Domain } from '../../../src/core/domain.ts'
import { ask } from '../../../src/gate/ask.ts'
import { guardOf, rowOf, toQuery, type GovernedProposal } from '../../../src/gate/proposal.ts'
import { ledgers } from '../a-domain.ts'
import { again, aProposal, noted, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

/** Nothing is written by a commit that throws. */
async function refusesWhole(commit: () => Promise<unknown>): Promise<void> {
  const before = await it.ledgerLength()
  await expect(commit()).rejects.toMatchObject({ code: '23514' })
  expect(await it.ledgerLength()).toBe(before)
}

describe('no effect', () => {
  test('in a state that the contract does not name', async () => {
    const account = await it.anAccount()
    await it.report({ type: 'CLOSED', from: 'OPEN', to: 'CLOSED' }, account)
    await refusesWhole(() => it.open(aProposal(account)))
    await refusesWhole(() => it.pure(aProposal(account, { action: 'NOTE' })))
  })

  test('on an entity that does not exist', async () => {
    await refusesWhole(() => it.open(aProposal('nobody-here')))
    await refusesWhole(() => it.pure(aProposal('nobody-here', { action: 'NOTE' })))
  })

  test('by an actor that holds no role which permits it', async () => {
    const account = await it.anAccount()
    await refusesWhole(() => it.open(aProposal(account, { actor: 'olga' })))
    await refusesWhole(() => it.pure(aProposal(account, { action: 'NOTE', actor: 'olga' })))
  })

  test('without approval, where the contract always asks', async () => {
    await refusesWhole(() => it.open(aProposal(existing, { action: 'NEVER_ALONE' })))
  })

  test('with approval it is opened', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'NEVER_ALONE' })
    const approvalId = await it.granted(proposal)
    expect(await it.open(again(proposal), { approvalId })).toMatchObject({ status: 'committed' })
  })

  test('by a contract that nobody has registered', async () => {
    const proposal = { ...aProposal(existing), contractHash: '0'.repeat(64) }
    await refusesWhole(() => it.open(proposal))
  })

  test('of another kind of entity than the contract is for', async () => {
    const { contract, ...proposal } = aProposal(existing)
    await refusesWhole(() => it.open({ ...proposal, contract: { ...contract, entity: { ...contract.entity, name: 'Endpoint' } } }))
  })

  test('by a contract that another has superseded: the gate has to look again', async () => {
    const changed: Domain = { ...ledgers, actions: { ...ledgers.actions, CALL: { ...ledgers.actions.CALL, version: 2 } } }
    await it.register(changed)
    expect(await it.open(aProposal(await it.anAccount()))).toEqual({ status: 'stale' })
    await it.register(ledgers)
  })

  test('what was opened by a contract that is superseded since can still be completed', async () => {
    const changed: Domain = { ...ledgers, actions: { ...ledgers.actions, CALL: { ...ledgers.actions.CALL, version: 2 } } }
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    await it.register(changed)
    expect(await it.complete(proposal)).toMatchObject({ status: 'committed' })
    await it.register(ledgers)
  })

  let existing: string
  beforeAll(async () => { existing = await it.anAccount() })
})

const opening = async (mandateUntil: string | null | undefined) => {
  const proposal = aProposal(await it.anAccount())
  const facts = await it.facts(proposal)
  const guard = { ...guardOf(facts), mandateUntil } as ReturnType<typeof guardOf>
  return it.store.openExecution({ body: rowOf(proposal, facts, 'opened', []), guard, leaseMs: 60_000, idempotentForMs: null, approvalId: null })
}

describe('a mandate', () => {
  test('that runs out before the commit opens nothing', async () => {
    expect(await opening('2001-01-01T00:00:00.000Z')).toEqual({ status: 'stale' })
  })

  test('that lasts does', async () => {
    expect(await opening('2999-01-01T00:00:00.000Z')).toMatchObject({ status: 'committed' })
  })

  test('of which nothing is said is not one that lasts', async () => {
    expect(await opening(undefined)).toEqual({ status: 'stale' })
  })
})

const chainOf = (commit: unknown): unknown => Reflect.get(Object(Reflect.get(Object(commit), 'record')), 'chain')

describe('something that we keep no state of', () => {
  test('exists from the first time that something is done about it; before, a refusal is the run\'s', async () => {
    const proposal = aProposal('endpoint-1', { action: 'PING' })
    expect(chainOf(await it.refuse(proposal))).toContain(proposal.step.workflowId)
    expect(chainOf(await it.open(again(proposal)))).toBe('ledgers/Endpoint/endpoint-1')
    expect(chainOf(await it.refuse(aProposal('endpoint-1', { action: 'PING' })))).toBe('ledgers/Endpoint/endpoint-1')
  })

  test('is held by an open execution as everything is, and freed by its end', async () => {
    const proposal = aProposal('endpoint-2', { action: 'PING' })
    await it.open(proposal)
    expect(await it.open(aProposal('endpoint-2', { action: 'PING' }))).toEqual({ status: 'stale' })
    await it.complete(proposal, { status: 'succeeded' }, [])
    expect(await it.open(aProposal('endpoint-2', { action: 'PING' }))).toMatchObject({ status: 'committed' })
    expect((await it.facts(again(proposal))).state).toBeNull()
  })
})

/** Asks with a request that says something else than the row, or the registered contract. */
async function askingOtherwise(proposal: GovernedProposal, over: object): Promise<unknown> {
  const facts = await it.facts(proposal)
  const inspected = proposal.inspection
  if (!inspected.ok) throw new Error(inspected.message)
  const store = { ...it.store, requestApproval: (commit: Parameters<AnyStore['store']['requestApproval']>[0]) => it.store.requestApproval({ ...commit, request: canonical({ ...(JSON.parse(commit.request) as object), ...over }) }) }
  return ask(store, proposal, facts, { outcome: 'approval_required', action: inspected.action.on({}), rule: 'always' }, { number: 1, changed: null, before: [], link: () => null })
}

describe('what a person is asked', () => {
  test.each<[string, object]>([
    ['other reviewers than the contract names', { reviewers: 'accounts.report' }],
    ['fewer people than the contract asks for', { quorum: 1 }],
    ['another action', { action: 'NOTE' }],
    ['another entity', { entity_id: 'another' }],
    ['another actor', { actor: 'bot-2' }],
    ['another person for whom it is done', { on_behalf_of: 'anna' }],
    ['another workflow', { workflow_id: 'another' }],
    ['another contract', { contract: '0'.repeat(64) }],
  ])('is refused when it names %s', async (_, over) => {
    const proposal = aProposal(await it.anAccount(), { action: 'ASK_TWO' })
    await refusesWhole(() => askingOtherwise(proposal, over))
    expect((await it.facts(again(proposal))).approval).toBeNull()
  })

  test('is refused for an action whose contract asks nobody', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
    const { contractHash, contract } = aProposal(proposal.request.entityId, { action: 'NOTE' })
    await refusesWhole(() => askingOtherwise({ ...proposal, action: 'NOTE', contractHash, contract: { ...contract, approval: proposal.contract.approval } }, {}))
  })

  test('is refused for an action whose contract asks nobody, though it names nobody either', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
    const { contractHash, contract } = aProposal(proposal.request.entityId, { action: 'NOTE' })
    await refusesWhole(() => askingOtherwise({ ...proposal, action: 'NOTE', contractHash, contract: { ...contract, approval: proposal.contract.approval } }, { reviewers: null, quorum: null }))
  })

  test.each([['that nobody has registered', '0'.repeat(64)], ['of another action', aProposal('x', { action: 'NEVER_ALONE' }).contractHash]])('is refused by a contract %s', async (_, contractHash) => {
    const proposal = { ...aProposal(await it.anAccount(), { action: 'ASK' }), contractHash }
    await refusesWhole(() => it.ask(proposal))
  })

  test('can be used no earlier than it can be answered', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'ASK_TWO' })
    await refusesWhole(() => askingOtherwise(proposal, { use_by: '2001-01-01T00:00:00.000Z' }))
  })
})

describe('the past', () => {
  test('is told of the kinds that were asked for, oldest first, with the ledger\'s time; of others, and of none, nothing', async () => {
    const account = await it.anAccount()
    await it.pure(aProposal(account, { action: 'NOTE' }))
    await it.report({}, account)
    const proposal = aProposal(account, { action: 'NOTE', note: 'second' })
    await it.pure(proposal, { events: [noted(proposal, { payload: { note: 'second' } })] })
    const past = async (...eventTypes: string[]) => (await it.store.readFacts({ ...toQuery(aProposal(account)), eventTypes })).events
    const rows = (await it.ledger()).filter(({ chain }) => chain === `ledgers/Account/${account}`)
    expect(await past('NOTED')).toEqual([{ type: 'NOTED', payload: { note: 'hello' }, at: rows[1]?.at }, { type: 'NOTED', payload: { note: 'second' }, at: rows[3]?.at }])
    expect((await past('NOTED', 'TOUCHED', 'OPENED')).map(({ type }) => type)).toEqual(['OPENED', 'NOTED', 'TOUCHED', 'NOTED'])
    expect([await past(), await past('CLOSED')]).toEqual([[], []])
  })

  test('of an entity that does not exist is none', async () => {
    expect((await it.store.readFacts({ ...toQuery(aProposal('nobody')), eventTypes: ['NOTED'] })).events).toEqual([])
  })
})

test('a fault in the middle of a commit leaves nothing behind: neither answer, nor row, nor state', async () => {
  const proposal = aProposal(await it.anAccount(), { action: 'NOTE' })
  const before = await it.facts(proposal)
  await refusesWhole(() => it.pure(proposal, { events: [noted(proposal), noted(proposal, { id: `${proposal.executionKey}-1`, to: 'CLOSED' })] }))
  const after = await it.facts(proposal)
  expect({ ...after, now: before.now }).toEqual(before)
  expect(await it.refuse(proposal)).toMatchObject({ status: 'committed', record: { seq: 2 } })
})
