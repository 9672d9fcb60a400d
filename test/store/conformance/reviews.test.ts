import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256 } from '../../../src/core/digest.ts'
import { approvalBody } from '../../../src/approvals/review.ts'
import { guardOf, rowOf, type GovernedProposal } from '../../../src/gate/proposal.ts'
import type { SignedReview } from '../../../src/core/approval.ts'
import type { RowKind } from '../../../src/core/ledger-row.ts'
import type { RecordedReview } from '../../../src/postgres/review-store.ts'
import { again, aProposal, blocked, bodyOf, lastRow, theStore, requestOf, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

const statusesOf = (...ids: readonly string[]) => Promise.all(ids.map(async (id) => (await it.reviews.show(id))?.status))
const anAsk = async (over: Parameters<typeof aProposal>[1] = {}) => aProposal(await it.anAccount(), { action: 'ASK', ...over })
const asked = async (): Promise<string> => it.asked(await anAsk())

/** What the store makes of a review that nobody has checked before, as a thief of the reviewer login would send it. */
async function record(approvalId: string, over: Partial<Record<keyof SignedReview | 'jws_sha256', unknown>> = {}): Promise<RecordedReview> {
  const row = await it.reviews.show(approvalId)
  if (row === undefined) throw new Error('there is no such approval')
  const review = { purpose: 'approval', approval_id: approvalId, digest: row.digest, verdict: 'granted', reviewer: 'olga', reason: 'because', reviewed_at: 'now', jws_sha256: sha256('j.w.s'), ...over }
  return it.reviews.recordReview(approvalBody(row.request, 'reviewed', 'olga', [], review as never), 'j.w.s')
}

test('a row that does not hold the hash of the signature it comes with is refused', async () => {
  await expect(record(await asked(), { jws_sha256: sha256('another') })).rejects.toMatchObject({ code: '23514' })
})

/** Ends a round as the human-facing service does. */
async function close(approvalId: string, kind: RowKind): Promise<boolean> {
  return it.reviews.closeApproval(approvalBody(await requestOf(it, approvalId), kind, 'kiff', []))
}

describe('a review', () => {
  test('is recorded with its ledger row and its outbox entry, in one commit', async () => {
    const approvalId = await asked()
    expect(await record(approvalId)).toMatchObject({ status: 'committed' })
    expect((await it.reviews.show(approvalId))?.status).toBe('granted')
    expect((await it.ledger()).map(bodyOf).filter(({ approval_id }) => approval_id === approvalId).map(({ kind }) => kind)).toEqual(['approval_requested', 'reviewed'])
    expect(await due(approvalId)).toBeDefined()
  })

  test('is what the gate then reads', async () => {
    const proposal = await anAsk()
    await record(await it.asked(proposal), { verdict: 'denied', reason: 'worn' })
    expect((await it.facts(again(proposal))).approval).toMatchObject({ status: 'denied', closed: false, reviews: [{ jws: 'j.w.s', verdict: 'denied', reviewer: 'olga', reason: 'worn', permitted: true }] })
  })

  test.each<[string, string, (approvalId: string) => Promise<Partial<Record<keyof SignedReview, unknown>> | undefined | void>]>([
    ['of what has been reviewed', 'already_reviewed', async (approvalId) => { await record(approvalId) }],
    ['of what has been denied', 'already_reviewed', async (approvalId) => { await record(approvalId, { verdict: 'denied' }) }],
    ['after the time to answer', 'expired', async (approvalId) => { await it.later({ approval: approvalId }) }],
    ['of an expired round', 'expired', async (approvalId) => { await it.later({ approval: approvalId }); await close(approvalId, 'approval_expired') }],
    ['of a withdrawn round', 'closed', async (approvalId) => { await close(approvalId, 'approval_withdrawn') }],
    ['of another text than is stored', 'closed', async () => ({ digest: '0'.repeat(64) })],
    ['of no text at all', 'closed', async () => ({ digest: null })],
    ['by someone without the permission', 'permission_denied', async () => ({ reviewer: 'shop' })],
    ['by nobody', 'permission_denied', async () => ({ reviewer: null })],
  ])('%s is refused: %s', async (_, reason, prepare) => {
    const approvalId = await asked()
    const over = await prepare(approvalId)
    const before = await it.ledgerLength()
    expect(await record(approvalId, over ?? {})).toEqual({ status: 'refused', reason })
    expect(await it.ledgerLength()).toBe(before)
  })

  test('by who asked is refused, also when they may review', async () => {
    await it.grant('bot-2', 'reviewer')
    const approvalId = await it.asked(await anAsk({ actor: 'bot-2' }))
    expect(await record(approvalId, { reviewer: 'bot-2' })).toEqual({ status: 'refused', reason: 'self_review' })
  })

  test('by the one for whom it is asked is refused, also when they may review', async () => {
    const proposal = await anAsk()
    const approvalId = await it.asked({ ...proposal, authority: { ...proposal.authority, onBehalfOf: 'olga' } })
    expect(await record(approvalId, { reviewer: 'olga' })).toEqual({ status: 'refused', reason: 'self_review' })
  })

  test.each<[string, (approvalId: string, proposal: GovernedProposal) => Promise<unknown>]>([
    ['granted', (approvalId) => record(approvalId)],
    ['denied', (approvalId) => record(approvalId, { verdict: 'denied' })],
    ['done', async (approvalId, proposal) => { await record(approvalId); await it.pure(again(proposal), { approvalId }) }],
  ])('of what somebody else has had %s is refused as one that comes second', async (_, before) => {
    const proposal = await anAsk()
    const approvalId = await it.asked(proposal)
    await before(approvalId, proposal)
    expect(await record(approvalId, { reviewer: 'otto' })).toEqual({ status: 'refused', reason: 'already_reviewed' })
  })

  test('counts for its own approval, and for no other of the entity', async () => {
    const account = await it.anAccount()
    const [first, second] = [await it.asked(aProposal(account, { action: 'ASK' })), await it.asked(aProposal(account, { action: 'ASK_TWO' }))]
    await record(first)
    expect(await statusesOf(first, second)).toEqual(['granted', 'pending'])
    expect(await record(second)).toMatchObject({ status: 'committed' })
    expect(await statusesOf(first, second)).toEqual(['granted', 'pending'])
  })

  test('with a verdict that is none is refused by the table', async () => {
    await expect(record(await asked(), { verdict: 'maybe' })).rejects.toMatchObject({ code: '23514' })
  })

  test('without a reason is refused', async () => {
    const approvalId = await asked()
    await expect(record(approvalId, { reason: null })).rejects.toMatchObject({ code: '23502' })
    expect((await it.reviews.show(approvalId))?.status).toBe('pending')
  })

  test('of an approval that does not exist is refused', async () => {
    const request = await requestOf(it, await asked())
    const body = approvalBody({ ...request, approval_id: randomUUID() }, 'reviewed', 'olga', [], { verdict: 'granted' })
    expect(await it.reviews.recordReview(body, 'j.w.s')).toEqual({ status: 'refused', reason: 'not_found' })
  })

  test('is recorded once, though ten people press the button at once', async () => {
    const approvalId = await asked()
    const reviews = await Promise.all(Array.from({ length: 10 }, async (_, index) => record(approvalId, { verdict: index % 2 === 0 ? 'granted' : 'denied' })))
    expect(reviews.filter(({ status }) => status === 'committed')).toHaveLength(1)
    expect(reviews.filter((review) => review.status === 'refused' && review.reason === 'already_reviewed')).toHaveLength(9)
  })

  test('that was refused is a fact too, on the entity\'s chain', async () => {
    const approvalId = await asked()
    const request = await requestOf(it, approvalId)
    await it.reviews.recordRefusedReview(approvalBody(request, 'review_refused', 'shop', [{ kind: 'approval_review_rejected', message: 'no', data: null }]))
    expect(await lastRow(it, request.entity_id)).toMatchObject({ kind: 'review_refused', approval_id: approvalId })
  })

  test('that was refused of an approval that does not exist leaves no trace', async () => {
    const request = await requestOf(it, await asked())
    const before = await it.ledgerLength()
    await it.reviews.recordRefusedReview(approvalBody({ ...request, approval_id: randomUUID() }, 'review_refused', 'shop', []))
    expect(await it.ledgerLength()).toBe(before)
  })
})

const idsOf = async (which: 'pending' | 'closed') => (await it.reviews.list(which, 500)).map(({ request }) => request.approval_id)

describe('the list', () => {
  test('of pending ones is of those that can be answered', async () => {
    const [open, reviewed, over] = [await asked(), await asked(), await asked()]
    await record(reviewed)
    await it.later({ approval: over })
    const pending = await idsOf('pending')
    expect([open, reviewed, over].map((id) => pending.includes(id))).toEqual([true, false, false])
    const closed = await idsOf('closed')
    expect([open, reviewed, over].map((id) => closed.includes(id))).toEqual([false, true, true])
  })

  test('of pending ones begins with what is due first, of the others with what was due last', async () => {
    for (let count = 0; count < 3; count++) {
      await asked()
      await record(await asked())
    }
    const [pending, closed] = [await it.reviews.list('pending', 500), await it.reviews.list('closed', 500)].map((rows) => rows.map(({ request }) => request))
    expect(pending?.map(({ answer_by }) => answer_by)).toEqual(pending?.map(({ answer_by }) => answer_by).toSorted())
    const reviewed = (await it.reviews.list('closed', 500)).filter(({ status }) => status === 'granted').map(({ request }) => request.answer_by)
    expect(reviewed).toEqual(reviewed.toSorted().toReversed())
    expect(closed?.length).toBeGreaterThan(2)
    expect(await it.reviews.list('pending', 2)).toHaveLength(2)
  })

  test('shows what ended in doubt, and what could not be completed', async () => {
    const [doubtful, rejected] = [aProposal(await it.anAccount()), aProposal(await it.anAccount())]
    await it.open(doubtful)
    await it.later({ lease: doubtful.executionKey })
    await it.doubt(doubtful)
    await it.open(rejected)
    await it.complete(rejected, { status: 'rejected', why: 'no refund id' })
    const shown = (await it.reviews.inDoubt()).map(({ entity_id, status }) => ({ entity_id, status }))
    expect(shown).toEqual([{ entity_id: doubtful.request.entityId, status: 'in_doubt' }, { entity_id: rejected.request.entityId, status: 'no refund id' }])
  })

  test('shows nothing for an approval that does not exist', async () => {
    expect(await it.reviews.show(randomUUID())).toBeUndefined()
  })
})

describe('ending a round by the service', () => {
  test('as expired only when it is, by the database\'s clock', async () => {
    const approvalId = await asked()
    expect(await close(approvalId, 'approval_expired')).toBe(false)
    await it.later({ approval: approvalId })
    expect(await close(approvalId, 'approval_expired')).toBe(true)
    expect((await it.reviews.show(approvalId))?.status).toBe('expired')
  })

  test('a grant expires by the time to use it, not by the time to answer', async () => {
    const approvalId = await asked()
    await record(approvalId)
    await it.later({ answer: approvalId })
    expect(await close(approvalId, 'approval_expired')).toBe(false)
    await it.later({ approval: approvalId })
    expect(await close(approvalId, 'approval_expired')).toBe(true)
  })

  test('a question expires by the time to answer, not by the time to use it', async () => {
    const approvalId = await asked()
    await it.later({ answer: approvalId })
    expect(await close(approvalId, 'approval_expired')).toBe(true)
  })

  test('ends no other of the entity', async () => {
    const account = await it.anAccount()
    const [first, second] = [await it.asked(aProposal(account, { action: 'ASK' })), await it.asked(aProposal(account, { action: 'ASK' }))]
    await close(first, 'approval_withdrawn')
    expect(await statusesOf(first, second)).toEqual(['withdrawn', 'pending'])
    expect((await it.reviews.openRounds(null, 1_000)).map(({ request }) => request.approval_id)).toContain(second)
  })

  test('is still to be done where it was denied, or revoked, until the gate has taken note', async () => {
    const [proposal, revoked] = [await anAsk(), await asked()]
    const denied = await it.asked(proposal)
    await record(denied, { verdict: 'denied' })
    await record(revoked)
    await it.reviews.revokeApproval(approvalBody(await requestOf(it, revoked), 'approval_revoked', 'olga', []))
    const open = async () => (await it.reviews.openRounds(null, 1_000)).map(({ request }) => request.approval_id).filter((id) => id === denied || id === revoked)
    expect((await open()).sort()).toEqual([denied, revoked].sort())
    const facts = await it.facts(again(proposal))
    await it.store.recordAnswer({ body: rowOf(again(proposal), facts, 'refused', [], { approvalId: denied }), answer: blocked, guard: guardOf(facts), closing: { approvalId: denied, status: 'denied' } })
    expect(await open()).toEqual([revoked])
  })

  test('happens once', async () => {
    const approvalId = await asked()
    expect(await close(approvalId, 'approval_withdrawn')).toBe(true)
    const before = await it.ledgerLength()
    expect(await close(approvalId, 'approval_withdrawn')).toBe(false)
    expect(await it.ledgerLength()).toBe(before)
  })

  test.each(['approval_expired', 'approval_withdrawn'] as const)('leaves a denial one: %s', async (kind) => {
    const approvalId = await asked()
    await record(approvalId, { verdict: 'denied' })
    await it.later({ approval: approvalId })
    expect(await close(approvalId, kind)).toBe(true)
    expect((await it.reviews.show(approvalId))?.status).toBe('denied')
    expect(await close(approvalId, kind)).toBe(false)
  })

  test('is not for a denial that the workflow may still come for', async () => {
    const approvalId = await asked()
    await record(approvalId, { verdict: 'denied' })
    await it.later({ answer: approvalId })
    expect(await close(approvalId, 'approval_expired')).toBe(false)
    expect(await due(approvalId)).toBeDefined()
  })

  test('does not exist for an approval that does not', async () => {
    const request = await requestOf(it, await asked())
    expect(await it.reviews.closeApproval(approvalBody({ ...request, approval_id: randomUUID() }, 'approval_withdrawn', 'kiff', []))).toBe(false)
  })

  test('as anything else is refused', async () => {
    await expect(close(await asked(), 'executed')).rejects.toThrow('unknown kind executed')
  })

  test('what may still be answered, or used, is not over; a grant whose time to use it has passed is', async () => {
    const [pending, granted, unused] = [await asked(), await asked(), await asked()]
    for (const approvalId of [granted, unused]) await record(approvalId)
    await it.later({ answer: granted })
    await it.later({ approval: unused })
    const over = (await it.reviews.overdueRounds()).map(({ request }) => request.approval_id)
    expect([pending, granted, unused].map((id) => over.includes(id))).toEqual([false, false, true])
  })

  test('what was denied, or revoked, is over when a grant would be', async () => {
    const denied = [await asked(), await asked()]
    const revoked = [await asked(), await asked()]
    for (const approvalId of denied) await record(approvalId, { verdict: 'denied' })
    for (const approvalId of revoked) {
      await record(approvalId)
      await it.reviews.revokeApproval(approvalBody(await requestOf(it, approvalId), 'approval_revoked', 'olga', []))
    }
    for (const [early = '', late = ''] of [denied, revoked]) {
      await it.later({ answer: early })
      await it.later({ approval: late })
    }
    const areOver = async () => {
      const over = (await it.reviews.overdueRounds()).map(({ request }) => request.approval_id)
      return [...denied, ...revoked].map((id) => over.includes(id))
    }
    expect(await areOver()).toEqual([false, true, false, true])
    for (const [, late = ''] of [denied, revoked]) await close(late, 'approval_expired')
    expect(await areOver()).toEqual([false, false, false, false])
  })

  test('what is over is found, and what is open is found, until it is closed', async () => {
    const approvalId = await asked()
    await it.later({ approval: approvalId })
    const found = async () => {
      const [overdue, open] = await Promise.all([it.reviews.overdueRounds(), it.reviews.openRounds(null, 1_000)])
      return [overdue, open].map((rows) => rows.some(({ request }) => request.approval_id === approvalId))
    }
    expect(await found()).toEqual([true, true])
    await close(approvalId, 'approval_expired')
    expect(await found()).toEqual([false, false])
  })
})

const due = async (approvalId: string) => (await it.reviews.dueDeliveries()).find((delivery) => delivery.approvalId === approvalId)

describe('the outbox', () => {
  test('delivers a review to the run chain that asked', async () => {
    const proposal = await anAsk()
    const approvalId = await it.asked(proposal)
    expect(await due(approvalId)).toBeUndefined()
    await record(approvalId)
    const { namespace, workflowId, firstExecutionRunId } = proposal.step
    expect(await due(approvalId)).toEqual({ approvalId, namespace, workflowId, firstExecutionRunId, attempts: 0, reviews: ['j.w.s'] })
  })

  test('puts off the delivery that was tried, and no other, which has its own reviews alone', async () => {
    const [first, second] = [await asked(), await asked()]
    await record(first)
    await record(second)
    await it.reviews.deliveryAttempted(first, 3_600_000, null)
    expect([await due(first), await due(second)]).toMatchObject([undefined, { attempts: 0, reviews: ['j.w.s'] }])
  })

  test('delivers again after a while, counting, until the round is closed', async () => {
    const proposal = await anAsk()
    const approvalId = await it.asked(proposal)
    await record(approvalId)
    await it.reviews.deliveryAttempted(approvalId, 3_600_000, 'the server is away')
    expect(await due(approvalId)).toBeUndefined()
    await it.reviews.deliveryAttempted(approvalId, 0, null)
    expect(await due(approvalId)).toMatchObject({ attempts: 2 })
    expect(await it.open(again(proposal), { approvalId })).toMatchObject({ status: 'committed' })
    expect(await due(approvalId)).toBeUndefined()
  })
})
