/** The gate on a store: what it makes of what it has read, from the call to its recorded answer. */
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { busy } from '../../../src/gate/busy.ts'
import { rowOf } from '../../../src/gate/proposal.ts'
import { applyReconciliations } from '../../../src/gate/reconcile.ts'
import { theGate, type GateOnStore } from '../a-gate.ts'
import { ledgers } from '../a-domain.ts'
import { again, aProposal, lastRow, leaseOf, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
let gate: GateOnStore
beforeAll(async () => {
  it = await theStore()
  gate = theGate(it)
})
afterAll(() => it.close())

const rowsOf = async (account: string) => (await it.ledger()).filter(({ chain }) => chain === `ledgers/Account/${account}`).length

/** Opened by a worker that is heard of no more. */
async function leftOpen(action: 'CALL' | 'SEND') {
  const account = await it.anAccount()
  const calls = gate.proposing(action, account)
  const proposal = aProposal(account, { action, step: calls.step })
  leaseOf(await it.open(proposal, { idempotentForMs: action === 'SEND' ? 3_600_000 : null }))
  return { account, calls, key: proposal.executionKey, before: gate.effects.length }
}
const begun = (before: number) => gate.effects.slice(before)

describe('a call', () => {
  test('of an action that every object has a member of is of no action', async () => {
    for (const name of ['constructor', 'toString']) expect(await gate.proposing(name, 'a').call()).toMatchObject({ outcome: 'invalid', reason: 'unknown_action' })
  })

  test('that is retried gets the answer that was recorded, and nothing happens again', async () => {
    const account = await it.anAccount()
    const calls = gate.proposing('CALL', account)
    const answer = await calls.call()
    const before = [gate.effects.length, await rowsOf(account)]
    expect(await calls.call({ retry: true })).toEqual(answer)
    expect([gate.effects.length, await rowsOf(account)]).toEqual(before)
  })

  test('that was refused stays refused when it is retried, though it would now be allowed', async () => {
    const calls = gate.proposing('NOTE', await it.anAccount(), { actor: 'otto' })
    const serving = { gate: { actors: ['otto'] } }
    const answer = await calls.call(serving)
    expect(answer).toMatchObject({ reason: 'permission_denied' })
    await it.grant('otto', 'bot')
    expect(await calls.call({ ...serving, retry: true })).toEqual(answer)
    expect(await calls.call(serving)).toMatchObject({ outcome: 'allowed' })
    await it.revoke('otto', 'bot')
  })

  test('on an entity whose ledger does not end where it says does nothing', async () => {
    const account = await it.anAccount()
    const before = await rowsOf(account)
    const store = { ...it.store, readFacts: async (query: Parameters<typeof it.store.readFacts>[0]) => ({ ...(await it.store.readFacts(query)), intact: false }) }
    expect(await gate.proposing('CALL', account).fails({ gate: { store } })).toBe('kiff.LedgerMismatch')
    expect(await rowsOf(account)).toBe(before)
  })

  test('whose facts move between read and commit is judged again', async () => {
    const account = await it.anAccount()
    const closed = { meanwhile: async () => it.report({ type: 'CLOSED', from: 'OPEN', to: 'CLOSED' }, account) }
    expect(await gate.proposing('NOTE', account).call(closed)).toMatchObject({ reason: 'state_not_allowed' })
  })

  test('whose facts never stand still gives up, and comes again', async () => {
    const account = await it.anAccount()
    const store = { ...it.store, readFacts: async (query: Parameters<typeof it.store.readFacts>[0]) => ({ ...(await it.store.readFacts(query)), rolesEpoch: -1 }) }
    expect(await gate.proposing('NOTE', account).fails({ gate: { store } })).toBe('kiff.Contended')
  })

  test('is not refused for what was true when it was read, and is no more', async () => {
    const calls = gate.proposing('NOTE', await it.anAccount(), { actor: 'otto' })
    expect(await calls.call({ gate: { actors: ['otto'] }, meanwhile: async () => it.grant('otto', 'bot') })).toMatchObject({ outcome: 'allowed' })
    await it.revoke('otto', 'bot')
  })
})

test('a mandate that runs out between read and commit lets nothing run', async () => {
  const account = await it.anAccount()
  const { step } = gate.proposing('CALL', account)
  const until = Date.now() + 300
  const mandate = { issuer: 'desk', id: null, actor: 'bot-1', onBehalfOf: null, namespace: step.namespace, workflowId: step.workflowId, domain: null, actions: null, notBefore: null, expiresAt: until, sha256: '0' }
  const before = gate.effects.length
  const answer = await gate.proposing('CALL', account, { mandate: 'a.b.c' }, step).call({ gate: { verifyMandate: async () => mandate }, meanwhile: async () => pause(until - Date.now() + 50) })
  expect(answer).toMatchObject({ reason: 'actor_unproven', message: expect.stringContaining('ran out') })
  expect(gate.effects.length).toBe(before)
})

describe('a worker with other rules than those registered last', () => {
  test('steps aside, and does so before it judges; a call that was answered is answered so again', async () => {
    const own = await theStore()
    const { proposing, effects } = theGate(own)
    const account = await own.anAccount()
    const [answered, fresh] = [proposing('CALL', account), proposing('CALL', account)]
    const answer = await answered.call()
    await own.register({ ...ledgers, actions: { ...ledgers.actions, CALL: { ...ledgers.actions.CALL, version: 2 } } })
    expect(await fresh.fails()).toBe('kiff.ContractSuperseded')
    expect(await answered.call({ retry: true })).toEqual(answer)
    expect(effects).toHaveLength(1)
    await own.close()
  })

  test('so does one whose rules nobody has registered', async () => {
    const domain = { ...ledgers, actions: { ...ledgers.actions, CALL: { ...ledgers.actions.CALL, version: 3 } } }
    expect(await gate.proposing('CALL', await it.anAccount()).fails({ gate: { bound: { ...gate.gate.bound, domain } } })).toBe('kiff.ContractSuperseded')
  })
})

describe('an execution that was left open', () => {
  test('is waited for as long as its lease lasts', async () => {
    const { calls, before } = await leftOpen('SEND')
    expect(await calls.fails()).toBe('kiff.EntityBusy')
    expect(begun(before)).toEqual([])
  })

  test('is waited for by others as well', async () => {
    const { account, before } = await leftOpen('SEND')
    expect(await gate.proposing('CALL', account).fails()).toBe('kiff.EntityBusy')
    expect(begun(before)).toEqual([])
  })

  test('runs again, with the same key, while its receiver still knows that key', async () => {
    const { calls, key, before } = await leftOpen('SEND')
    await it.later({ lease: key })
    expect(await calls.call()).toMatchObject({ outcome: 'allowed' })
    expect(begun(before)).toEqual([key])
  })

  test('is in doubt once the receiver has forgotten the key', async () => {
    const { calls, key, before } = await leftOpen('SEND')
    await it.later({ lease: key })
    await it.later({ idempotence: key })
    expect(await calls.call()).toMatchObject({ outcome: 'blocked', reason: 'outcome_unknown' })
    expect(begun(before)).toEqual([])
  })

  test('is in doubt where it must not be repeated', async () => {
    const { account, calls, key, before } = await leftOpen('CALL')
    await it.later({ lease: key })
    expect(await calls.call()).toMatchObject({ outcome: 'blocked', reason: 'outcome_unknown' })
    expect(begun(before)).toEqual([])
    expect((await it.reviews.inDoubt()).map(({ entity_id }) => entity_id)).toContain(account)
  })
})

describe('an attempt that ran after all', () => {
  /** The first attempt was found not to have happened, a second one was opened and lost, and then the first one's executor returned. */
  test('ends the next: it is in doubt, though its receiver would still know its key', async () => {
    const calls = gate.proposing('SEND', await it.anAccount())
    const proposal = aProposal(calls.entityId, { action: 'SEND', step: calls.step })
    await it.doubt(proposal, leaseOf(await it.open(proposal)).token)
    await it.reconcile(proposal, 'olga', { verdict: 'not_happened' })
    await applyReconciliations(it.store, it.reconciling)
    leaseOf(await it.open(again(proposal), { idempotentForMs: 3_600_000 }))
    await it.store.recordContradiction({ body: rowOf(proposal, await it.facts(proposal), 'contradicted', []), executionKey: proposal.executionKey, ordinal: 1 })
    await it.later({ lease: proposal.executionKey })
    const before = gate.effects.length
    expect(await calls.call()).toMatchObject({ outcome: 'blocked', reason: 'outcome_unknown' })
    expect(gate.effects.length).toBe(before)
  })
})

test.each([[-5, 500], [700, 700], [60_000, undefined]])('with %s ms of a lease left, a waiter comes again after %s ms (undefined: by its own back-off)', (left, after) => {
  expect(busy('account-1', left).nextRetryDelay).toBe(after)
})

describe('what nobody knows', () => {
  test.each([['no action', 'BURN_DOWN\u0000', 'bot-1'], ['an actor that cannot be printed', 'BURN_DOWN', 'bot\u0000']])('%s is refused on record, in words that can be kept', async (_, action, actor) => {
    const before = await it.ledgerLength()
    expect(await gate.proposing(action, 'a', { actor }).call()).toMatchObject({ reason: 'unknown_action' })
    expect(await it.ledgerLength()).toBe(before + 1)
  })

  test('an action that was known when this very call asked is answered as it was then, and not tried for ever', async () => {
    const calls = gate.proposing('ASK', await it.anAccount())
    const asked = await calls.call()
    const { ASK: _, ...others } = ledgers.actions
    const without = { ...gate.gate.bound, domain: { ...ledgers, actions: others } }
    expect(asked).toMatchObject({ outcome: 'approval_required' })
    expect(await calls.call({ retry: true, gate: { bound: without } })).toEqual(asked)
    expect(await calls.call({ gate: { bound: without } })).toMatchObject({ reason: 'unknown_action' })
  })

  test('parameters that have no canonical form are refused on record', async () => {
    const account = await it.anAccount()
    expect(await gate.proposing('CALL', account, { params: { note: '\u0000' } }).call()).toMatchObject({ reason: 'invalid_parameter' })
    expect(await lastRow(it, account)).toMatchObject({ kind: 'refused', params: { not_canonical: expect.anything() } })
  })

  test('input of a megabyte is recorded by its length and beginning', async () => {
    await gate.proposing('BURN_DOWN', 'a', { params: { text: 'x'.repeat(1_000_000) } }).call()
    expect((await it.ledger()).at(-1)?.body.length).toBeLessThan(2_000)
  })
})
