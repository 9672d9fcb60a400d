/** The desk on a store: what is signed and recorded of what a person says, and what is refused before it comes to that. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256 } from '../../../src/core/digest.ts'
import { aProposal, lastRow, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

async function asked() {
  const account = await it.anAccount()
  const approvalId = await it.asked(aProposal(account, { action: 'ASK' }))
  return { account, approvalId, digest: (await it.reviews.show(approvalId))?.digest ?? '' }
}
const said = { verdict: 'granted', reason: 'because', reviewer: 'olga' } as const

const findings = async (account: string) => (await it.ledger()).filter(({ chain, body }) => chain === `ledgers/Account/${account}` && body.includes('"kind":"reconcil')).length

describe('a review', () => {
  test('is kept with the hash of its signature, in the row that records it', async () => {
    const { account, approvalId, digest } = await asked()
    expect(await it.desk.review({ ...said, approvalId, digest })).toEqual({ outcome: 'recorded', verdict: 'granted' })
    const [jws = ''] = (await it.reviews.dueDeliveries()).find((due) => due.approvalId === approvalId)?.reviews ?? []
    expect(await lastRow(it, account)).toMatchObject({ kind: 'reviewed', actor: 'olga', review: { digest, jws_sha256: sha256(jws) } })
  })

  test('holds words that cannot be kept in a form that can', async () => {
    const { account, approvalId, digest } = await asked()
    expect(await it.desk.review({ ...said, approvalId, digest, reason: 'fine\u0000' })).toMatchObject({ outcome: 'recorded' })
    expect(await lastRow(it, account)).toMatchObject({ review: { reason: 'fine\u2400' } })
  })

  test('of what was not shown is neither signed nor recorded', async () => {
    const { approvalId } = await asked()
    const before = await it.ledgerLength()
    expect(await it.desk.review({ ...said, approvalId, digest: '0'.repeat(64) })).toMatchObject({ outcome: 'refused', reason: 'closed' })
    expect(await it.ledgerLength()).toBe(before)
  })

  test('of no approval there is not', async () => {
    for (const approvalId of [randomUUID(), 'a-1', `${randomUUID()}'`]) {
      expect(await it.desk.review({ ...said, approvalId, digest: '0'.repeat(64) })).toMatchObject({ outcome: 'refused', reason: 'not_found' })
      expect(await it.desk.revoke({ approvalId, reviewer: 'olga', reason: 'x' })).toMatchObject({ outcome: 'refused', reason: 'not_found' })
      expect(await it.desk.show(approvalId)).toBeUndefined()
    }
  })

  test('by somebody who may not is refused, on record', async () => {
    const { account, approvalId, digest } = await asked()
    expect(await it.desk.review({ ...said, approvalId, digest, reviewer: 'shop' })).toMatchObject({ outcome: 'refused', reason: 'permission_denied' })
    expect(await lastRow(it, account)).toMatchObject({ kind: 'review_refused', actor: 'shop' })
    expect((await it.reviews.show(approvalId))?.status).toBe('pending')
  })
})

describe('a revocation', () => {
  test('of what is no grant is refused, on record', async () => {
    const { account, approvalId } = await asked()
    expect(await it.desk.revoke({ approvalId, reviewer: 'olga', reason: 'x' })).toMatchObject({ outcome: 'refused', reason: 'closed' })
    expect(await lastRow(it, account)).toMatchObject({ kind: 'review_refused', actor: 'olga' })
    expect((await it.reviews.show(approvalId))?.status).toBe('pending')
  })

  test('of a grant takes it back', async () => {
    const { approvalId, digest } = await asked()
    await it.desk.review({ ...said, approvalId, digest })
    expect(await it.desk.revoke({ approvalId, reviewer: 'olga', reason: 'x' })).toEqual({ outcome: 'revoked' })
    expect((await it.reviews.show(approvalId))?.status).toBe('revoked')
  })
})

describe('a finding', () => {
  test('is kept with the hash of its signature, in the row that records it', async () => {
    const proposal = await it.inDoubt()
    expect(await it.reconcile(proposal, 'olga')).toMatchObject({ outcome: 'recorded' })
    const due = (await it.store.dueReconciliations('ledgers')).find(({ executionKey }) => executionKey === proposal.executionKey)
    expect(await lastRow(it, proposal.request.entityId)).toMatchObject({ kind: 'reconciled', review: { jws_sha256: sha256(due?.jws ?? '') } })
  })

  test.each<[string, unknown]>([['that cannot be kept', { ok: '\u0000' }], ['that is no value at all', undefined], ['that is too large', { ok: 'x'.repeat(16_384) }]])('with an output %s is neither signed nor recorded', async (_, output) => {
    const proposal = await it.inDoubt()
    const digest = (await it.reviews.showInDoubt(proposal.executionKey, 1))?.digest ?? ''
    expect(await it.desk.reconcile({ executionKey: proposal.executionKey, ordinal: 1, digest, reason: 'x', reviewer: 'olga', verdict: 'happened', output })).toMatchObject({ outcome: 'refused', reason: 'output_unusable' })
    expect(await findings(proposal.request.entityId)).toBe(0)
  })

  test('of what was not shown is none', async () => {
    const proposal = await it.inDoubt()
    expect(await it.reconcile(proposal, 'olga', { digest: '0'.repeat(64) })).toMatchObject({ outcome: 'refused', reason: 'closed' })
    expect(await findings(proposal.request.entityId)).toBe(0)
  })

  test('about nothing is none', async () => {
    expect(await it.reconcile(aProposal('a'), 'olga')).toMatchObject({ outcome: 'refused', reason: 'not_found' })
  })

  test('of the one who proposed it is refused, on record', async () => {
    const proposal = await it.inDoubt()
    await it.grant('bot-1', 'reviewer')
    expect(await it.reconcile(proposal, 'bot-1')).toMatchObject({ outcome: 'refused', reason: 'self_review' })
    await it.revoke('bot-1', 'reviewer')
    expect(await lastRow(it, proposal.request.entityId)).toMatchObject({ kind: 'reconciliation_refused', actor: 'bot-1' })
  })
})
