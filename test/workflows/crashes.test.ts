/** Gate workers killed with SIGKILL, a database that goes away, workflows terminated: one payment, or a person is told. */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { WorkflowHandle } from '@temporalio/client'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { executors, type BoundDomain } from '../../src/gate/index.ts'
import { aStack, eventually, type Stack } from '../a-stack.ts'
import { aPaidOrder, approvalsOf, recorded, states } from '../an-entity.ts'

/** A payment provider with books of its own, which honours idempotency keys. */
const books: { readonly order: string; readonly key: string }[] = []
const asked: { readonly order: string; readonly key: string }[] = []
const slow = new Map<string, Promise<void>>()
const provider: Server = createServer((request, response) => {
  const payment = { order: (request.url ?? '').slice(1), key: String(request.headers['idempotency-key']) }
  asked.push(payment)
  if (!books.some(({ key }) => key === payment.key)) books.push(payment)
  void (slow.get(payment.order) ?? Promise.resolve()).then(() => response.end(JSON.stringify({ refundId: `r-${books.length}` })))
})
const paid = (order: string): number => books.filter((payment) => payment.order === order).length

const children: ChildProcess[] = []
let providerUrl: string
let stack: Stack
let cut: Stack

function paying(): BoundDomain {
  return executors(refunds, {
    async REFUND_ORDER({ entityId, idempotencyKey }) {
      const answer = await fetch(`${providerUrl}/${entityId}`, { method: 'POST', headers: { 'idempotency-key': idempotencyKey } })
      return (await answer.json()) as { refundId: string }
    },
  })
}

