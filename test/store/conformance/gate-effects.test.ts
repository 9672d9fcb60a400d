/** The gate on a store: what becomes of an effect, however its executor and its commits end. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Contract, EmittedEvent } from '../../../src/core/contract.ts'
import { NotDone } from '../../../src/core/execution.ts'
import type { GateStore } from '../../../src/core/store.ts'
import type { GateOptions } from '../../../src/gate/gate.ts'
import { applyReconciliations } from '../../../src/gate/reconcile.ts'
import { ledgers } from '../a-domain.ts'
import { askedIn, signaturesOf, theGate, type GateOnStore } from '../a-gate.ts'
import { aProposal, lastRow, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
let gate: GateOnStore
let account: string
beforeAll(async () => { it = await theStore() })
beforeEach(async () => {
  gate = theGate(it)
  account = await it.anAccount()
})
afterAll(() => it.close())

const throws = (error: unknown) => async (): Promise<never> => { throw error }
const doubted = async () => (await it.reviews.inDoubt()).filter(({ entity_id }) => entity_id === account)
const unknown = { outcome: 'blocked', reason: 'outcome_unknown' }

/** The store, one of whose functions fails the first `times` it is called. */
function failing(name: keyof GateStore, error: unknown, times: number): Partial<GateStore> {
  let left = times
  const real: (...args: readonly never[]) => Promise<unknown> = it.store[name]
  return { ...it.store, [name]: async (...args: readonly never[]) => (left-- > 0 ? throws(error)() : real(...args)) }
}

async function lost(action: 'CALL' | 'SEND') {
  gate.executes(() => new Promise(() => {}))
  const calls = gate.proposing(action, account)
  void calls.call({ executorMs: 600_000 })
  await expect.poll(() => gate.effects).toHaveLength(1)
  await it.later({ lease: aProposal(account, { action, step: calls.step }).executionKey })
  gate.executes(async () => ({ ok: true }))
  return calls
}

/** The contract as it is registered, whose functions yield something else. */
function emitting(action: 'NOTE' | 'ASK', events: readonly EmittedEvent[] | null): Partial<GateOptions> {
  const contract: Contract = ledgers.actions[action]
  const inspect: Contract['inspect'] = (entityId, params) => {
    const inspection = contract.inspect(entityId, params)
    if (!inspection.ok) return inspection
    const { on } = inspection.action
    return { ok: true, action: { ...inspection.action, on: (facts) => ({ ...on(facts), accept: () => (events === null ? { ok: false, message: 'no words' } : { ok: true, output: {}, events }) }) } }
  }
  return { bound: { ...gate.gate.bound, domain: { ...ledgers, actions: { ...ledgers.actions, [action]: { ...contract, inspect } } } } }
}

/** Answers when the test says so, and not when it is aborted. */
function late() {
  let aborted = false
  const { promise: answered, resolve: answer } = Promise.withResolvers<unknown>()
  gate.executes(async ({ signal }) => {
    signal.addEventListener('abort', () => { aborted = true })
    return answered
  })
  return { answer, wasAborted: () => aborted }
}

describe('before the effect', () => {
  test('what moved since it was read is judged again, and nothing has run on what was', async () => {
    const answer = await gate.proposing('CALL', account).call({ meanwhile: async () => it.report({ type: 'CLOSED', from: 'OPEN', to: 'CLOSED' }, account) })
    expect(answer).toMatchObject({ reason: 'state_not_allowed' })
    expect(gate.effects).toEqual([])
  })

  test('what moved and still permits it is read again, and it runs once', async () => {
    expect(await gate.proposing('CALL', account).call({ meanwhile: async () => it.report({}, account) })).toMatchObject({ outcome: 'allowed' })
    expect(gate.effects).toHaveLength(1)
  })

  test('no commit, no effect', async () => {
    await expect(gate.proposing('CALL', account).call({ gate: { store: { ...it.store, ...failing('openExecution', new Error('the database is away'), 1) } } })).rejects.toThrow('away')
    expect(gate.effects).toEqual([])
  })

  test('an action with no executor behind it is never opened', async () => {
    const answer = await gate.proposing('CALL', account).call({ gate: { bound: { ...gate.gate.bound, executorOf: () => undefined } } })
    expect(answer).toMatchObject({ reason: 'executor_missing' })
    expect((await lastRow(it, account)).kind).toBe('refused')
  })
})

