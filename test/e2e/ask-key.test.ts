/** `propose --key`: the gate knows the key; each command is a workflow of its own, and leaves what another one asks alone. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { heldBack } from '../../src/cli/ask-call.ts'
import { aPaidOrder, approvalsOf } from '../an-entity.ts'
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
const aKey = (): readonly string[] => ['--key', `call-${randomUUID()}`]

describe('a proposal', () => {
  test('is carried out once, and answered alike, each time by a workflow of its own', async () => {
    const order = await aPaidOrder(it.stack)
    const key = [...aKey(), '--json']
    const [first, second] = [JSON.parse((await ended(propose(order, small, ...key))).out), JSON.parse((await ended(propose(order, small, ...key))).out)]
    expect(first).toMatchObject({ outcome: 'allowed', output: { refundId: expect.any(String) } })
    expect(second).toMatchObject({ outcome: 'allowed', output: first.output, summary: first.summary })
    expect([first.workflowId, second.workflowId]).toEqual([expect.stringMatching(/^cli-propose-[\da-f-]{36}$/), expect.not.stringMatching(first.workflowId)])
    expect(await ended(propose(order, small, ...key, '--workflow-id', first.workflowId))).toMatchObject({ code: 0 })
    expect(it.effects(order)).toBe(1)
  })

  test('that was refused is judged afresh: the answer is what the gate says now', async () => {
    const order = `order-${randomUUID()}`
    const key = aKey()
    expect(await ended(propose(order, small, ...key))).toMatchObject({ code: 2, out: expect.stringMatching(/^invalid \(unknown_entity\): /) })
    await aPaidOrder(it.stack, order)
    expect(await ended(propose(order, small, ...key))).toMatchObject({ code: 0, out: expect.stringMatching(/^allowed: /) })
    expect(await ended(propose(order, small, ...key))).toMatchObject({ code: 0, out: expect.stringMatching(/^allowed: /) })
    expect(it.effects(order)).toBe(1)
  })

  test('is one proposal for its actor and its action; for others the key is another', async () => {
    const [order, other] = [await aPaidOrder(it.stack), await aPaidOrder(it.stack)]
    const key = aKey()
    expect(await ended(propose(order, small, ...key))).toMatchObject({ code: 0 })
    const waive = asks(it.stack.queues.gate, 'support-agent-1', ['propose', 'refunds', 'WAIVE_FEE', other, '{"feeCents": 1, "reason": "late"}', ...key])
    expect(await ended(propose(other, small, ...key))).toMatchObject({ code: 2, out: expect.stringMatching(/^invalid \(invalid_parameter\): this key was used for another proposal\n/) })
    expect(await ended(waive)).toMatchObject({ code: 0 })
    expect(it.effects(other)).toBe(0)
    expect(await ended(propose(other, small, ...key, '--actor', 'support-agent-2'))).toMatchObject({ code: 0 })
    expect([it.effects(order), it.effects(other)]).toEqual([1, 1])
  })
})

/** Two commands that ask a person for the same, and the workflow of the first, which the second has named. */
async function twoOfOneKey(order: string): Promise<{ readonly first: RunningCommand; readonly second: RunningCommand; readonly workflowId: string }> {
  const key = aKey()
  const first = propose(order, large, ...key)
  await hasSaid(first, /Ctrl-C takes the request back/)
  const [, workflowId = ''] = await hasSaid(first, /in workflow (\S+)/)
  const second = propose(order, large, ...key)
  await hasSaid(second, new RegExp(`\\nworkflow ${workflowId} asks a person for this already, by the same key; `))
  return { first, second, workflowId }
}

