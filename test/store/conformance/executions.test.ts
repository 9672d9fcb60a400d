import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { again, aProposal, theStore, lastRow, leaseOf, noted, noToken, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

const succeeded = { status: 'succeeded' } as const

describe('while an execution is open', () => {
  test('it holds its entity against every other action', async () => {
    const account = await it.anAccount()
    await it.open(aProposal(account))
    expect(await it.open(aProposal(account))).toEqual({ status: 'stale' })
    expect(await it.pure(aProposal(account, { action: 'NOTE' }))).toEqual({ status: 'stale' })
  })

  test('reported events wait like actions: what was judged must still hold when it completes', async () => {
    const account = await it.anAccount()
    await it.open(aProposal(account))
    expect(await it.report({}, account)).toEqual({ status: 'busy' })
  })

  test('it is among the facts of whoever comes, with its lease by the database\'s clock', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal, { leaseMs: 60_000, idempotentForMs: 3_600_000 })
    const { holder, execution } = await it.facts(aProposal(proposal.request.entityId))
    expect(execution).toBeNull()
    expect(holder).toMatchObject({ executionKey: proposal.executionKey, ordinal: 1, actor: 'bot-1', status: 'reserved', completionRejected: null })
    expect(holder?.leaseRemainingMs).toBeGreaterThan(50_000)
    expect(holder?.idempotentRemainingMs).toBeGreaterThan(3_500_000)
  })

  test('the same key does not open a second one', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    expect(await it.open(again(proposal))).toEqual({ status: 'stale' })
  })

  test('the intent is in the ledger before anything else can happen', async () => {
    const proposal = aProposal(await it.anAccount())
    const opened = await it.open(proposal)
    expect(await lastRow(it, proposal.request.entityId)).toMatchObject({ kind: 'opened', execution_key: proposal.executionKey, seq: Reflect.get(Reflect.get(opened, 'record') as object, 'seq') })
  })

  test('another entity is free', async () => {
    await it.open(aProposal(await it.anAccount()))
    expect(await it.open(aProposal(await it.anAccount()))).toMatchObject({ status: 'committed', ordinal: 1 })
  })
})

describe('taking up an open execution', () => {
  test('is refused while its lease lasts: somebody may be running it', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'SEND' })
    await it.open(proposal, { idempotentForMs: 3_600_000 })
    expect(await it.resume(proposal)).toEqual({ status: 'stale' })
  })

  test('gives the same attempt with a new lease once that is over', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'SEND' })
    const first = leaseOf(await it.open(proposal, { idempotentForMs: 3_600_000 }))
    await it.later({ lease: proposal.executionKey })
    const second = leaseOf(await it.resume(proposal))
    expect(second.ordinal).toBe(first.ordinal)
    expect(second.token).not.toBe(first.token)
    expect((await it.facts(proposal)).holder?.leaseRemainingMs).toBeGreaterThan(50_000)
  })

  test('is refused when the receiver no longer honours the key', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'SEND' })
    await it.open(proposal, { idempotentForMs: 3_600_000 })
    await it.later({ lease: proposal.executionKey })
    await it.later({ idempotence: proposal.executionKey })
    expect(await it.resume(proposal)).toEqual({ status: 'stale' })
  })

  test('is refused when the receiver would stop honouring the key before the new lease is over', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'SEND' })
    const { token } = leaseOf(await it.open(proposal, { idempotentForMs: 50_000 })) // a new lease is for 60 seconds
    await it.store.yieldLease(proposal.executionKey, token)
    expect(await it.resume(proposal)).toEqual({ status: 'stale' })
  })

  test('is refused for an effect that must not be repeated', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal, { idempotentForMs: null })
    await it.later({ lease: proposal.executionKey })
    expect(await it.resume(proposal)).toEqual({ status: 'stale' })
  })

  test('is refused in the name of another entity', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'SEND' })
    await it.open(proposal, { idempotentForMs: 3_600_000 })
    await it.later({ lease: proposal.executionKey })
    expect(await it.resume(aProposal(await it.anAccount()), proposal.executionKey)).toEqual({ status: 'stale' })
  })

  test('can happen early when its holder gives the lease back', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'SEND' })
    const { token } = leaseOf(await it.open(proposal, { idempotentForMs: 3_600_000 }))
    await it.store.yieldLease(proposal.executionKey, token)
    expect(await it.resume(proposal)).toMatchObject({ status: 'committed' })
  })

  test('cannot be made possible by anybody else', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'SEND' })
    await it.open(proposal, { idempotentForMs: 3_600_000 })
    await it.store.yieldLease(proposal.executionKey, noToken)
    expect(await it.resume(proposal)).toEqual({ status: 'stale' })
  })
})

