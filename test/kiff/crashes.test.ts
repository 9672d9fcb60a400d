/** kill -9 at the points at which KIFF v0.7 was measured: what is on record then, and how often it was paid in the end. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { aPaidOrder, approvalsOf, recorded } from '../an-entity.ts'
import { paidOnce, refundServers, type RefundServers } from './gate-processes.ts'

const trials = 3

let servers: RefundServers
beforeAll(async () => {
  servers = await refundServers()
})
afterAll(() => servers.close())

const intended = ['decision_proposed', 'approval_required', 'approval_recorded', 'approval_granted', 'action_validated']
const finished = [...intended, 'action_executed', 'event_ingested', 'state_changed']

/** A granted refund whose gate process kills itself at this point, and whose work another gate worker takes up. */
async function killed(point: string): Promise<void> {
  const { stack, provider } = servers
  const entityId = await aPaidOrder(stack)
  const past = (await recorded(stack, entityId)).length
  const gate = servers.aGateProcess(undefined, point)
  await gate.ready()
  const handle = await stack.start('propose', [servers.aRefund(entityId, { queue: gate.queue, params: { amountCents: 99_900, reason: 'late' } })])
  await stack.review(await stack.asked(entityId), 'granted', 'maria')
  await gate.dead

  const isOver = point.startsWith('after')
  const left = (await recorded(stack, entityId)).slice(past)
  expect([left, provider.paid(entityId), await approvalsOf(stack, entityId)]).toEqual([isOver ? finished : intended, 1, [expect.objectContaining({ status: 'consumed' })]])
  expect((await servers.counted(entityId)).refunded).toBe(isOver ? 1 : 0)

  await stack.startGate({ queue: gate.queue })
  expect(await handle.result()).toMatchObject({ outcome: 'allowed', output: { refundId: expect.any(String) } })
  expect(await servers.counted(entityId)).toEqual(paidOnce)
  expect((await recorded(stack, entityId)).slice(past)).toEqual(isOver ? finished : [...intended, 'action_resumed', ...finished.slice(intended.length)])
}

describe('a gate worker killed with SIGKILL', () => {
  test.each([
    ['after the effect, before any record of it', 'before kiff.complete_execution'],
    ['after the effect, its event and its new state are recorded, before anyone is told', 'after kiff.complete_execution'],
  ])('%s: paid once, the workflow is told so, and nobody is asked again', async (_, point) => {
    await Promise.all(Array.from({ length: trials }, () => killed(point)))
  }, 120_000)
})
