/** What a proposal's key stands for in a workflow: the proposal itself, not its place; and what is judged afresh under the same key. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { executors } from '../../src/gate/index.ts'
import { aStack, eventually, type Stack } from '../a-stack.ts'
import { anAccount, recordedOf } from '../an-entity.ts'
import { ledgers } from '../fixtures/ledgers.ts'

let stack: Stack
const sent: string[] = []
const send = async ({ params }: { readonly params: unknown }): Promise<{ ok: true }> => {
  sent.push((params as { note: string }).note)
  return { ok: true }
}
beforeAll(async () => {
  stack = await aStack({ bound: executors(ledgers, { CALL: send, SEND: send, FETCH: async () => ({ text: '' }) }), actors: ['bot', 'clerk'], members: { bot: 'bot', clerk: 'reporter' } })
})
afterAll(() => stack.close())

test('after a reset a step is put before the others, and these come in another order: what was done is not done again, what is new is done', async () => {
  const entityId = await anAccount(stack)
  const orders = [[0, 1, 0], [2, 1, 0, 0]]
  const taskQueue = `orders-${randomUUID()}`
  await stack.startWorker({ taskQueue, activities: { order: async () => orders.shift() } })
  const calls = ['one', 'two', 'three'].map((note) => ({ queue: stack.queues.gate, action: 'SEND', entityId, params: { note } }))
  const handle = await stack.start('ledgerInOrder', [taskQueue, calls])
  const [one, two, oneAgain] = (await handle.result()) as { record: unknown }[]
  expect(sent).toEqual(['one', 'two', 'one'])
  const { runId: first } = await handle.describe()
  const { runId } = await stack.client.workflowService.resetWorkflowExecution({
    namespace: 'default', workflowExecution: { workflowId: handle.workflowId, runId: first }, workflowTaskFinishEventId: 4 as never, requestId: randomUUID(), reason: 'a test',
  })
  const reset = stack.client.workflow.getHandle(handle.workflowId, runId)
  expect(await reset.result()).toEqual([expect.objectContaining({ outcome: 'allowed' }), ...[two, one, oneAgain].map(() => expect.objectContaining({ outcome: 'allowed' }))])
  expect(sent).toEqual(['one', 'two', 'one', 'three'])
})

test('a refusal is judged afresh under the same key; a success is answered again', async () => {
  const entityId = `account-${randomUUID()}`
  const late = { queue: stack.queues.gate, action: 'SEND', entityId, params: { note: 'late' } }
  const handle = await stack.start('ledgerAgain', [late])
  await eventually(async () => (await recordedOf(stack, handle.workflowId)).some(({ kind }) => kind === 'action_failed'))
  await anAccount(stack, entityId) // which did not exist before
  await handle.signal('again')
  expect(await handle.result()).toEqual([expect.objectContaining({ reason: 'unknown_entity' }), expect.objectContaining({ outcome: 'allowed' })])
  const again = await stack.start('ledgerAgain', [{ ...late, params: { note: 'once' } }])
  await again.signal('again')
  expect(await again.result()).toEqual([expect.objectContaining({ outcome: 'allowed' }), expect.objectContaining({ outcome: 'allowed' })])
  expect(sent.filter((note) => note === 'late' || note === 'once')).toEqual(['late', 'once'])
})
