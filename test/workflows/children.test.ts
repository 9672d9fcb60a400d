/** Child workflows: whatever run of whatever parent starts them, an equal child's equal proposal is the same action. */
import { randomUUID } from 'node:crypto'
import type { WorkflowHandle } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { executors } from '../../src/gate/index.ts'
import { aStack, eventually, type Stack } from '../a-stack.ts'
import { anAccount, approvalsOf } from '../an-entity.ts'
import { ledgers } from '../fixtures/ledgers.ts'

const ran: string[] = []
const effects = (entityId: string): number => ran.filter((id) => id === entityId).length
const send = async ({ entityId }: { entityId: string }): Promise<{ ok: true }> => {
  ran.push(entityId)
  return { ok: true }
}
let stack: Stack

beforeAll(async () => {
  stack = await aStack({
    bound: executors(ledgers, { CALL: send, SEND: send, FETCH: async () => ({ text: '' }) }),
    actors: ['bot', 'clerk'],
    members: { bot: 'bot', clerk: 'reporter', anna: 'reviewer' },
  })
})
afterAll(() => stack.close())

const aSending = (entityId: string, note = 'x') => ({ queue: stack.queues.gate, action: 'SEND', entityId, params: { note } })

async function resetTo(handle: WorkflowHandle, runId: string, task: number): Promise<WorkflowHandle> {
  const { runId: fresh } = await stack.client.workflowService.resetWorkflowExecution({
    namespace: 'default', workflowExecution: { workflowId: handle.workflowId, runId }, workflowTaskFinishEventId: task as never, requestId: randomUUID(), reason: 'a test',
  })
  return stack.client.workflow.getHandle(handle.workflowId, fresh)
}

async function workflowTasksOf(handle: WorkflowHandle): Promise<number[]> {
  const { events } = await handle.fetchHistory()
  return (events ?? []).flatMap((event) => (event.workflowTaskCompletedEventAttributes ? [Number(event.eventId)] : []))
}

/** The children of a run. */
async function startedBy(handle: WorkflowHandle): Promise<{ readonly workflowId: string; readonly runId: string }[]> {
  const { events } = await handle.fetchHistory()
  return (events ?? []).flatMap(({ childWorkflowExecutionStartedEventAttributes: started }) => (started == null ? [] : { workflowId: started.workflowExecution?.workflowId ?? '', runId: started.workflowExecution?.runId ?? '' }))
}

const executed = async (entityId: string): Promise<number> => (await stack.audit(entityId)).filter(({ kind }) => kind === 'action_executed').length

/** Temporal leaves the child of the run that was reset as it is, and starts another. */
async function resetWhileAsking(): Promise<{ readonly entityId: string; readonly again: WorkflowHandle; readonly asking: string }> {
  const entityId = await anAccount(stack)
  const handle = await stack.start('proposeInChildren', [[{ ...aSending(entityId), action: 'ASK_PATIENTLY' }]])
  const { runId } = await handle.describe()
  await stack.asked(entityId)
  const [asking] = await startedBy(handle)
  const [task = 0] = await workflowTasksOf(handle)
  const again = await resetTo(handle, runId, task)
  const next = await eventually(async () => (await startedBy(again))[0])
  await eventually(async () => (await stack.client.workflow.getHandle(next.workflowId).describe()).raw.pendingActivities?.[0]?.lastFailure?.message?.includes('is being asked for by workflow'))
  return { entityId, again, asking: asking?.workflowId ?? '' }
}

describe.concurrent('a parent that is reset', () => {
  test.each([['its child', 1], ['its grandchild', 3]] as const)('to each of its workflow tasks: what %s did is not done again', async (_, nesting) => {
    const entityId = await anAccount(stack)
    const handle = await stack.start('proposeInChildren', [[aSending(entityId)], nesting])
    const { runId } = await handle.describe()
    const first = await handle.result()
    for (const task of await workflowTasksOf(handle)) {
      const again = await resetTo(handle, runId, task)
      expect(await again.result()).toMatchObject([{ outcome: 'allowed', output: { ok: true } }])
    }
    expect(first).toMatchObject([{ outcome: 'allowed' }])
    expect(effects(entityId)).toBe(1)
  })

  test('starts another run of the child, which is told what the first did', async () => {
    const entityId = await anAccount(stack)
    const handle = await stack.start('proposeInChildren', [[aSending(entityId)]])
    const { runId } = await handle.describe()
    await handle.result()
    const [task = 0] = await workflowTasksOf(handle)
    const again = await resetTo(handle, runId, task)
    await again.result()
    expect(await startedBy(again)).not.toEqual(await startedBy(stack.client.workflow.getHandle(handle.workflowId, runId)))
    expect((await stack.audit(entityId)).map(({ kind }) => kind)).toContain('action_deduplicated')
  })

  test('while its child asks a person: that child goes on, the next one waits for its answer, and nobody is asked twice', async () => {
    const { entityId, again } = await resetWhileAsking()
    const [approval] = await approvalsOf(stack, entityId)
    await stack.review(approval?.approval_id ?? '', 'granted', 'anna')
    expect(await again.result()).toMatchObject([{ outcome: 'allowed' }])
    expect(await approvalsOf(stack, entityId)).toEqual([expect.objectContaining({ round: 1, status: 'consumed' })])
    expect(await executed(entityId)).toBe(1)
  })

  test('while its child asks, and that child is terminated: the next one asks, under the same key', async () => {
    const { entityId, again, asking } = await resetWhileAsking()
    await stack.client.workflow.getHandle(asking).terminate()
    const approvalId = await stack.asked(entityId, 2)
    await stack.review(approvalId, 'granted', 'anna')
    expect(await again.result()).toMatchObject([{ outcome: 'allowed' }])
    const rounds = await approvalsOf(stack, entityId)
    expect(rounds).toMatchObject([{ status: 'withdrawn' }, { status: 'consumed' }])
    expect(new Set(rounds.map(({ execution_key: key }) => key)).size).toBe(1)
    expect(await executed(entityId)).toBe(1)
  })
})

