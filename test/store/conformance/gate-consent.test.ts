/** The gate on a store: a person who is asked, and what becomes of their answer. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { approvalBody } from '../../../src/approvals/review.ts'
import { createReviewSigner, generateDevReviewKey, type ReviewSigner } from '../../../src/approvals/signing.ts'
import type { SignedReview } from '../../../src/core/approval.ts'
import { sha256 } from '../../../src/core/digest.ts'
import { withdraw } from '../../../src/gate/gate.ts'
import { askedIn, signaturesOf, theGate, type Calling, type GateOnStore, type Proposing } from '../a-gate.ts'
import { lastRow, requestOf, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
let gate: GateOnStore
beforeAll(async () => {
  it = await theStore()
  gate = theGate(it)
})
afterAll(() => it.close())

const statusOf = async (approvalId: string) => (await it.reviews.show(approvalId))?.status
const moved = (account: string) => it.report({}, account)
const delivered = async (calls: Proposing, approvalId: string, how: Calling = {}) => calls.call({ ...how, reviews: await signaturesOf(it, approvalId) })

async function asking(action: 'NEVER_ALONE' | 'ASK_TWO' = 'NEVER_ALONE') {
  const account = await it.anAccount()
  const calls = gate.proposing(action, account)
  const first = await calls.call()
  return { account, calls, first, approvalId: askedIn(first) }
}

async function twice() {
  const account = await it.anAccount()
  const [first, other] = [1, 2].map(() => gate.proposing('NEVER_ALONE', account, { callerKey: account }))
  if (first === undefined || other === undefined) throw new Error('there are two')
  return { account, first, other, approvalId: askedIn(await first.call()) }
}

/** As a thief of the reviewer login would: a row that SQL takes, with any signature. */
async function recorded(approvalId: string, over: Partial<Record<keyof SignedReview, unknown>>, sign: ReviewSigner = it.sign): Promise<string> {
  const digest = (await it.reviews.show(approvalId))?.digest ?? ''
  const review = { purpose: 'approval', approval_id: approvalId, digest, verdict: 'granted', reviewer: 'olga', reason: 'because', reviewed_at: 'now' } as const
  const jws = await sign({ ...review, ...over } as SignedReview)
  expect(await it.reviews.recordReview(approvalBody(await requestOf(it, approvalId), 'reviewed', 'olga', [], { ...review, jws_sha256: sha256(jws) }), jws)).toMatchObject({ status: 'committed' })
  return jws
}

const takeBack = async (approvalId: string, account: string, over: { readonly actor?: string; readonly action?: string }, step = gate.proposing('NEVER_ALONE', account).step) =>
  withdraw(gate.gate, step, { approvalId, action: 'NEVER_ALONE', entityId: account, actor: 'bot-1', chain: { firstExecutionRunId: step.firstExecutionRunId, generation: 0, occurrence: 0 }, ...over })

