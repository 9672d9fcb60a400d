/** What the locks of the human-facing service's functions keep apart: each waits for the entity's chain before it looks. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { approvalBody } from '../../src/approvals/review.ts'
import { sha256 } from '../../src/core/digest.ts'
import { guardOf, rowOf, type GovernedProposal } from '../../src/gate/proposal.ts'
import { createGateStore } from '../../src/postgres/gate-store.ts'
import { createReviewStore } from '../../src/postgres/review-store.ts'
import { aRace, type Race } from './a-race.ts'
import { aReconciled, notHappened, shown } from './a-doubt.ts'
import { again, aProposal, aStore, blocked, requestOf, type TestStore } from './a-store.ts'

let it: TestStore
let race: Race
beforeAll(async () => {
  it = await aStore()
  race = await aRace(it)
})
afterAll(async () => {
  await race.close()
  await it.close()
})

const committed = (commits: readonly unknown[]): number => commits.filter((commit) => Reflect.get(Object(commit), 'status') === 'committed').length

/** The use of a grant, and something of the service's that comes after it. */
async function afterUse(comes: (approvalId: string) => Promise<() => Promise<unknown>>): Promise<unknown[]> {
  const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
  const approvalId = await it.granted(proposal)
  const facts = await it.facts(again(proposal))
  const body = rowOf(again(proposal), facts, 'opened', [], { approvalId })
  const use = () => createGateStore(race.gate).openExecution({ body, guard: guardOf(facts), leaseMs: 60_000, idempotentForMs: null, approvalId })
  const [used, then] = await race.all<unknown>(proposal.request.entityId, [use, await comes(approvalId)], { inOrder: true })
  return [Reflect.get(Object(used), 'status'), then, (await it.reviews.show(approvalId))?.status]
}

describe('one after the other', () => {
  test('the use of a grant, and its revocation: it has been used', async () => {
    const outcome = await afterUse(async (approvalId) => {
      const body = approvalBody(await requestOf(it, approvalId), 'approval_revoked', 'olga', [])
      return () => createReviewStore(race.reviewer).revokeApproval(body)
    })
    expect(outcome).toEqual(['committed', { status: 'refused', reason: 'closed' }, 'consumed'])
  })

  test('the use of a grant, and the end of its round: it has ended already', async () => {
    const outcome = await afterUse(async (approvalId) => {
      const body = approvalBody(await requestOf(it, approvalId), 'approval_withdrawn', 'kiff', [])
      return () => createReviewStore(race.reviewer).closeApproval(body)
    })
    expect(outcome).toEqual(['committed', false, 'consumed'])
  })
})

describe('at once', () => {
  test('ten reviews where two have to agree: two are recorded', async () => {
    const people = Array.from({ length: 10 }, (_, index) => `person-${index}`)
    for (const person of people) await it.grant(person, 'reviewer')
    const proposal = aProposal(await it.anAccount(), { action: 'ASK_TWO' })
    const approvalId = await it.asked(proposal)
    const [request, digest] = [await requestOf(it, approvalId), (await it.reviews.show(approvalId))?.digest ?? '']
    const reviews = await race.all(proposal.request.entityId, people.map((reviewer) => () =>
      createReviewStore(race.reviewer).recordReview(approvalBody(request, 'reviewed', reviewer, [], { digest, verdict: 'granted', reviewer, reason: 'x', jws_sha256: sha256('j.w.s') }), 'j.w.s')))
    expect(committed(reviews)).toBe(2)
    expect((await it.reviews.show(approvalId))?.reviews).toHaveLength(2)
  })

  test('ten answers to what became of one execution: one is recorded', async () => {
    const proposal = await it.inDoubt()
    const said = { execution_key: proposal.executionKey, ordinal: 1, digest: (await shown(it, proposal))?.digest ?? '', ...notHappened, reviewer: 'olga', reason: 'x', jws_sha256: sha256('j.w.s') }
    const answers = await race.all(proposal.request.entityId, Array.from({ length: 10 }, () => () => createReviewStore(race.reviewer).recordReconciliation(aReconciled(proposal, said), 'j.w.s')))
    expect(committed(answers)).toBe(1)
  })

  test('five retries of one call, on a chain that somebody is just making: all get the one answer', async () => {
    const proposal: GovernedProposal = aProposal('nobody')
    const { namespace, firstExecutionRunId, workflowId } = proposal.step
    const body = rowOf(proposal, await it.facts(proposal), 'refused', [])
    const maker = await it.db.pool('owner').connect()
    try {
      await maker.query('begin')
      await maker.query("insert into kiff.chains (kind, key) values ('run', $1)", [`${namespace}/${firstExecutionRunId}/${workflowId}`])
      const running = Array.from({ length: 5 }, () => createGateStore(race.gate).recordAnswer({ body, answer: blocked, guard: null }))
      await expect.poll(race.waiting, { timeout: 10_000 }).toBe(5)
      await maker.query('commit')
      expect((await Promise.all(running)).map(({ status }) => status).sort()).toEqual(['committed', 'repeat', 'repeat', 'repeat', 'repeat'])
    } finally {
      maker.release()
    }
  })
})