beforeAll(async () => {
  provider.listen(0, '127.0.0.1')
  await once(provider, 'listening')
  providerUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`
  const options = { bound: paying(), actors: ['support-agent-1', 'shop'], members: { 'support-agent-1': 'support-agent', shop: 'shop', maria: 'finance' } }
  ;[stack, cut] = await Promise.all([aStack(options), aStack(options)])
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await Promise.all([stack.close(), cut.close()])
  provider.closeAllConnections()
  provider.close()
})

/** A gate worker on a queue of its own, in a process of its own. */
function aGateProcess(queue: string, dies = ''): ChildProcess {
  const child = spawn(process.execPath, ['--conditions=kiff-source', new URL('../fixtures/gate-process.ts', import.meta.url).pathname], {
    env: {
      PATH: process.env['PATH'], TEMPORAL_ADDRESS: inject('temporalAddress'), KIFF_GATE_DATABASE_URL: stack.db.urls.gate,
      KIFF_REVIEW_KEYS: JSON.stringify(stack.publicKeys), KIFF_QUEUE: queue, KIFF_DIE: dies, PROVIDER_URL: providerUrl,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  children.push(child)
  return child
}

const aRefund = (entityId: string, queue: string, amountCents = 4_200) => ({ queue, entityId, params: { amountCents, reason: 'late' }, timeout: '3 seconds' })

/** A slow payment: `release` lets the provider answer. */
function aSlowPayment(entityId: string): () => void {
  const released = Promise.withResolvers<void>()
  slow.set(entityId, released.promise)
  return released.resolve
}

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
    const release = point === 'while paying' ? aSlowPayment(entityId) : () => {}
    const child = aGateProcess(queue, point)
    const handle = await stack.start('propose', [aRefund(entityId, queue)])
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
    release()
    await stack.startGate({ queue })
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(paid(entityId)).toBe(1)
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
    expect(paid(entityId)).toBe(1)
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
})

test('a gate worker that was frozen while it paid, and thaws after another has finished its work, changes nothing', async () => {
  const entityId = await aPaidOrder(stack)
  const queue = `gate-${randomUUID()}`
  const release = aSlowPayment(entityId)
  const child = aGateProcess(queue)
  const handle = await stack.start('propose', [aRefund(entityId, queue)])
  await eventually(async () => paid(entityId) === 1)
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
  expect(paid(entityId)).toBe(1)
})

describe.concurrent('a workflow terminated while the payment hangs', () => {
  test.each([['in doubt', false], ['in doubt, also when its gate worker is gone', true]])('leaves it %s, holds the order, and tells a person', async (_, killed) => {
    const entityId = await aPaidOrder(stack)
    const queue = killed ? `gate-${randomUUID()}` : stack.queues.gate
    aSlowPayment(entityId)
    const child = killed ? aGateProcess(queue) : undefined
    const handle = await stack.start('propose', [aRefund(entityId, queue)])
    await eventually(async () => paid(entityId) === 1)
    await handle.terminate()
    child?.kill('SIGKILL')
    const held = await eventually(async () => (await stack.desk.inDoubt()).find((each) => each.entity_id === entityId))
    expect(held).toMatchObject({ action: 'REFUND_ORDER', workflow_id: handle.workflowId, status: 'in_doubt' })
    expect(await recorded(stack, entityId)).toContain('action_in_doubt')
    expect(await stack.run('propose', [aRefund(entityId, stack.queues.gate)])).toMatchObject({ outcome: 'blocked', reason: 'outcome_unknown' })
    expect(paid(entityId)).toBe(1)
  })
})

const database = (): string => new URL(cut.db.urls.gate).pathname.slice(1)

async function asAdmin(sql: string): Promise<void> {
  const admin = new Client({ connectionString: inject('postgresAdminUrl') })
  await admin.connect()
  await admin.query(sql)
  await admin.end()
}
const hangUp = () => asAdmin(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database()}' and usename = 'kiff_gate'`)
async function lock(): Promise<void> {
  await asAdmin(`revoke connect on database ${database()} from kiff_gate`)
  await hangUp()
}
const unlock = () => asAdmin(`grant connect on database ${database()} to kiff_gate`)
const faulted = (handle: WorkflowHandle, message: RegExp) =>
  eventually(async () => (await handle.describe()).raw.pendingActivities?.some(({ lastFailure }) => message.test(lastFailure?.message ?? '')))
const refund = (entityId: string) => cut.start('propose', [aRefund(entityId, cut.queues.gate)])

describe('a database that goes away', () => {
  test('before a proposal: the workflow waits, nothing is paid without its record, and it goes on when the database is back', async () => {
    const entityId = await aPaidOrder(cut)
    await lock()
    const handle = await refund(entityId)
    await faulted(handle, /permission denied for database/)
    expect(paid(entityId)).toBe(0)
    await unlock()
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(paid(entityId)).toBe(1)
  })

  test('for a moment while the payment is under way: it is completed', async () => {
    const entityId = await aPaidOrder(cut)
    const release = aSlowPayment(entityId)
    const handle = await refund(entityId)
    await eventually(async () => paid(entityId) === 1)
    await hangUp()
    release()
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(asked.filter(({ order }) => order === entityId)).toHaveLength(1)
    expect(await states(cut, refunds, entityId)).toEqual({ live: { value: 'REFUNDED', version: 3 }, rebuilt: { value: 'REFUNDED', version: 3 } })
  })

  test('until after the payment has returned: it is taken up with the same key, and paid once', async () => {
    const entityId = await aPaidOrder(cut)
    const release = aSlowPayment(entityId)
    const handle = await refund(entityId)
    await eventually(async () => paid(entityId) === 1)
    await lock()
    release()
    await faulted(handle, /permission denied for database|timed out/)
    await unlock()
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(paid(entityId)).toBe(1)
    expect(new Set(asked.filter(({ order }) => order === entityId).map(({ key }) => key)).size).toBe(1)
  })

  test('while a person is asked: the review is used when it is back', async () => {
    const entityId = await aPaidOrder(cut)
    const handle = await cut.start('propose', [aRefund(entityId, cut.queues.gate, 99_900)])
    const approvalId = await cut.asked(entityId)
    await lock()
    await cut.review(approvalId, 'granted', 'maria')
    await faulted(handle, /permission denied for database/)
    expect(paid(entityId)).toBe(0)
    await unlock()
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(paid(entityId)).toBe(1)
  })
})
