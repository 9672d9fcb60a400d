/** Effects that fail, hang, or are not known, and what happens at the same time: at most one effect, and an outcome nobody knows waits for a person. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { executors, NotDone, type ExecutorContext } from '../../src/gate/index.ts'
import { aStack, eventually, type Stack } from '../a-stack.ts'
import { anAccount, aPaidOrder, recorded, states } from '../an-entity.ts'
import { ledgers } from '../fixtures/ledgers.ts'

type Conduct = (attempt: number, context: ExecutorContext<unknown>) => unknown
const calls: { readonly entityId: string; readonly key: string }[] = []
const conducts = new Map<string, Conduct>()
const spy = async (context: ExecutorContext<unknown>): Promise<never> => {
  calls.push({ entityId: context.entityId, key: context.idempotencyKey })
  return (await conducts.get(context.entityId)?.(keysOf(context.entityId).length, context)) as never
}
const keysOf = (entityId: string): string[] => calls.filter((call) => call.entityId === entityId).map(({ key }) => key)

let accounts: Stack
let orders: Stack

beforeAll(async () => {
  ;[accounts, orders] = await Promise.all([
    aStack({ bound: executors(ledgers, { CALL: spy, SEND: spy, FETCH: spy }), actors: ['bot', 'another-bot', 'clerk'], members: { bot: 'bot', 'another-bot': 'bot', clerk: 'reporter' } }),
    aStack({ bound: executors(refunds, { REFUND_ORDER: spy }), actors: ['support-agent-1', 'shop'], members: { 'support-agent-1': 'support-agent', shop: 'shop', maria: 'finance' } }),
  ])
})
afterAll(() => Promise.all([accounts.close(), orders.close()]))

const ok = { ok: true }
const aCall = (action: 'NOTE' | 'CALL' | 'SEND' | 'FETCH', entityId: string, more: Record<string, unknown> = {}) => ({ queue: accounts.queues.gate, action, entityId, params: { note: 'x' }, timeout: '2 seconds', ...more })
const run = (action: 'NOTE' | 'CALL' | 'SEND' | 'FETCH', entityId: string, more: Record<string, unknown> = {}) => accounts.run('ledger', [aCall(action, entityId, more)])
const touch = (entityId: string) => accounts.run('report', [accounts.queues.gate, 'clerk', [{ event: 'TOUCHED', entityId, payload: {} }], 'ledgers'])

async function anAccountWhose(conduct: Conduct): Promise<string> {
  const entityId = await anAccount(accounts)
  conducts.set(entityId, conduct)
  return entityId
}

/** The account waits for a person: it is listed, and nothing more happens to it. */
async function expectHeld(entityId: string): Promise<void> {
  expect(await accounts.desk.inDoubt()).toContainEqual(expect.objectContaining({ entity_id: entityId }))
  const ran = keysOf(entityId).length
  expect(await run('NOTE', entityId)).toMatchObject({ outcome: 'blocked', reason: 'outcome_unknown' })
  expect(await run('SEND', entityId, { params: { note: 'another' } })).toMatchObject({ outcome: 'blocked', reason: 'outcome_unknown' })
  expect(keysOf(entityId)).toHaveLength(ran)
}

describe.concurrent('an executor that says nothing was done', () => {
  test('fails the action, and an equal proposal may try again under another key', async () => {
    const entityId = await anAccountWhose((attempt) => {
      if (attempt === 1) throw new NotDone('declined')
      return ok
    })
    const results = await accounts.run('ledgerInTurn', [[aCall('CALL', entityId), aCall('CALL', entityId)]])
    expect(results).toEqual([expect.objectContaining({ outcome: 'blocked', reason: 'execution_failed', message: 'declined', nextStep: 'try_later' }), expect.objectContaining({ outcome: 'allowed' })])
    expect(new Set(keysOf(entityId)).size).toBe(2)
    expect(await recorded(accounts, entityId)).toContain('action_failed')
  })

  test("lets the same caller's key try again, under another key at the provider", async () => {
    const entityId = await anAccountWhose((attempt) => {
      if (attempt === 1) throw new NotDone('declined')
      return ok
    })
    const call = aCall('SEND', entityId, { key: 'tool-call-1' })
    expect(await accounts.run('ledgerInTurn', [[call, call, call]])).toEqual([
      expect.objectContaining({ reason: 'execution_failed' }), expect.objectContaining({ outcome: 'allowed' }), expect.objectContaining({ outcome: 'allowed' }),
    ])
    const [first, ...others] = keysOf(entityId)
    expect(others).toEqual([`${first}-2`])
  })
})

