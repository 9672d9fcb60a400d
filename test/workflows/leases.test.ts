/** Leases: who may take an open execution up again, until when, and who waits behind it. */
import { randomUUID } from 'node:crypto'
import { Client, type WorkflowHandle } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { executors, NotDone, type ExecutorContext } from '../../src/gate/index.ts'
import { sweep } from '../../src/gate/sweeper.ts'
import { createGateStore } from '../../src/postgres/gate-store.ts'
import { aStack, eventually, type Stack, type StoppableWorker } from '../a-stack.ts'
import { anAccount } from '../an-entity.ts'
import { ledgers } from '../fixtures/ledgers.ts'

type Conduct = (attempt: number, context: ExecutorContext<unknown>) => unknown
const conducts = new Map<string, Conduct>()
const keys = new Map<string, string[]>()
const executor = async (context: ExecutorContext<unknown>): Promise<never> => {
  const seen = [...(keys.get(context.entityId) ?? []), context.idempotencyKey]
  keys.set(context.entityId, seen)
  return (await conducts.get(context.entityId)?.(seen.length, context)) as never
}
const ok = { ok: true }

let stack: Stack
beforeAll(async () => {
  stack = await aStack({ bound: executors(ledgers, { CALL: executor, SEND: executor, FETCH: executor }), actors: ['bot', 'clerk'], members: { bot: 'bot', clerk: 'reporter', olga: 'reviewer' } })
})
afterAll(() => stack.close())

const aCall = (action: string, entityId: string, more: Record<string, unknown> = {}) => ({ queue: stack.queues.gate, action, entityId, params: { note: 'x' }, timeout: '2 seconds', ...more })

async function anAccountWhose(conduct: Conduct): Promise<string> {
  const entityId = await anAccount(stack)
  conducts.set(entityId, conduct)
  return entityId
}

async function rowsOf(entityId: string): Promise<string[]> {
  const { rows } = await stack.db.pool('auditor').query<{ kind: string }>('select kind from kiff.ledger where entity_id = $1 order by chain, seq', [entityId])
  return rows.map(({ kind }) => kind)
}

/** Lets time pass for the newest execution of an entity: the time its receiver honours the key, or its lease. */
async function move(entityId: string, what: 'idempotent_until' | 'lease_until', to: string): Promise<void> {
  await stack.db.pool('owner').query(`update kiff.executions set ${what} = clock_timestamp() + $2::interval where opened ->> 'entity_id' = $1`, [entityId, to])
}

describe.concurrent('the receiver no longer honours the key', () => {
  test('then it is not run again: nobody knows, and a person is told', async () => {
    const entityId = await anAccountWhose(async () => {
      await move(entityId, 'idempotent_until', '-1 second')
      throw new Error('connection reset')
    })
    expect(await stack.run('ledger', [aCall('SEND', entityId)])).toMatchObject({ outcome: 'blocked', reason: 'outcome_unknown' })
    expect(keys.get(entityId)).toHaveLength(1)
    expect(await rowsOf(entityId)).toEqual(['event', 'opened', 'in_doubt', 'refused'])
    expect(await stack.desk.inDoubt()).toContainEqual(expect.objectContaining({ entity_id: entityId }))
  })

  test('or will soon: the attempt before is told to end in time, and there is none after it', async () => {
    let inTime: unknown
    const entityId = await anAccountWhose(async (attempt, { signal }) => {
      if (attempt === 1) {
        await move(entityId, 'idempotent_until', '8 seconds')
        throw new Error('connection reset')
      }
      await new Promise((resolve) => { signal.addEventListener('abort', resolve) })
      // Its activity could have gone on for a minute.
      const { rows } = await stack.db.pool('owner').query("select clock_timestamp() < idempotent_until + interval '20 seconds' as in_time from kiff.executions where opened ->> 'entity_id' = $1", [entityId])
      inTime = rows
      throw new Error('aborted')
    })
    expect(await stack.run('ledger', [aCall('SEND', entityId, { timeout: '1 minute' })])).toMatchObject({ outcome: 'blocked', reason: 'outcome_unknown' })
    expect(inTime).toEqual([{ in_time: true }])
    expect(keys.get(entityId)).toHaveLength(2)
    expect(await rowsOf(entityId)).toEqual(['event', 'opened', 'resumed', 'in_doubt', 'refused'])
  })
})