describe('two attempts at the same time', () => {
  test('of one call: it runs once, and both are answered so', async () => {
    const calls = gate.proposing('CALL', account)
    let first: unknown
    const second = await calls.call({ meanwhile: async () => { first = await calls.call({ retry: true }) } })
    expect(second).toMatchObject({ outcome: 'allowed' })
    expect(first).toEqual(second)
    expect(gate.effects).toHaveLength(1)
  })

  test('to take up one execution: it is taken up once, and both are answered so', async () => {
    const calls = gate.proposing('SEND', account)
    const proposal = aProposal(account, { action: 'SEND', step: calls.step })
    await it.open(proposal, { idempotentForMs: 3_600_000 })
    await it.later({ lease: proposal.executionKey })
    expect(await calls.call({ meanwhile: async () => calls.call() })).toMatchObject({ outcome: 'allowed' })
    expect(gate.effects).toHaveLength(1)
  })
})

describe('a worker that is lost while its executor runs', () => {
  test('leaves what must not be repeated in doubt', async () => {
    const calls = await lost('CALL')
    expect(await calls.call()).toMatchObject(unknown)
    expect(gate.effects).toHaveLength(1)
  })

  test('leaves what may be repeated to the next, with the same key', async () => {
    const calls = await lost('SEND')
    expect(await calls.call()).toMatchObject({ outcome: 'allowed' })
    expect(new Set(gate.effects).size).toBe(1)
    expect(gate.effects).toHaveLength(2)
  })
})

describe('an action that only emits, and emits what cannot be', () => {
  test.each<[string, readonly EmittedEvent[] | null]>([
    ['nothing, for its words fail', null],
    ['what the state does not allow', [{ type: 'OPENED', payload: {} }]],
    ['what the state does not allow after the event before it', [{ type: 'CLOSED', payload: {} }, { type: 'NOTED', payload: { note: 'hello' } }]],
  ])('%s, is refused, and no state moves', async (_, events) => {
    expect(await gate.proposing('NOTE', account).call({ gate: emitting('NOTE', events) })).toMatchObject({ outcome: 'blocked', reason: 'error' })
    expect(await lastRow(it, account)).toMatchObject({ kind: 'refused', state: { value: 'OPEN', version: 1 } })
  })

  test('leaves no round open that it was granted by', async () => {
    const calls = gate.proposing('ASK', account)
    const approvalId = askedIn(await calls.call())
    await it.review(approvalId, 'granted', 'olga')
    expect(await calls.call({ reviews: await signaturesOf(it, approvalId), gate: emitting('ASK', null) })).toMatchObject({ reason: 'error' })
    expect((await it.reviews.show(approvalId))?.status).toBe('void')
  })

  test('gives each of its events an id of its own', async () => {
    const events = ['one', 'two'].map((note) => ({ type: 'NOTED', payload: { note } }))
    expect(await gate.proposing('NOTE', account).call({ gate: emitting('NOTE', events) })).toMatchObject({ outcome: 'allowed' })
    expect(new Set((await it.events()).filter(({ entity_id }) => entity_id === account).map(({ id }) => id)).size).toBe(3)
  })
})

describe('an executor that says that nothing was done', () => {
  test('is believed: the next attempt runs, with a new key for the receiver', async () => {
    gate.executes(throws(new NotDone('no funds')))
    const calls = gate.proposing('CALL', account)
    expect(await calls.call()).toMatchObject({ outcome: 'blocked', reason: 'execution_failed', message: 'no funds' })
    gate.executes(async () => ({ ok: true }))
    expect(await calls.call()).toMatchObject({ outcome: 'allowed' })
    const [first] = gate.effects
    expect(gate.effects).toEqual([first, `${first}-2`])
  })

  test('after it has lost its lease is not believed', async () => {
    const calls = gate.proposing('CALL', account)
    gate.executes(async ({ idempotencyKey }) => {
      await it.later({ lease: idempotencyKey })
      await it.doubt(aProposal(account, { step: calls.step }))
      throw new NotDone('no funds')
    })
    expect(await calls.call()).toMatchObject(unknown)
    expect(await calls.call()).toMatchObject(unknown)
    expect(gate.effects).toHaveLength(1)
  })
})

describe('an executor that throws anything else', () => {
  test('leaves what must not be repeated in doubt, before a person', async () => {
    gate.executes(throws(new Error('connection reset')))
    const calls = gate.proposing('CALL', account)
    expect(await calls.call()).toMatchObject(unknown)
    expect(await calls.call()).toMatchObject(unknown)
    expect(gate.effects).toHaveLength(1)
    expect(await doubted()).toHaveLength(1)
  })

  test('is run again at once, with the same key, where that is safe', async () => {
    gate.executes(throws(new Error('connection reset')))
    const calls = gate.proposing('SEND', account)
    expect(await calls.fails()).toBe('kiff.EffectUnknown')
    gate.executes(async () => ({ ok: true }))
    expect(await calls.call()).toMatchObject({ outcome: 'allowed' })
    expect(new Set(gate.effects).size).toBe(1)
    expect(gate.effects).toHaveLength(2)
  })
})

