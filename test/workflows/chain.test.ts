/** Reset, continue-as-new, retry, cron: the same proposal is the same action, whatever run it comes from. */
import { randomUUID } from 'node:crypto'
import type { WorkflowHandle } from '@temporalio/client'
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { executors } from '../../src/gate/index.ts'
import { aStack, eventually, type Stack } from '../a-stack.ts'
import { anAccount, aPaidOrder, approvalsOf, states } from '../an-entity.ts'
import { ledgers } from '../fixtures/ledgers.ts'

const ran: string[] = []
const effects = (entityId: string): number => ran.filter((id) => id === entityId).length
const holding = new Map<string, Promise<void>>()
const send = async ({ entityId }: { entityId: string }): Promise<{ ok: true }> => {
  ran.push(entityId)
  await holding.get(entityId)
  return { ok: true }
}
let orders: Stack
let accounts: Stack

beforeAll(async () => {
  ;[orders, accounts] = await Promise.all([
    aStack({
      bound: executors(refunds, {
        async REFUND_ORDER({ entityId }) {
          ran.push(entityId)
          return { refundId: `r-${ran.length}` }
        },
      }),
      actors: ['support-agent-1', 'shop'],
      members: { 'support-agent-1': 'support-agent', shop: 'shop', maria: 'finance' },
    }),
    aStack({ bound: executors(ledgers, { CALL: send, SEND: send, FETCH: async () => ({ text: '' }) }), actors: ['bot', 'clerk'], members: { bot: 'bot', clerk: 'reporter' } }),
  ])
})
afterAll(() => Promise.all([orders.close(), accounts.close()]))

const aRefund = (entityId: string) => ({ queue: orders.queues.gate, entityId, params: { amountCents: 99_900, reason: 'late' } })
const aSending = (entityId: string) => ({ queue: accounts.queues.gate, action: 'SEND', entityId, params: { note: 'x' } })

/** Resets a finished run to one of its events, signals applied again unless told. */
async function reset(stack: Stack, handle: WorkflowHandle, runId: string, toEventId: bigint | number, signals?: 'no signals'): Promise<WorkflowHandle> {
  const { runId: fresh } = await stack.client.workflowService.resetWorkflowExecution({
    namespace: 'default', workflowExecution: { workflowId: handle.workflowId, runId }, workflowTaskFinishEventId: toEventId as never, requestId: randomUUID(), reason: 'a test',
    ...(signals === undefined ? {} : { resetReapplyType: 2, resetReapplyExcludeTypes: [1] }),
  })
  return stack.client.workflow.getHandle(handle.workflowId, fresh)
}

/** Where a run can be reset to: the end of each of its workflow tasks. */
async function workflowTasksOf(handle: WorkflowHandle): Promise<number[]> {
  const { events } = await handle.fetchHistory()
  return (events ?? []).flatMap((event) => (event.workflowTaskCompletedEventAttributes ? [Number(event.eventId)] : []))
}

describe.concurrent('a reset', () => {
  test('of a granted refund to each of its workflow tasks has one effect and one result', async () => {
    const entityId = await aPaidOrder(orders)
    const handle = await orders.start('propose', [aRefund(entityId)])
    const { runId } = await handle.describe()
    await orders.review(await orders.asked(entityId), 'granted', 'maria')
    const { record: _, ...result } = (await handle.result()) as { record: unknown; outcome: string }
    const tasks = await workflowTasksOf(handle)
    expect(tasks.length).toBeGreaterThan(2)
    for (const task of tasks) expect(await (await reset(orders, handle, runId, task)).result()).toMatchObject(result)
    expect(result.outcome).toBe('allowed')
    expect(effects(entityId)).toBe(1)
    expect(await approvalsOf(orders, entityId)).toHaveLength(1)
    expect(await states(orders, refunds, entityId)).toEqual({ live: { value: 'REFUNDED', version: 3 }, rebuilt: { value: 'REFUNDED', version: 3 } })
  })

  test('of a granted refund that leaves the review\'s signal out: whatever it is reset to, it asks again and is told the same', async () => {
    const entityId = await aPaidOrder(orders)
    const handle = await orders.start('propose', [aRefund(entityId)])
    const { runId } = await handle.describe()
    await orders.review(await orders.asked(entityId), 'granted', 'maria')
    const { record: _, ...result } = (await handle.result()) as { record: unknown; outcome: string }
    for (const task of await workflowTasksOf(handle)) expect(await (await reset(orders, handle, runId, task, 'no signals')).result()).toMatchObject(result)
    expect(effects(entityId)).toBe(1)
  })

  test('of a denied refund to each of its workflow tasks asks nobody again', async () => {
    const entityId = await aPaidOrder(orders)
    const handle = await orders.start('propose', [aRefund(entityId)])
    const { runId } = await handle.describe()
    await orders.review(await orders.asked(entityId), 'denied', 'maria')
    await handle.result()
    for (const task of await workflowTasksOf(handle)) {
      expect(await (await reset(orders, handle, runId, task)).result()).toMatchObject({ reason: 'approval_denied' })
    }
    expect(await approvalsOf(orders, entityId)).toHaveLength(1)
    expect(effects(entityId)).toBe(0)
  })

  test('while a person is asked keeps the request; the review reaches the new run', async () => {
    const entityId = await aPaidOrder(orders)
    const handle = await orders.start('propose', [aRefund(entityId)])
    const approvalId = await orders.asked(entityId)
    const [first] = await workflowTasksOf(handle)
    const again = await reset(orders, handle, (await handle.describe()).runId, first ?? 0)
    await orders.review(approvalId, 'granted', 'maria')
    expect(await again.result()).toMatchObject({ outcome: 'allowed' })
    expect(await approvalsOf(orders, entityId)).toEqual([expect.objectContaining({ round: 1, status: 'consumed' })])
  })
})

