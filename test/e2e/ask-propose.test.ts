import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { refunds } from '../../domains/refunds/domain.ts'
import { executors } from '../../src/gate/index.ts'
import { reviewSignal } from '../../src/temporal/names.ts'
import { eventually } from '../a-stack.ts'
import { aPaidOrder, approval, approvalsOf, recorded } from '../an-entity.ts'
import { aRefundsStack, type Refunds } from '../held-refunds.ts'
import type { RunningCommand } from './a-command.ts'
import { asks, ended, hasSaid } from './an-asker.ts'

vi.setConfig({ testTimeout: 180_000 }) // each command is a process that bundles its workflow

let it: Refunds
beforeAll(async () => { it = await aRefundsStack() })
afterAll(() => it.stack.close())

const small = '{"amountCents": 4200, "reason": "late"}'
const large = '{"amountCents": 99900, "reason": "late"}'

function propose(order: string, params: string, ...more: readonly string[]): RunningCommand {
  return asks(it.stack.queues.gate, 'support-agent-1', ['propose', 'refunds', 'REFUND_ORDER', order, params, ...more])
}

const statuses = async (order: string): Promise<readonly string[]> => (await approvalsOf(it.stack, order)).map(({ status }) => status)

describe('a proposal that needs nobody', () => {
  test('is carried out, and its answer printed', async () => {
    const order = await aPaidOrder(it.stack)
    const { code, out } = await ended(propose(order, small, '--json'))
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual({
      workflowId: expect.stringMatching(/^cli-propose-/), runId: expect.any(String), outcome: 'allowed', output: { refundId: expect.stringMatching(/^r-/) }, summary: `Refund €42.00 on ${order}`,
      record: { chain: `refunds/Order/${order}`, seq: 4, hash: expect.stringMatching(/^[\da-f]{64}$/) },
    })
    expect(it.effects(order)).toBe(1)
    expect(await ended(propose(order, small))).toMatchObject({ code: 3, out: expect.stringMatching(/^blocked \(state_not_allowed\): /) })
    expect(it.effects(order)).toBe(1)
  })

  test('is finished when it is interrupted while it is carried out', async () => {
    const order = await aPaidOrder(it.stack)
    const { queue, release } = await aSlowGate()
    const command = asks(queue, 'support-agent-1', ['propose', 'refunds', 'REFUND_ORDER', order, small])
    await eventually(async () => it.effects(order) === 1)
    command.kill('SIGINT')
    await hasSaid(command, /\ncancelling; a second Ctrl-C leaves it to the gate, /)
    release()
    expect(await ended(command)).toMatchObject({ code: 0, out: expect.stringMatching(/^allowed: /) })
  })

  test('waits behind an action that is under way on its entity, and says so', async () => {
    const order = await aPaidOrder(it.stack)
    const { queue, release } = await aSlowGate()
    const first = await it.stack.start('propose', [it.aRefund(order, { queue, params: JSON.parse(small), timeout: '1 minute' })])
    await eventually(async () => it.effects(order) === 1)
    const second = asks(queue, 'support-agent-1', ['propose', 'refunds', 'REFUND_ORDER', order, small])
    await hasSaid(second, new RegExp(`\\nan action on ${order} is under way; waiting for it\\n`))
    release()
    expect(await first.result()).toMatchObject({ outcome: 'allowed' })
    expect(await ended(second)).toMatchObject({ code: 3, out: expect.stringMatching(/^blocked \(state_not_allowed\): /) })
    expect(second.stderr().match(/is under way/g)).toHaveLength(1)
    expect(it.effects(order)).toBe(1)
  })
})

/** A gate whose refunds take until they are released. */
async function aSlowGate(): Promise<{ readonly queue: string; readonly release: () => void }> {
  const queue = `gate-${randomUUID()}`
  const { promise, resolve } = Promise.withResolvers<void>()
  const bound = it.payingFor(refunds)
  const pay = bound.executorOf('REFUND_ORDER')
  await it.stack.startGate({ queue, bound: executors(refunds, { async REFUND_ORDER(call) {
    const paid = await pay?.(call)
    await promise
    return z.object({ refundId: z.string() }).parse(paid)
  } }) })
  return { queue, release: resolve }
}

