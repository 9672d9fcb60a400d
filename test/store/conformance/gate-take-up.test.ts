/** The gate on a store: an execution that was left open, and what has to be found again before it is run again. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { approvalBody } from '../../../src/approvals/review.ts'
import type { ActionOnFacts, Contract } from '../../../src/core/contract.ts'
import { sha256 } from '../../../src/core/digest.ts'
import type { GateOptions } from '../../../src/gate/gate.ts'
import { ledgers } from '../a-domain.ts'
import { askedIn, signaturesOf, theGate, type GateOnStore, type Proposing } from '../a-gate.ts'
import { aProposal, lastRow, requestOf, theStore, type Action, type AnyStore } from '../the-store.ts'

let it: AnyStore
let gate: GateOnStore
beforeAll(async () => { it = await theStore() })
beforeAll(() => { gate = theGate(it) })
afterAll(() => it.close())

const lost = async (): Promise<never> => { throw new Error('connection reset') }
const done = async () => ({ ok: true })

/** What a call is told, and how many effects were begun in it. */
async function told(calls: Proposing, how?: Parameters<Proposing['call']>[0]): Promise<object & { readonly effects: number }> {
  const before = gate.effects.length
  gate.executes(done)
  const answer = await calls.call(how)
  return { ...answer, effects: gate.effects.length - before }
}

/** The same contract, as its hash has it, and other functions. */
function changed(action: Action, over: Partial<Contract>): Partial<GateOptions> {
  const actions = { ...ledgers.actions, [action]: { ...ledgers.actions[action], ...over } }
  return { bound: { ...gate.gate.bound, domain: { ...ledgers, actions } } }
}

/** Its parameters read as ever, and other rules. */
const inspecting = (action: Action, rules: Partial<ActionOnFacts>): Contract['inspect'] => (entityId, params) => {
  const contract: Contract = ledgers.actions[action]
  const inspection = contract.inspect(entityId, params)
  return inspection.ok ? { ok: true, action: { ...inspection.action, on: (facts) => ({ ...inspection.action.on(facts), ...rules }) } } : inspection
}

const unknown = { outcome: 'blocked', reason: 'outcome_unknown', effects: 0 }

/** Opened with the gate's login by a row that says so and nothing else, and past its lease. */
async function forged(calls: Proposing, action: Action, approvalId?: string): Promise<void> {
  const proposal = aProposal(calls.entityId, { action, step: calls.step })
  expect(await it.open(proposal, { leaseMs: 60_000, idempotentForMs: 3_600_000, ...(approvalId === undefined ? {} : { approvalId }) })).toMatchObject({ status: 'committed' })
  await it.later({ lease: proposal.executionKey })
}

/** Opened by the gate, and lost in its executor. */
async function begun(action: Action, how: Parameters<Proposing['call']>[0] = {}, calls = gate.proposing(action, '')): Promise<Proposing> {
  const own = calls.entityId === '' ? gate.proposing(action, await it.anAccount()) : calls
  gate.executes(lost)
  expect(await own.fails(how)).toBe('kiff.EffectUnknown')
  return own
}

async function asking() {
  const calls = gate.proposing('MAY_ASK', await it.anAccount())
  return { calls, approvalId: askedIn(await calls.call()) }
}

describe('is run again with the same key', () => {
  test('what the gate has opened itself', async () => {
    expect(await told(await begun('SEND'))).toMatchObject({ outcome: 'allowed', effects: 1 })
    expect(gate.effects.at(-1)).toBe(gate.effects.at(-2))
  })

  test('what a person has agreed to, by the grant that was used for it', async () => {
    const { calls, approvalId } = await asking()
    await it.review(approvalId, 'granted', 'olga')
    await begun('MAY_ASK', { reviews: await signaturesOf(it, approvalId) }, calls)
    expect(await told(calls)).toMatchObject({ outcome: 'allowed', effects: 1 })
  })

  test('by the very call that has begun it, also when its actor is not proven any more', async () => {
    const calls = await begun('SEND')
    expect(await told(calls, { retry: true, gate: { actors: [] } })).toMatchObject({ outcome: 'allowed', effects: 1 })
  })
})

