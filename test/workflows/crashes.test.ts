/** Gate workers killed with SIGKILL, workflows terminated: one payment, or a person is told. */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Client } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { sweep } from '../../src/gate/sweeper.ts'
import { createGateStore } from '../../src/postgres/gate-store.ts'
import { aProvider, type Provider } from '../a-provider.ts'
import { aStack, eventually, type Stack } from '../a-stack.ts'
import { aPaidOrder, approvalsOf, recorded, states } from '../an-entity.ts'

const children: ChildProcess[] = []
let provider: Provider
let stack: Stack

beforeAll(async () => {
  provider = await aProvider()
  stack = await aStack({ bound: provider.bound, actors: ['support-agent-1', 'shop'], members: { 'support-agent-1': 'support-agent', shop: 'shop', maria: 'finance' } })
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await stack.close()
  provider.close()
})

/** A gate worker on a queue of its own, in a process of its own. */
function aGateProcess(queue: string, dies = ''): ChildProcess {
  const child = spawn(process.execPath, ['--conditions=kiff-source', new URL('../fixtures/gate-process.ts', import.meta.url).pathname], {
    env: {
      PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], TEMPORAL_ADDRESS: inject('temporalAddress'), KIFF_GATE_DATABASE_URL: stack.db.urls.gate,
      KIFF_REVIEW_KEYS: JSON.stringify(stack.publicKeys), KIFF_QUEUE: queue, KIFF_DIE: dies, PROVIDER_URL: provider.url,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  children.push(child)
  return child
}

const aRefund = (entityId: string, queue: string, amountCents = 4_200) => ({ queue, entityId, params: { amountCents, reason: 'late' }, timeout: '3 seconds' })

describe.concurrent('a gate worker killed with SIGKILL', () => {
  test.each([
    'before kiff.open_execution',
    'during kiff.open_execution',
    'after kiff.open_execution',
    'while paying',
    'before kiff.complete_execution',
    'during kiff.complete_execution',
    'after kiff.complete_execution',
  ])('%s: after a restart there is one payment, and the workflow goes on', async (point) => {
    const entityId = await aPaidOrder(stack)
    const queue = `gate-${randomUUID()}`
    const release = point === 'while paying' ? provider.slowDown(entityId) : () => {}
    const child = aGateProcess(queue, point)
    const handle = await stack.start('propose', [aRefund(entityId, queue)])
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
    release()
    await stack.startGate({ queue })
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(provider.paid(entityId)).toBe(1)
    expect((await recorded(stack, entityId)).filter((kind) => kind === 'action_executed')).toHaveLength(1)
    expect(await states(stack, refunds, entityId)).toEqual({ live: { value: 'REFUNDED', version: 3 }, rebuilt: { value: 'REFUNDED', version: 3 } })
  })

  test('after it has used a grant: the person is not asked again', async () => {
    const entityId = await aPaidOrder(stack)
    const queue = `gate-${randomUUID()}`
    const child = aGateProcess(queue, 'after kiff.open_execution')
    const handle = await stack.start('propose', [aRefund(entityId, queue, 99_900)])
    await stack.review(await stack.asked(entityId), 'granted', 'maria')
    await once(child, 'exit')
    await stack.startGate({ queue })
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(provider.paid(entityId)).toBe(1)
    expect(await approvalsOf(stack, entityId)).toEqual([expect.objectContaining({ round: 1, status: 'consumed' })])
  })

  test('while asking a person: there is one request', async () => {
    const entityId = await aPaidOrder(stack)
    const queue = `gate-${randomUUID()}`
    const child = aGateProcess(queue, 'after kiff.request_approval')
    const handle = await stack.start('propose', [aRefund(entityId, queue, 99_900)])
    await once(child, 'exit')
    await stack.startGate({ queue })
    await stack.review(await stack.asked(entityId), 'granted', 'maria')
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(await approvalsOf(stack, entityId)).toHaveLength(1)
  })

  test('frozen instead, while it paid: it changes nothing when it thaws after another has finished its work', async () => {
    const entityId = await aPaidOrder(stack)
    const queue = `gate-${randomUUID()}`
    const release = provider.slowDown(entityId)
    const child = aGateProcess(queue)
    const handle = await stack.start('propose', [aRefund(entityId, queue)])
    await eventually(async () => provider.paid(entityId) === 1)
    child.kill('SIGSTOP')
    release()
    const other = await stack.startGate({ queue })
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    const before = await recorded(stack, entityId)
    await other.stop()
    child.kill('SIGCONT')
    const next = await aPaidOrder(stack)
    expect(await stack.run('propose', [aRefund(next, queue)])).toMatchObject({ outcome: 'allowed' }) // it is back at work
    expect(await recorded(stack, entityId)).toEqual(before)
    expect(provider.paid(entityId)).toBe(1)
  })

  test('and its execution left to a sweeper of another namespace: nobody is told that its outcome is unknown', async () => {
    const entityId = await aPaidOrder(stack)
    const queue = `gate-${randomUUID()}`
    const child = aGateProcess(queue, 'after kiff.open_execution')
    const handle = await stack.start('propose', [aRefund(entityId, queue)])
    await once(child, 'exit')
    const store = createGateStore(stack.db.pool('gate'))
    await eventually(async () => (await store.overdueExecutions('default')).some((overdue) => overdue.opened['entity_id'] === entityId))
    await sweep(store, new Client({ connection: stack.client.connection, namespace: 'temporal-system' }))
    expect(await recorded(stack, entityId)).not.toContain('action_in_doubt')
    await stack.startGate({ queue })
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
  })
})

describe.concurrent('a workflow terminated while the payment hangs', () => {
  test.each([['in doubt', false], ['in doubt, also when its gate worker is gone', true]])('leaves it %s, holds the order, and tells a person', async (_, killed) => {
    const entityId = await aPaidOrder(stack)
    const queue = killed ? `gate-${randomUUID()}` : stack.queues.gate
    provider.slowDown(entityId)
    const child = killed ? aGateProcess(queue) : undefined
    const handle = await stack.start('propose', [aRefund(entityId, queue)])
    await eventually(async () => provider.paid(entityId) === 1)
    await handle.terminate()
    child?.kill('SIGKILL')
    const held = await eventually(async () => (await stack.desk.inDoubt()).find((each) => each.entity_id === entityId))
    expect(held).toMatchObject({ action: 'REFUND_ORDER', workflow_id: handle.workflowId, status: 'in_doubt' })
    expect(await recorded(stack, entityId)).toContain('action_in_doubt')
    expect(await stack.run('propose', [aRefund(entityId, stack.queues.gate)])).toMatchObject({ outcome: 'blocked', reason: 'outcome_unknown' })
    expect(provider.paid(entityId)).toBe(1)
  })
})
