/** The sweeper on a store: which open executions it leaves alone, whatever the Temporal server says of their workflows. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sweep } from '../../../src/gate/sweeper.ts'
import { unavailable } from '../../unavailable.ts'
import { aProposal, aStep, lastRow, leaseOf, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

describe('executions past their lease', () => {
  test('are found, with the row that opened each', async () => {
    const waiting = aProposal(await it.anAccount())
    const over = aProposal(await it.anAccount(), { step: aStep({ workflowId: 'terminated' }), callerKey: 'request-0' })
    await it.open(waiting)
    await it.open(over)
    await it.later({ lease: over.executionKey })
    const found = await it.store.overdueExecutions('default')
    expect(found.map(({ executionKey }) => executionKey)).not.toContain(waiting.executionKey)
    const { audit: _, seq: __, ...opened } = await lastRow(it, over.request.entityId)
    expect(found).toContainEqual({
      executionKey: over.executionKey, namespace: 'default', workflowId: 'terminated', firstExecutionRunId: over.step.firstExecutionRunId, runId: over.step.runId, activityId: '1',
      callerKey: 'request-0', opened, record: `ledgers/Account/${over.request.entityId}#2`, leaseRemainingMs: expect.any(Number),
    })
    expect(opened).toMatchObject({ kind: 'opened', entity_id: over.request.entityId, action: 'CALL', actor: 'bot-1' })
    expect(found.find(({ executionKey }) => executionKey === over.executionKey)?.leaseRemainingMs).toBeLessThan(0)
  })

  test('are not those that have ended', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    await it.complete(proposal)
    await it.later({ lease: proposal.executionKey })
    expect((await it.store.overdueExecutions('default')).map(({ executionKey }) => executionKey)).not.toContain(proposal.executionKey)
  })

  test('are those of the namespace that is asked for, and of no other', async () => {
    const [here, there] = [aProposal(await it.anAccount()), aProposal(await it.anAccount(), { step: aStep({ namespace: 'another' }) })]
    for (const proposal of [here, there]) {
      await it.open(proposal)
      await it.later({ lease: proposal.executionKey })
    }
    const found = async (namespace: string) => {
      const keys = (await it.store.overdueExecutions(namespace)).map(({ executionKey }) => executionKey)
      return [here, there].map(({ executionKey }) => keys.includes(executionKey))
    }
    expect([await found('default'), await found('another'), await found('a-third')]).toEqual([[true, false], [false, true], [false, false]])
  })
})

/** What the server says of a workflow's run. */
interface Run {
  readonly status: string
  readonly pending?: readonly string[]
  /** Of what is pending: it is paused, or its next attempt is to come only in so many milliseconds. */
  readonly paused?: boolean
  readonly nextInMs?: number
  readonly runId?: string
  readonly firstRunId?: string
  readonly parent?: { readonly workflowId: string; readonly runId: string }
}

/** What it says of the run that opened the execution, of the workflow's current run; and of others, by `<workflow id>/<run id>`, the current one by `<workflow id>/`. */
interface Told {
  readonly run: Run | Error
  readonly current?: Run | Error
  readonly others?: Readonly<Record<string, Run>>
  readonly namespace?: string
  readonly callerKey?: string
  /** How long the lease has been over. */
  readonly overMs?: number
}

const gone = new WorkflowNotFoundError('workflow not found', 'w', undefined)

/** An execution past its lease, and what becomes of it. */
async function swept({ run, current = gone, others = {}, namespace = 'default', callerKey, overMs = 10 }: Told): Promise<string | undefined> {
  const step = aStep()
  const proposal = aProposal(await it.anAccount(), { step, ...(callerKey === undefined ? {} : { callerKey }) })
  leaseOf(await it.open(proposal))
  await it.later({ lease: proposal.executionKey })
  const getHandle = (workflowId: string, runId?: string) => ({
    async describe() {
      const told = workflowId === step.workflowId ? (runId === undefined ? current : run) : (others[`${workflowId}/${runId ?? ''}`] ?? gone)
      if (told instanceof Error) throw told
      const { status, pending = [], paused = false, nextInMs, firstRunId = step.firstExecutionRunId, parent } = told
      const nextAttemptScheduleTime = nextInMs === undefined ? null : { seconds: Math.round((Date.now() + nextInMs) / 1_000) }
      return {
        status: { name: status }, runId: told.runId ?? runId ?? 'the-next', parentExecution: parent,
        raw: { pendingActivities: pending.map((activityId) => ({ activityId, paused, nextAttemptScheduleTime })), workflowExecutionInfo: { firstRunId } },
      }
    },
  })
  const overdueExecutions = async (of: string) => (await it.store.overdueExecutions(of)).filter(({ executionKey }) => executionKey === proposal.executionKey).map((each) => ({ ...each, leaseRemainingMs: -overMs }))
  const store = { ...it.store, overdueExecutions }
  await sweep(store, { options: { namespace }, workflow: { getHandle } } as unknown as Client)
  return (await it.facts(proposal)).holder?.status
}