/** One whose only gate worker is gone; its activity waits for another. */
async function left(more: Record<string, unknown> = {}, workflow = 'ledger', argsOf = (call: unknown): unknown[] => [call]): Promise<{ readonly entityId: string; readonly handle: WorkflowHandle; readonly queue: string }> {
  const queue = `gate-${randomUUID()}`
  const gate: StoppableWorker = await stack.startGate({ queue })
  const entityId = await anAccountWhose((attempt) => {
    if (attempt > 1) return ok
    void gate.stop() // it finishes this, and takes no more
    throw new Error('connection reset')
  })
  const handle = await stack.start(workflow, argsOf(aCall('SEND', entityId, { queue, ...more })))
  await eventually(async () => keys.get(entityId)?.length === 1)
  await gate.stop()
  return { entityId, handle, queue }
}

const swept = (): Promise<void> => sweep(createGateStore(stack.db.pool('gate')), new Client({ connection: stack.client.connection }))

/** Back to where its first workflow task ended. */
async function reset({ workflowId }: WorkflowHandle): Promise<WorkflowHandle> {
  const { raw } = await stack.client.workflow.getHandle(workflowId).describe()
  const { runId } = await stack.client.workflowService.resetWorkflowExecution({
    namespace: 'default', workflowExecution: { workflowId, runId: raw.workflowExecutionInfo?.execution?.runId ?? '' }, workflowTaskFinishEventId: 4 as never, requestId: randomUUID(), reason: 'a test',
  })
  return stack.client.workflow.getHandle(workflowId, runId)
}

/** The first child that a run has started. */
async function childOf(handle: WorkflowHandle): Promise<string | undefined> {
  const { events } = await handle.fetchHistory()
  return events?.find((event) => event.childWorkflowExecutionStartedEventAttributes)?.childWorkflowExecutionStartedEventAttributes?.workflowExecution?.workflowId ?? undefined
}

test('cancelling a workflow does not stop what is under way: it is finished, and its answer is given', async () => {
  const [begun, end] = [Promise.withResolvers<AbortSignal>(), Promise.withResolvers<unknown>()]
  const entityId = await anAccountWhose((_, { signal }) => {
    begun.resolve(signal)
    return end.promise
  })
  const handle = await stack.start('ledger', [aCall('CALL', entityId, { timeout: '1 minute' })])
  const signal = await begun.promise
  await handle.cancel()
  await eventually(async () => (await handle.fetchHistory()).events?.some((event) => event.workflowExecutionCancelRequestedEventAttributes))
  expect(signal.aborted).toBe(false)
  end.resolve(ok)
  expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
  expect(await rowsOf(entityId)).toEqual(['event', 'opened', 'executed'])
})

