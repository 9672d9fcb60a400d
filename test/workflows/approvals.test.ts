import { randomUUID } from 'node:crypto'
import { CancelledFailure, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { defineDomain } from '../../src/core/domain.ts'
import { executors, type BoundDomain } from '../../src/gate/index.ts'
import { changeMembership, registerDomain } from '../../src/postgres/registry.ts'
import { aStack, eventually, theBundle, type GateChange, type Stack, type StoppableWorker } from '../a-stack.ts'
import { anAccount, aPaidOrder, approval, approvalsOf, jwsOf, letTimePass, recorded, recordedOf } from '../an-entity.ts'
import { ledgers } from '../fixtures/ledgers.ts'

const paid: string[] = []
const payingFor = (domain: typeof refunds): BoundDomain =>
  executors(domain, {
    async REFUND_ORDER({ entityId }) {
      paid.push(entityId)
      return { refundId: `r-${paid.length}` }
    },
  })
let orders: Stack
let accounts: Stack

beforeAll(async () => {
  ;[orders, accounts] = await Promise.all([
    aStack({
      bound: payingFor(refunds),
      actors: ['support-agent-1', 'support-agent-2', 'shop'],
      members: { 'support-agent-1': 'support-agent', 'support-agent-2': 'support-agent', shop: 'shop', maria: 'finance', rita: 'finance' },
    }),
    aStack({
      bound: executors(ledgers, { CALL: async () => ({ ok: true as const }), SEND: async () => ({ ok: true as const }) }),
      actors: ['bot', 'clerk'],
      members: { bot: 'bot', clerk: 'reporter', rita: 'reviewer' },
    }),
  ])
  await changeMembership(orders.db.pool('owner'), { kind: 'role_granted', domain: 'refunds', actor: 'support-agent-2', role: 'finance', by: 'test' })
})
afterAll(() => Promise.all([orders.close(), accounts.close()]))

const effects = (entityId: string): number => paid.filter((order) => order === entityId).length
const aRefund = (entityId: string, more: Record<string, unknown> = {}) => ({ queue: orders.queues.gate, entityId, params: { amountCents: 99_900, reason: 'late' }, why: 'it came late', ...more })

/** A refund that waits for a person, on the stack's gate. */
async function aHeldRefund(more: Record<string, unknown> = {}): Promise<{ entityId: string; handle: WorkflowHandle; approvalId: string }> {
  const entityId = await aPaidOrder(orders)
  const handle = await orders.start('propose', [aRefund(entityId, more)])
  return { entityId, handle, approvalId: await orders.asked(entityId) }
}

/** A refund that waits for a person while its gate is down; `restart` brings a gate back. */
async function aHeldRefundWithoutGate(): Promise<{ entityId: string; handle: WorkflowHandle; approvalId: string; restart: (change?: GateChange) => Promise<StoppableWorker> }> {
  const queue = `gate-${randomUUID()}`
  const gate = await orders.startGate({ queue })
  const held = await aHeldRefund({ queue })
  await gate.stop()
  return { ...held, restart: (change = {}) => orders.startGate({ queue, ...change }) }
}

async function deliver(entityId: string): Promise<void> {
  await orders.run('report', [orders.queues.gate, 'shop', [{ event: 'ORDER_DELIVERED', entityId, payload: { parcelId: 'p-1' } }]])
}

describe.concurrent('a person says no', () => {
  test('the agent is told, and nothing runs', async () => {
    const { entityId, handle, approvalId } = await aHeldRefund()
    await orders.review(approvalId, 'denied', 'maria', 'no receipt')
    expect(await handle.result()).toMatchObject({ outcome: 'blocked', reason: 'approval_denied', nextStep: 'do_not_retry', message: 'maria said no: no receipt' })
    expect(effects(entityId)).toBe(0)
  })

  test('an equal proposal of the same run chain is refused without asking again', async () => {
    const entityId = await aPaidOrder(orders)
    const handle = await orders.start('proposeInTurn', [[aRefund(entityId), aRefund(entityId)]])
    await orders.review(await orders.asked(entityId), 'denied', 'maria')
    expect(await handle.result()).toEqual([expect.objectContaining({ reason: 'approval_denied' }), expect.objectContaining({ outcome: 'blocked', reason: 'approval_denied' })])
    expect(await approvalsOf(orders, entityId)).toEqual([expect.objectContaining({ round: 1, status: 'denied' })])
  })

  test('another proposal may still be asked for', async () => {
    const entityId = await aPaidOrder(orders)
    const handle = await orders.start('proposeInTurn', [[aRefund(entityId), aRefund(entityId, { params: { amountCents: 50_000, reason: 'less' } })]])
    await orders.review(await orders.asked(entityId), 'denied', 'maria')
    await orders.review(await orders.asked(entityId), 'granted', 'maria')
    expect(await handle.result()).toEqual([expect.objectContaining({ reason: 'approval_denied' }), expect.objectContaining({ outcome: 'allowed' })])
  })
})

describe.concurrent('nobody answers', () => {
  test('the request expires by itself, the agent is told, and it is recorded', async () => {
    const entityId = await anAccount(accounts)
    const result = await accounts.run('ledger', [{ queue: accounts.queues.gate, action: 'ASK', entityId, params: { note: 'x' } }])
    expect(result).toMatchObject({ outcome: 'blocked', reason: 'approval_expired' })
    expect(await recorded(accounts, entityId)).toContain('approval_expired')
  })

  test('a grant that is not used in time is worth nothing', async () => {
    const { entityId, handle, approvalId, restart } = await aHeldRefundWithoutGate()
    await orders.review(approvalId, 'granted', 'maria')
    await letTimePass(orders, approvalId)
    await restart()
    expect(await handle.result()).toMatchObject({ outcome: 'blocked', reason: 'approval_expired' })
    expect(effects(entityId)).toBe(0)
    expect(await approval(orders, approvalId)).toMatchObject({ status: 'expired', closed: true })
  })

  test('an answer that comes too late is refused, and recorded', async () => {
    const { approvalId, handle } = await aHeldRefundWithoutGate()
    await letTimePass(orders, approvalId)
    expect(await orders.review(approvalId, 'granted', 'maria')).toMatchObject({ outcome: 'refused', reason: 'expired' })
    expect(await recordedOf(orders, handle.workflowId)).toContainEqual(expect.objectContaining({ kind: 'approval_review_rejected', data: expect.objectContaining({ reason: 'expired' }) }))
    await handle.terminate()
  })
})

describe.concurrent('the world moves while a person thinks', () => {
  test('consent to an order that has been delivered since is void: the person is asked again, and told why', async () => {
    const { entityId, handle, approvalId } = await aHeldRefund()
    await deliver(entityId)
    await orders.review(approvalId, 'granted', 'maria')
    const second = await orders.asked(entityId, 2)
    expect(effects(entityId)).toBe(0)
    expect(await approval(orders, approvalId)).toMatchObject({ status: 'void', closed: true })
    expect(await approval(orders, second)).toMatchObject({ request: { round: 2, state_version: 3, changed: `Order ${entityId} has moved since: it was at version 2, now it is at 3` } })
    await orders.review(second, 'granted', 'maria')
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(effects(entityId)).toBe(1)
  })

  test('the grant of the first round opens nothing in the second', async () => {
    const { entityId, handle, approvalId } = await aHeldRefund()
    await deliver(entityId)
    await orders.review(approvalId, 'granted', 'maria')
    const second = await orders.asked(entityId, 2)
    await handle.signal('kiff.review', { approval_id: second, jws: await jwsOf(orders, approvalId) })
    await eventually(async () => (await recorded(orders, entityId)).includes('approval_review_rejected'))
    expect(effects(entityId)).toBe(0)
    expect(await approval(orders, second)).toMatchObject({ status: 'pending' })
    await orders.review(second, 'denied', 'maria')
    await handle.result()
  })

  test('the second round keeps the deadline of the first', async () => {
    const { entityId, handle, approvalId } = await aHeldRefund()
    await deliver(entityId)
    await orders.review(approvalId, 'granted', 'maria')
    const [first, second] = await Promise.all([approval(orders, approvalId), orders.asked(entityId, 2).then((id) => approval(orders, id))])
    expect(second.request['answer_by']).toBe(first.request['answer_by'])
    await handle.terminate()
  })

  test('it is so for an account that was only touched', async () => {
    const entityId = await anAccount(accounts)
    const handle = await accounts.start('ledger', [{ queue: accounts.queues.gate, action: 'ASK_PATIENTLY', entityId, params: { note: 'x' } }])
    const first = await accounts.asked(entityId)
    await accounts.run('report', [accounts.queues.gate, 'clerk', [{ event: 'TOUCHED', entityId, payload: {} }], 'ledgers'])
    await accounts.review(first, 'granted', 'rita')
    await accounts.review(await accounts.asked(entityId, 2), 'granted', 'rita')
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
  })

  test('after three rounds nobody is asked any more', async () => {
    const { entityId, handle } = await aHeldRefund()
    for (const round of [1, 2, 3]) {
      const approvalId = await orders.asked(entityId, round)
      await deliver(entityId)
      await orders.review(approvalId, 'granted', 'maria')
    }
    expect(await handle.result()).toMatchObject({ outcome: 'blocked', reason: 'approval_void' })
    expect((await approvalsOf(orders, entityId)).map(({ status }) => status)).toEqual(['void', 'void', 'void'])
    expect(effects(entityId)).toBe(0)
  })

  test('a state that no longer permits the action ends the wait without an effect', async () => {
    const { entityId, handle, approvalId } = await aHeldRefund()
    await orders.run('propose', [aRefund(entityId, { params: { amountCents: 1_000, reason: 'a part' } })])
    await orders.review(approvalId, 'granted', 'maria')
    expect(await handle.result()).toMatchObject({ outcome: 'blocked', reason: 'state_not_allowed' })
    expect(await approval(orders, approvalId)).toMatchObject({ status: 'void', closed: true })
    expect(effects(entityId)).toBe(1)
  })

  test('consent given under other rules is void', async () => {
    const stricter = defineDomain({ name: 'refunds', actions: { REFUND_ORDER: { ...refunds.actions.REFUND_ORDER, version: 2 } }, roles: refunds.roles })
    const { entityId, handle, approvalId, restart } = await aHeldRefundWithoutGate()
    await registerDomain(orders.db.pool('owner'), stricter)
    await restart({ bound: payingFor(stricter) })
    await orders.review(approvalId, 'granted', 'maria')
    const second = await orders.asked(entityId, 2)
    expect(await approval(orders, second)).toMatchObject({ request: { changed: 'the rules of REFUND_ORDER have changed since' } })
    expect(effects(entityId)).toBe(0)
    await orders.review(second, 'granted', 'maria')
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
  })

  test('a grant by someone who has lost the role since is asked for again', async () => {
    const { entityId, handle, approvalId, restart } = await aHeldRefundWithoutGate()
    await orders.review(approvalId, 'granted', 'rita')
    await changeMembership(orders.db.pool('owner'), { kind: 'role_revoked', domain: 'refunds', actor: 'rita', role: 'finance', by: 'test' })
    await restart()
    const second = await orders.asked(entityId, 2)
    expect(await approval(orders, second)).toMatchObject({ request: { changed: 'rita, who granted it, may no longer review' } })
    expect(effects(entityId)).toBe(0)
    await orders.review(second, 'granted', 'maria')
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
  })

  test('an agent that has lost its role since is refused, whatever the person said', async () => {
    await changeMembership(orders.db.pool('owner'), { kind: 'role_granted', domain: 'refunds', actor: 'temp', role: 'support-agent', by: 'test' })
    const queue = `gate-${randomUUID()}`
    await orders.startGate({ queue, actors: ['temp'] })
    const { entityId, handle, approvalId } = await aHeldRefund({ actor: 'temp', queue })
    await changeMembership(orders.db.pool('owner'), { kind: 'role_revoked', domain: 'refunds', actor: 'temp', role: 'support-agent', by: 'test' })
    await orders.review(approvalId, 'granted', 'maria')
    expect(await handle.result()).toMatchObject({ outcome: 'blocked', reason: 'permission_denied' })
    expect(effects(entityId)).toBe(0)
  })
})

describe.concurrent('who may review', () => {
  const rejection = (reason: string, reviewer: string) => expect.objectContaining({ kind: 'approval_review_rejected', actor_id: reviewer, data: expect.objectContaining({ reason }) })

  test('whoever asks may not, even with the permission of a reviewer', async () => {
    const { entityId, handle, approvalId } = await aHeldRefund({ actor: 'support-agent-2' })
    expect(await orders.review(approvalId, 'granted', 'support-agent-2')).toMatchObject({ outcome: 'refused', reason: 'self_review' })
    expect(await orders.audit(entityId)).toContainEqual(rejection('self_review', 'support-agent-2'))
    expect(await approval(orders, approvalId)).toMatchObject({ status: 'pending' })
    await handle.terminate()
  })

  test('someone without the permission may not', async () => {
    const { entityId, handle, approvalId } = await aHeldRefund()
    expect(await orders.review(approvalId, 'granted', 'shop')).toMatchObject({ outcome: 'refused', reason: 'permission_denied' })
    expect(await orders.audit(entityId)).toContainEqual(rejection('permission_denied', 'shop'))
    expect(await approval(orders, approvalId)).toMatchObject({ status: 'pending' })
    await handle.terminate()
  })

  test('a second review is refused', async () => {
    const { entityId, handle, approvalId } = await aHeldRefund()
    await orders.review(approvalId, 'denied', 'maria')
    expect(await orders.review(approvalId, 'granted', 'support-agent-2')).toMatchObject({ outcome: 'refused', reason: 'already_reviewed' })
    expect(await orders.audit(entityId)).toContainEqual(rejection('already_reviewed', 'support-agent-2'))
    expect(await handle.result()).toMatchObject({ reason: 'approval_denied' })
  })

  test('of two reviews at once one counts', async () => {
    const { handle, approvalId } = await aHeldRefund()
    const outcomes = await Promise.all([orders.review(approvalId, 'denied', 'maria'), orders.review(approvalId, 'denied', 'support-agent-2')])
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['recorded', 'refused'])
    await handle.result()
  })

  test('a digest other than the one shown is refused', async () => {
    const { handle, approvalId } = await aHeldRefund()
    expect(await orders.desk.review({ approvalId, digest: 'f'.repeat(64), verdict: 'granted', reason: '', reviewer: 'maria' })).toMatchObject({ outcome: 'refused', reason: 'closed' })
    await handle.terminate()
  })
})

