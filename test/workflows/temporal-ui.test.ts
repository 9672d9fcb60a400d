/** What an operator sees in the Temporal UI, and what it costs: an allowed step adds nothing to a bare activity's history. */
import { randomUUID } from 'node:crypto'
import { defaultPayloadConverter, type WorkflowHandle } from '@temporalio/client'
import type { temporal } from '@temporalio/proto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { executors } from '../../src/gate/index.ts'
import { aStack, eventually, type Stack } from '../a-stack.ts'
import { aPaidOrder } from '../an-entity.ts'

let stack: Stack

beforeAll(async () => {
  stack = await aStack({
    bound: executors(refunds, { REFUND_ORDER: async () => ({ refundId: 'r-1' }) }),
    actors: ['support-agent-1', 'shop'],
    members: { 'support-agent-1': 'support-agent', shop: 'shop', maria: 'finance' },
  })
})
afterAll(() => stack.close())

type Event = temporal.api.history.v1.IHistoryEvent
const eventsOf = async (handle: WorkflowHandle): Promise<readonly Event[]> => (await handle.fetchHistory()).events ?? []
const typesOf = async (handle: WorkflowHandle): Promise<string[]> => (await eventsOf(handle)).map((event) => Object.keys(event).find((key) => key.endsWith('EventAttributes')) ?? '')
const summaryOf = (event: Event | undefined): unknown => event?.userMetadata?.summary && defaultPayloadConverter.fromPayload(event.userMetadata.summary)

interface Metadata {
  readonly currentDetails?: string
  readonly definition?: { readonly signalDefinitions?: readonly { readonly name?: string; readonly description?: string }[] }
}
const metadataOf = (handle: WorkflowHandle): Promise<Metadata> => handle.query<Metadata>('__temporal_workflow_metadata')
/** The request is in the inbox a moment before the workflow has been told. */
const detailsOf = (handle: WorkflowHandle): Promise<string> => eventually(async () => (await metadataOf(handle)).currentDetails || undefined)

async function aHeldRefund(why = 'it came late'): Promise<{ handle: WorkflowHandle; entityId: string; approvalId: string }> {
  const entityId = await aPaidOrder(stack)
  const handle = await stack.start('propose', [{ queue: stack.queues.gate, entityId, params: { amountCents: 99_900, reason: 'late' }, why }])
  return { handle, entityId, approvalId: await stack.asked(entityId) }
}

describe.concurrent('an allowed step', () => {
  test('leaves exactly the history events of a bare activity', async () => {
    const taskQueue = `plain-${randomUUID()}`
    await stack.startWorker({ taskQueue, activities: { plain: async () => 'done' } })
    const bare = await stack.start('bare', [taskQueue])
    const governed = await stack.start('propose', [{ queue: stack.queues.gate, entityId: await aPaidOrder(stack), params: { amountCents: 4_200, reason: 'late' } }])
    await Promise.all([bare.result(), governed.result()])
    expect(await typesOf(governed)).toEqual(await typesOf(bare))
  })

  test('reads as a business action', async () => {
    const entityId = await aPaidOrder(stack)
    const handle = await stack.start('propose', [{ queue: stack.queues.gate, entityId, params: { amountCents: 4_200, reason: 'late' } }])
    await handle.result()
    const scheduled = (await eventsOf(handle)).find((event) => event.activityTaskScheduledEventAttributes)
    expect(scheduled?.activityTaskScheduledEventAttributes?.activityType?.name).toBe('refunds.REFUND_ORDER')
    expect(summaryOf(scheduled)).toBe(`REFUND_ORDER ${entityId}`)
  })
})

