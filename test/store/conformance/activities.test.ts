/** The gate's activities on a store: what of an activity task counts, and what of its one argument. */
import { asyncLocalStorage, type Context } from '@temporalio/activity'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Step } from '../../../src/core/proposal.ts'
import { gateActivities } from '../../../src/gate/activities.ts'
import type { StepReader } from '../../../src/gate/step.ts'
import { theGate, type GateOnStore } from '../a-gate.ts'
import { aStep, bodyOf, lastRow, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
let gate: GateOnStore
let account: string
beforeAll(async () => { it = await theStore() })
beforeEach(async () => {
  gate = theGate(it)
  account = await it.anAccount()
})
afterAll(() => it.close())

interface Task {
  readonly step?: Step
  readonly store?: Partial<AnyStore['store']>
  readonly readStep?: StepReader
  readonly startToCloseTimeoutMs?: number
}

/** One activity task, as the worker would run it: a type that is not registered goes to `default`. */
async function run(type: string, input: object, { step = aStep(), store = {}, readStep = async () => step, startToCloseTimeoutMs = 10_000 }: Task = {}): Promise<unknown> {
  const activities = gateActivities({ ...gate.gate, store: { ...it.store, ...store } }, readStep)
  const context = { info: { activityType: type, startToCloseTimeoutMs } } as unknown as Context
  const chain = { firstExecutionRunId: step.firstExecutionRunId, generation: 0, occurrence: 0 }
  const activity = Object.hasOwn(activities, type) ? activities[type] : activities['default']
  return asyncLocalStorage.run(context, async () => activity?.({ entityId: account, params: { note: 'hello' }, actor: 'bot-1', chain, ...input }))
}

describe('the action', () => {
  test('is named by the activity type, whatever the argument says', async () => {
    expect(await run('ledgers.NOTE', { action: 'CALL' })).toMatchObject({ outcome: 'allowed' })
    expect(await lastRow(it, account)).toMatchObject({ action: 'NOTE' })
    expect(gate.effects).toEqual([])
  })

  test('is named by the argument only where no activity type could', async () => {
    expect(await run('ledgers.unknown', { action: 'please call' })).toMatchObject({ reason: 'unknown_action', message: 'ledgers has no action please call' })
  })

  test('of a type that nobody has registered is refused on record, and not retried for ever', async () => {
    expect(await run('ledgers.BURN_DOWN', {})).toMatchObject({ reason: 'unknown_action', message: 'ledgers has no action BURN_DOWN' })
  })
})

describe('an argument that cannot be read', () => {
  test.each<[string, object]>([['with an empty id', { entityId: '' }], ['with an approval', { approved: true }]])('%s is refused on record, in nobody\'s name', async (_, input) => {
    expect(await run('ledgers.CALL', input)).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    const [row] = (await it.ledger()).slice(-1)
    expect(row && bodyOf(row)).toMatchObject({ kind: 'refused', action: 'CALL', actor: 'unknown' })
    expect(gate.effects).toEqual([])
  })

  test('claims no run chain', async () => {
    const claims: unknown[] = []
    const step = aStep()
    const readStep: StepReader = async (_, claimed) => {
      claims.push(claimed)
      return step
    }
    for (const chain of ['run-0', { firstExecutionRunId: 7 }, null]) await run('ledgers.CALL', { chain }, { readStep, step })
    expect(claims).toEqual([null, null, null])
  })
})

test('an executor has its time, its lease a little more, and both are over before the activity is', async () => {
  const leases: number[] = []
  await run('ledgers.CALL', {}, { store: { openExecution: async (commit) => {
    leases.push(commit.leaseMs)
    return it.store.openExecution(commit)
  } } })
  const [leaseMs = 0] = leases
  expect(leaseMs).toBeGreaterThan(5_000)
  expect(leaseMs).toBeLessThanOrEqual(9_000)
})

test('whatever time its activity has, an executor is begun, and its entity held for no longer than a day', async () => {
  const leases: number[] = []
  const store: Partial<AnyStore['store']> = { openExecution: async (commit) => {
    leases.push(commit.leaseMs)
    return it.store.openExecution(commit)
  } }
  for (const startToCloseTimeoutMs of [30 * 86_400_000, 100 * 365 * 86_400_000]) {
    account = await it.anAccount()
    expect(await run('ledgers.CALL', {}, { store, startToCloseTimeoutMs })).toMatchObject({ outcome: 'allowed' })
  }
  expect(Math.max(...leases)).toBeLessThanOrEqual(86_400_000)
})
