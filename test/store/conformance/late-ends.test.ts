/** What the gate does with an executor's end, or beginning, that comes too late. */
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { NotDone } from '../../../src/core/execution.ts'
import type { GateStore } from '../../../src/core/store.ts'
import { theGate, type GateOnStore } from '../a-gate.ts'
import { lastRow, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
let gate: GateOnStore
beforeAll(async () => {
  it = await theStore()
  gate = theGate(it)
})
afterAll(() => it.close())

/** A store whose answer to the opening comes so much later than its commit. */
const heldUp = (ms: number) => ({
  gate: { store: { ...it.store, openExecution: async (commit: Parameters<GateStore['openExecution']>[0]) => {
    const opened = await it.store.openExecution(commit)
    await pause(ms)
    return opened
  } } },
})

describe('a gate that was held up while it opened the execution, until the executor\'s time was over', () => {
  test('does not begin an external effect: nothing was done, and it may be proposed again', async () => {
    gate.executes(async () => ({ ok: true }))
    const before = gate.effects.length
    const call = gate.proposing('CALL', await it.anAccount())
    expect(await call.call({ executorMs: 50, ...heldUp(80) })).toMatchObject({ outcome: 'blocked', reason: 'execution_failed' })
    expect(gate.effects).toHaveLength(before)
    expect(await call.call()).toMatchObject({ outcome: 'allowed' })
    expect(gate.effects).toHaveLength(before + 1)
  })

  test('gives an idempotent one up for the next attempt, which has the same key', async () => {
    const before = gate.effects.length
    const send = gate.proposing('SEND', await it.anAccount())
    expect(await send.fails({ executorMs: 50, ...heldUp(80) })).toBe('kiff.EffectUnknown')
    expect(gate.effects).toHaveLength(before)
    expect(await send.call()).toMatchObject({ outcome: 'allowed' })
    expect(gate.effects.slice(before)).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)])
  })

  test('does not begin either where its machine was suspended meanwhile, and only the clock on the wall tells', async () => {
    gate.executes(async () => ({ ok: true }))
    const before = gate.effects.length
    expect(await gate.proposing('CALL', await it.anAccount()).call({ until: Date.now() - 1 })).toMatchObject({ outcome: 'blocked', reason: 'execution_failed' })
    expect(gate.effects).toHaveLength(before)
  })

  test('has so much less time for the executor', async () => {
    let had = Number.POSITIVE_INFINITY
    gate.executes(async ({ signal }) => {
      const begun = performance.now()
      return new Promise((resolve) => { signal.addEventListener('abort', () => { had = performance.now() - begun; resolve({ ok: true }) }) })
    })
    await gate.proposing('CALL', await it.anAccount()).call({ executorMs: 2_000, ...heldUp(1_500) }).catch(() => {})
    expect(had).toBeLessThan(1_900) // half a second, and as much late as a busy machine may be
  })
})

test('a first attempt ends while its receiver honours the key, also where its activity has more time', async () => {
  const leases: number[] = []
  const store: GateStore = { ...it.store, openExecution: async (commit) => {
    leases.push(commit.leaseMs)
    return it.store.openExecution(commit)
  } }
  gate.executes(async () => ({ ok: true }))
  expect(await gate.proposing('SEND', await it.anAccount()).call({ executorMs: 7_200_000, gate: { store } })).toMatchObject({ outcome: 'allowed' })
  expect(leases).toEqual([3_600_000])
})

test('an attempt that returns after the next one has said that nothing was done: told in the ledger, and never tried again', async () => {
  const first = Promise.withResolvers<{ ok: true }>()
  let attempts = 0
  gate.executes(async () => {
    attempts += 1
    if (attempts === 1) return first.promise
    throw new NotDone('the receiver knows nothing of it')
  })
  const entityId = await it.anAccount()
  const send = gate.proposing('SEND', entityId)
  expect(await send.fails({ executorMs: 600 })).toBe('kiff.EffectUnknown') // it hangs
  const key = gate.effects.at(-1) ?? ''
  await it.later({ lease: key })
  expect(await send.call()).toMatchObject({ outcome: 'blocked', reason: 'execution_failed' })
  first.resolve({ ok: true })
  await vi.waitFor(async () => { expect(await lastRow(it, entityId)).toMatchObject({ kind: 'contradicted' }) })
  expect(await send.call()).toMatchObject({ outcome: 'blocked', reason: 'outcome_unknown' })
  expect(attempts).toBe(2)
})
