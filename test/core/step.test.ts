/** The step of a call, read from the activity task. What is confirmed with the server: `test/attack/activities.test.ts`, `test/workflows/children.test.ts`. */
import type { Context } from '@temporalio/activity'
import type { Client } from '@temporalio/client'
import { expect, test } from 'vitest'
import { createStepReader } from '../../src/gate/step.ts'

const info = { activityId: '7', workflowNamespace: 'default', workflowExecution: { workflowId: 'ticket-1', runId: 'run-1' } }
const noServer = (): Client => { throw new Error('the server is not asked') }
const read = async (over: object, claimed: Parameters<ReturnType<typeof createStepReader>>[1] = null) => createStepReader(noServer)({ info: { ...info, ...over } } as unknown as Context, claimed)

test('is that of the task, whose run is the first of its chain where nothing else is claimed', async () => {
  expect(await read({})).toEqual({ namespace: 'default', workflowId: 'ticket-1', firstExecutionRunId: 'run-1', runId: 'run-1', activityId: '7' })
  expect(await read({}, { firstExecutionRunId: 'run-1' })).toMatchObject({ firstExecutionRunId: 'run-1' })
})

test.each<[string, object]>([['outside of a workflow', { workflowExecution: undefined }], ['of a workflow whose id cannot be recorded', { workflowExecution: { workflowId: 'ticket\u0001', runId: 'run-1' } }]])('%s there is none', async (_, over) => {
  await expect(read(over)).rejects.toMatchObject({ type: 'kiff.ChainUnproven', nonRetryable: true })
})

test.each([{ firstExecutionRunId: 'run-0' }, { firstExecutionRunId: 'run-1', parents: [{ workflowId: 'p', firstExecutionRunId: 'r', generation: 0, child: 'a'.repeat(64), occurrence: 0 }] }])('is not believed to be another unasked: %j', async (claimed) => {
  await expect(read({}, claimed)).rejects.toThrow('the server is not asked')
})