describe('an execution that succeeded', () => {
  test('folds its events, moves the state, and frees the entity, in one commit', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    const commit = await it.complete(proposal)
    const facts = await it.facts(again(proposal))
    expect(facts).toMatchObject({ state: { value: 'OPEN', version: 2 }, holder: null, execution: { status: 'succeeded' }, executed: { outcome: 'allowed', record: Reflect.get(commit, 'record') } })
  })

  test('completes once: whoever comes later is told the first answer', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    const first = await it.complete(proposal)
    expect(await it.complete(again(proposal))).toMatchObject({ status: 'repeat', answer: { outcome: 'allowed', record: Reflect.get(first, 'record') } })
    expect((await it.facts(proposal)).state?.version).toBe(2)
  })

  test('is never opened again', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    await it.complete(proposal)
    expect(await it.open(again(proposal))).toEqual({ status: 'stale' })
  })

  test('cannot fail afterwards', async () => {
    const proposal = aProposal(await it.anAccount())
    const { token } = leaseOf(await it.open(proposal))
    await it.complete(proposal)
    expect(await it.complete(again(proposal), { status: 'failed', token })).toMatchObject({ status: 'repeat' })
  })

  test.each<[string, Parameters<typeof noted>[1]]>([
    ['lead to another state than the registry says', { to: 'CLOSED' }],
    ['come from another state than the entity is in', { from: 'CLOSED' }],
    ['are not declared', { type: 'BURNED' }],
    ['its action does not emit', { type: 'TOUCHED', payload: {} }],
  ])('with events that %s is refused whole: it stays open', async (_, event) => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    const before = await it.ledgerLength()
    await expect(it.complete(proposal, succeeded, [noted(proposal, event)])).rejects.toMatchObject({ code: '23514' })
    expect(await it.ledgerLength()).toBe(before)
    expect(await it.facts(proposal)).toMatchObject({ execution: { status: 'reserved' }, state: { version: 1 } })
  })

  test('under a contract nobody registered emits nothing', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    await expect(it.complete({ ...proposal, contractHash: '0'.repeat(64) })).rejects.toMatchObject({ code: '23514' })
  })

  test('cannot be completed in the name of another entity', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    const other = aProposal(await it.anAccount())
    await expect(it.complete({ ...other, executionKey: proposal.executionKey })).rejects.toThrow('is not of this entity')
  })
})

describe('an execution that is rejected', () => {
  test('has happened, and holds its entity for a person', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    await it.complete(proposal, { status: 'rejected', why: 'no refund id' })
    expect((await it.facts(again(proposal))).holder).toMatchObject({ status: 'succeeded', completionRejected: 'no refund id' })
    expect(await it.open(aProposal(proposal.request.entityId))).toEqual({ status: 'stale' })
    expect(await it.report({}, proposal.request.entityId)).toEqual({ status: 'busy' })
  })

  test('folds none of the events it came with', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    await it.complete(proposal, { status: 'rejected', why: 'x' }, [noted(proposal)])
    expect((await it.facts(proposal)).state?.version).toBe(1)
  })
})

describe('an execution that failed', () => {
  test('frees its entity, and the next attempt is a new one', async () => {
    const proposal = aProposal(await it.anAccount())
    const { token } = leaseOf(await it.open(proposal))
    expect(await it.complete(proposal, { status: 'failed', token })).toMatchObject({ status: 'committed' })
    expect(await it.facts(again(proposal))).toMatchObject({ holder: null, execution: { status: 'failed' }, executed: null })
    expect(await it.open(again(proposal))).toMatchObject({ status: 'committed', ordinal: 2 })
  })

  test('folds none of the events it came with', async () => {
    const proposal = aProposal(await it.anAccount())
    const { token } = leaseOf(await it.open(proposal))
    await it.complete(proposal, { status: 'failed', token }, [noted(proposal)])
    expect((await it.facts(proposal)).state?.version).toBe(1)
  })

  test.each([{ status: 'succeeded' }, { status: 'rejected', why: 'garbage' }] as const)('that another attempt contradicts ($status) is told so, and changes nothing by that', async (end) => {
    const proposal = aProposal(await it.anAccount())
    const { token } = leaseOf(await it.open(proposal))
    await it.complete(proposal, { status: 'failed', token })
    expect(await it.complete(again(proposal), end)).toEqual({ status: 'contradicted' })
    expect((await it.facts(proposal)).state?.version).toBe(1)
  })

  test('is believed only of the lease\'s holder', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    expect(await it.complete(proposal, { status: 'failed', token: noToken })).toEqual({ status: 'stale' })
    expect((await it.facts(proposal)).execution?.status).toBe('reserved')
  })

  test('is not believed once it is in doubt, not even of who held the lease', async () => {
    const proposal = aProposal(await it.anAccount())
    const { token } = leaseOf(await it.open(proposal))
    await it.doubt(proposal, token)
    expect(await it.complete(proposal, { status: 'failed', token })).toEqual({ status: 'stale' })
  })

  test.each([{ status: 'cancelled' }, { status: null }, {}])('an end nobody knows is refused: %j', async (end) => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    await expect(it.complete(proposal, end as never, [])).rejects.toThrow('an execution cannot end as')
  })
})

