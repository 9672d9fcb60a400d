/** What KIFF v0.7 lets through, 26 to 37, as far as one gate in one process shows it; the rest, on real servers, is in `beyond-servers.test.ts`. */
import type { Scene } from 'kiff-temporal/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { createReviewSigner, generateDevReviewKey } from '../../src/approvals/signing.ts'
import { proposalRequest } from '../../src/core/proposal.ts'
import { anOpenGate, approvalIn, aScene, kindsAfterPast } from './a-gate.ts'
import { created, paid, small, type orders } from './orders.ts'

let scene: Scene<typeof orders>
beforeEach(async () => {
  scene = await aScene()
  for (const order of ['paid', 'other']) await scene.given('Order', order, paid)
})
const refund = (amountCents: number, how = {}) => scene.propose('agent-1', 'REFUND_ORDER', 'paid', { amountCents }, how)
const maria = { by: 'maria' }

describe('self-approval', () => {
  test('KIFF 26: self-approval by type trickery: whatever a proposal brings, its parameters, its envelope or its signature, it does not approve itself', async () => {
    for (const claim of [{ approved: true }, { approval: { status: 'granted' } }, { approvalId: 'a-1' }]) {
      expect(await scene.propose('agent-1', 'REFUND_ORDER', 'paid', { ...small, ...claim })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
      const request = { entityId: 'paid', params: small, actor: 'agent-1', chain: { firstExecutionRunId: 'r', generation: 0, occurrence: 0 } }
      expect([proposalRequest.safeParse(request).success, proposalRequest.safeParse({ ...request, ...claim }).success]).toEqual([true, false])
    }
    const gate = await anOpenGate()
    await gate.aPaidOrder('paid')
    const approvalId = approvalIn(await gate.call('REFUND_ORDER', 'paid', small, { workflow: 'w' }))
    const sign = await createReviewSigner((await generateDevReviewKey()).privateKey)
    const digest = (await gate.memory.reviews.show(approvalId))?.digest ?? ''
    const own = await sign({ purpose: 'approval', approval_id: approvalId, digest, verdict: 'granted', reviewer: 'agent-1', reason: '', reviewed_at: '2026-01-01T00:00:00.000Z' })
    expect(await gate.call('REFUND_ORDER', 'paid', small, { workflow: 'w', reviews: [own] })).toMatchObject({ outcome: 'approval_required', rejected: 1 })
    expect([scene.effects, gate.effects]).toEqual([[], []])
  })

  test('KIFF 26: an executor is handed nothing by which another action could be approved, and cannot change what it was handed', async () => {
    let seen: unknown
    scene.executes('REFUND_ORDER', (context) => {
      seen = context.params
      return { refundId: Object.keys(context).sort().join(' ') }
    })
    expect(await scene.granted(await refund(4_200), maria)).toMatchObject({ output: { refundId: 'actor entityId facts idempotencyKey onBehalfOf params signal' } })
    expect(() => Object.assign(Object(seen), { amountCents: 100_000 })).toThrow(TypeError)
  })
})

describe('what a grant is for', () => {
  test('KIFF 27: approve 100, execute 100000: the grant is for 100 and nothing else', async () => {
    const gate = await anOpenGate()
    await gate.aPaidOrder('paid')
    const approvalId = approvalIn(await gate.call('REFUND_ORDER', 'paid', { amountCents: 100 }, { workflow: 'w' }))
    await gate.review(approvalId, 'granted', 'maria', '')
    const reviews = gate.signaturesOf(approvalId)
    await gate.call('REFUND_ORDER', 'paid', { amountCents: 100_000 }, { workflow: 'w' })
    expect(await gate.call('REFUND_ORDER', 'paid', { amountCents: 100_000 }, { workflow: 'w', reviews })).toMatchObject({ outcome: 'approval_required', rejected: 1 })
    expect(gate.effects).toEqual([])
    expect(await gate.call('REFUND_ORDER', 'paid', { amountCents: 100 }, { workflow: 'w', reviews })).toMatchObject({ outcome: 'allowed' })
    expect(gate.effects).toMatchObject([{ params: { amountCents: 100 } }])
  })

  test('KIFF 28: reuse of a grant: the state stays, the same action is proposed again, and a person is asked again', async () => {
    const note = () => scene.propose('agent-1', 'SEND_NOTE', 'paid', { note: 'hello' }, { workflow: 'w' })
    const asked = await note()
    expect(await scene.granted(asked, maria)).toMatchObject({ outcome: 'allowed' })
    const next = await note()
    expect(next).toMatchObject({ outcome: 'approval_required' })
    expect(approvalIn(next)).not.toBe(approvalIn(asked))
    expect(await scene.propose('agent-2', 'SEND_NOTE', 'paid', { note: 'hello' })).toMatchObject({ outcome: 'approval_required' })
    expect(scene.effects).toHaveLength(1)
  })

  test('KIFF 28: the used grant, delivered for the next proposal, is rejected', async () => {
    const gate = await anOpenGate()
    await gate.aPaidOrder('paid')
    const note = (key: string, reviews: readonly string[] = []) => gate.call('SEND_NOTE', 'paid', { note: 'hello' }, { workflow: 'w', key, reviews })
    const approvalId = approvalIn(await note('1'))
    await gate.review(approvalId, 'granted', 'maria', '')
    const used = gate.signaturesOf(approvalId)
    expect(await note('1', used)).toMatchObject({ outcome: 'allowed' })
    await note('2')
    expect(await note('2', used)).toMatchObject({ outcome: 'approval_required', rejected: 1 })
    expect(gate.effects).toHaveLength(1)
  })

  test('KIFF 28: a grant that nobody uses in time is over', async () => {
    const asked = await refund(4_200)
    await scene.review(asked, 'granted', maria)
    scene.advance('2 days')
    expect(await scene.again(asked)).toMatchObject({ outcome: 'blocked', reason: 'approval_expired' })
    expect(scene.effects).toEqual([])
  })

  test('KIFF 29: re-request after denial: the denial stands, nobody is asked anew, and the reviewer stays on record', async () => {
    const asked = await refund(4_200, { workflow: 'w' })
    await scene.denied(asked, { by: 'maria', reason: 'worn' })
    for (let n = 0; n < 2; n++) expect(await refund(4_200, { workflow: 'w' })).toMatchObject({ outcome: 'blocked', reason: 'approval_denied', message: 'maria denied an equal proposal: worn' })
    expect(kindsAfterPast(scene.timeline('paid')).filter((kind) => kind === 'approval_recorded')).toHaveLength(1)
    expect(await scene.review(asked, 'granted', { by: 'rita' })).toMatchObject({ outcome: 'refused' })
    expect(scene.timeline('paid').filter(({ kind }) => kind === 'approval_denied')).toMatchObject([{ actor_id: 'maria' }])
    expect(scene.effects).toEqual([])
  })
})

describe('the log', () => {
  test('KIFF 32: an illegal event does not poison the replay: it is refused before it is stored, and the refusal is recorded', async () => {
    await scene.given('Order', 'new', created)
    expect(await scene.report('shop', 'ORDER_CREATED', 'new')).toMatchObject({ outcome: 'blocked', reason: 'state_not_allowed' })
    expect(await scene.report('shop', 'ORDER_REFUNDED', 'new', { amountCents: 1 })).toMatchObject({ outcome: 'blocked', reason: 'event_not_reportable' })
    expect(kindsAfterPast(scene.timeline('new'))).toEqual(['event_rejected', 'event_rejected'])
    expect(scene.timeline('new').filter(({ kind }) => kind === 'event_ingested')).toHaveLength(1)
    expect(scene.state('Order', 'new')).toBe('CREATED')
    expect(await scene.propose('agent-1', 'MARK_PAID', 'new', { paymentId: 'p-1' })).toMatchObject({ outcome: 'allowed' })
  })
})

describe('a repeated call', () => {
  test('KIFF 36: idempotent replay by an unauthorised actor is refused, and with changed parameters a conflict', async () => {
    const keyed = { workflow: 'w', key: 'K' }
    await scene.granted(await refund(4_200, keyed), maria)
    const again = (actor: string, amountCents = 4_200) => scene.propose(actor, 'REFUND_ORDER', 'paid', { amountCents }, keyed)
    expect(await again('agent-1')).toMatchObject({ outcome: 'allowed', output: { refundId: 'r-1' } })
    for (const other of ['agent-2', 'intern']) expect(await again(other)).toMatchObject({ outcome: 'blocked', reason: 'permission_denied', message: 'another actor proposed this' })
    expect(await scene.propose('mallory', 'REFUND_ORDER', 'paid', { amountCents: 4_200 }, keyed)).toMatchObject({ outcome: 'blocked', reason: 'actor_unproven' })
    expect(await again('agent-1', 100_000)).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter', message: 'this key was used for another proposal' })
    expect(scene.effects).toHaveLength(1)
  })

  test('KIFF 36: one who has lost the role since is told what it did itself, and does nothing more', async () => {
    const keyed = { workflow: 'w', key: 'K' }
    await scene.granted(await refund(4_200, keyed), maria)
    await scene.revokeRole('agent-1', 'agent')
    // Its workflow must learn that it happened, after a reset too: it would otherwise take it for undone.
    expect(await refund(4_200, keyed)).toMatchObject({ outcome: 'allowed', output: { refundId: 'r-1' } })
    expect(await scene.propose('agent-1', 'SEND_NOTE', 'other', { note: 'hello' }, { workflow: 'w' })).toMatchObject({ outcome: 'blocked', reason: 'permission_denied' })
    expect(scene.effects).toHaveLength(1)
  })
})
