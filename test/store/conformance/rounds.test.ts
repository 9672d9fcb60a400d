/** What the human-facing service is told of open rounds: page by page, and of one run chain. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { approvalBody } from '../../../src/approvals/review.ts'
import { aProposal, aStep, nextActivity, requestOf, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

const idsOf = async (after: string | null, limit: number): Promise<string[]> => (await it.reviews.openRounds(after, limit)).map(({ request }) => request.approval_id)
const asked = async (step = aStep()): Promise<string> => it.asked(aProposal(await it.anAccount(), { action: 'ASK', step }))
const withdrawn = async (approvalId: string): Promise<boolean> => it.reviews.closeApproval(approvalBody(await requestOf(it, approvalId), 'approval_withdrawn', 'kiff', []))

test('open rounds come in the order of their ids, so many at once, after the one that is named', async () => {
  const ids = [await asked(), await asked(), await asked()].sort()
  const [first = '', second = '', third = ''] = ids
  expect(await idsOf(null, 100)).toEqual(ids)
  expect(await idsOf(null, 2)).toEqual([first, second])
  expect(await idsOf(first, 1)).toEqual([second])
  expect(await idsOf(second, 100)).toEqual([third])
  expect(await idsOf(third, 100)).toEqual([])
})

test('the rounds of a run chain are its own: all that there were, and those that are open', async () => {
  const step = aStep()
  const first = await asked(step)
  const chain = { namespace: step.namespace, workflowId: step.workflowId, firstExecutionRunId: step.firstExecutionRunId }
  expect(await it.reviews.roundsOf(chain)).toEqual({ all: 1, open: 1 })
  await asked(nextActivity(step))
  expect(await it.reviews.roundsOf(chain)).toEqual({ all: 2, open: 2 })
  await withdrawn(first)
  expect(await it.reviews.roundsOf(chain)).toEqual({ all: 2, open: 1 })
  for (const other of [{ namespace: 'another' }, { workflowId: 'another' }, { firstExecutionRunId: 'another' }]) {
    expect(await it.reviews.roundsOf({ ...chain, ...other })).toEqual({ all: 0, open: 0 })
  }
})
