/** KIFF's black-box cases 1 to 24, on the domain they were written for; 25 is in `batches.test.ts`. Where we differ, a line says why. */
import { defineDomain } from 'kiff-temporal'
import { NotDone, testDomain, type Scene } from 'kiff-temporal/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { createReviewSigner, generateDevReviewKey } from '../../src/approvals/signing.ts'
import { lifecycleOf } from '../../src/core/lifecycle.ts'
import type { GateStore } from '../../src/core/store.ts'
import { anOpenGate, approvalIn, aScene, kindsAfterPast } from './a-gate.ts'
import { created, orders, ordersWhoseRuleFails, ordersWithLimit, paid, small } from './orders.ts'

let scene: Scene<typeof orders>
beforeEach(async () => {
  scene = await aScene()
  await scene.given('Order', 'new', created)
  await scene.given('Order', 'paid', paid)
  await scene.given('Order', 'other', paid)
})
const pay = (how = {}) => scene.propose('agent-1', 'MARK_PAID', 'new', { paymentId: 'p-1' }, how)
const refund = (order = 'paid', how = {}) => scene.propose('agent-1', 'REFUND_ORDER', order, small, how)
const state = (order: string) => scene.state('Order', order)
const kinds = (order: string) => kindsAfterPast(scene.timeline(order))
const maria = { by: 'maria' }
const refundOf = (amountCents: unknown, more = {}) => scene.propose('agent-1', 'REFUND_ORDER', 'paid', { amountCents, ...more })

/** The same orders, under another rule for refunds. */
async function under(domain: typeof orders): Promise<void> {
  scene = await aScene(domain)
  for (const order of ['paid', 'other']) await scene.given('Order', order, paid)
}