describe.concurrent('a wait', () => {
  test('says what it is for, in its timer', async () => {
    const { handle, entityId } = await aHeldRefund()
    const timer = await eventually(async () => (await eventsOf(handle)).find((event) => event.timerStartedEventAttributes))
    expect(summaryOf(timer)).toBe(`waiting for orders.review on REFUND_ORDER ${entityId}`)
    await handle.terminate()
  })

  test('tells in the current details what, why, from whom, until when, and where to decide', async () => {
    const { handle, approvalId, entityId } = await aHeldRefund()
    const { request } = (await stack.desk.show(approvalId)) ?? {}
    const currentDetails = await detailsOf(handle)
    expect(currentDetails).toContain(`Refund €999.00 on ${entityId}`)
    expect(currentDetails).toContain('above the autonomous limit of €100.00')
    expect(currentDetails).toContain('`orders.review`')
    expect(currentDetails).toContain(request?.answer_by)
    expect(currentDetails).toContain(`](http://inbox.test/approvals/${approvalId})`)
    await handle.terminate()
  })

  test('shows nothing of what the agent says', async () => {
    const { handle } = await aHeldRefund('[click here](http://evil.test)')
    expect(await detailsOf(handle)).not.toContain('evil')
    await handle.terminate()
  })

  test('shows an entity id as text, never as a link', async () => {
    const entityId = await aPaidOrder(stack, `[click](http://evil.test/${randomUUID()})`)
    const handle = await stack.start('propose', [{ queue: stack.queues.gate, entityId, params: { amountCents: 99_900, reason: 'late' } }])
    await stack.asked(entityId)
    const currentDetails = await detailsOf(handle)
    expect(currentDetails).toContain('\\[click\\]\\(http\\://evil')
    await handle.terminate()
  })

  test('describes the signal it waits for', async () => {
    const { handle } = await aHeldRefund()
    const { definition } = await metadataOf(handle)
    expect(definition?.signalDefinitions).toContainEqual(expect.objectContaining({ name: 'kiff.review', description: expect.stringContaining('signed review') }))
    await handle.terminate()
  })

  test('can be found by search attributes, and only while it lasts', async () => {
    const { handle, entityId, approvalId } = await aHeldRefund()
    await detailsOf(handle)
    expect((await handle.describe()).searchAttributes).toMatchObject({ KiffStatus: ['waiting_for_approval'], KiffEntity: [entityId], KiffAction: ['REFUND_ORDER'], KiffPendingApprovals: [1] })
    await stack.review(approvalId, 'granted', 'maria')
    await handle.result()
    expect((await handle.describe()).searchAttributes).toMatchObject({ KiffStatus: ['running'], KiffPendingApprovals: [0] })
    expect((await metadataOf(handle)).currentDetails ?? '').toBe('')
  })

  test('upserts them on entering and leaving only', async () => {
    const { handle, entityId, approvalId } = await aHeldRefund()
    await stack.run('report', [stack.queues.gate, 'shop', [{ event: 'ORDER_DELIVERED', entityId, payload: { parcelId: 'p' } }]])
    await stack.review(approvalId, 'granted', 'maria')
    await stack.review(await stack.asked(entityId, 2), 'granted', 'maria')
    await handle.result()
    expect((await typesOf(handle)).filter((type) => type === 'upsertWorkflowSearchAttributesEventAttributes')).toHaveLength(2)
  })

  test.each<[string, Record<string, string[]> | undefined, Record<string, unknown>]>([
    ['tells the next run, in which nothing waits yet, that it runs', undefined, { KiffStatus: 'running', KiffPendingApprovals: 0, KiffAction: 'REFUND_ORDER', KiffEntity: expect.any(String) }],
    ['leaves to the author what the next run is told', { KiffEntity: ['theirs'] }, { KiffEntity: ['theirs'] }],
  ])('that is cut off by continue-as-new %s', async (_, attributes, expected) => {
    const entityId = await aPaidOrder(stack)
    const handle = await stack.start('continueWhileAsking', [{ queue: stack.queues.gate, entityId, params: { amountCents: 99_900, reason: 'late' } }, 1, ...(attributes === undefined ? [] : [attributes])])
    const { runId } = await handle.describe()
    const [begun] = await eventually(async () => (await handle.describe()).runId !== runId && eventsOf(handle))
    const told = begun?.workflowExecutionStartedEventAttributes?.searchAttributes?.indexedFields ?? {}
    expect(Object.fromEntries(Object.entries(told).map(([name, value]) => [name, defaultPayloadConverter.fromPayload(value)]))).toEqual(expected)
    await handle.terminate()
  })

  test('says what changed when a person is asked again', async () => {
    const { handle, entityId, approvalId } = await aHeldRefund()
    await stack.run('report', [stack.queues.gate, 'shop', [{ event: 'ORDER_DELIVERED', entityId, payload: { parcelId: 'p' } }]])
    await stack.review(approvalId, 'granted', 'maria')
    await stack.asked(entityId, 2)
    await eventually(async () => (await metadataOf(handle)).currentDetails?.includes('has moved since'))
    await handle.terminate()
  })
})
