/** The sweeper at work: what is said of an execution that cannot be looked after. */
import type { Client } from '@temporalio/client'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { GateStore } from '../../src/core/store.ts'
import type { Reconciling } from '../../src/gate/reconcile.ts'
import { startSweeper } from '../../src/gate/sweeper.ts'

beforeEach(() => { vi.useFakeTimers() })
afterEach(() => { vi.useRealTimers(); vi.restoreAllMocks() })

const describe = async (): Promise<never> => { throw new Error('failed to describe workflow', { cause: new Error('Invalid RunId') }) }

test('an execution that cannot be looked after is a warning of the process, once', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  let looks = 0
  const store = { overdueExecutions: async () => (looks++, [{ executionKey: 'k-1' }]), dueReconciliations: async () => [] } as unknown as GateStore
  const client = { options: { namespace: 'default' }, workflow: { getHandle: () => ({ describe }) } } as unknown as Client
  const sweeper = startSweeper(store, client, { bound: { domain: { name: 'ledgers' } } } as unknown as Reconciling)
  await vi.advanceTimersByTimeAsync(10_000)
  await sweeper.stop()
  expect(looks).toBeGreaterThan(3)
  expect(warned.mock.calls).toEqual([['execution k-1: whether it will be taken up cannot be told: failed to describe workflow: Invalid RunId', 'KiffSweeper']])
})
