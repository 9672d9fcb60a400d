import { afterAll, beforeAll, expect, test } from 'vitest'
import { aProposal, aStore, type TestStore } from './a-store.ts'

let it: TestStore
beforeAll(async () => { it = await aStore() })
afterAll(() => it.close())

test('a review, its ledger row, its outbox entry and what it makes of the approval are one commit', async () => {
  const approvalId = await it.granted(aProposal(await it.anAccount(), { action: 'ASK' }))
  const writes = await it.look<{ xmin: string; what: string }>(`
    select xmin::text, 'review' as what from kiff.reviews where approval_id = $1
    union all select xmin::text, 'outbox' from kiff.deliveries where approval_id = $1
    union all select xmin::text, kind from kiff.ledger where approval_id = $1::text and kind = 'reviewed'
    union all select xmin::text, status from kiff.approvals where approval_id = $1`, [approvalId])
  expect(writes.map(({ what }) => what).sort()).toEqual(['granted', 'outbox', 'review', 'reviewed'])
  expect(new Set(writes.map(({ xmin }) => xmin)).size).toBe(1)
})
