/** KIFF 31, in every shape in which KIFF v0.7 was measured: five callers of one refund. The effects are counted in the provider's own books. */
import type { WorkflowHandle } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../a-stack.ts'
import { aPaidOrder, jwsOf } from '../an-entity.ts'
import { paidOnce, refundServers, slowly, type GateProcess, type RefundServers } from './gate-processes.ts'

interface Answer { readonly outcome: string; readonly reason?: string; readonly output?: unknown }

/** How many orders each case is tried on. */
const trials = 4
const five = [0, 1, 2, 3, 4]

let servers: RefundServers
let processes: readonly GateProcess[]
beforeAll(async () => {
  servers = await refundServers()
  processes = five.map(() => servers.aGateProcess())
  await Promise.all(processes.map(({ ready }) => ready()))
})
afterAll(() => servers.close())

/** One workflow that asks five times gets one answer five times. */
const sameAnswer = five.map(() => 'allowed')
/** Of five workflows, one is first. */
const oneIsFirst = ['allowed', ...five.slice(1).map(() => 'state_not_allowed')]
const told = (answers: readonly Answer[]): string[] => answers.map(({ outcome, reason }) => reason ?? outcome).sort()

/** All five at once, on as many orders as there are trials: what they are told, and what there is to count for each order. */
async function expectOneEffect(expected: readonly string[], run: (entityId: string) => Promise<readonly Answer[]>): Promise<void> {
  await Promise.all(Array.from({ length: trials }, async () => {
    const entityId = await aPaidOrder(servers.stack)
    expect(told(await run(entityId))).toEqual(expected)
    expect(await servers.counted(entityId)).toEqual(paidOnce)
  }))
}

const inOneWorkflow = (calls: readonly object[]) => servers.stack.run('proposeAll', [calls]) as Promise<readonly Answer[]>
const inFiveWorkflows = (calls: readonly object[]) => Promise.all(calls.map((call) => servers.stack.run('propose', [call]) as Promise<Answer>))
const slow = (entityId: string, run: () => Promise<readonly Answer[]>) => slowly(servers, entityId, run)
const atOnce = (_: string, run: () => Promise<readonly Answer[]>) => run()

describe.each([['a payment that takes its time', slow], ['a payment at once', atOnce]])('%s', (_, paying) => {
  test('KIFF 31: one gate worker, one workflow, the same key five times: one effect, and all five are told so', async () => {
    await expectOneEffect(sameAnswer, (entityId) => paying(entityId, () => inOneWorkflow(five.map(() => servers.aRefund(entityId, { key: 'K' })))))
  })

  test('KIFF 31: one gate worker, five workflows, a key each: one effect', async () => {
    await expectOneEffect(oneIsFirst, (entityId) => paying(entityId, () => inFiveWorkflows(five.map((n) => servers.aRefund(entityId, { key: `K${n}` })))))
  })

  test('KIFF 31: one gate worker, five workflows, no key: one effect', async () => {
    await expectOneEffect(oneIsFirst, (entityId) => paying(entityId, () => inFiveWorkflows(five.map(() => servers.aRefund(entityId)))))
  })
})

describe('five gate processes on one Postgres', () => {
  test('KIFF 31: one workflow, the same key, one call to each process: one effect, and all five are told so', async () => {
    await expectOneEffect(sameAnswer, (entityId) => slow(entityId, () => inOneWorkflow(processes.map(({ queue }) => servers.aRefund(entityId, { queue, key: 'K' })))))
  })

  test('KIFF 31: five workflows, a key each, one call to each process: one effect', async () => {
    await expectOneEffect(oneIsFirst, (entityId) => slow(entityId, () => inFiveWorkflows(processes.map(({ queue }, n) => servers.aRefund(entityId, { queue, key: `K${n}` })))))
  })
})

test('KIFF 31: one granted approval, handed to five workflows that wait: one effect', async () => {
  const { stack } = servers
  const entityId = await aPaidOrder(stack)
  const handles: WorkflowHandle[] = await Promise.all(five.map(() => stack.start('propose', [servers.aRefund(entityId, { params: { amountCents: 99_900, reason: 'late' } })])))
  const approvalId = await stack.asked(entityId)
  await stack.review(approvalId, 'granted', 'maria')
  const signed = { approval_id: approvalId, jws: await jwsOf(stack, approvalId) }
  const results = Promise.all(handles.map((handle) => handle.result())) as Promise<readonly Answer[]>
  // It is signed for one of them. The others reject it, and find the order refunded at the next signal.
  await eventually(async () => {
    const open = await Promise.all(handles.map(async (handle) => (await handle.describe()).status.name === 'RUNNING' && handle))
    const waiting = open.filter((handle) => handle !== false)
    await Promise.all(waiting.map((handle) => handle.signal('kiff.review', signed).catch(() => {})))
    return waiting.length === 0
  }, 40_000)
  expect(told(await results)).toEqual(oneIsFirst)
  expect(await servers.counted(entityId)).toEqual(paidOnce)
})
