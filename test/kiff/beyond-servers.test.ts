/** What KIFF v0.7 lets through, 30 to 37, as far as it takes real servers to show it: restarts, a lost database, rebuilds, HTTP. */
import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { serveInbox } from '../../src/approvals/index.ts'
import { logIn } from '../../src/dev/person.ts'
import { checkEntityState } from '../../src/evidence/entity-state.ts'
import { inSnapshot } from '../../src/evidence/read-ledger.ts'
import { eventually } from '../a-stack.ts'
import { aPaidOrder, approval, recorded } from '../an-entity.ts'
import { paidOnce, refundServers, slowly, type RefundServers } from './gate-processes.ts'

let servers: RefundServers
beforeAll(async () => {
  servers = await refundServers()
})
afterAll(() => servers.close())

const propose = (call: object) => servers.stack.run('propose', [call]) as Promise<{ readonly outcome: string; readonly reason?: string; readonly output?: unknown }>

const database = (): string => new URL(servers.stack.db.urls.gate).pathname.slice(1)
async function asAdmin(...statements: readonly string[]): Promise<void> {
  const admin = new Client({ connectionString: inject('postgresAdminUrl') })
  await admin.connect()
  for (const sql of statements) await admin.query(sql)
  await admin.end()
}
const down = () => asAdmin(`revoke connect on database ${database()} from kiff_gate`, `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database()}' and usename = 'kiff_gate'`)
const up = () => asAdmin(`grant connect on database ${database()} to kiff_gate`)

const heldRefund = async () => {
  const entityId = await aPaidOrder(servers.stack)
  const handle = await servers.stack.start('propose', [servers.aRefund(entityId, { params: { amountCents: 99_900, reason: 'late' } })])
  return { entityId, handle, approvalId: await servers.stack.asked(entityId) }
}
const anInbox = (person: string) => serveInbox({ desk: servers.stack.desk, person, host: '127.0.0.1', port: 0, onFault: () => {} })

describe('a state that the caller asserts', () => {
  test.each([['is CREATED', 'CREATED'], ['does not exist', null]])('KIFF 30: caller-asserted state: an order that %s is not refunded because someone says PAID', async (_, state) => {
    const { stack } = servers
    const entityId = `order-${randomUUID()}`
    if (state !== null) await stack.run('report', [stack.queues.gate, 'shop', [{ event: 'ORDER_PLACED', entityId, payload: { amountCents: 100 } }]])
    const request = { entityId, params: { amountCents: 100, reason: 'late' }, actor: 'support-agent-1' }
    const call = (more: object) => stack.run('callGate', [stack.queues.gate, 'refunds.REFUND_ORDER', { ...request, ...more }])
    for (const claim of [{ state: 'PAID' }, { currentState: 'PAID' }, { state: { value: 'PAID', version: 2 } }]) expect(await call(claim)).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expect(await call({ params: { ...request.params, current_state: 'PAID' } })).toMatchObject({ outcome: state === null ? 'invalid' : 'blocked' })
    expect(await call({})).toMatchObject({ reason: state === null ? 'unknown_entity' : 'state_not_allowed' })
    expect(servers.provider.paid(entityId)).toBe(0)
  })
})

describe('the kept state', () => {
  test('KIFF 33: rebuild does not disturb live state: read while it is rebuilt again and again, it never goes back', async () => {
    const { stack } = servers
    const entityId = await aPaidOrder(stack)
    const auditor = stack.db.pool('auditor')
    const seen: string[] = []
    const over = new AbortController()
    const rebuilding = (async () => {
      while (!over.signal.aborted) {
        const { kept, rebuilt, matches } = await inSnapshot(auditor, (snapshot) => checkEntityState(snapshot, `refunds/Order/${entityId}`, [refunds]))
        expect([matches, rebuilt]).toEqual([true, kept])
        const { rows } = await auditor.query<{ state: string }>('select state from kiff.entities where entity_id = $1', [entityId])
        seen.push(kept?.value ?? 'none', rows[0]?.state ?? 'none')
      }
    })()
    expect(await slowly(servers, entityId, () => propose(servers.aRefund(entityId)))).toMatchObject({ outcome: 'allowed' })
    over.abort()
    await rebuilding
    expect(seen.join(' ')).toMatch(/^PAID( PAID)+( REFUNDED)*$/)
    // Who rebuilds could not write if they tried.
    await expect(auditor.query("update kiff.entities set state = 'CREATED'")).rejects.toMatchObject({ code: '42501' })
    expect(await servers.counted(entityId)).toEqual(paidOnce)
  })

  test('KIFF 34: restart keeps state: after the gate is killed and another is started, the order is refunded, its key is known, and it is not paid again', async () => {
    const { stack } = servers
    const entityId = await aPaidOrder(stack)
    const [before, after] = [servers.aGateProcess(), `gate-${randomUUID()}`]
    await before.ready()
    const handle = await stack.start('proposeInTurn', [[servers.aRefund(entityId, { queue: before.queue, key: 'K' }), servers.aRefund(entityId, { queue: after, key: 'K' })]])
    await eventually(async () => (await recorded(stack, entityId)).includes('action_executed'))
    await eventually(async () => (await handle.describe()).raw.pendingActivities?.some(({ activityId }) => activityId === '2'))
    await before.kill()
    servers.aGateProcess(after)
    const [first, second] = (await handle.result()) as readonly { output: unknown }[]
    expect(second).toMatchObject({ outcome: 'allowed', output: first?.output })
    expect(await propose(servers.aRefund(entityId, { queue: after, key: 'K' }))).toMatchObject({ reason: 'state_not_allowed' })
    expect(await propose(servers.aRefund(entityId, { queue: after }))).toMatchObject({ reason: 'state_not_allowed' })
    expect(servers.provider.keys(entityId)).toHaveLength(1)
    expect(await servers.counted(entityId)).toEqual(paidOnce)
  })
})