describe.concurrent('an execution past its lease', () => {
  test('is left alone while its activity will come again', async () => {
    const { entityId, handle, queue } = await left()
    await swept()
    expect(await rowsOf(entityId)).toEqual(['event', 'opened'])
    await stack.startGate({ queue })
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(await rowsOf(entityId)).toEqual(['event', 'opened', 'resumed', 'executed'])
  })

  test('is left to a paused activity for a minute only: nobody need ever let it go on', async () => {
    const { entityId, handle, queue } = await left()
    const activity = { namespace: 'default', execution: { workflowId: handle.workflowId }, type: 'ledgers.SEND' }
    await stack.client.workflowService.pauseActivity({ ...activity, reason: 'a test' })
    await eventually(async () => (await handle.describe()).raw.pendingActivities?.some(({ paused }) => paused === true))
    await swept()
    expect(await rowsOf(entityId)).toEqual(['event', 'opened'])
    await move(entityId, 'lease_until', '-61 seconds')
    await swept()
    expect(await rowsOf(entityId)).toEqual(['event', 'opened', 'in_doubt'])
    await stack.client.workflowService.unpauseActivity(activity)
    await stack.startGate({ queue })
    expect(await handle.result()).toMatchObject({ outcome: 'blocked', reason: 'outcome_unknown' })
    expect(keys.get(entityId)).toHaveLength(1)
  })

  test('is taken up also when its workflow was cancelled meanwhile: its end has to be known', async () => {
    const { entityId, handle, queue } = await left()
    await handle.cancel()
    await eventually(async () => (await handle.fetchHistory()).events?.some((event) => event.workflowExecutionCancelRequestedEventAttributes))
    await stack.startGate({ queue })
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(await rowsOf(entityId)).toEqual(['event', 'opened', 'resumed', 'executed'])
  })

  test('is left to the new run where the workflow was reset: it is taken up with the same key, and nobody is bothered', async () => {
    const { entityId, handle, queue } = await left()
    const again = await reset(handle)
    await swept()
    expect(await rowsOf(entityId)).toEqual(['event', 'opened'])
    await stack.startGate({ queue })
    expect(await again.result()).toMatchObject({ outcome: 'allowed' })
    expect(await rowsOf(entityId)).toEqual(['event', 'opened', 'resumed', 'executed'])
    expect(new Set(keys.get(entityId)).size).toBe(1)
  })

  test('is left to it for a minute only, since it may never propose the same again', async () => {
    const { entityId, handle, queue } = await left()
    const again = await reset(handle)
    await move(entityId, 'lease_until', '-61 seconds')
    await swept()
    expect(await rowsOf(entityId)).toEqual(['event', 'opened', 'in_doubt'])
    await stack.startGate({ queue })
    expect(await again.result()).toMatchObject({ outcome: 'blocked', reason: 'outcome_unknown' })
    expect(keys.get(entityId)).toHaveLength(1)
  })

  test('is left to another workflow that brings the same API caller\'s key, where its own was terminated', async () => {
    const callerKey = `request-${randomUUID()}`
    const { entityId, handle, queue } = await left({ callerKey })
    await handle.terminate()
    const other = await stack.start('ledger', [aCall('SEND', entityId, { queue, callerKey })])
    await swept()
    expect(await rowsOf(entityId)).toEqual(['event', 'opened'])
    await stack.startGate({ queue })
    expect(await other.result()).toMatchObject({ outcome: 'allowed' })
    expect(await rowsOf(entityId)).toEqual(['event', 'opened', 'resumed', 'executed'])
    expect(new Set(keys.get(entityId)).size).toBe(1)
  })

  test('is left to the child that a reset parent starts anew, where the old one was terminated', async () => {
    const { entityId, handle, queue } = await left({}, 'startChild', (call) => ['ledger', [call]])
    const old = await childOf(handle)
    const again = await reset(handle)
    await eventually(async () => (await childOf(again)) !== undefined)
    await stack.client.workflow.getHandle(old ?? '').terminate()
    await swept()
    expect(await rowsOf(entityId)).toEqual(['event', 'opened'])
    await stack.startGate({ queue })
    expect(await again.result()).toMatchObject({ outcome: 'allowed' })
    expect(await rowsOf(entityId)).toEqual(['event', 'opened', 'resumed', 'executed'])
    expect(new Set(keys.get(entityId)).size).toBe(1)
  })

  test('is in doubt at once where its workflow was terminated, also when another goes on under its id', async () => {
    const { entityId, handle } = await left()
    await handle.terminate()
    const other = await stack.start('ledger', [aCall('SEND', await anAccount(stack), { queue: `gate-${randomUUID()}` })], handle.workflowId)
    await swept()
    expect(await rowsOf(entityId)).toEqual(['event', 'opened', 'in_doubt'])
    await other.terminate()
  })
})

describe.concurrent('a late end of what is in doubt', () => {
  test('that says nothing was done is not believed', async () => {
    const end = Promise.withResolvers<unknown>()
    const entityId = await anAccountWhose(() => end.promise)
    expect(await stack.run('ledger', [aCall('CALL', entityId)])).toMatchObject({ reason: 'outcome_unknown' })
    end.reject(new NotDone('declined'))
    expect(await stack.run('ledger', [aCall('NOTE', entityId)])).toMatchObject({ reason: 'outcome_unknown' })
    expect(await rowsOf(entityId)).not.toContain('failed')
  })

  test('that cannot be accepted is recorded, and a person is told that it happened', async () => {
    const end = Promise.withResolvers<unknown>()
    const entityId = await anAccountWhose(() => end.promise)
    expect(await stack.run('ledger', [aCall('CALL', entityId)])).toMatchObject({ reason: 'outcome_unknown' })
    end.resolve({ ok: 'perhaps' })
    await eventually(async () => (await rowsOf(entityId)).includes('completion_rejected'))
    expect(await stack.desk.inDoubt()).toContainEqual(expect.objectContaining({ entity_id: entityId, status: expect.stringContaining('output') }))
  })
})

describe.concurrent('a call behind an open execution', () => {
  test('writes nothing, and looks again long before the lease is over', async () => {
    const end = Promise.withResolvers<unknown>()
    const entityId = await anAccountWhose(() => end.promise)
    const first = await stack.start('ledger', [aCall('CALL', entityId, { timeout: '5 minutes' })])
    await eventually(async () => keys.has(entityId))
    const second = await stack.start('ledger', [aCall('NOTE', entityId, { timeout: '5 minutes' })])
    // It slept ten seconds a time when it slept by the lease.
    await eventually(async () => (await second.describe()).raw.pendingActivities?.some(({ attempt }) => Number(attempt) > 3))
    expect(await rowsOf(entityId)).toEqual(['event', 'opened'])
    end.resolve(ok)
    expect(await first.result()).toMatchObject({ outcome: 'allowed' })
    expect(await second.result()).toMatchObject({ outcome: 'allowed' })
    expect(await rowsOf(entityId)).toEqual(['event', 'opened', 'executed', 'executed'])
  })
})