describe.concurrent('a wait that ends otherwise', () => {
  test('cancelling the workflow withdraws the request, and the call throws CancelledFailure', async () => {
    const { entityId, handle, approvalId } = await aHeldRefund()
    await handle.cancel()
    const fault: unknown = await handle.result().catch((error: unknown) => error)
    expect(fault).toBeInstanceOf(WorkflowFailedError)
    expect(fault).toMatchObject({ cause: expect.any(CancelledFailure) })
    expect(await approval(orders, approvalId)).toMatchObject({ status: 'withdrawn', closed: true })
    expect(await recorded(orders, entityId)).toContain('approval_withdrawn')
    expect(await orders.review(approvalId, 'granted', 'maria')).toMatchObject({ outcome: 'refused', reason: 'closed' })
    expect(effects(entityId)).toBe(0)
  })

  test('cancelling right after a denial ends the workflow, and the denial stays', async () => {
    const { handle, approvalId, restart } = await aHeldRefundWithoutGate()
    await handle.cancel()
    await eventually(async () => (await handle.describe()).raw.pendingActivities?.some(({ activityType }) => activityType?.name === 'refunds.withdraw'))
    await orders.review(approvalId, 'denied', 'maria')
    await restart()
    await expect(handle.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) })
    expect(await approval(orders, approvalId)).toMatchObject({ status: 'denied', closed: true })
  })

  test('cancelling right after a grant withdraws the grant', async () => {
    const { entityId, handle, approvalId, restart } = await aHeldRefundWithoutGate()
    await handle.cancel()
    await eventually(async () => (await handle.describe()).raw.pendingActivities?.some(({ activityType }) => activityType?.name === 'refunds.withdraw'))
    await orders.review(approvalId, 'granted', 'maria')
    await restart()
    await expect(handle.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) })
    expect(await approval(orders, approvalId)).toMatchObject({ status: 'withdrawn', closed: true })
    expect(effects(entityId)).toBe(0)
  })

  test('terminating the workflow leaves no request behind', async () => {
    const { entityId, handle, approvalId } = await aHeldRefund()
    await handle.terminate()
    await eventually(async () => (await approval(orders, approvalId)).status === 'withdrawn')
    expect(await recorded(orders, entityId)).toContain('approval_withdrawn')
  })

  test('another workflow under the same id does not inherit the request', async () => {
    const { entityId, handle, approvalId } = await aHeldRefund()
    await handle.terminate()
    const other = await orders.start('propose', [aRefund(await aPaidOrder(orders))], handle.workflowId)
    await eventually(async () => (await approval(orders, approvalId)).status === 'withdrawn')
    expect(effects(entityId)).toBe(0)
    await other.terminate()
  })
})