describe.concurrent('continue-as-new', () => {
  test('while a person is asked: the next run uses the same approval', async () => {
    const entityId = await aPaidOrder(orders)
    const handle = await orders.start('continueWhileAsking', [aRefund(entityId), 1])
    const approvalId = await orders.asked(entityId)
    const firstRun = (await handle.describe()).runId
    await eventually(async () => (await handle.describe()).runId !== firstRun)
    await orders.review(approvalId, 'granted', 'maria')
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(await approvalsOf(orders, entityId)).toEqual([expect.objectContaining({ approval_id: approvalId, status: 'consumed' })])
    expect(effects(entityId)).toBe(1)
  })

  test('while an action is under way: the next run gets its result, and it happens once', async () => {
    const entityId = await anAccount(accounts)
    const held = Promise.withResolvers<void>()
    holding.set(entityId, held.promise)
    const handle = await accounts.start('continueWhileRunning', [aSending(entityId), 1])
    // The run has asked to be continued, and waits for the action: its timer is over, and nothing else is left to do.
    await eventually(async () => effects(entityId) === 1 && (await handle.fetchHistory()).events?.some((event) => event.timerFiredEventAttributes))
    held.resolve()
    expect(await handle.result()).toMatchObject({ outcome: 'allowed', output: { ok: true } })
    expect(effects(entityId)).toBe(1)
  })

  test('without our header: the next run refuses to act', async () => {
    const taskQueue = `agents-${randomUUID()}`
    const workflowBundle = await bundleWorkflowCode({
      workflowsPath: new URL('../fixtures/workflows/index.ts', import.meta.url).pathname,
      webpackConfigHook: (config) => ({ ...config, resolve: { ...config.resolve, conditionNames: ['kiff-source', '...'] } }),
      logger: new DefaultLogger('ERROR'),
    })
    await accounts.startWorker({ taskQueue, workflowBundle })
    const entityId = await anAccount(accounts)
    const handle = await accounts.client.workflow.start('continueWhileRunning', { taskQueue, workflowId: `bare-${randomUUID()}`, args: [aSending(entityId), 1] })
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'kiff.ChainUnproven' } })
    expect(effects(entityId)).toBeLessThanOrEqual(1)
  })
})

describe.concurrent('runs that the server starts', () => {
  test('a retried workflow meets what its first attempt has done', async () => {
    const entityId = await anAccount(accounts)
    const handle = await accounts.client.workflow.start('failOnce', { taskQueue: accounts.queues.agent, workflowId: `retry-${randomUUID()}`, args: [aSending(entityId)], retry: { maximumAttempts: 2, initialInterval: '100ms' } })
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(effects(entityId)).toBe(1)
  })

  test('a cron workflow is refused: its runs share one first run id', async () => {
    const entityId = await anAccount(accounts)
    const workflowId = `cron-${randomUUID()}`
    const handle = await accounts.client.workflow.start('ledger', { taskQueue: accounts.queues.agent, workflowId, args: [aSending(entityId)], cronSchedule: '@every 1s', followRuns: false })
    await handle.result().catch(() => {})
    await accounts.client.workflow.getHandle(workflowId).terminate()
    const end = (await accounts.client.workflow.getHandle(workflowId, handle.firstExecutionRunId).fetchHistory()).events?.at(-1)
    expect(end?.workflowExecutionFailedEventAttributes?.failure?.applicationFailureInfo).toMatchObject({ type: 'kiff.ChainUnproven', nonRetryable: true })
    expect(effects(entityId)).toBe(0)
  })
})
