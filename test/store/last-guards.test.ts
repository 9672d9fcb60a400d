/** What still holds should every function be wrong, or its caller the owner: constraints, and checks that repeat another's work. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GovernedProposal } from '../../src/gate/proposal.ts'
import { again, aProposal, aStore, type TestStore } from './a-store.ts'

let it: TestStore
beforeAll(async () => { it = await aStore() })
afterAll(() => it.close())

const asOwner = (sql: string, values: readonly unknown[]) => it.db.pool('owner').query(sql, [...values])

/** Copies an execution's row, with this changed. */
const copyExecution = (key: string, over: object) => asOwner(`
  insert into kiff.executions select (jsonb_populate_record(e, $2)).* from kiff.executions e where execution_key = $1`, [key, JSON.stringify(over)])

describe('the tables themselves refuse', () => {
  test('a second open execution of an entity', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    await expect(copyExecution(proposal.executionKey, { execution_key: 'another' })).rejects.toMatchObject({ constraint: 'one_open_execution_an_entity' })
  })

  test.each([{ status: 'in_doubt' }, { status: 'succeeded', completion_rejected: 'why' }])('one beside an entity that is held: %j', async (held) => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    await asOwner('update kiff.executions set status = $2, completion_rejected = $3 where execution_key = $1', [proposal.executionKey, held.status, Reflect.get(held, 'completion_rejected')])
    await expect(copyExecution(proposal.executionKey, { execution_key: 'another', status: 'reserved', completion_rejected: null })).rejects.toMatchObject({ constraint: 'one_open_execution_an_entity' })
  })

  test('a second lasting execution of a key, also of another entity', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    await it.complete(proposal)
    await expect(copyExecution(proposal.executionKey, { ordinal: 2 })).rejects.toMatchObject({ constraint: 'one_lasting_execution_a_key' })
  })

  test('a second open round of a key', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
    const approvalId = await it.asked(proposal)
    const copy = asOwner('insert into kiff.approvals select (jsonb_populate_record(a, $2)).* from kiff.approvals a where approval_id = $1', [approvalId, '{"approval_id": "22222222-2222-4222-8222-222222222222", "round": 2}'])
    await expect(copy).rejects.toMatchObject({ constraint: 'one_open_round' })
  })

  test('a second consumption, and a second review, of an approval', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
    const approvalId = await it.granted(proposal)
    await it.open(again(proposal), { approvalId })
    await expect(asOwner('insert into kiff.consumptions select approval_id, execution_key from kiff.consumptions where approval_id = $1', [approvalId])).rejects.toMatchObject({ constraint: 'consumptions_pkey' })
    await expect(asOwner('insert into kiff.reviews select * from kiff.reviews where approval_id = $1', [approvalId])).rejects.toMatchObject({ constraint: 'reviews_pkey' })
  })

  test('a request whose text is not what its digest says', async () => {
    const approvalId = await it.asked(aProposal(await it.anAccount(), { action: 'ASK' }))
    await expect(asOwner("update kiff.approvals set request = replace(request, 'hello', 'hallo') where approval_id = $1", [approvalId])).rejects.toMatchObject({ code: '23514' })
  })

  test('a chain key with a line break: the hash is made of lines', async () => {
    await expect(it.refuse(aProposal('nobody', { step: { namespace: 'n', workflowId: 'a\nb', firstExecutionRunId: 'f', runId: 'r', activityId: '1' } }))).rejects.toMatchObject({ code: '23514' })
  })
})

const opens = async (approvalId: string, proposal: GovernedProposal): Promise<string> => (await it.open(again(proposal), { approvalId })).status

describe('a grant that is one by its status only opens nothing', () => {
  test('no review stands behind it', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
    const approvalId = await it.asked(proposal)
    await asOwner("update kiff.approvals set status = 'granted' where approval_id = $1", [approvalId])
    expect(await opens(approvalId, proposal)).toBe('stale')
  })

  test('a denial stands behind it', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
    const approvalId = await it.asked(proposal)
    await it.review(approvalId, 'denied', 'olga')
    await asOwner("update kiff.approvals set status = 'granted' where approval_id = $1", [approvalId])
    expect(await opens(approvalId, proposal)).toBe('stale')
  })

  test('a review by the one who asks stands behind it', async () => {
    await it.grant('bot-2', 'reviewer')
    const proposal = aProposal(await it.anAccount(), { action: 'ASK', actor: 'bot-2' })
    const approvalId = await it.asked(proposal)
    await asOwner("insert into kiff.reviews (approval_id, verdict, reviewer, reason, jws) values ($1, 'granted', 'bot-2', '', '')", [approvalId])
    await asOwner("update kiff.approvals set status = 'granted' where approval_id = $1", [approvalId])
    expect(await opens(approvalId, proposal)).toBe('stale')
  })
})