describe('an executor that does not answer in time', () => {
  test('is told so, and what must not be repeated is in doubt', async () => {
    const { wasAborted } = late()
    expect(await gate.proposing('CALL', account).call({ executorMs: 500 })).toMatchObject(unknown)
    expect(wasAborted()).toBe(true)
    expect(await doubted()).toHaveLength(1)
  })

  test('keeps its lease: nobody else runs it meanwhile', async () => {
    late()
    const calls = gate.proposing('SEND', account)
    expect(await calls.fails({ executorMs: 500 })).toBe('kiff.EffectUnknown')
    expect(await calls.fails()).toBe('kiff.EntityBusy')
    expect(gate.effects).toHaveLength(1)
  })

  test('and answers late is believed: the state moves, and the call is answered with that', async () => {
    const { answer } = late()
    const calls = gate.proposing('CALL', account)
    expect(await calls.call({ executorMs: 500 })).toMatchObject(unknown)
    answer({ ok: true })
    await expect.poll(async () => (await lastRow(it, account)).kind).toBe('executed')
    expect(await calls.call()).toMatchObject({ outcome: 'allowed', output: { ok: true } })
    expect(gate.effects).toHaveLength(1)
  })
})

describe('an executor that returns after a person has found that nothing happened', () => {
  test.each<[string, unknown]>([['in good order', { ok: true }], ['with what cannot be accepted', { ok: 'perhaps' }]])('%s: that is on record, and a person looks again', async (_, output) => {
    const { promise, resolve: answer } = Promise.withResolvers<unknown>()
    gate.executes(async () => promise)
    const calls = gate.proposing('CALL', account)
    expect(await calls.call({ executorMs: 500 })).toMatchObject(unknown)
    await it.reconcile(aProposal(account, { step: calls.step }), 'olga', { verdict: 'not_happened' })
    await applyReconciliations(it.store, it.reconciling)
    answer(output)
    await expect.poll(async () => (await lastRow(it, account)).kind).toBe('contradicted')
    expect(await lastRow(it, account)).toMatchObject({ output })
    expect(await calls.call()).toMatchObject(unknown)
    expect(gate.effects).toHaveLength(1)
  })
})

describe('a result', () => {
  test('that the contract does not take is no success: the account is held for a person, with what came back', async () => {
    gate.executes(async () => ({ ok: 'perhaps' }))
    const calls = gate.proposing('CALL', account)
    expect(await calls.call()).toMatchObject(unknown)
    expect(await lastRow(it, account)).toMatchObject({ kind: 'completion_rejected', output: { ok: 'perhaps' } })
    expect(await gate.proposing('NOTE', account).call()).toMatchObject(unknown)
    expect(await calls.call()).toMatchObject(unknown)
    expect(gate.effects).toHaveLength(1)
  })

  test('of two megabytes is recorded by its length', async () => {
    gate.executes(async () => ({ ok: 'x'.repeat(2_000_000) }))
    expect(await gate.proposing('CALL', account).call()).toMatchObject(unknown)
    expect(await lastRow(it, account)).toMatchObject({ kind: 'completion_rejected', output: { too_large: 2_000_009 } })
  })

  test('is recorded as soon as the store answers again: the effect is not repeated', async () => {
    const store = { ...it.store, ...failing('completeExecution', new Error('the database is away'), 2) }
    expect(await gate.proposing('CALL', account).call({ gate: { store } })).toMatchObject({ outcome: 'allowed' })
    expect(gate.effects).toHaveLength(1)
  })

  test('whose events the store refuses by its rules is not tried again: the account is held for a person', async () => {
    const store = { ...it.store, ...failing('completeExecution', Object.assign(new Error('NOTED cannot happen'), { code: '23514' }), 1) }
    expect(await gate.proposing('CALL', account).call({ gate: { store } })).toMatchObject(unknown)
    expect(await lastRow(it, account)).toMatchObject({ kind: 'completion_rejected' })
    expect(gate.effects).toHaveLength(1)
  })
})

test('an effect is opened as what its contract says that it is: not to be repeated, or for so long', async () => {
  const honoured: (number | null)[] = []
  const store: GateStore = { ...it.store, openExecution: async (commit) => {
    honoured.push(commit.idempotentForMs)
    return it.store.openExecution(commit)
  } }
  gate.executes(async () => ({ ok: true }))
  for (const action of ['CALL', 'SEND']) expect(await gate.proposing(action, account).call({ gate: { store } })).toMatchObject({ outcome: 'allowed' })
  expect(honoured).toEqual([null, 3_600_000])
})