const parent = { workflowId: 'parent', runId: 'p1' }
const child: Run = { status: 'TERMINATED', parent }
const ofParent: Run = { status: 'TERMINATED', firstRunId: 'p0' }
const next: Run = { status: 'RUNNING', runId: 'p2', firstRunId: 'p0' }

describe('an execution past its lease is left alone', () => {
  test.each<[string, Told]>([
    ['while its activity will come again', { run: { status: 'RUNNING', pending: ['1'] }, overMs: 3_600_000 }],
    ['while its activity will come again within a minute', { run: { status: 'RUNNING', pending: ['1'], nextInMs: 50_000 }, overMs: 3_600_000 }],
    ['for a minute, while its activity is paused', { run: { status: 'RUNNING', pending: ['1'], paused: true }, overMs: 59_000 }],
    ['for a minute, though its activity will not come for a year', { run: { status: 'RUNNING', pending: ['1'], nextInMs: 31_536_000_000 }, overMs: 59_000 }],
    ['for the current run of its chain, which has taken the place of a reset one', { run: { status: 'TERMINATED' }, current: { status: 'RUNNING' } }],
    ['by a sweeper of another namespace', { run: gone, namespace: 'another' }],
    ['for whoever brings the API caller\'s key', { run: { status: 'TERMINATED' }, callerKey: 'request-1' }],
    ['for the child that a reset parent starts anew', { run: child, others: { 'parent/p1': ofParent, 'parent/': next } }],
    ['for that child also where the old one goes on without its activity', { run: { ...child, status: 'RUNNING' }, others: { 'parent/p1': ofParent, 'parent/': next } }],
    ['for the grandchild of a reset parent', { run: { status: 'TERMINATED', parent: { workflowId: 'child', runId: 'c1' } }, others: { 'child/c1': { ...child, firstRunId: 'c0' }, 'parent/p1': ofParent, 'parent/': next } }],
  ])('%s', async (_, told) => {
    expect(await swept(told)).toBe('reserved')
  })

  test('when the server does not answer', async () => {
    await expect(swept({ run: unavailable() })).rejects.toThrow('Failed to describe workflow')
  })

  test('when the server will not tell of its workflow, and holds up no other', async () => {
    const fault = new Error('invalid run id')
    const [bad, orphan] = [aProposal(await it.anAccount()), aProposal(await it.anAccount())]
    for (const proposal of [bad, orphan]) await it.open(proposal)
    for (const { executionKey } of [bad, orphan]) await it.later({ lease: executionKey })
    const overdueExecutions = async (of: string) => (await it.store.overdueExecutions(of)).toSorted((one) => (one.executionKey === bad.executionKey ? -1 : 1))
    const getHandle = (workflowId: string) => ({ describe: async () => { throw workflowId === bad.step.workflowId ? fault : gone } })
    const faults: unknown[][] = []
    await sweep({ ...it.store, overdueExecutions }, { options: { namespace: 'default' }, workflow: { getHandle } } as unknown as Client, (each, { executionKey }) => faults.push([each, executionKey]))
    expect([(await it.facts(bad)).holder?.status, (await it.facts(orphan)).holder?.status]).toEqual(['reserved', 'in_doubt'])
    expect(faults).toEqual([[fault, bad.executionKey]])
  })
})

describe('it comes to be in doubt', () => {
  test.each<[string, Told]>([
    ['when its activity has been paused for a minute', { run: { status: 'RUNNING', pending: ['1'], paused: true }, overMs: 61_000 }],
    ['when its activity has not come for a minute, and will not within another', { run: { status: 'RUNNING', pending: ['1'], nextInMs: 90_000 }, overMs: 61_000 }],
    ['when its run goes on without its activity', { run: { status: 'RUNNING', pending: ['2'] } }],
    ['when its run goes on without its activity, though the current one is of its chain', { run: { status: 'RUNNING' }, current: { status: 'RUNNING' } }],
    ['when its workflow has ended', { run: { status: 'TERMINATED' }, current: { status: 'TERMINATED' } }],
    ['when another run chain has taken its workflow id', { run: { status: 'TERMINATED' }, current: { status: 'RUNNING', firstRunId: 'another' } }],
    ['when its workflow is gone', { run: gone }],
    ['when nobody has brought its API caller\'s key for a minute', { run: { status: 'TERMINATED' }, callerKey: 'request-2', overMs: 61_000 }],
    ['when its parent goes on as it was', { run: child, others: { 'parent/p1': { ...ofParent, status: 'RUNNING' }, 'parent/': { ...next, runId: 'p1' } } }],
    ['when its parent has ended', { run: child, others: { 'parent/p1': ofParent, 'parent/': { ...next, status: 'COMPLETED' } } }],
    ['when another run chain has taken its parent\'s id', { run: child, others: { 'parent/p1': ofParent, 'parent/': { ...next, firstRunId: 'another' } } }],
    ['when its parent is gone', { run: child }],
    ['when its reset parent has not started it anew for a minute', { run: child, others: { 'parent/p1': ofParent, 'parent/': next }, overMs: 61_000 }],
  ])('%s', async (_, told) => {
    expect(await swept(told)).toBe('in_doubt')
  })
})
