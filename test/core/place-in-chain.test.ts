/** A run's place in its run chain, as the workflow tells it: counts of equal steps, what the next run is told, and who may not act. */
import type { WorkflowInfo } from '@temporalio/workflow'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type * as Chain from '../../src/workflow/chain.ts'

const info: Partial<WorkflowInfo> = vi.hoisted(() => ({ workflowId: 'ticket-1', firstExecutionRunId: 'run-1', attempt: 1 }))
vi.mock('@temporalio/workflow', async (original) => ({ ...(await original<object>()), workflowInfo: () => info }))

let it: typeof Chain
/** Another run, with module state of its own, as the sandbox gives it. */
async function nextRun(over: Partial<WorkflowInfo> = {}): Promise<typeof Chain> {
  vi.resetModules()
  Object.assign(info, { cronSchedule: undefined, continuedFromExecutionRunId: undefined, attempt: 1 }, over)
  return import('../../src/workflow/chain.ts')
}
beforeEach(async () => { it = await nextRun() })

const refund = { domain: 'refunds', action: 'REFUND_ORDER', entityId: 'order-1', params: { amountCents: 1 } }
const place = (chain: typeof Chain, subject: unknown = refund) => {
  const { generation, occurrence } = chain.openStep(subject).step
  return [generation, occurrence]
}

describe('equal proposals of one run', () => {
  test('are counted; another one counts for itself', () => {
    expect([place(it), place(it), place(it, { ...refund, entityId: 'order-2' })]).toEqual([[0, 0], [0, 1], [0, 0]])
  })

  test('are not shifted by a question', () => {
    place(it)
    expect(it.standing()).toMatchObject({ generation: 0, occurrence: 0 })
    expect(place(it)).toEqual([0, 1])
  })
})

describe('the run that continues it', () => {
  test('begins anew in the next generation, and so does the one after', async () => {
    it.openStep(refund).close()
    for (const generation of [1, 2]) {
      const headers = it.handover({}, [])
      it = await nextRun({ continuedFromExecutionRunId: 'run-1' })
      it.enterChain(headers)
      const call = it.openStep(refund)
      expect(call.step).toMatchObject({ generation, occurrence: 0 })
      call.close()
    }
  })

  test('takes up the equal call that was left open, once, and no call that had ended', async () => {
    const [ended, left] = [it.openStep(refund), it.openStep(refund)]
    ended.close()
    const headers = it.handover({}, [])
    it = await nextRun({ continuedFromExecutionRunId: 'run-1' })
    it.enterChain(headers)
    expect([place(it), place(it)]).toEqual([[left.step.generation, left.step.occurrence], [1, 0]])
  })

  test('is told of the calls that were open when it was asked for, though they end before it begins', async () => {
    const call = it.openStep(refund)
    const open = it.openCalls()
    call.close()
    const headers = it.handover({}, open)
    it = await nextRun({ continuedFromExecutionRunId: 'run-1' })
    it.enterChain(headers)
    expect(place(it)).toEqual([0, 0])
  })
})

describe('a child', () => {
  test('is told which of the equal children of its parent it is, below the parents that this one has', async () => {
    const headers = [it.placeChild({}, 'refund', ['order-1']), it.placeChild({}, 'refund', ['order-1']), it.placeChild({}, 'refund', ['order-2'])]
    const told: (readonly [number, string])[] = []
    for (const header of headers) {
      it = await nextRun()
      it.enterChain(header)
      for (const { occurrence, child } of it.openStep(refund).step.parents ?? []) told.push([occurrence, child])
    }
    expect(told.map(([occurrence]) => occurrence)).toEqual([0, 1, 0])
    expect(new Set(told.map(([, child]) => child)).size).toBe(2)
  })

  test('of a run that has no place has none itself', async () => {
    const cron = await nextRun({ cronSchedule: '* * * * *' })
    const headers = cron.placeChild({}, 'refund', [])
    it = await nextRun()
    it.enterChain(headers)
    expect(() => it.openStep(refund)).toThrow('its parent cannot be placed')
    const next = it.handover({}, [])
    it = await nextRun({ continuedFromExecutionRunId: 'run-1' })
    it.enterChain(next)
    expect(() => it.openStep(refund)).toThrow('its parent cannot be placed')
  })
})

describe('a run acts', () => {
  test('not by cron: its runs share one first run id', async () => {
    it = await nextRun({ cronSchedule: '* * * * *' })
    expect(() => it.openStep(refund)).toThrow('cronSchedule')
  })

  test('not when it was continued without our header', async () => {
    it = await nextRun({ continuedFromExecutionRunId: 'run-0' })
    expect(() => it.openStep(refund)).toThrow('without the kiff-chain header')
  })

  test('when the server retries it: it begins again, and meets what was recorded', async () => {
    it = await nextRun({ continuedFromExecutionRunId: 'run-0', attempt: 2 })
    expect(place(it)).toEqual([0, 0])
  })
})

test('a gate call under way is known while it lasts, however it ends', async () => {
  const call = Promise.withResolvers<string>()
  const running = it.whileRunning(() => call.promise)
  expect(it.nothingRuns()).toBe(false)
  call.reject(new Error('lost'))
  await expect(running).rejects.toThrow('lost')
  expect(it.nothingRuns()).toBe(true)
})
