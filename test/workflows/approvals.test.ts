import { randomUUID } from 'node:crypto'
import type { WorkflowHandle } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { executors } from '../../src/gate/index.ts'
import { changeMembership } from '../../src/postgres/registry.ts'
import { aStack, eventually, type Stack } from '../a-stack.ts'
import { anAccount, aPaidOrder, approval, approvalsOf, jwsOf, letTimePass, recorded, recordedOf } from '../an-entity.ts'
import { ledgers } from '../fixtures/ledgers.ts'
import { aRefundsStack, signalled, type Refunds } from '../held-refunds.ts'

let orders: Stack
let accounts: Stack
let effects: Refunds['effects']
let aRefund: Refunds['aRefund']
let aHeldRefund: Refunds['aHeldRefund']
let aHeldRefundWithoutGate: Refunds['aHeldRefundWithoutGate']

beforeAll(async () => {
  ;[{ stack: orders, effects, aRefund, aHeldRefund, aHeldRefundWithoutGate }, accounts] = await Promise.all([
    aRefundsStack(),
    aStack({
      bound: executors(ledgers, { CALL: async () => ({ ok: true as const }), SEND: async () => ({ ok: true as const }), FETCH: async () => ({ text: '' }) }),
      actors: ['bot', 'clerk'],
      members: { bot: 'bot', clerk: 'reporter', rita: 'reviewer' },
    }),
  ])
})
afterAll(() => Promise.all([orders.close(), accounts.close()]))

async function deliver(entityId: string): Promise<void> {
  await orders.run('report', [orders.queues.gate, 'shop', [{ event: 'ORDER_DELIVERED', entityId, payload: { parcelId: 'p-1' } }]])
}

/** A recorded review that did not count. */
const rejection = (reason: string, reviewer: string) => expect.objectContaining({ kind: 'approval_review_rejected', actor_id: reviewer, data: expect.objectContaining({ reason }) })

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

test('what the schema fills in is what the person is shown, signs, and gets', async () => {
  const entityId = await anAccount(accounts)
  const handle = await accounts.start('ledger', [{ queue: accounts.queues.gate, action: 'ASK_PATIENTLY', entityId, params: {} }])
  const approvalId = await accounts.asked(entityId)
  expect((await accounts.desk.show(approvalId))?.request).toMatchObject({ summary: 'Ask: nothing', params: { note: 'nothing' } })
  await accounts.review(approvalId, 'granted', 'rita')
  expect(await handle.result()).toMatchObject({ outcome: 'allowed', summary: 'Ask: nothing' })
})

/** How long each timer of a workflow was set for, in seconds. */
async function timersOf(handle: WorkflowHandle): Promise<number[]> {
  const { events } = await handle.fetchHistory()
  return (events ?? []).flatMap(({ timerStartedEventAttributes: timer }) => (timer ? [Number(timer.startToFireTimeout?.seconds)] : []))
}

test('a wait sleeps a second longer than its deadline, and never less than five', async () => {
  const [days, seconds] = await Promise.all(['ASK_PATIENTLY', 'ASK'].map(async (action) =>
    accounts.start('ledger', [{ queue: accounts.queues.gate, action, entityId: await anAccount(accounts), params: { note: 'x' } }])))
  if (days === undefined || seconds === undefined) throw new Error('not started')
  await eventually(async () => (await timersOf(days)).length > 0 && (await timersOf(seconds)).length > 0)
  expect(await timersOf(days)).toEqual([3 * 24 * 60 * 60 + 1])
  expect((await timersOf(seconds))[0]).toBe(5) // for 3
  await Promise.all([days.terminate(), seconds.terminate()])
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
    await signalled(handle)
    await letTimePass(orders, approvalId)
    await restart()
    expect(await handle.result()).toMatchObject({ outcome: 'blocked', reason: 'approval_expired' })
    expect(effects(entityId)).toBe(0)
    expect(await approval(orders, approvalId)).toMatchObject({ status: 'expired', closed: true })
  })

  test('the request expires, and it is recorded, even while no gate worker runs', async () => {
    const { entityId, handle, approvalId } = await aHeldRefundWithoutGate()
    await letTimePass(orders, approvalId)
    await eventually(async () => (await approval(orders, approvalId)).status === 'expired')
    expect(await recorded(orders, entityId)).toContain('approval_expired')
    await handle.terminate()
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