describe.concurrent('an executor that says so after a person has agreed', () => {
  test('has used up the grant: the same key asks again, and says why', async () => {
    const entityId = await aPaidOrder(orders)
    conducts.set(entityId, (attempt) => {
      if (attempt === 1) throw new NotDone('declined')
      return { refundId: 'r' }
    })
    const call = { queue: orders.queues.gate, entityId, params: { amountCents: 99_900, reason: 'late' }, key: 'tool-call-1' }
    const handle = await orders.start('proposeInTurn', [[call, call]])
    await orders.review(await orders.asked(entityId), 'granted', 'maria')
    const second = await orders.asked(entityId, 2)
    expect((await orders.desk.show(second))?.request.changed).toBe('it was tried before, and nothing was done')
    expect(keysOf(entityId)).toHaveLength(1)
    await orders.review(second, 'granted', 'maria')
    expect(await handle.result()).toEqual([expect.objectContaining({ reason: 'execution_failed' }), expect.objectContaining({ outcome: 'allowed' })])
  })
})

describe.concurrent('an executor that throws anything else', () => {
  test('is tried again with the same key until it succeeds, where its receiver honours the key: paid once', async () => {
    const payments = new Map<string, number>()
    const entityId = await anAccountWhose((attempt, { idempotencyKey }) => {
      if (!payments.has(idempotencyKey)) payments.set(idempotencyKey, 1)
      if (attempt < 3) throw new Error('connection reset')
      return ok
    })
    expect(await run('SEND', entityId)).toMatchObject({ outcome: 'allowed' })
    expect(keysOf(entityId)).toHaveLength(3)
    expect(payments.size).toBe(1)
    expect(await states(accounts, ledgers, entityId)).toEqual({ live: { value: 'OPEN', version: 2 }, rebuilt: { value: 'OPEN', version: 2 } })
  })

  test('leaves an external effect in doubt, never repeated, and holds the entity', async () => {
    const entityId = await anAccountWhose(() => { throw new Error('connection reset') })
    expect(await run('CALL', entityId)).toMatchObject({ outcome: 'blocked', reason: 'outcome_unknown', nextStep: 'ask_operator' })
    await expectHeld(entityId)
    expect(keysOf(entityId)).toHaveLength(1)
    expect(await recorded(accounts, entityId)).toContain('action_in_doubt')
  })

  test('makes an event reported meanwhile wait for a person too, and tells its reporter', async () => {
    const entityId = await anAccountWhose(() => { throw new Error('connection reset') })
    await run('CALL', entityId)
    expect(await touch(entityId)).toEqual([expect.objectContaining({ outcome: 'blocked', reason: 'outcome_unknown' })])
    expect((await states(accounts, ledgers, entityId)).live).toEqual({ value: 'OPEN', version: 1 })
  })
})

describe.concurrent('an executor that hangs beyond its deadline', () => {
  test('is taken up by the next attempt with the same key', async () => {
    const entityId = await anAccountWhose((attempt) => (attempt === 1 ? new Promise(() => {}) : ok))
    expect(await run('SEND', entityId)).toMatchObject({ outcome: 'allowed' })
    expect(keysOf(entityId)).toHaveLength(2)
    expect(new Set(keysOf(entityId)).size).toBe(1)
    expect(await recorded(accounts, entityId)).toContain('action_resumed')
  })

  test('is told so by its signal', async () => {
    const entityId = await anAccountWhose(async (attempt, { signal }) => {
      if (attempt === 1) await new Promise((_, reject) => { signal.addEventListener('abort', () => reject(new Error('aborted'))) })
      return ok
    })
    expect(await run('SEND', entityId)).toMatchObject({ outcome: 'allowed' })
    expect(keysOf(entityId)).toHaveLength(2)
  })

  test('leaves an external effect in doubt; its late success still counts', async () => {
    const finished = Promise.withResolvers<unknown>()
    const entityId = await anAccountWhose(() => finished.promise)
    expect(await run('CALL', entityId)).toMatchObject({ reason: 'outcome_unknown' })
    finished.resolve(ok)
    await eventually(async () => (await recorded(accounts, entityId)).includes('action_executed'))
    expect(await accounts.desk.inDoubt()).not.toContainEqual(expect.objectContaining({ entity_id: entityId }))
    expect(await run('NOTE', entityId)).toMatchObject({ outcome: 'allowed' })
    expect(keysOf(entityId)).toHaveLength(1)
  })
})