describe('a person who is asked', () => {
  test('agrees: it runs once, and the grant is used up', async () => {
    const { calls, approvalId } = await asking()
    const before = gate.effects.length
    await it.review(approvalId, 'granted', 'olga')
    expect(await delivered(calls, approvalId)).toMatchObject({ outcome: 'allowed' })
    expect(gate.effects.length - before).toBe(1)
    expect(await statusOf(approvalId)).toBe('consumed')
  })

  test('agrees, but no signal has come: it waits', async () => {
    const { calls, approvalId } = await asking()
    await it.review(approvalId, 'granted', 'olga')
    expect(await calls.call()).toMatchObject({ outcome: 'approval_required', approvalId })
  })

  test('says no: it is refused, and the round closed as denied', async () => {
    const { account, calls, approvalId } = await asking()
    await it.review(approvalId, 'denied', 'olga')
    expect(await delivered(calls, approvalId)).toMatchObject({ outcome: 'blocked', reason: 'approval_denied' })
    expect(await lastRow(it, account)).toMatchObject({ kind: 'approval_denied', approval_id: approvalId })
    expect(await delivered(calls, approvalId)).toMatchObject({ reason: 'approval_denied' })
  })

  test('does not answer in time: it is refused, and the round closed as expired', async () => {
    const { calls, approvalId } = await asking()
    await it.later({ approval: approvalId })
    expect(await calls.call()).toMatchObject({ reason: 'approval_expired' })
    expect(await statusOf(approvalId)).toBe('expired')
  })

  test('is not asked again when the human-facing service has closed the round as expired', async () => {
    const { calls, approvalId } = await asking()
    await it.later({ approval: approvalId })
    await it.reviews.closeApproval(approvalBody(await requestOf(it, approvalId), 'approval_expired', 'kiff', []))
    expect(await calls.call()).toMatchObject({ reason: 'approval_expired' })
  })

  test('takes the grant back: it is refused, not asked again, and the round closed as revoked', async () => {
    const { account, calls, approvalId } = await asking()
    await it.review(approvalId, 'granted', 'olga')
    await it.desk.revoke({ approvalId, reviewer: 'olga', reason: 'a mistake' })
    expect(await calls.call()).toMatchObject({ reason: 'approval_void', message: 'the grant was revoked' })
    expect(await lastRow(it, account)).toMatchObject({ kind: 'refused', approval_id: approvalId })
  })

  test('is asked again when the world has moved, in another round, within the first deadline; and no more than three times', async () => {
    const { account, calls, first } = await asking()
    let before = first
    for (const round of [2, 3]) {
      await moved(account)
      const next = await calls.call()
      expect(next).toMatchObject({ outcome: 'approval_required', round, answerBy: Reflect.get(first, 'answerBy'), changed: expect.stringContaining('has moved since') })
      expect(await statusOf(askedIn(before))).toBe('void')
      before = next
    }
    await moved(account)
    expect(await calls.call()).toMatchObject({ outcome: 'blocked', reason: 'approval_void', message: expect.stringContaining('asked 3 times') })
    expect(await statusOf(askedIn(before))).toBe('void')
  })

  test('has no open round left when the proposal is refused meanwhile', async () => {
    const { account, calls, approvalId } = await asking()
    await it.report({ type: 'CLOSED', from: 'OPEN', to: 'CLOSED' }, account)
    expect(await calls.call()).toMatchObject({ reason: 'state_not_allowed' })
    expect(await statusOf(approvalId)).toBe('void')
  })

  test('is not asked on facts that have moved since they were read', async () => {
    const account = await it.anAccount()
    expect(await gate.proposing('NEVER_ALONE', account).call({ meanwhile: async () => moved(account) })).toMatchObject({ outcome: 'approval_required', round: 1 })
    const [row] = (await it.reviews.list('pending', 500)).filter(({ request }) => request.entity_id === account)
    expect(row?.request.state_version).toBe(2)
  })

  test('reads what the agent says, also where it holds what cannot be kept', async () => {
    const approvalId = askedIn(await gate.proposing('NEVER_ALONE', await it.anAccount(), { claim: { why: 'late\u0000', evidence: ['a mail\uD800'] } }).call())
    expect((await requestOf(it, approvalId)).claim).toEqual({ why: 'late\u2400', evidence: ['a mail\uFFFD'], confidence: null })
  })

  test('is told of each review that is not genuine, by a row of its own', async () => {
    const { account, calls } = await asking()
    expect(await calls.call({ reviews: ['not.a.review'] })).toMatchObject({ outcome: 'approval_required', rejected: 1 })
    expect(await lastRow(it, account)).toMatchObject({ kind: 'signal_rejected', audit: [{ kind: 'approval_review_rejected' }] })
  })

  describe('is not taken to have agreed by a row alone', () => {
    test('which stands for one that is signed as it says', async () => {
      const { calls, approvalId } = await asking()
      expect(await calls.call({ reviews: [await recorded(approvalId, {})] })).toMatchObject({ outcome: 'allowed' })
    })

    test.each<[string, Partial<Record<keyof SignedReview, unknown>>]>([
      ['another digest', { digest: '0'.repeat(64) }],
      ['another approval', { approval_id: '00000000-0000-4000-8000-000000000000' }],
      ['another verdict', { verdict: 'denied' }],
      ['another person', { reviewer: 'otto' }],
      ['another purpose', { purpose: 'reconcile' }],
    ])('whose signature is for %s', async (_, over) => {
      const { calls, approvalId } = await asking()
      const before = gate.effects.length
      expect(await calls.call({ reviews: [await recorded(approvalId, over)] })).toMatchObject({ outcome: 'approval_required', rejected: 1 })
      expect(gate.effects.length).toBe(before)
    })

    test('whose signature is by a key that the gate was not given', async () => {
      const { calls, approvalId } = await asking()
      const jws = await recorded(approvalId, {}, await createReviewSigner((await generateDevReviewKey()).privateKey))
      expect(await calls.call({ reviews: [jws] })).toMatchObject({ outcome: 'approval_required', rejected: 1 })
    })

    test('which counts one person, and is held against nobody, as often as it comes', async () => {
      const { calls, approvalId } = await asking('ASK_TWO')
      const jws = await recorded(approvalId, {})
      for (const reviews of [[jws], [jws, jws]]) expect(await calls.call({ reviews })).toMatchObject({ outcome: 'approval_required', approvalId, rejected: 0 })
    })

    test('nor by another one than has come by signal', async () => {
      const { calls, approvalId } = await asking()
      const jws = await recorded(approvalId, {})
      const another = await it.sign({ purpose: 'approval', approval_id: approvalId, digest: (await it.reviews.show(approvalId))?.digest ?? '', verdict: 'granted', reviewer: 'olga', reason: 'because', reviewed_at: 'later' })
      expect(await calls.call({ reviews: [another] })).toMatchObject({ outcome: 'approval_required', rejected: 1 })
      expect(await calls.call({ reviews: [jws] })).toMatchObject({ outcome: 'allowed' })
    })
  })

  describe('and a wait that is cancelled', () => {
    test('takes the request back', async () => {
      const { account, calls, approvalId } = await asking()
      await takeBack(approvalId, account, {}, { ...calls.step, activityId: '9' })
      expect(await statusOf(approvalId)).toBe('withdrawn')
    })

    test.each([['an actor that the gate does not serve', { actor: 'olga' }], ['an action that there is not', { action: 'constructor' }]])('not in the name of %s', async (_, over) => {
      const { account, calls, approvalId } = await asking()
      await takeBack(approvalId, account, over, { ...calls.step, activityId: '9' })
      expect(await statusOf(approvalId)).toBe('pending')
    })
  })
})

describe('one API caller\'s key in two workflows', () => {
  test('is asked for once: the other one waits for that answer', async () => {
    const { account, other } = await twice()
    expect(await other.fails()).toBe('kiff.EntityBusy')
    expect((await it.reviews.list('pending', 500)).filter(({ request }) => request.entity_id === account)).toHaveLength(1)
  })

  test('and is denied: the other one hears so, and the first one closes its round', async () => {
    const { account, first, other, approvalId } = await twice()
    await it.review(approvalId, 'denied', 'olga')
    expect(await other.call()).toMatchObject({ reason: 'approval_denied' })
    expect(await lastRow(it, account)).toMatchObject({ workflow_id: other.step.workflowId })
    expect(await lastRow(it, account)).not.toHaveProperty('approval_id')
    expect(await first.call()).toMatchObject({ reason: 'approval_denied' })
    expect(await lastRow(it, account)).toMatchObject({ workflow_id: first.step.workflowId, approval_id: approvalId })
  })
})
