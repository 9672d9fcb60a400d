/** The relay on a store: which run it signals, and whose requests it closes, whatever the Temporal server answers. */
import { NamespaceNotFoundError } from '@temporalio/common'
import { WorkflowNotFoundError, type Client } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deliverDue, expireDue, startRelay, withdrawOrphans } from '../../../src/approvals/relay.ts'
import type { ReviewStore } from '../../../src/postgres/review-store.ts'
import { unavailable } from '../../unavailable.ts'
import { approvalBody } from '../../../src/approvals/review.ts'
import { aProposal, aStep, requestOf, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

/** What a server says of the workflow that asked: its status, and its chain's first run; or its fault. */
type Told = { readonly status?: string; readonly firstRunId?: string } | Error
type Signal = { readonly workflowId: string; readonly runId: string | undefined; readonly approval: unknown }

const running: Told = {}
const gone = new WorkflowNotFoundError('workflow not found', 'w', undefined)
const away = new Error('connection refused')

/** A server that says this of one workflow, and of all others that they go on. */
function serverTelling(told: Told, about: string): { readonly client: Client; readonly signals: readonly Signal[] } {
  const signals: Signal[] = []
  const getHandle = (workflowId: string, runId?: string) => ({
    async describe() {
      const { status = 'RUNNING', firstRunId = workflowId.replace('ticket-', '') } = workflowId === about ? answerOf(told) : {}
      return { runId: 'the-current-run', status: { name: status }, raw: { workflowExecutionInfo: { firstRunId } } }
    },
    async signal(_: string, { approval_id: approval }: { readonly approval_id: unknown }) {
      signals.push({ workflowId, runId, approval })
    },
  })
  return { client: { options: { namespace: 'default' }, workflow: { getHandle } } as unknown as Client, signals }
}

function answerOf(told: Told): Exclude<Told, Error> {
  if (told instanceof Error) throw told
  return told
}

async function asking() {
  const step = aStep()
  const proposal = aProposal(await it.anAccount(), { action: 'ASK', step })
  return { workflowId: step.workflowId, approvalId: await it.asked(proposal) }
}
async function reviewed() {
  const asked = await asking()
  await it.review(asked.approvalId, 'granted', 'olga')
  return asked
}

const statusOf = async (approvalId: string) => (await it.reviews.show(approvalId))?.status
const isDue = async (id: string) => (await it.reviews.dueDeliveries()).some(({ approvalId }) => approvalId === id)

describe('a review', () => {
  test('is sent to the very run that was looked up', async () => {
    const { workflowId, approvalId } = await reviewed()
    const { client, signals } = serverTelling(running, workflowId)
    await deliverDue({ store: it.reviews, client })
    expect(signals).toContainEqual({ workflowId, runId: 'the-current-run', approval: approvalId })
  })

  test.each<[string, Told]>([
    ['a workflow that has ended', { status: 'COMPLETED' }],
    ['another run chain under the same id', { firstRunId: 'another' }],
    ['a workflow that is gone', gone],
    ['a server that does not answer', away],
  ])('is not sent to %s; it is tried again later, and no other is held up', async (_, told) => {
    const [lost, other] = [await reviewed(), await reviewed()]
    const { client, signals } = serverTelling(told, lost.workflowId)
    const faults: unknown[] = []
    await deliverDue({ store: it.reviews, client, onFault: (fault) => faults.push(fault) })
    expect(signals.map(({ workflowId }) => workflowId)).not.toContain(lost.workflowId)
    expect(signals.map(({ workflowId }) => workflowId)).toContain(other.workflowId)
    expect(faults).toHaveLength(1)
    expect(await isDue(lost.approvalId)).toBe(false)
  })

  test.each([[0, 1_000], [3, 8_000], [30, 60_000]])('that was tried %s times before is tried again after %s ms', async (attempts, after) => {
    const { workflowId, approvalId } = await reviewed()
    const waits: number[] = []
    const store: ReviewStore = {
      ...it.reviews,
      dueDeliveries: async () => (await it.reviews.dueDeliveries()).filter((due) => due.approvalId === approvalId).map((due) => ({ ...due, attempts })),
      deliveryAttempted: async (_id, nextMs) => { waits.push(nextMs) },
    }
    await deliverDue({ store, client: serverTelling(running, workflowId).client })
    expect(waits).toEqual([after])
  })
})

describe('a request', () => {
  test.each<[string, Told]>([['has ended', { status: 'TERMINATED' }], ['is gone', gone], ['has lost its id to another run chain', { firstRunId: 'another' }]])('is withdrawn when its workflow %s', async (_, told) => {
    const [orphan, other] = [await asking(), await asking()]
    await withdrawOrphans({ store: it.reviews, client: serverTelling(told, orphan.workflowId).client })
    expect([await statusOf(orphan.approvalId), await statusOf(other.approvalId)]).toEqual(['withdrawn', 'pending'])
  })

  test('is left open when the server does not answer', async () => {
    const { workflowId, approvalId } = await asking()
    await expect(withdrawOrphans({ store: it.reviews, client: serverTelling(unavailable(), workflowId).client })).rejects.toThrow('Failed to describe workflow')
    expect(await statusOf(approvalId)).toBe('pending')
  })

  test.each<[string, Error]>([['is in a namespace that is gone', new NamespaceNotFoundError('gone')], ['the server will not tell of', away]])('whose workflow %s is left open, and keeps no other from being withdrawn', async (_, fault) => {
    const [bad, orphan] = [await asking(), await asking()]
    const store: ReviewStore = { ...it.reviews, openRounds: async (...page) => (await it.reviews.openRounds(...page)).toSorted(({ request }) => (request.approval_id === bad.approvalId ? -1 : 1)) }
    const faults: unknown[] = []
    const { client } = serverTelling({ status: 'TERMINATED' }, orphan.workflowId)
    const getHandle = (workflowId: string) => (workflowId === bad.workflowId ? { describe: async () => { throw fault } } : client.workflow.getHandle(workflowId))
    await withdrawOrphans({ store, client: { options: client.options, workflow: { getHandle } } as unknown as Client, onFault: (each) => faults.push(each) })
    expect([await statusOf(bad.approvalId), await statusOf(orphan.approvalId)]).toEqual(['pending', 'withdrawn'])
    expect(faults).toEqual([fault])
  })

  test('of which nothing can be told is passed by: the next page follows', async () => {
    const { workflowId, approvalId } = await asking()
    const row = await it.reviews.show(approvalId)
    const store: ReviewStore = { ...it.reviews, openRounds: async (_, limit) => Array.from({ length: limit }, () => row).filter((each) => each !== undefined) }
    expect(await withdrawOrphans({ store, client: serverTelling(away, workflowId).client })).toBe(approvalId)
  })

  test('that is over is closed, also where another one cannot be', async () => {
    const [bad, over] = [await asking(), await asking()]
    for (const { approvalId } of [bad, over]) await it.later({ approval: approvalId })
    const fault = new Error('the row is refused')
    const store: ReviewStore = {
      ...it.reviews,
      overdueRounds: async () => (await it.reviews.overdueRounds()).toSorted((one) => (one.request.approval_id === bad.approvalId ? -1 : 1)),
      closeApproval: async (body) => {
        if (body.includes(bad.approvalId)) throw fault
        return it.reviews.closeApproval(body)
      },
    }
    const faults: unknown[] = []
    await expireDue({ store, onFault: (each) => faults.push(each) })
    expect([await statusOf(bad.approvalId), await statusOf(over.approvalId)]).toEqual(['pending', 'expired'])
    expect(faults).toEqual([fault])
  })

  test.each(['denied', 'revoked'] as const)('that was %s, and that nobody comes for, is closed when the time is over: it stays so, and is delivered no more', async (status) => {
    const { approvalId } = await asking()
    await it.review(approvalId, status === 'denied' ? 'denied' : 'granted', 'olga')
    if (status === 'revoked') await it.reviews.revokeApproval(approvalBody(await requestOf(it, approvalId), 'approval_revoked', 'olga', []))
    await expireDue({ store: it.reviews })
    expect(await isDue(approvalId)).toBe(true)
    await it.later({ approval: approvalId })
    await expireDue({ store: it.reviews })
    expect([await statusOf(approvalId), await isDue(approvalId)]).toEqual([status, false])
    expect((await it.auditRecords()).findLast(({ data }) => data['approval_id'] === approvalId)).toMatchObject({ kind: 'approval_expired', message: `approval ${status}, and closed: nobody has come for the answer` })
  })

  test('that is over, or an orphan, is closed by the relay as it goes', async () => {
    const [over, orphan] = [await asking(), await asking()]
    await it.later({ approval: over.approvalId })
    const relay = startRelay({ store: it.reviews, client: serverTelling(gone, orphan.workflowId).client, everyMs: 5 })
    await expect.poll(async () => [await statusOf(over.approvalId), await statusOf(orphan.approvalId)], { timeout: 4_000 }).toEqual(['expired', 'withdrawn'])
    await relay.stop()
  })

  test('is looked for page by page, where there are more than are looked at in one go, and then from the first on again', async () => {
    const requests = [await asking(), await asking(), await asking()]
    const [first, second, third] = await Promise.all(requests.map(({ approvalId }) => it.reviews.show(approvalId)))
    const afters: (string | null)[] = []
    const store: ReviewStore = { ...it.reviews, async openRounds(after, limit) {
      afters.push(after)
      if (after === null) return Array.from({ length: limit }, () => first).filter((row) => row !== undefined)
      return after === first?.request.approval_id && second !== undefined ? Array.from({ length: limit }, () => second) : [third].filter((row) => row !== undefined)
    } }
    const relay = startRelay({ store, client: serverTelling(running, 'ticket').client, everyMs: 1 })
    await expect.poll(() => afters.length, { timeout: 4_000 }).toBeGreaterThan(4)
    await relay.stop()
    const [one, two] = requests.map(({ approvalId }) => approvalId)
    expect(afters.slice(0, 5)).toEqual([null, one, two, null, one])
  })
})