describe.concurrent('children of one parent', () => {
  test('that are equal propose twice; those with other arguments do so too', async () => {
    const [one, other] = await Promise.all([anAccount(stack), anAccount(stack)])
    const results = await stack.run('proposeInChildren', [[aSending(one), aSending(one), aSending(other), aSending(one, 'y')]])
    expect(results).toMatchObject([{ outcome: 'allowed' }, { outcome: 'allowed' }, { outcome: 'allowed' }, { outcome: 'allowed' }])
    expect([effects(one), effects(other)]).toEqual([3, 1])
  })

  test('of two runs of its chain are two: a run that continues it starts anew', async () => {
    const entityId = await anAccount(stack)
    expect(await stack.run('proposeInChildrenAgain', [aSending(entityId), 1])).toMatchObject({ outcome: 'allowed' })
    expect(effects(entityId)).toBe(2)
  })

  test('that continue as new themselves stay where they are', async () => {
    const entityId = await anAccount(stack)
    const handle = await stack.start('startChild', ['ledgerInEachRun', [aSending(entityId), 1]])
    const { runId } = await handle.describe()
    await handle.result()
    const before = effects(entityId)
    const [task = 0] = await workflowTasksOf(handle)
    await (await resetTo(handle, runId, task)).result()
    expect(before).toBe(2)
    expect(effects(entityId)).toBe(before)
  })
})

const asked = (entityId: string, chain: object) => ({ entityId, params: { note: 'x' }, actor: 'bot', chain })
const failure = async (run: Promise<unknown>): Promise<unknown> => run.then(() => 'it was not refused', (error: unknown) => {
  const { cause } = error as { cause?: { cause?: unknown } }
  return cause?.cause ?? cause
})

describe.concurrent('is refused', () => {
  const aParent = { generation: 0, child: 'a'.repeat(64), occurrence: 0 }

  test('a run that claims parents and has none', async () => {
    const entityId = await anAccount(stack)
    const victim = await stack.start('ledger', [aSending(entityId)])
    const parents = [{ ...aParent, workflowId: victim.workflowId, firstExecutionRunId: (await victim.describe()).runId }]
    await victim.result()
    const forged = await stack.start('callWithChain', [stack.queues.gate, 'ledgers.SEND', asked(entityId, { parents })])
    expect(await failure(forged.result())).toMatchObject({ type: 'kiff.ChainUnproven', message: expect.stringContaining('parents it claims') })
    expect(effects(entityId)).toBe(1)
  })

  test.each<[string, object]>([['workflow', { workflowId: 'another' }], ['run chain', { firstExecutionRunId: 'another' }]])('a child that claims another %s as its parent', async (_, claimed) => {
    const entityId = await anAccount(stack)
    const workflowId = `claiming-${randomUUID()}`
    const handle = await stack.start('startChild', ['callWithChain', [stack.queues.gate, 'ledgers.SEND', asked(entityId, { parents: [{ ...aParent, workflowId, firstExecutionRunId: 'own', ...claimed }] })]], workflowId)
    expect(await failure(handle.result())).toMatchObject({ cause: { type: 'kiff.ChainUnproven' } })
    expect(effects(entityId)).toBe(0)
  })

  test('the child of a cron workflow: its runs share one first run id', async () => {
    const entityId = await anAccount(stack)
    const workflowId = `cron-${randomUUID()}`
    const handle = await stack.client.workflow.start('proposeInChildren', { taskQueue: stack.queues.agent, workflowId, args: [[aSending(entityId)]], cronSchedule: '@every 1s', followRuns: false })
    await handle.result().catch(() => {})
    await stack.client.workflow.getHandle(workflowId).terminate()
    const { events } = await stack.client.workflow.getHandle(workflowId, handle.firstExecutionRunId).fetchHistory()
    const failed = events?.find((event) => event.childWorkflowExecutionFailedEventAttributes)?.childWorkflowExecutionFailedEventAttributes?.failure
    expect(failed).toMatchObject({ message: expect.stringContaining('cronSchedule'), applicationFailureInfo: { type: 'kiff.ChainUnproven', nonRetryable: true } })
    expect(effects(entityId)).toBe(0)
  })
})