describe('a proposal that needs a person', () => {
  test('waits, says for whom, and is carried out when they agree', async () => {
    const order = await aPaidOrder(it.stack)
    const command = propose(order, large, '--why', 'it came late', '--evidence', 'mail-1', '--evidence', 'mail-2', '--confidence', '0.9')
    await hasSaid(command, /Ctrl-C takes the request back/)
    expect(command.stderr()).toMatch(new RegExp(`waiting for a person: Refund €999\\.00 on ${order}\\n {2}why {8}above the autonomous limit of €100\\.00\\n {2}from whom {2}anyone who holds orders\\.review, but not the one who asks\\n {2}until {6}\\d{4}-\\S+Z\\n {2}where {6}http://inbox\\.test/`))
    const approvalId = await it.stack.asked(order)
    expect((await approval(it.stack, approvalId)).request).toMatchObject({ claim: { why: 'it came late', evidence: ['mail-1', 'mail-2'], confidence: 0.9 } })
    const [, workflowId = ''] = await hasSaid(command, /in workflow (\S+)/)
    await it.stack.client.workflow.getHandle(workflowId).signal(reviewSignal, { approval_id: approvalId, jws: 'forged' })
    await eventually(async () => (await recorded(it.stack, order)).includes('approval_review_rejected')) // and so the gate has said again that it waits
    expect(it.effects(order)).toBe(0)
    await it.stack.review(approvalId, 'granted', 'maria')
    expect(await ended(command)).toMatchObject({ code: 0, out: expect.stringMatching(new RegExp(`^allowed: Refund €999\\.00 on ${order}\\n {2}output {5}\\{"refundId":"r-`)) })
    expect(command.stderr().match(/waiting for a person/g)).toHaveLength(1)
    expect(it.effects(order)).toBe(1)
  })

  test('is blocked when they do not', async () => {
    const order = await aPaidOrder(it.stack)
    const command = propose(order, large)
    await it.stack.review(await it.stack.asked(order), 'denied', 'maria', 'not this one')
    expect(await ended(command)).toMatchObject({ code: 3, out: expect.stringMatching(/^blocked \(approval_denied\): /) })
    expect(it.effects(order)).toBe(0)
  })

  test.each(['SIGINT', 'SIGTERM'] as const)('is taken back at %s, and so is the request', async (signal) => {
    const order = await aPaidOrder(it.stack)
    const command = propose(order, large)
    await hasSaid(command, /Ctrl-C takes the request back/)
    command.kill(signal)
    expect(await ended(command)).toMatchObject({ code: 130, out: '', err: expect.stringMatching(/\ncancelled: the request is withdrawn\n$/) })
    expect(await statuses(order)).toEqual(['withdrawn'])
    expect(it.effects(order)).toBe(0)
  })

  test('is not proposed with --no-wait, which proposes what needs nobody', async () => {
    const order = await aPaidOrder(it.stack)
    const before = await recorded(it.stack, order)
    expect(await ended(propose(order, large, '--no-wait'))).toMatchObject({ code: 4, out: expect.stringMatching(/^approval_required: above the autonomous limit of €100\.00\n {2}would {6}Refund €999/) })
    expect(await recorded(it.stack, order)).toEqual(before)
    expect(await ended(propose(order, small, '--no-wait'))).toMatchObject({ code: 0 })
    expect(it.effects(order)).toBe(1)
  })
})

describe('a proposal that is given up', () => {
  test('before the gate was asked leaves nothing', async () => {
    const order = await aPaidOrder(it.stack)
    const before = await recorded(it.stack, order)
    const command = propose(order, small)
    await hasSaid(command, /^asking /)
    command.kill('SIGINT')
    expect(await ended(command)).toMatchObject({ code: 130, out: '', err: expect.stringMatching(/\ncancelled: nothing was asked of the gate\n$/) })
    expect(await recorded(it.stack, order)).toEqual(before)
    expect(it.effects(order)).toBe(0)
  })

  test('because no gate takes it, which is said, is carried out by no gate that comes later', async () => {
    const order = await aPaidOrder(it.stack)
    const before = await recorded(it.stack, order)
    const queue = `gate-${randomUUID()}`
    const gate = await it.stack.startGate({ queue })
    await it.stack.run('propose', [it.aRefund(order, { queue, action: 'NO_SUCH_ACTION' })]) // it has polled by now
    await gate.stop()
    const command = asks(queue, 'support-agent-1', ['propose', 'refunds', 'REFUND_ORDER', order, small])
    await hasSaid(command, new RegExp(`nobody has taken it from task queue ${queue} yet; is the gate worker running\\?`))
    command.kill('SIGINT')
    expect(await ended(command)).toMatchObject({ code: 130, out: '', err: expect.stringMatching(/\ngiven up before the gate had answered; .*\n$/) })
    await it.stack.startGate({ queue })
    await it.stack.run('propose', [it.aRefund(order, { queue, action: 'NO_SUCH_ACTION' })]) // it has worked off what was there
    expect((await recorded(it.stack, order)).filter((kind) => kind === 'action_executed')).toEqual(before.filter((kind) => kind === 'action_executed'))
    expect(it.effects(order)).toBe(0)
  })

  test('by a workflow id that is running is told so', async () => {
    const held = await it.aHeldRefund()
    const command = propose(held.entityId, small, '--workflow-id', held.handle.workflowId)
    expect(await ended(command)).toMatchObject({ code: 1, out: '', err: `a workflow ${held.handle.workflowId} is running already\n` })
    await held.handle.cancel()
    await eventually(async () => (await statuses(held.entityId)).includes('withdrawn'))
  })
})
