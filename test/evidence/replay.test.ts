import { randomUUID } from 'node:crypto'
import type { WorkflowHandle } from '@temporalio/client'
import { defaultPayloadConverter } from '@temporalio/common'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseHistory } from '../../src/evidence/history.ts'
import { replayCheck } from '../../src/evidence/replay.ts'
import { eventually, theBundle, type Stack } from '../a-stack.ts'
import { aPaidOrder } from '../an-entity.ts'
import { checked, failed, type Checked, type Ran } from './a-checked-run.ts'

let stack: Stack
let aRefund: Checked['aRefund']
let aRun: Checked['aRun']
let aGrantedRun: Checked['aGrantedRun']
let check: Checked['check']
let history: Checked['history']
let bundle: Checked['bundle']

beforeAll(async () => {
  ;({ stack, aRefund, aRun, aGrantedRun, check, history, bundle } = await checked())
})
afterAll(() => stack.close())

/** Completes a governed activity as anyone who may write to the namespace can, while no gate worker runs. */
async function forged(result: (entityId: string) => Promise<unknown>): Promise<Ran> {
  const entityId = await aPaidOrder(stack)
  const handle = await stack.start('propose', [aRefund(entityId, 99_900, { queue: `nobody-${randomUUID()}` })])
  const payloads = [defaultPayloadConverter.toPayload(await result(entityId))]
  await eventually(async () => {
    const { raw } = await handle.describe()
    return (raw.pendingActivities ?? []).length > 0
  })
  await stack.client.workflowService.respondActivityTaskCompletedById({ namespace: 'default', workflowId: handle.workflowId, activityId: '1', result: { payloads } })
  await handle.result()
  return { handle, entityId, chain: `refunds/Order/${entityId}` }
}

/** The workflows that a run has started. */
async function childrenOf(handle: WorkflowHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory()
  return (events ?? []).flatMap(({ childWorkflowExecutionStartedEventAttributes: started }) => started?.workflowExecution?.workflowId ?? [])
}