describe('one action', () => {
  test('KIFF 1: given CREATED, when the agent executes MARK_PAID with its parameter, then allowed, PAID, one side effect', async () => {
    expect(await pay()).toMatchObject({ outcome: 'allowed' })
    expect(state('new')).toBe('PAID')
    expect(scene.effects).toMatchObject([{ action: 'MARK_PAID', entityId: 'new', params: { paymentId: 'p-1' } }])
    // The proposal itself is a record of ours, with its parameters.
    expect(kinds('new')).toEqual(['decision_proposed', 'action_validated', 'action_executed', 'event_ingested', 'state_changed'])
  })

  test('KIFF 2: given CREATED, when REFUND_ORDER is executed, then blocked by the state, nothing runs, one failure record', async () => {
    expect(await refund('new')).toMatchObject({ outcome: 'blocked', reason: 'state_not_allowed' })
    expect([state('new'), scene.effects]).toEqual(['CREATED', []])
    expect(kinds('new')).toEqual(['decision_proposed', 'action_failed'])
  })

  test('KIFF 3: given CREATED, when MARK_PAID lacks its parameter, then invalid, no side effect', async () => {
    expect(await scene.propose('agent-1', 'MARK_PAID', 'new', {})).toMatchObject({ outcome: 'invalid', reason: 'missing_parameter', message: 'params.paymentId: is required' })
    expect([state('new'), scene.effects]).toEqual(['CREATED', []])
  })

  test('KIFF 4: given no permission, when an action is otherwise valid, then blocked; saying that one has a role changes nothing', async () => {
    const asIntern = (params: unknown) => scene.propose('intern', 'MARK_PAID', 'new', params)
    expect(await asIntern({ paymentId: 'p-1' })).toMatchObject({ outcome: 'blocked', reason: 'permission_denied' })
    // A proposal has no field for roles: one that brings them is refused before permissions are looked at.
    expect(await asIntern({ paymentId: 'p-1', roles: ['agent'] })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expect([state('new'), scene.effects]).toEqual(['CREATED', []])
  })

  test('KIFF 5: given a role that is assigned, then revoked, when checked, then allowed before and denied after', async () => {
    const asIntern = () => scene.evaluate('intern', 'MARK_PAID', 'new', { paymentId: 'p-1' })
    await scene.grantRole('intern', 'agent')
    expect(await asIntern()).toMatchObject({ outcome: 'allowed' })
    await scene.revokeRole('intern', 'agent')
    expect(await asIntern()).toMatchObject({ outcome: 'blocked', reason: 'permission_denied' })
  })
})

describe('approvals', () => {
  test('KIFF 6: given PAID, when a refund is executed without a grant, then approval_required, and nothing runs', async () => {
    expect(await scene.evaluate('agent-1', 'REFUND_ORDER', 'paid', small)).toMatchObject({ outcome: 'approval_required', reason: 'approval_required', nextStep: 'request_approval' })
    expect(await refund()).toMatchObject({ outcome: 'approval_required', rule: 'a refund always needs a person' })
    expect([state('paid'), scene.effects]).toEqual(['PAID', []])
    // The gate asks in the same commit: a held action cannot be left unasked.
    expect(kinds('paid')).toEqual(['decision_proposed', 'approval_required', 'approval_recorded'])
  })

  test('KIFF 7: given an invented approval, when it is handed over, then approval_required, and it was looked at', async () => {
    const gate = await anOpenGate()
    await gate.aPaidOrder('paid')
    const forge = await createReviewSigner((await generateDevReviewKey()).privateKey)
    const asked = await gate.call('REFUND_ORDER', 'paid', small, { workflow: 'w' })
    const approvalId = approvalIn(asked)
    const row = await gate.memory.reviews.show(approvalId)
    const forged = await forge({ purpose: 'approval', approval_id: approvalId, digest: row?.digest ?? '', verdict: 'granted', reviewer: 'maria', reason: '', reviewed_at: '2026-01-01T00:00:00.000Z' })
    // There is no approval id to invent: the gate makes it. What can be forged is the signed review that a signal brings.
    const again = await gate.call('REFUND_ORDER', 'paid', small, { workflow: 'w2', reviews: [forged] })
    expect(again).toMatchObject({ outcome: 'approval_required' })
    expect(await gate.call('REFUND_ORDER', 'paid', small, { workflow: 'w', reviews: [forged, 'approval-1'] })).toMatchObject({ outcome: 'approval_required', approvalId, rejected: 2 })
    expect(gate.timeline('paid').filter(({ kind }) => kind === 'approval_review_rejected').map(({ data }) => data['reason'])).toEqual(Array(2).fill('not signed by a key this gate trusts'))
    expect(gate.effects).toEqual([])
  })

  test.each(['readFacts', 'requestApproval', 'openExecution'] as const)('KIFF 8: given a store that fails (%s), when a refund is executed, then an error, neither approval_required nor an execution', async (broken) => {
    const gate = await anOpenGate()
    await gate.aPaidOrder('paid')
    const store: GateStore = { ...gate.memory.gate, [broken]: () => Promise.reject(new Error('the store is down')) }
    if (broken === 'openExecution') {
      const approvalId = approvalIn(await gate.call('REFUND_ORDER', 'paid', small, { workflow: 'w' }))
      await gate.review(approvalId, 'granted', 'maria', '')
      await expect(gate.call('REFUND_ORDER', 'paid', small, { workflow: 'w', reviews: gate.signaturesOf(approvalId), store })).rejects.toThrow('the store is down')
    } else {
      await expect(gate.call('REFUND_ORDER', 'paid', small, { workflow: 'w', store })).rejects.toThrow('the store is down')
    }
    expect([gate.state('Order', 'paid'), gate.effects]).toEqual(['PAID', []])
  })

  test('KIFF 9: given a pending approval, when a person grants it and the call comes again, then it executes once', async () => {
    const asked = await refund()
    expect(await scene.granted(asked, maria)).toMatchObject({ outcome: 'allowed', output: { refundId: 'r-1' } })
    expect(await scene.again(asked)).toMatchObject({ outcome: 'allowed', output: { refundId: 'r-1' } })
    expect([state('paid'), scene.effects.length]).toEqual(['REFUNDED', 1])
    expect(kinds('paid')).toEqual([
      'decision_proposed', 'approval_required', 'approval_recorded', 'approval_granted', 'action_validated', 'action_executed', 'event_ingested', 'state_changed', 'action_deduplicated',
    ])
    // The executor is handed no "approved" that it could pass on: that a grant was used stands in the record.
    expect(Object.keys(scene.effects[0] ?? {})).not.toContain('approved')
    expect(scene.timeline('paid').find(({ kind }) => kind === 'action_validated')?.data).toMatchObject({ requires_approval: true, approval_id: approvalIn(asked) })
  })

  test('KIFF 10: given a denied approval, when the call comes again, then not executed, PAID, and the denial is on record', async () => {
    const asked = await refund()
    // Denied is an outcome of its own; KIFF answers approval_required again, and records it as held.
    expect(await scene.denied(asked, { by: 'maria', reason: 'worn' })).toMatchObject({ outcome: 'blocked', reason: 'approval_denied', nextStep: 'do_not_retry' })
    expect(await scene.again(asked)).toMatchObject({ outcome: 'blocked', reason: 'approval_denied' })
    expect([state('paid'), scene.effects]).toEqual(['PAID', []])
    expect(kinds('paid')).toEqual(['decision_proposed', 'approval_required', 'approval_recorded', 'approval_denied', 'action_failed', 'action_failed'])
  })

  test('KIFF 11: given a grant for another order or another action, when it is handed over, then approval_required', async () => {
    const gate = await anOpenGate()
    for (const order of ['paid', 'other']) await gate.aPaidOrder(order)
    const elsewhere = approvalIn(await gate.call('REFUND_ORDER', 'other', small, { workflow: 'w' }))
    await gate.review(elsewhere, 'granted', 'maria', '')
    const reviews = gate.signaturesOf(elsewhere)
    for (const [action, params] of [['REFUND_ORDER', small], ['SEND_NOTE', { note: 'hello' }]] as const) {
      await gate.call(action, 'paid', params, { workflow: 'w' })
      expect(await gate.call(action, 'paid', params, { workflow: 'w', reviews })).toMatchObject({ outcome: 'approval_required', rejected: 1 })
    }
    expect(gate.timeline('paid').filter(({ kind }) => kind === 'approval_review_rejected').map(({ data }) => data['reason'])).toEqual(Array(2).fill('signed for another approval'))
    expect(gate.effects).toEqual([])
  })

  test('KIFF 12: given REFUNDED, when the refund is repeated without a key, then blocked by the state', async () => {
    await scene.granted(await refund(), maria)
    expect(await refund()).toMatchObject({ outcome: 'blocked', reason: 'state_not_allowed' })
    expect(scene.effects).toHaveLength(1)
  })

  test.each(['granted', 'denied'] as const)('KIFF 13: given a granted approval, when it is reviewed again (%s), then refused, and the record stays', async (verdict) => {
    const asked = await refund()
    await scene.review(asked, 'granted', maria)
    expect(await scene.review(asked, verdict, { by: 'rita' })).toMatchObject({ outcome: 'refused', reason: 'already_reviewed' })
    expect(await scene.review(asked, verdict, maria)).toMatchObject({ outcome: 'refused', reason: 'already_reviewed' })
    const [line] = lifecycleOf(scene.timeline('paid')).proposals
    expect(line).toMatchObject({ disposition: 'granted', reviewedBy: ['maria'] })
    expect(await scene.again(asked)).toMatchObject({ outcome: 'allowed' })
  })

  test('KIFF 14: given a reviewer without the permission, when they review, then denied, still pending, and the attempt is audited in their name', async () => {
    const asked = await refund()
    expect(await scene.review(asked, 'granted', { by: 'intern' })).toMatchObject({ outcome: 'refused', reason: 'permission_denied' })
    expect(await scene.again(asked)).toMatchObject({ outcome: 'approval_required' })
    expect(scene.timeline('paid').filter(({ kind }) => kind === 'approval_review_rejected')).toMatchObject([{ actor_id: 'intern', data: { reviewer: 'intern', reason: 'permission_denied' } }])
    // "No policy is configured" cannot happen: a domain in which nobody may review what it asks for is refused when it is loaded.
    expect(() => defineDomain({ ...orders, roles: { agent: ['orders.pay', 'orders.refund'], shop: ['orders.report'] } })).toThrow('approval_unreachable')
    expect(lifecycleOf(scene.timeline('paid')).proposals).toMatchObject([{ disposition: 'awaiting_approval' }])
  })

  test('KIFF 15: given a requester who may review as well, when they review their own request, then a self-review, still pending, audited', async () => {
    const asked = await scene.propose('requester', 'REFUND_ORDER', 'paid', small)
    expect(await scene.review(asked, 'granted', { by: 'requester' })).toMatchObject({ outcome: 'refused', reason: 'self_review' })
    expect(await scene.again(asked)).toMatchObject({ outcome: 'approval_required' })
    expect(scene.timeline('paid').filter(({ kind }) => kind === 'approval_review_rejected')).toMatchObject([{ actor_id: 'requester', data: { reason: 'self_review' } }])
    expect(await scene.granted(asked, maria)).toMatchObject({ outcome: 'allowed' })
  })
})

describe('rules', () => {
  test('KIFF 16: given a limit of 50000, when the amount is 4200, then no approval; when it is 99900, then held in the words of the rule', async () => {
    await under(ordersWithLimit)
    const asked = await scene.propose('agent-1', 'REFUND_ORDER', 'other', { amountCents: 99_900 })
    expect(asked).toMatchObject({ outcome: 'approval_required', rule: '99900 is above the limit of 50000' })
    expect(await scene.granted(asked, maria)).toMatchObject({ outcome: 'allowed' })
    // Nobody can ask for an approval that is not needed: only the gate asks, and it executes instead.
    expect(await refundOf(4_200)).toMatchObject({ outcome: 'allowed' })
    expect(kinds('paid')).not.toContain('approval_recorded')
  })

  test('KIFF 17: given a rule that fails, when it is asked, then blocked, and nothing runs', async () => {
    await under(ordersWhoseRuleFails)
    expect(await refundOf(4_200)).toMatchObject({ outcome: 'blocked', reason: 'approval_policy_error', message: 'the approval rule of REFUND_ORDER failed: the policy service is down' })
    expect([state('paid'), scene.effects]).toEqual(['PAID', []])
  })

  test.each([[4_200], [1], [100_000], [JSON.parse('4200.0')]])('KIFF 18: given a whole number from 1 to 100000, when it is %s, then accepted', async (amount) => {
    expect(await refundOf(amount)).toMatchObject({ outcome: 'approval_required' })
  })

  test.each<[unknown, object?]>([
    // KIFF takes numbers that are written as text; we refuse them: what is checked, signed and executed is one value.
    ['4200'], [0], [100_001], [42.5], ['lots'], [true],
    [4_200, { method: 'cash' }], [4_200, { note: 'long' }],
  ])('KIFF 18: given such a specification, when it is %j (%j), then invalid_parameter before permission and approval', async (amount, more = {}) => {
    expect(await refundOf(amount, more)).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expect(await scene.propose('intern', 'REFUND_ORDER', 'paid', { amountCents: amount, ...more })).toMatchObject({ reason: 'invalid_parameter' })
    expect([kinds('paid'), scene.effects]).toEqual([['decision_proposed', 'action_failed', 'decision_proposed', 'action_failed'], []])
  })

  // KIFF checks before the permission; ours sees declared facts, of which whoever may not act learns nothing.
  test('KIFF 18: given a check of the domain\'s own, when it fails, then its message is kept', async () => {
    expect(await scene.propose('intern', 'REFUND_ORDER', 'paid', { amountCents: 4_200, method: 'voucher' })).toMatchObject({ reason: 'permission_denied' })
    expect(await refundOf(4_200, { method: 'voucher' })).toMatchObject({ reason: 'invalid_parameter', message: 'a voucher is worth a multiple of 500' })
    expect(await refundOf(4_500, { method: 'voucher' })).toMatchObject({ outcome: 'approval_required' })
  })
})

describe('executors', () => {
  test('KIFF 19: given a contract without an executor, when it is executed, then invalid/executor_missing, one failure record', async () => {
    const bare = await testDomain(orders, { members: { 'agent-1': 'agent' } })
    await bare.given('Order', 'new', created)
    expect(await bare.evaluate('agent-1', 'MARK_PAID', 'new', { paymentId: 'p-1' })).toMatchObject({ outcome: 'invalid', reason: 'executor_missing' })
    expect(await bare.propose('agent-1', 'MARK_PAID', 'new', { paymentId: 'p-1' })).toMatchObject({ outcome: 'invalid', reason: 'executor_missing' })
    expect(bare.state('Order', 'new')).toBe('CREATED')
    expect(kindsAfterPast(bare.timeline('new'))).toEqual(['decision_proposed', 'action_failed'])
  })

  test('KIFF 20: given an executor that fails, when it does, then the failure is recorded, nothing follows, and the same key runs it again', async () => {
    scene.executes('MARK_PAID', () => { throw new NotDone('declined') })
    expect(await pay({ workflow: 'w', key: 'K' })).toMatchObject({ outcome: 'blocked', reason: 'execution_failed', message: 'declined', nextStep: 'try_later' })
    expect([state('new'), kinds('new')]).toEqual(['CREATED', ['decision_proposed', 'action_validated', 'action_failed']])
    scene.executes('MARK_PAID', {})
    expect(await pay({ workflow: 'w', key: 'K' })).toMatchObject({ outcome: 'allowed' })
    expect([state('new'), scene.effects.length]).toEqual(['PAID', 2])
  })

  test('KIFF 20: given an executor that breaks off, when nobody knows what it did, then it is not run again', async () => {
    // Only `NotDone` says that nothing happened. KIFF takes every error for that.
    scene.executes('MARK_PAID', () => { throw new Error('connection reset') })
    for (let n = 0; n < 2; n++) expect(await pay({ workflow: 'w', key: 'K' })).toMatchObject({ outcome: 'blocked', reason: 'outcome_unknown', nextStep: 'ask_operator' })
    expect([state('new'), scene.effects.length]).toEqual(['CREATED', 1])
  })

  test('KIFF 21: given a success under key K, when it is repeated under K, then the first result, one side effect, one event', async () => {
    const keyed = { workflow: 'w', key: 'K' }
    const first = await pay(keyed)
    expect(await pay(keyed)).toMatchObject({ outcome: 'allowed', output: 'output' in first ? first.output : null })
    expect(scene.effects).toHaveLength(1)
    expect(kinds('new').filter((kind) => kind === 'event_ingested')).toHaveLength(1)
    expect(kinds('new').filter((kind) => kind === 'action_deduplicated')).toHaveLength(1)
    await scene.given('Order', 'another', created)
    const onAnother = (how: object) => scene.propose('agent-1', 'MARK_PAID', 'another', { paymentId: 'p-1' }, how)
    // A key belongs to one proposal of one workflow: for another order under the same key, someone has made a mistake.
    expect(await onAnother(keyed)).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter', message: 'this key was used for another proposal' })
    expect(await onAnother({ workflow: 'w2', key: 'K' })).toMatchObject({ outcome: 'allowed' })
  })
})

describe('asking, rebuilding, tracing', () => {
  test.each<[string, string, object, string]>([
    ['MARK_PAID', 'new', { paymentId: 'p-1' }, 'allowed'], ['MARK_PAID', 'paid', { paymentId: 'p-1' }, 'blocked'], ['MARK_PAID', 'new', {}, 'invalid'], ['REFUND_ORDER', 'paid', small, 'approval_required'],
  ])('KIFF 22: given a dry run of %s on %s with %j, when evaluated, then %s as when executed, nothing recorded, nothing run', async (action, order, params, outcome) => {
    const before = scene.timeline()
    const evaluation = await scene.evaluate('agent-1', action, order, params)
    expect(evaluation.outcome).toBe(outcome)
    expect([scene.timeline(), scene.effects]).toEqual([before, []])
    const answer = await scene.propose('agent-1', action, order, params)
    expect([answer.outcome, 'reason' in answer ? answer.reason : null]).toEqual([outcome, outcome === 'approval_required' ? null : evaluation.reason])
  })

  test('KIFF 23: given a finished order, when its state is rebuilt from events alone, then it equals the kept one', async () => {
    const gate = await anOpenGate()
    for (const order of ['paid', 'other']) await gate.aPaidOrder(order)
    const approvalId = approvalIn(await gate.call('REFUND_ORDER', 'paid', small, { workflow: 'w' }))
    await gate.review(approvalId, 'granted', 'maria', '')
    await gate.call('REFUND_ORDER', 'paid', small, { workflow: 'w', reviews: gate.signaturesOf(approvalId) })
    const before = gate.memory.ledger().length
    expect([gate.rebuilt('paid'), gate.state('Order', 'paid')]).toEqual([{ value: 'REFUNDED', version: 3 }, 'REFUNDED'])
    expect(() => gate.rebuiltFrom([...gate.eventsOf('paid'), ...gate.eventsOf('other')])).toThrow('ORDER_CREATED cannot happen in state REFUNDED')
    expect(gate.rebuiltFrom([])).toBeNull()
    // Rebuilding only reads; there is nothing to audit, and nothing is written.
    expect(gate.memory.ledger()).toHaveLength(before)
  })

  test('KIFF 24: given an event with trace T and correlation C, when an action with a follow-up runs, then the whole chain carries them, and says what caused what', async () => {
    const trace = { traceId: 'T', correlationId: 'C' }
    await scene.report('shop', 'ORDER_CREATED', 'traced', {}, { trace })
    await scene.report('shop', 'ORDER_CREATED', 'elsewhere')
    expect(await scene.propose('agent-1', 'MARK_PAID', 'traced', { paymentId: 'p-1' }, { trace })).toMatchObject({ outcome: 'allowed' })
    const all = scene.timeline()
    const chain = all.filter(({ trace_id }) => trace_id === 'T')
    expect(chain).toEqual(scene.timeline('traced'))
    expect(new Set(chain.map(({ correlation_id }) => correlation_id))).toEqual(new Set(['C']))
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
    // The cause of the follow-up is the row that opened its execution, not the event that happened to be there before.
    const [opened, followUp] = ['action_validated', 'state_changed'].map((kind) => chain.findLast((record) => record.kind === kind))
    expect(followUp?.causation_id).toBe(`orders/Order/traced#${opened?.seq}`)
  })
})
