/** The sweeper on a store: which open executions it leaves alone, whatever the Temporal server says of their workflows. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sweep } from '../../../src/gate/sweeper.ts'
import { aProposal, aStep, leaseOf, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

/** What the server says of the run that opened the execution, and of the workflow's current run. */
interface Told {
  readonly run: { readonly status: string; readonly pending?: readonly string[] } | Error
  readonly current?: { readonly status: string; readonly firstRunId?: string } | Error
  readonly namespace?: string
}

const gone = new WorkflowNotFoundError('workflow not found', 'w', undefined)

/** An execution past its lease, and what becomes of it. */
async function swept({ run, current = gone, namespace = 'default' }: Told): Promise<string | undefined> {
  const step = aStep()
  const proposal = aProposal(await it.anAccount(), { step })
  leaseOf(await it.open(proposal))
  await it.later({ lease: proposal.executionKey })
  const getHandle = (_: string, runId?: string) => ({
    async describe() {
      const told = runId === undefined ? current : run
      if (told instanceof Error) throw told
      const { status, pending = [], firstRunId = step.firstExecutionRunId } = { ...told } as { readonly status: string; readonly pending?: readonly string[]; readonly firstRunId?: string }
      return { status: { name: status }, raw: { pendingActivities: pending.map((activityId) => ({ activityId })), workflowExecutionInfo: { firstRunId } } }
    },
  })
  const due = await it.store.overdueExecutions()
  const store = { ...it.store, overdueExecutions: async () => due.filter(({ executionKey }) => executionKey === proposal.executionKey).map((each) => ({ ...each, leaseRemainingMs: -10 })) }
  await sweep(store, { options: { namespace }, workflow: { getHandle } } as unknown as Client)
  return (await it.facts(proposal)).holder?.status
}

describe('an execution past its lease is left alone', () => {
  test.each<[string, Told]>([
    ['while its activity will come again', { run: { status: 'RUNNING', pending: ['1'] } }],
    ['for the current run of its chain, which has taken the place of a reset one', { run: { status: 'TERMINATED' }, current: { status: 'RUNNING' } }],
    ['by a sweeper of another namespace', { run: gone, namespace: 'another' }],
  ])('%s', async (_, told) => {
    expect(await swept(told)).toBe('reserved')
  })

  test('when the server does not answer', async () => {
    await expect(swept({ run: new Error('connection refused') })).rejects.toThrow('connection refused')
  })
})

describe('it comes to be in doubt', () => {
  test.each<[string, Told]>([
    ['when its run goes on without its activity', { run: { status: 'RUNNING', pending: ['2'] } }],
    ['when its run goes on without its activity, though the current one is of its chain', { run: { status: 'RUNNING' }, current: { status: 'RUNNING' } }],
    ['when its workflow has ended', { run: { status: 'TERMINATED' }, current: { status: 'TERMINATED' } }],
    ['when another run chain has taken its workflow id', { run: { status: 'TERMINATED' }, current: { status: 'RUNNING', firstRunId: 'another' } }],
    ['when its workflow is gone', { run: gone }],
  ])('%s', async (_, told) => {
    expect(await swept(told)).toBe('in_doubt')
  })
})