describe('a run that nobody has touched', () => {
  test('agrees in every step, whatever became of it', async () => {
    const run = await aRun((entityId) => [
      aRefund(entityId, 4_200, { key: 'call-1' }),
      aRefund(entityId, 4_200, { key: 'call-1' }),
      aRefund(entityId),
      aRefund(entityId, 4_200, { action: 'NO_SUCH_ACTION' }),
      aRefund(entityId, 4_200, { action: 'no name at all' }),
      aRefund(entityId, 4_200, { actor: 'somebody' }),
      aRefund(`order-${randomUUID()}`),
      aRefund(entityId, 4_200, { key: 'x'.repeat(300) }),
      aRefund(entityId, -1),
    ])
    const report = await check(run)
    expect(report.findings).toEqual([])
    expect(report).toMatchObject({ ok: true, workflowId: run.handle.workflowId, steps: [
      { index: 1, activity: 'refunds.REFUND_ORDER', entity: run.entityId, outcome: 'allowed', record: { chain: run.chain, seq: 4 }, checks: { input: true, row: true, key: true, outcome: true, record: true, review: null, chain: true, state: true } },
      { outcome: 'allowed' },
      { outcome: 'blocked', reason: 'state_not_allowed' },
      { outcome: 'invalid', reason: 'unknown_action', checks: { row: true, outcome: true, key: null, state: null } },
      { activity: 'refunds.unknown', outcome: 'invalid', reason: 'unknown_action' },
      { outcome: 'blocked', reason: 'actor_unproven' },
      { outcome: 'invalid', reason: 'unknown_entity' },
      { outcome: 'invalid', reason: 'invalid_parameter', checks: { row: true } },
      { outcome: 'blocked', reason: 'state_not_allowed' },
    ] })
  })

  test('agrees where a person has granted it: the review is the one that came by signal', async () => {
    const report = await check(await aGrantedRun())
    expect(report).toMatchObject({ ok: true, steps: [
      { outcome: 'approval_required', checks: { review: null, outcome: true } },
      { outcome: 'allowed', checks: { input: true, row: true, key: true, outcome: true, record: true, review: true, chain: true, state: true } },
    ] })
  })

  test('agrees where a person has denied it, and where events were reported', async () => {
    const entityId = await aPaidOrder(stack)
    const handle = await stack.start('propose', [aRefund(entityId, 99_900)])
    await stack.review(await stack.asked(entityId), 'denied', 'maria')
    await handle.result()
    expect(await check({ handle })).toMatchObject({ ok: true, steps: [{}, { reason: 'approval_denied', checks: { review: true } }] })

    const reports = await stack.start('report', [stack.queues.gate, 'shop', [
      { event: 'ORDER_DELIVERED', entityId, payload: { parcelId: 'p-1' }, id: 'delivered' },
      { event: 'ORDER_DELIVERED', entityId, payload: { parcelId: 'p-1' }, id: 'delivered' },
      { event: 'ORDER_PLACED', entityId, payload: { amountCents: 1 } },
      { event: 'NO_SUCH_EVENT', entityId, payload: {} },
    ]])
    await reports.result()
    const report = await check({ handle: reports })
    expect(report.findings).toEqual([])
    expect(report.steps.map(({ outcome, checks }) => [outcome, checks.key])).toEqual([['allowed', true], ['allowed', true], ['blocked', true], ['blocked', null]])
  })

  test('agrees while it waits, and after it was cancelled', async () => {
    const entityId = await aPaidOrder(stack)
    const handle = await stack.start('propose', [aRefund(entityId, 99_900)])
    await stack.asked(entityId)
    await eventually(async () => (await check({ handle })).steps[0]?.outcome === 'approval_required')
    expect(await check({ handle })).toMatchObject({ ok: true, steps: [{ outcome: 'approval_required' }] })
    await handle.cancel()
    await handle.result().catch(() => {})
    expect(await check({ handle })).toMatchObject({ ok: true, steps: [{ outcome: 'approval_required' }, { activity: 'refunds.withdraw', outcome: 'completed', checks: { row: true, record: null } }] })
  })

  test('agrees after a reset: what ran before it is found under the run that was reset', async () => {
    const { handle } = await aGrantedRun()
    const before = await history({ handle })
    const completed = (before.events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes != null)
    for (const event of completed.slice(1)) {
      const { runId } = await stack.client.workflowService.resetWorkflowExecution({
        namespace: 'default', workflowExecution: { workflowId: handle.workflowId, runId: before.events?.[0]?.workflowExecutionStartedEventAttributes?.originalExecutionRunId ?? '' },
        workflowTaskFinishEventId: event.eventId ?? null, requestId: randomUUID(), reason: 'test',
      })
      await stack.client.workflow.getHandle(handle.workflowId, runId).result()
      expect(await check({ handle })).toMatchObject({ ok: true, runId, findings: [] })
    }
  })

  test('agrees where it is a child, also one that its parent started again after a reset, and by the key of an API caller', async () => {
    const entityId = await aPaidOrder(stack)
    const parent = await stack.start('startChild', ['propose', [aRefund(entityId)]])
    const { runId } = await parent.describe()
    await parent.result()
    const { runId: fresh } = await stack.client.workflowService.resetWorkflowExecution({ namespace: 'default', workflowExecution: { workflowId: parent.workflowId, runId }, workflowTaskFinishEventId: 4 as never, requestId: randomUUID(), reason: 'a test' })
    await stack.client.workflow.getHandle(parent.workflowId, fresh).result()
    for (const each of [runId, fresh]) {
      const [child = ''] = await childrenOf(stack.client.workflow.getHandle(parent.workflowId, each))
      const report = await check({ handle: stack.client.workflow.getHandle(child) })
      expect(report.findings).toEqual([])
      expect(report.steps).toMatchObject([{ outcome: 'allowed', checks: { input: true, row: true, key: true } }])
    }
    const callerKey = `request-${randomUUID()}`
    for (const run of [await aRun(() => [aRefund(entityId, 4_200, { callerKey })]), await aRun((other) => [aRefund(other, 4_200, { callerKey })])]) expect((await check(run)).findings).toEqual([])
  })

  test('is checked from a file in the same way', async () => {
    const run = await aGrantedRun()
    const file = historyToJSON(await history(run))
    expect(await check(run, { history: parseHistory(file) })).toMatchObject({ ok: true })
    expect(await replayCheck({ history: parseHistory(file), bundle, auditor: stack.db.pool('auditor') })).toMatchObject({ ok: true, workflowId: run.handle.workflowId })
  })

  test('is told to be made with the right bundle', async () => {
    const run = await aRun()
    await expect(replayCheck({ history: await history(run), bundle: await theBundle(), auditor: stack.db.pool('auditor') })).rejects.toThrow('replayBundle()')
  })
})

describe('a forged completion', () => {
  test('without a record is named', async () => {
    const run = await forged(async () => ({ outcome: 'allowed', output: { refundId: 'r-1' }, summary: 'Refund' }))
    const report = await check(run)
    expect(failed(report)).toEqual(['1 row', '1 record'])
    expect(report.findings).toContainEqual({ kind: 'record', step: 1, message: 'the result in history carries no record: no gate gave it' })
  })

  test('with a record that does not exist is named', async () => {
    const run = await forged(async (entityId) => ({ outcome: 'allowed', output: { refundId: 'r-1' }, summary: 'Refund', record: { chain: `refunds/Order/${entityId}`, seq: 3, hash: 'a'.repeat(64) } }))
    expect(failed(await check(run))).toEqual(['1 row', '1 record'])
  })

  test('with the record of another step is named', async () => {
    const genuine = await aRun()
    const run = await forged(async () => genuine.handle.result().then((results) => (results as unknown[])[0]))
    const report = await check(run)
    expect(failed(report)).toEqual(['1 row', '1 key'])
    expect(report.steps[0]?.problem).toContain('is that of another step')
  })
})
