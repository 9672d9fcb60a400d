/**
 * Records the histories that `replay-histories.test.ts` replays: `KIFF_RECORD=1 npx vitest run test/workflows/record-histories`.
 * Once a release, into a folder of its own; those of earlier releases stay as they are.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import type { WorkflowHandle } from '@temporalio/client'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { fetchHistory } from '../../src/evidence/history.ts'
import { executors } from '../../src/gate/index.ts'
import { reviewSignal } from '../../src/temporal/names.ts'
import { aStack, eventually, type Stack } from '../a-stack.ts'
import { aPaidOrder } from '../an-entity.ts'

describe.runIf(process.env['KIFF_RECORD'] === '1')('recording', () => {
  let stack: Stack
  let folder: URL
  beforeAll(async () => {
    stack = await aStack({
      bound: executors(refunds, { REFUND_ORDER: async () => ({ refundId: 'r-1' }) }),
      actors: ['support-agent-1', 'shop'],
      members: { 'support-agent-1': 'support-agent', shop: 'shop', maria: 'finance' },
    })
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
    folder = new URL(`../histories/${version}/`, import.meta.url)
    await mkdir(folder, { recursive: true })
  })
  afterAll(() => stack.close())

  const aRefund = (entityId: string, amountCents: number) => ({ queue: stack.queues.gate, entityId, params: { amountCents, reason: 'late' }, why: 'it came late' })

  /** Who ran it, on which machine, is nobody's business. */
  async function record(name: string, handle: WorkflowHandle, runId?: string): Promise<void> {
    const json = historyToJSON(await fetchHistory(stack.client, handle.workflowId, runId))
    await writeFile(new URL(`${name}.json`, folder), `${json.replaceAll(/("identity": )"[^"]*"/g, '$1"recorded"')}\n`)
  }

  async function held(): Promise<{ readonly handle: WorkflowHandle; readonly approvalId: string }> {
    const entityId = await aPaidOrder(stack)
    const handle = await stack.start('propose', [aRefund(entityId, 99_900)])
    const approvalId = await stack.asked(entityId)
    // The wait is in the history once the workflow has acted on the gate's answer.
    await eventually(async () => ((await fetchHistory(stack.client, handle.workflowId)).events ?? []).some((event) => event.timerStartedEventAttributes != null))
    return { handle, approvalId }
  }

  test('allowed', async () => {
    const handle = await stack.start('propose', [aRefund(await aPaidOrder(stack), 4_200)])
    await handle.result()
    await record('allowed', handle)
  })

  test('granted', async () => {
    const { handle, approvalId } = await held()
    await stack.review(approvalId, 'granted', 'maria')
    await handle.result()
    await record('granted', handle)
  })

  test('still waiting for an approval', async () => {
    const { handle } = await held()
    await record('still-waiting', handle)
    await handle.terminate()
  })

  test('denied', async () => {
    const { handle, approvalId } = await held()
    await stack.review(approvalId, 'denied', 'maria')
    await handle.result()
    await record('denied', handle)
  })

  test('cancelled while it waits', async () => {
    const { handle } = await held()
    await handle.cancel()
    await handle.result().catch(() => {})
    await record('cancelled', handle)
  })

  test('signals that are not genuine, more than are judged at once', async () => {
    const { handle, approvalId } = await held()
    for (let sent = 1; sent <= 5; sent++) {
      await handle.signal(reviewSignal, { approval_id: approvalId, jws: `forged ${sent}` })
      await eventually(async () => (await stack.audit((await stack.desk.show(approvalId))?.request.entity_id ?? '')).filter(({ kind }) => kind === 'approval_review_rejected').length >= sent)
    }
    await stack.review(approvalId, 'granted', 'maria')
    await handle.result()
    await record('forged-signals', handle)
  })

  test('the world moved: asked again, then granted', async () => {
    const { handle, approvalId } = await held()
    const entityId = (await stack.desk.show(approvalId))?.request.entity_id ?? ''
    await stack.run('report', [stack.queues.gate, 'shop', [{ event: 'ORDER_DELIVERED', entityId, payload: { parcelId: 'p-1' } }]])
    await stack.review(approvalId, 'granted', 'maria')
    await stack.review(await stack.asked(entityId, 2), 'granted', 'maria')
    await handle.result()
    await record('asked-again', handle)
  })

  test('two at the same time', async () => {
    const orders = [await aPaidOrder(stack), await aPaidOrder(stack)]
    const handle = await stack.start('proposeAll', [orders.map((entityId) => aRefund(entityId, 99_900))])
    for (const entityId of orders) await stack.review(await stack.asked(entityId), 'granted', 'maria')
    await handle.result()
    await record('two-at-once', handle)
  })

  test('continued as new while it waits', async () => {
    const entityId = await aPaidOrder(stack)
    const handle = await stack.start('continueWhileAsking', [aRefund(entityId, 99_900), 1])
    const approvalId = await stack.asked(entityId)
    const first = (await handle.describe()).runId
    await eventually(async () => (await handle.describe()).runId !== first)
    await stack.review(approvalId, 'granted', 'maria')
    await handle.result()
    await record('continued', handle, first)
    await record('continuation', handle)
  })

  test('reported events', async () => {
    const entityId = await aPaidOrder(stack)
    const handle = await stack.start('report', [stack.queues.gate, 'shop', [{ event: 'ORDER_DELIVERED', entityId, payload: { parcelId: 'p-1' }, id: 'delivered' }, { event: 'ORDER_PLACED', entityId, payload: { amountCents: 1 } }]])
    await handle.result()
    await record('reported', handle)
  })
})
