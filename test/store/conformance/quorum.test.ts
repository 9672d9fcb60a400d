import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { approvalBody } from '../../../src/approvals/review.ts'
import { rowOf, type GovernedProposal } from '../../../src/gate/proposal.ts'
import type { RecordedReview } from '../../../src/postgres/review-store.ts'
import { again, aProposal, blocked, lastRow, noted, requestOf, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

const anAskOfTwo = async (over: Parameters<typeof aProposal>[1] = {}): Promise<GovernedProposal> => aProposal(await it.anAccount(), { action: 'ASK_TWO', ...over })
const statusOf = async (approvalId: string) => (await it.reviews.show(approvalId))?.status
const isDue = async (approvalId: string) => (await it.reviews.dueDeliveries()).some((delivery) => delivery.approvalId === approvalId)

describe('where two have to agree', () => {
  test('one does not suffice: the round stays open, nothing is delivered, nothing can be opened', async () => {
    const proposal = await anAskOfTwo()
    const approvalId = await it.asked(proposal)
    await it.review(approvalId, 'granted', 'olga')
    expect(await statusOf(approvalId)).toBe('pending')
    expect(await isDue(approvalId)).toBe(false)
    expect(await it.pure(again(proposal), { approvalId })).toEqual({ status: 'stale' })
  })

  test('the same person cannot agree twice', async () => {
    const approvalId = await it.asked(await anAskOfTwo())
    await it.review(approvalId, 'granted', 'olga')
    expect(await it.review(approvalId, 'granted', 'olga')).toMatchObject({ outcome: 'refused', reason: 'already_reviewed' })
    expect(await statusOf(approvalId)).toBe('pending')
  })

  test('the second makes it a grant, with both signatures in the delivery, oldest first', async () => {
    const proposal = await anAskOfTwo()
    const approvalId = await it.asked(proposal)
    await it.review(approvalId, 'granted', 'olga')
    await it.review(approvalId, 'granted', 'otto')
    expect((await it.reviews.show(approvalId))?.reviews.map(({ reviewer }) => reviewer)).toEqual(['olga', 'otto'])
    const { approval } = await it.facts(again(proposal))
    expect((await it.reviews.dueDeliveries()).find((delivery) => delivery.approvalId === approvalId)?.reviews).toEqual(approval?.reviews.map(({ jws }) => jws))
    expect(await it.pure(again(proposal), { approvalId })).toMatchObject({ status: 'committed' })
  })

  test('one denial is final, also after a grant', async () => {
    const approvalId = await it.asked(await anAskOfTwo())
    await it.review(approvalId, 'granted', 'olga')
    await it.review(approvalId, 'denied', 'otto')
    expect(await statusOf(approvalId)).toBe('denied')
    expect(await isDue(approvalId)).toBe(true)
  })

  test('one denial is final, also before anybody has agreed', async () => {
    const approvalId = await it.asked(await anAskOfTwo())
    await it.review(approvalId, 'denied', 'otto')
    expect([await statusOf(approvalId), await isDue(approvalId)]).toEqual(['denied', true])
  })

  test('a verdict that is none is refused, also where it would not count yet', async () => {
    const approvalId = await it.asked(await anAskOfTwo())
    await expect(it.review(approvalId, 'maybe' as 'granted', 'olga')).rejects.toMatchObject({ code: '23514' })
  })

  test('one of them who has lost the role since no longer counts', async () => {
    const proposal = await anAskOfTwo()
    const approvalId = await it.asked(proposal)
    await it.review(approvalId, 'granted', 'olga')
    await it.review(approvalId, 'granted', 'otto')
    await it.revoke('otto', 'reviewer')
    expect(await it.pure(again(proposal), { approvalId })).toEqual({ status: 'stale' })
    await it.grant('otto', 'reviewer')
  })
})

describe('an actor that is known to be no person', () => {
  test('cannot review, whatever roles it holds; one that is known to be a person can', async () => {
    await it.change({ kind: 'role_granted', domain: 'ledgers', actor: 'robot', role: 'reviewer', by: 'anna', actorType: 'agent', displayName: 'Robot' })
    await it.change({ kind: 'role_granted', domain: 'ledgers', actor: 'rosa', role: 'reviewer', by: 'anna', actorType: 'human' })
    const approvalId = await it.asked(aProposal(await it.anAccount(), { action: 'ASK' }))
    expect(await it.review(approvalId, 'granted', 'robot')).toMatchObject({ outcome: 'refused', reason: 'permission_denied' })
    expect(await it.review(approvalId, 'granted', 'rosa')).toMatchObject({ outcome: 'recorded' })
  })

  test('is described once: telling it again changes nothing, telling something else is audited', async () => {
    const told = { kind: 'role_granted', domain: 'ledgers', actor: 'robot-2', role: 'reviewer', by: 'anna', actorType: 'agent' } as const
    expect(await it.change(told)).toBe(true)
    expect(await it.change(told)).toBe(false)
    expect(await it.change({ ...told, displayName: 'Robot two' })).toBe(true)
    expect((await it.auditRecords()).findLast(({ data }) => data['actor'] === 'robot-2')?.data).toMatchObject({ actor_type: 'agent', display_name: 'Robot two' })
  })

  test('of a kind that there is not is refused', async () => {
    await expect(it.change({ kind: 'role_granted', domain: 'ledgers', actor: 'ghost', role: 'reviewer', by: 'anna', actorType: 'ghost' as 'agent' })).rejects.toMatchObject({ code: '23514' })
    expect((await it.facts(aProposal('nobody', { actor: 'ghost' }))).permissions).toEqual([])
  })
})

/** Takes a grant back, as the human-facing service does. */
async function revoke(approvalId: string, by: string): Promise<RecordedReview> {
  const entry = { kind: 'approval_revoked', message: 'approval revoked', data: { approval_id: approvalId, reason: 'too early' }, actor_id: by } as const
  return it.reviews.revokeApproval(approvalBody(await requestOf(it, approvalId), 'approval_revoked', by, [entry]))
}

const anAsk = async (over: Parameters<typeof aProposal>[1] = {}) => aProposal(await it.anAccount(), { action: 'ASK', ...over })

describe('taking back a grant', () => {
  test('does not hold up a wait that is cancelled meanwhile: the request can be withdrawn, and stays revoked', async () => {
    const proposal = await anAsk()
    const approvalId = await it.granted(proposal)
    await revoke(approvalId, 'olga')
    const facts = await it.facts(again(proposal))
    const taken = await it.store.recordAnswer({ body: rowOf(again(proposal), facts, 'approval_withdrawn', [], { approvalId }), answer: blocked, guard: null, closing: { approvalId, status: 'withdrawn' } })
    expect(taken).toMatchObject({ status: 'committed' })
    expect((await it.facts(again(again(proposal)))).approval).toMatchObject({ status: 'revoked', closed: true })
  })

  test('leaves nothing to consume, and the round open until the gate has taken note', async () => {
    const proposal = await anAsk()
    const approvalId = await it.granted(proposal)
    expect((await it.reviews.show(approvalId))?.revoked).toBeNull()
    expect(await revoke(approvalId, 'otto')).toMatchObject({ status: 'committed' })
    expect((await it.reviews.show(approvalId))?.revoked).toEqual({ reviewer: 'otto', reason: 'too early', at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) })
    expect((await it.facts(again(proposal))).approval).toMatchObject({ status: 'revoked', closed: false })
    expect((await it.reviews.show(await it.granted(await anAsk())))?.revoked).toBeNull()
    expect(await it.pure(again(proposal), { approvalId })).toEqual({ status: 'stale' })
    expect(await isDue(approvalId)).toBe(true)
    expect(await lastRow(it, proposal.request.entityId)).toMatchObject({ kind: 'approval_revoked', actor: 'otto' })
  })

  test('is delivered again at once, also while the grant\'s delivery was waiting for its next turn', async () => {
    const approvalId = await it.granted(await anAsk())
    await it.reviews.deliveryAttempted(approvalId, 3_600_000, null)
    expect(await isDue(approvalId)).toBe(false)
    await revoke(approvalId, 'olga')
    expect(await isDue(approvalId)).toBe(true)
  })

  test.each<[string, string, string, (proposal: GovernedProposal) => Promise<string>]>([
    ['of what nobody has granted', 'closed', 'olga', (proposal) => it.asked(proposal)],
    ['that has been used', 'closed', 'olga', async (proposal) => {
      const approvalId = await it.granted(proposal)
      await it.pure(again(proposal), { approvalId })
      return approvalId
    }],
    ['by someone without the permission', 'permission_denied', 'shop', (proposal) => it.granted(proposal)],
  ])('%s is refused: %s', async (_, reason, by, given) => {
    const approvalId = await given(await anAsk())
    const before = await it.ledgerLength()
    expect(await revoke(approvalId, by)).toEqual({ status: 'refused', reason })
    expect(await it.ledgerLength()).toBe(before)
  })

  test('by who asked is refused', async () => {
    await it.grant('bot-2', 'reviewer')
    expect(await revoke(await it.granted(await anAsk({ actor: 'bot-2' })), 'bot-2')).toEqual({ status: 'refused', reason: 'self_review' })
    await it.revoke('bot-2', 'reviewer')
  })

  test('by the one it is done for is refused', async () => {
    const proposal = await anAsk()
    const approvalId = await it.granted({ ...proposal, authority: { ...proposal.authority, onBehalfOf: 'otto' } })
    expect(await revoke(approvalId, 'otto')).toEqual({ status: 'refused', reason: 'self_review' })
  })

  test('of an approval that does not exist is refused', async () => {
    const request = await requestOf(it, await it.asked(await anAsk()))
    const body = approvalBody({ ...request, approval_id: '00000000-0000-4000-8000-000000000000' }, 'approval_revoked', 'olga', [])
    expect(await it.reviews.revokeApproval(body)).toEqual({ status: 'refused', reason: 'not_found' })
  })

  test.each(['approval_expired', 'approval_withdrawn'] as const)('stays one however the service then closes the round: %s', async (kind) => {
    const approvalId = await it.granted(await anAsk())
    await revoke(approvalId, 'olga')
    await it.later({ approval: approvalId })
    expect(await it.reviews.closeApproval(approvalBody(await requestOf(it, approvalId), kind, 'kiff', []))).toBe(true)
    expect(await statusOf(approvalId)).toBe('revoked')
  })

  test('is a row that only its own function writes', async () => {
    const approvalId = await it.granted(await anAsk())
    const body = approvalBody(await requestOf(it, approvalId), 'executed', 'olga', [])
    await expect(it.reviews.revokeApproval(body)).rejects.toMatchObject({ code: '23514' })
    expect(await statusOf(approvalId)).toBe('granted')
  })
})

test('a completion that emits what was not asked for does not use up a grant', async () => {
  const proposal = await anAskOfTwo()
  const approvalId = await it.asked(proposal)
  await it.review(approvalId, 'granted', 'olga')
  await it.review(approvalId, 'granted', 'otto')
  await expect(it.pure(again(proposal), { approvalId, events: [noted(proposal, { to: 'CLOSED' })] })).rejects.toMatchObject({ code: '23514' })
  expect(await statusOf(approvalId)).toBe('granted')
})