describe('the audit store is down', () => {
  test('KIFF 35: audit store down before the effect: no side effect, and the workflow goes on when it is back', async () => {
    const { stack, provider } = servers
    const entityId = await aPaidOrder(stack)
    await down()
    const handle = await stack.start('propose', [servers.aRefund(entityId)])
    await eventually(async () => (await handle.describe()).raw.pendingActivities?.some(({ attempt }) => (attempt ?? 0) > 1))
    expect(provider.paid(entityId)).toBe(0)
    await up()
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(await servers.counted(entityId)).toEqual(paidOnce)
  })

  test('KIFF 35: audit store down after the effect: the intent is on record, it is taken up with the same key, and paid once', async () => {
    const { stack, provider } = servers
    const entityId = await aPaidOrder(stack)
    const answer = provider.slowDown(entityId)
    const handle = await stack.start('propose', [servers.aRefund(entityId)])
    await eventually(async () => provider.paid(entityId) === 1)
    expect(await recorded(stack, entityId)).toContain('action_validated')
    await down()
    answer()
    await eventually(async () => (await handle.describe()).raw.pendingActivities?.some(({ attempt }) => (attempt ?? 0) > 1))
    await up()
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
    expect(new Set(provider.keys(entityId)).size).toBe(1)
    expect(await servers.counted(entityId)).toEqual(paidOnce)
  })
})

describe('an agent that would review', () => {
  test('KIFF 37: agent cannot grant over HTTP: without a session nothing is accepted, whoever the body names', async () => {
    const { entityId, handle, approvalId } = await heldRefund()
    const inbox = await anInbox('maria')
    const digest = (await servers.stack.desk.show(approvalId))?.digest ?? ''
    const fields = { verdict: 'granted', reviewer: 'maria', actor_id: 'maria', reviewer_id: 'maria', digest, csrf: '' }
    for (const path of [`approvals/${approvalId}`, `api/approvals/${approvalId}`, `approvals/${approvalId}/grant`, `api/approvals/${approvalId}/grant`]) {
      for (const body of [new URLSearchParams(fields), JSON.stringify(fields)]) {
        const sent = await fetch(new URL(path, inbox.url), { method: 'POST', redirect: 'manual', headers: { origin: inbox.url, ...(typeof body === 'string' && { 'content-type': 'application/json' }) }, body })
        expect([401, 403, 404]).toContain(sent.status)
      }
    }
    await inbox.close()
    expect(await approval(servers.stack, approvalId)).toMatchObject({ status: 'pending' })
    expect(servers.provider.paid(entityId)).toBe(0)
    await handle.terminate()
  })

  test('KIFF 37: agent cannot grant over HTTP: with a session of its own it is refused, as the one who asked', async () => {
    const { entityId, handle, approvalId } = await heldRefund()
    const inbox = await anInbox('support-agent-1')
    const session = await logIn(inbox.newLink())
    expect(await session.review(approvalId, 'granted', 'fine')).toMatchObject({ ok: false })
    await inbox.close()
    expect(await approval(servers.stack, approvalId)).toMatchObject({ status: 'pending' })
    expect(await recorded(servers.stack, entityId)).toContain('approval_review_rejected')
    expect(servers.provider.paid(entityId)).toBe(0)
    await handle.terminate()
  })

  test('KIFF 37: the gate\'s own login to the database cannot record a review', async () => {
    await expect(servers.stack.db.pool('gate').query("select kiff.record_review('{}', 'jws')")).rejects.toMatchObject({ code: '42501' })
    await expect(servers.stack.db.pool('gate').query('select * from kiff.reviews')).rejects.toMatchObject({ code: '42501' })
  })
})