describe.concurrent('an executor that returns what cannot be accepted', () => {
  test('more than its shape, however harmless: the entity is held, and there is no second effect', async () => {
    const entityId = await anAccountWhose(() => ({ ok: true, and: 'more' }))
    expect(await run('SEND', entityId)).toMatchObject({ outcome: 'blocked', reason: 'outcome_unknown' })
    expect(keysOf(entityId)).toHaveLength(1)
    expect(await recorded(accounts, entityId)).toContain('action_completion_rejected')
    await expectHeld(entityId)
  })

  test('text of more than 16 KiB: the entity is held, and there is no second effect', async () => {
    const entityId = await anAccountWhose(() => ({ text: 'x'.repeat(16_384) }))
    expect(await run('FETCH', entityId)).toMatchObject({ outcome: 'blocked', reason: 'outcome_unknown' })
    expect(keysOf(entityId)).toHaveLength(1)
    await expectHeld(entityId)
  })

  test('what was returned is on record, as far as it fits', async () => {
    const [small, large] = await Promise.all([anAccountWhose(() => ({ ok: 'yes' })), anAccountWhose(() => ({ ok: 'x'.repeat(2_000_000) }))])
    await Promise.all([run('SEND', small), run('SEND', large)])
    const { rows } = await accounts.db.pool('auditor').query("select body::jsonb -> 'output' as output from kiff.ledger where kind = 'completion_rejected' and body::jsonb ->> 'entity_id' = any ($1) order by length(body)", [[small, large]])
    expect(rows).toEqual(expect.arrayContaining([{ output: { ok: 'yes' } }, { output: { too_large: 2_000_009 } }]))
  })

  test('an answer with methods of its own is read as the data it holds', async () => {
    class Answer { readonly text = 'fine' }
    const entityId = await anAccountWhose(() => new Answer())
    expect(await run('FETCH', entityId)).toMatchObject({ outcome: 'allowed', output: { text: 'fine' } })
  })
})