/** A gate that has taken its call, as `begun` tells, and looks at it when it is released. */
async function aGateAtWork(): Promise<{ readonly queue: string; readonly begun: Promise<void>; readonly release: () => void }> {
  const queue = `gate-${randomUUID()}`
  const [taken, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  await it.stack.startGate({ queue, worker: { interceptors: { activity: [() => ({ inbound: { async execute(input, next) {
    taken.resolve()
    await released.promise
    return next(input)
  } } })] } } })
  return { queue, begun: taken.promise, release: released.resolve }
}

describe('a request to a person', () => {
  test('is taken up when the command was killed', async () => {
    const order = await aPaidOrder(it.stack)
    const key = aKey()
    const killed = propose(order, large, ...key)
    await hasSaid(killed, /Ctrl-C takes the request back/)
    killed.kill('SIGKILL')
    await killed.exited
    const second = propose(order, large, ...key)
    await hasSaid(second, /asks a person for this already[^]*waiting for a person: Refund €999/)
    await it.stack.review(await it.stack.asked(order), 'granted', 'maria')
    expect(await ended(second)).toMatchObject({ code: 0, err: expect.not.stringContaining('takes the request back') })
    expect(await statuses(order)).toEqual(['consumed'])
    expect(it.effects(order)).toBe(1)
  })

  test('in another command is waited for, which is said once, and its answer counts for both', async () => {
    const order = await aPaidOrder(it.stack)
    const { first, second, workflowId } = await twoOfOneKey(order)
    await it.stack.review(await it.stack.asked(order), 'granted', 'maria')
    const [one, other] = await Promise.all([ended(first), ended(second)])
    expect(one).toMatchObject({ code: 0, out: expect.stringMatching(/^allowed: /) })
    expect(other).toMatchObject({ code: 0, out: expect.stringMatching(/^allowed: /) })
    expect(other.err.match(new RegExp(workflowId, 'g'))).toHaveLength(1)
    expect(await statuses(order)).toEqual(['consumed'])
    expect(it.effects(order)).toBe(1)
  })

  test.each(['SIGINT', 'SIGTERM'] as const)('in another command is not touched by %s', async (signal) => {
    const order = await aPaidOrder(it.stack)
    const { first, second, workflowId } = await twoOfOneKey(order)
    const [, own = ''] = await hasSaid(second, /in workflow (\S+)/)
    second.kill(signal)
    const { code, out, err } = await ended(second)
    expect({ code, out }).toEqual({ code: 130, out: '' })
    expect(err).toMatch(new RegExp(`\\nleft: workflow ${workflowId} goes on asking, and this command has begun nothing of its own\\n$`))
    expect(err).not.toMatch(/cancel|withdr/)
    expect((await it.stack.client.workflow.getHandle(own).describe()).status.name).toBe('TERMINATED')
    expect(await statuses(order)).toEqual(['pending'])
    await it.stack.review(await it.stack.asked(order), 'granted', 'maria')
    expect(await ended(first)).toMatchObject({ code: 0 })
    expect(it.effects(order)).toBe(1)
  })

  test('that was taken back is proposed again, and a person is asked anew', async () => {
    const order = await aPaidOrder(it.stack)
    const key = aKey()
    const first = propose(order, large, ...key)
    await hasSaid(first, /Ctrl-C takes the request back/)
    first.kill('SIGINT')
    await ended(first)
    const second = propose(order, large, ...key)
    await hasSaid(second, /waiting for a person: Refund €999/)
    await it.stack.review(await it.stack.asked(order, 2), 'granted', 'maria')
    expect(await ended(second)).toMatchObject({ code: 0 })
    expect(await statuses(order)).toEqual(['withdrawn', 'consumed'])
    expect(it.effects(order)).toBe(1)
  })

  test('in another command, found only after the interrupt, is not touched either', async () => {
    const order = await aPaidOrder(it.stack)
    const key = aKey()
    const first = propose(order, large, ...key)
    await hasSaid(first, /Ctrl-C takes the request back/)
    const { queue, begun, release } = await aGateAtWork()
    const second = asks(queue, 'support-agent-1', ['propose', 'refunds', 'REFUND_ORDER', order, large, ...key])
    await begun
    second.kill('SIGINT')
    await hasSaid(second, /\ncancelling; /)
    release()
    expect(await ended(second)).toMatchObject({ code: 130, out: '', err: expect.stringMatching(/\nleft: workflow \S+ goes on asking, and this command has begun nothing of its own\n$/) })
    expect(await statuses(order)).toEqual(['pending'])
    first.kill('SIGINT')
    expect(await ended(first)).toMatchObject({ code: 130, err: expect.stringMatching(/\ncancelled: the request is withdrawn\n$/) })
  })
})

test('a call of the gate that is under way is not held back: it goes on', async () => {
  const order = await aPaidOrder(it.stack)
  const { queue, begun, release } = await aGateAtWork()
  const handle = await it.stack.start('propose', [it.aRefund(order, { queue, params: JSON.parse(small) })])
  await begun
  const [call] = (await handle.describe()).raw.pendingActivities ?? []
  expect(await heldBack(handle, { id: call?.activityId ?? '', taken: true, last: null })).toBe(false)
  release()
  expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
  expect(it.effects(order)).toBe(1)
})