describe('an execution in doubt', () => {
  test('comes to be so only past its lease, unless its holder says so', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    expect(await it.doubt(proposal)).toEqual({ status: 'stale' })
    expect(await it.doubt(proposal, noToken)).toEqual({ status: 'stale' })
    await it.later({ lease: proposal.executionKey })
    expect(await it.doubt(proposal)).toMatchObject({ status: 'committed' })
  })

  test('comes to be so at once when its holder says so', async () => {
    const proposal = aProposal(await it.anAccount())
    const { token } = leaseOf(await it.open(proposal))
    expect(await it.doubt(proposal, token)).toMatchObject({ status: 'committed' })
  })

  test('is marked once, and not in the name of another entity', async () => {
    const proposal = aProposal(await it.anAccount())
    const { token } = leaseOf(await it.open(proposal))
    expect(await it.doubt({ ...aProposal(await it.anAccount()), executionKey: proposal.executionKey }, token)).toEqual({ status: 'stale' })
    await it.doubt(proposal, token)
    expect(await it.doubt(proposal, token)).toEqual({ status: 'stale' })
  })

  test('holds its entity', async () => {
    const proposal = aProposal(await it.anAccount())
    const { token } = leaseOf(await it.open(proposal))
    await it.doubt(proposal, token)
    expect(await it.open(aProposal(proposal.request.entityId))).toEqual({ status: 'stale' })
    expect(await it.report({}, proposal.request.entityId)).toEqual({ status: 'busy' })
    expect((await it.facts(again(proposal))).holder?.status).toBe('in_doubt')
  })

  test('a late success is accepted, from any attempt: it happened', async () => {
    const proposal = aProposal(await it.anAccount())
    const { token } = leaseOf(await it.open(proposal))
    await it.doubt(proposal, token)
    expect(await it.complete(proposal)).toMatchObject({ status: 'committed' })
    expect(await it.facts(again(proposal))).toMatchObject({ holder: null, execution: { status: 'succeeded' }, state: { version: 2 } })
  })

  test('a late result that cannot be accepted is recorded, and goes on holding the entity', async () => {
    const proposal = aProposal(await it.anAccount())
    const { token } = leaseOf(await it.open(proposal))
    await it.doubt(proposal, token)
    await it.complete(proposal, { status: 'rejected', why: 'late and wrong' })
    expect((await it.facts(proposal)).holder?.completionRejected).toBe('late and wrong')
  })

  test('what has ended is not in doubt', async () => {
    const proposal = aProposal(await it.anAccount())
    const { token } = leaseOf(await it.open(proposal))
    await it.complete(proposal)
    expect(await it.doubt(proposal, token)).toEqual({ status: 'stale' })
  })
})

describe('an action without an effect outside', () => {
  test('is executed, recorded and folded at once', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'NOTE' })
    expect(await it.pure(proposal)).toMatchObject({ status: 'committed', record: { seq: 2 } })
    expect(await it.facts(again(proposal))).toMatchObject({ state: { version: 2 }, holder: null, execution: { status: 'succeeded' }, executed: { outcome: 'allowed' } })
  })

  test('happens once under its key', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'NOTE' })
    await it.pure(proposal)
    expect(await it.pure(again(proposal))).toEqual({ status: 'stale' })
  })

  test('is the next attempt under a key whose execution has failed', async () => {
    const proposal = aProposal(await it.anAccount())
    const { token } = leaseOf(await it.open(proposal))
    await it.complete(proposal, { status: 'failed', token })
    const { executionKey } = proposal
    const note = { ...aProposal(proposal.request.entityId, { action: 'NOTE' }), executionKey }
    expect(await it.pure(note)).toMatchObject({ status: 'committed' })
    expect((await it.facts(again(proposal))).execution).toMatchObject({ ordinal: 2, status: 'succeeded' })
    expect(await it.pure(again(note))).toEqual({ status: 'stale' })
  })

  test('whose events the registry does not know is refused whole', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'NOTE' })
    await expect(it.pure(proposal, { events: [noted(proposal, { type: 'CLOSED', to: 'CLOSED', payload: {} })] })).rejects.toMatchObject({ code: '23514' })
    expect((await it.facts(proposal)).execution).toBeNull()
  })
})