describe.concurrent('at the same time', () => {
  test('an event reported while an action is under way waits for its end, then happens', async () => {
    const finished = Promise.withResolvers<unknown>()
    const entityId = await anAccountWhose(() => finished.promise)
    const sending = await accounts.start('ledger', [aCall('SEND', entityId, { timeout: '3 seconds' })])
    await eventually(async () => keysOf(entityId).length === 1)
    const touching = await accounts.start('report', [accounts.queues.gate, 'clerk', [{ event: 'TOUCHED', entityId, payload: {} }], 'ledgers'])
    await eventually(async () => (await touching.describe()).raw.pendingActivities?.some(({ lastFailure }) => lastFailure?.applicationFailureInfo?.type === 'kiff.EntityBusy'))
    finished.resolve(ok)
    expect(await sending.result()).toMatchObject({ outcome: 'allowed' })
    expect(await touching.result()).toEqual([expect.objectContaining({ outcome: 'allowed' })])
    const { rows } = await accounts.db.pool('auditor').query('select type from kiff.events where entity_id = $1 order by seq', [entityId])
    expect(rows).toEqual([{ type: 'OPENED' }, { type: 'NOTED' }, { type: 'TOUCHED' }])
  })

  const refund = { amountCents: 4_200, reason: 'late' }
  const aRefund = (entityId: string) => orders.run('propose', [{ queue: orders.queues.gate, entityId, params: refund, timeout: '2 seconds' }])

  test('five refunds of one order, by five workflows: one effect', async () => {
    const entityId = await aPaidOrder(orders)
    conducts.set(entityId, () => ({ refundId: 'r' }))
    const results = await Promise.all(Array.from({ length: 5 }, () => aRefund(entityId)))
    expect(results.filter((result) => (result as { outcome: string }).outcome === 'allowed')).toHaveLength(1)
    expect(results.filter((result) => (result as { reason?: string }).reason === 'state_not_allowed')).toHaveLength(4)
    expect(keysOf(entityId)).toHaveLength(1)
    expect(await states(orders, refunds, entityId)).toEqual({ live: { value: 'REFUNDED', version: 3 }, rebuilt: { value: 'REFUNDED', version: 3 } })
  })

  test('five refunds of one order, in one workflow: one effect', async () => {
    const entityId = await aPaidOrder(orders)
    conducts.set(entityId, () => ({ refundId: 'r' }))
    const call = { queue: orders.queues.gate, entityId, params: refund, timeout: '2 seconds' }
    const results = await orders.run('proposeAll', [Array.from({ length: 5 }, () => call)])
    expect((results as { outcome: string }[]).filter(({ outcome }) => outcome === 'allowed')).toHaveLength(1)
    expect(keysOf(entityId)).toHaveLength(1)
  })

  test('ten refunds of ten orders: ten effects', async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, () => aPaidOrder(orders)))
    for (const entityId of ids) conducts.set(entityId, () => ({ refundId: 'r' }))
    const results = await Promise.all(ids.map(aRefund))
    expect(results).toEqual(ids.map(() => expect.objectContaining({ outcome: 'allowed' })))
    expect(ids.map((entityId) => keysOf(entityId).length)).toEqual(ids.map(() => 1))
  })

  test("one caller's key for two proposals: the second is refused", async () => {
    const entityId = await anAccountWhose(() => ok)
    const key = `tool-call-${randomUUID()}`
    const results = await accounts.run('ledgerInTurn', [[aCall('SEND', entityId, { key }), aCall('SEND', entityId, { key, params: { note: 'other' } }), aCall('SEND', entityId, { key })]])
    expect(results).toEqual([
      expect.objectContaining({ outcome: 'allowed' }),
      expect.objectContaining({ outcome: 'invalid', reason: 'invalid_parameter', message: 'this key was used for another proposal' }),
      expect.objectContaining({ outcome: 'allowed' }),
    ])
    expect(keysOf(entityId)).toHaveLength(1)
  })

  test("one caller's key by two actors: the second is not told what the first got", async () => {
    const entityId = await anAccountWhose(() => ok)
    const results = await accounts.run('ledgerInTurn', [[aCall('SEND', entityId, { key: 'k' }), aCall('SEND', entityId, { key: 'k', actor: 'another-bot' })]])
    expect(results).toEqual([expect.objectContaining({ outcome: 'allowed' }), expect.objectContaining({ outcome: 'blocked', reason: 'permission_denied' })])
    expect(keysOf(entityId)).toHaveLength(1)
  })

  test('a ledger that does not end where its entity says: nothing runs until someone has looked', async () => {
    const entityId = await anAccountWhose(() => ok)
    const setHead = (hash: string) => accounts.db.pool('owner').query(`update kiff.chains set head = ${hash} where key = $1`, [`ledgers/Account/${entityId}`])
    await setHead("sha256('altered')")
    const handle = await accounts.start('ledger', [aCall('SEND', entityId)])
    await eventually(async () => (await handle.describe()).raw.pendingActivities?.some(({ lastFailure }) => lastFailure?.applicationFailureInfo?.type === 'kiff.LedgerMismatch'))
    expect(keysOf(entityId)).toHaveLength(0)
    await setHead('(select hash from kiff.ledger l where l.chain = chains.chain order by seq desc limit 1)')
    expect(await handle.result()).toMatchObject({ outcome: 'allowed' })
  })

  test('equal proposals without a key are two actions', async () => {
    const entityId = await anAccountWhose(() => ok)
    await accounts.run('ledgerInTurn', [[aCall('SEND', entityId), aCall('SEND', entityId)]])
    expect(new Set(keysOf(entityId)).size).toBe(2)
  })
})