describe('is in doubt, and not run again', () => {
  test('what must not be repeated, whatever its row says', async () => {
    const calls = gate.proposing('CALL', await it.anAccount())
    await forged(calls, 'CALL')
    expect(await told(calls)).toMatchObject(unknown)
  })

  test('what nobody was asked about, and somebody has to be', async () => {
    const calls = gate.proposing('MAY_ASK', await it.anAccount())
    await forged(calls, 'MAY_ASK')
    expect(await told(calls)).toMatchObject(unknown)
    expect((await it.ledger()).filter(({ chain }) => chain === `ledgers/Account/${calls.entityId}`).map(({ body }) => body).find((body) => body.includes('"kind":"in_doubt"'))).toContain('it cannot be run again: no grant was used for it')
  })

  test.each<[string, (approvalId: string) => Promise<unknown>]>([
    ['has not answered', async () => undefined],
    ['has said no', (approvalId) => it.review(approvalId, 'denied', 'olga')],
    ['has agreed, by a grant that was not used for it', (approvalId) => it.review(approvalId, 'granted', 'olga')],
  ])('what a person %s', async (_, answer) => {
    const { calls, approvalId } = await asking()
    await forged(calls, 'MAY_ASK')
    await answer(approvalId)
    expect(await told(calls, { reviews: await signaturesOf(it, approvalId) })).toMatchObject(unknown)
  })

  test('nor where the rules ask nobody by then, but somebody was asked and has not agreed', async () => {
    const { calls } = await asking()
    await forged(calls, 'MAY_ASK')
    const action = { inspect: inspecting('MAY_ASK', { approvalRule: () => false }) }
    expect(await told(calls, { gate: changed('MAY_ASK', action) })).toMatchObject(unknown)
  })

  test('what was opened by a grant that nobody has signed', async () => {
    const { calls, approvalId } = await asking()
    const digest = (await it.reviews.show(approvalId))?.digest ?? ''
    const jws = 'a.b.c'
    const review = { purpose: 'approval', approval_id: approvalId, digest, verdict: 'granted', reviewer: 'olga', reason: 'x', reviewed_at: 'now', jws_sha256: sha256(jws) }
    await it.reviews.recordReview(approvalBody(await requestOf(it, approvalId), 'reviewed', 'olga', [], review), jws)
    await forged(calls, 'MAY_ASK', approvalId)
    expect(await told(calls)).toMatchObject(unknown)
  })

  test.each<[string, Partial<Contract>]>([
    ['rests on other facts than its past leads to', { pastFacts: () => ({ balance: 7 }) }],
    ['rests on facts that cannot be derived again', { pastFacts: () => { throw new Error('no past today') } }],
    ['has a rule that fails', { inspect: inspecting('SEND', { approvalRule: () => { throw new Error('no policy today') } }) }],
  ])('what %s', async (_, over) => {
    const calls = await begun('SEND')
    expect(await told(calls, { gate: changed('SEND', over) })).toMatchObject(unknown)
  })

  test('what was opened so long ago that its receiver no longer honours the key, by the contract', async () => {
    const calls = await begun('SEND')
    expect(await told(calls, { gate: { store: { ...it.store, async readFacts(query) {
      const facts = await it.store.readFacts(query)
      return facts.execution === null ? facts : { ...facts, execution: { ...facts.execution, openedAgoMs: 3_600_000 } }
    } } } })).toMatchObject(unknown)
  })
})

describe('a call whose mandate does not hold', () => {
  test('any more is never told that nothing was done, where it has begun it itself', async () => {
    const calls = gate.proposing('SEND', await it.anAccount(), { mandate: 'a.b.c' })
    await begun('SEND', { gate: trusting(calls) }, calls)
    expect(await told(calls, { retry: true })).toMatchObject({ ...unknown, message: expect.stringContaining('was begun by this call') })
    expect(await lastRow(it, calls.entityId)).toMatchObject({ kind: 'refused' })
  })

  test('and is another one, is told nothing of it', async () => {
    expect(await told(await begun('SEND'), { gate: { actors: [] } })).toMatchObject({ reason: 'actor_unproven', effects: 0 })
  })
})

/** A gate that takes the mandate of this workflow, by which it acts for anna. */
function trusting({ step }: Proposing): Partial<GateOptions> {
  const mandate = { issuer: 'desk', id: null, actor: 'bot-1', onBehalfOf: 'anna', namespace: step.namespace, workflowId: step.workflowId, domain: null, actions: null, notBefore: null, expiresAt: Date.now() + 3_600_000, sha256: '0' }
  return { verifyMandate: async () => mandate }
}