describe.concurrent('delivery', () => {
  test('a review recorded while no agent worker runs is delivered later', async () => {
    const entityId = await aPaidOrder(orders)
    const taskQueue = `agents-${randomUUID()}`
    const workflowBundle = await theBundle()
    const worker = await orders.startWorker({ taskQueue, workflowBundle })
    const handle = await orders.client.workflow.start('propose', { taskQueue, workflowId: `late-${randomUUID()}`, args: [aRefund(entityId)] })
    const approvalId = await orders.asked(entityId)
    await worker.stop()
    await orders.review(approvalId, 'granted', 'maria')
    await orders.startWorker({ taskQueue, workflowBundle })
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(effects(entityId)).toBe(1)
  })

  test('a review recorded while no gate worker runs is used later', async () => {
    const { entityId, handle, approvalId, restart } = await aHeldRefundWithoutGate()
    await orders.review(approvalId, 'granted', 'maria')
    await restart()
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(effects(entityId)).toBe(1)
  })

  test('a review that arrives before the wait begins is not lost, and not taken for a forged one', async () => {
    const entityId = await aPaidOrder(orders)
    const queue = `gate-${randomUUID()}`
    let release = (): void => {}
    const released = new Promise<void>((resolve) => { release = resolve })
    const answerLate = () => ({ inbound: { async execute<I>(input: I, next: (input: I) => Promise<unknown>): Promise<unknown> {
      const answer = await next(input)
      await released
      return answer
    } } })
    await orders.startGate({ queue, worker: { interceptors: { activity: [answerLate] } } })
    const handle = await orders.start('propose', [aRefund(entityId, { queue })])
    await orders.review(await orders.asked(entityId), 'granted', 'maria')
    await eventually(async () => (await orders.client.workflow.getHandle(handle.workflowId).fetchHistory()).events?.some((event) => event.workflowExecutionSignaledEventAttributes))
    release()
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(await recorded(orders, entityId)).not.toContain('approval_review_rejected')
  })

  test('two requests of one workflow each get their own review, and none is taken for a forged one', async () => {
    const [one, two] = await Promise.all([aPaidOrder(orders), aPaidOrder(orders)])
    const handle = await orders.start('proposeAll', [[aRefund(one), aRefund(two)]])
    const [first, second] = await Promise.all([orders.asked(one), orders.asked(two)])
    await Promise.all([orders.review(first, 'granted', 'maria'), orders.review(second, 'denied', 'maria')])
    expect(await handle.result()).toEqual([expect.objectContaining({ outcome: 'allowed' }), expect.objectContaining({ reason: 'approval_denied' })])
    expect([effects(one), effects(two)]).toEqual([1, 0])
    expect((await recordedOf(orders, handle.workflowId)).map(({ kind }) => kind)).not.toContain('approval_review_rejected')
  })

  test('a review delivered twice is not held against the next request', async () => {
    const [one, two] = await Promise.all([aPaidOrder(orders), aPaidOrder(orders)])
    const queue = `gate-${randomUUID()}`
    const gate = await orders.startGate({ queue })
    const handle = await orders.start('proposeInTurn', [[aRefund(one, { queue }), aRefund(two, { queue })]])
    const first = await orders.asked(one)
    await gate.stop()
    await orders.review(first, 'granted', 'maria')
    const genuine = { approval_id: first, jws: await eventually(async () => (await jwsOf(orders, first)) || undefined) }
    await handle.signal('kiff.review', genuine)
    await handle.signal('kiff.review', genuine)
    await orders.startGate({ queue })
    const second = await orders.asked(two)
    await handle.signal('kiff.review', genuine)
    await orders.review(second, 'granted', 'maria')
    await handle.result()
    expect((await recordedOf(orders, handle.workflowId)).map(({ kind }) => kind)).not.toContain('approval_review_rejected')
  })

  test('a review that a gate could not verify yet is used once it has the key', async () => {
    const { entityId, handle, approvalId, restart } = await aHeldRefundWithoutGate()
    const keyless = await restart({ reviewKeys: { keys: [] } })
    await orders.review(approvalId, 'granted', 'maria')
    await eventually(async () => (await recorded(orders, entityId)).includes('approval_review_rejected'))
    expect(effects(entityId)).toBe(0)
    await keyless.stop()
    await restart()
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
  })
})
