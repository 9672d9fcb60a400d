/** The gate on a store: somebody was asked, and by the time of the next look the rules ask nobody any more. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ActionOnFacts, Contract } from '../../../src/core/contract.ts'
import type { GateOptions } from '../../../src/gate/gate.ts'
import { ledgers } from '../a-domain.ts'
import { askedIn, theGate, type GateOnStore } from '../a-gate.ts'
import { lastRow, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
let gate: GateOnStore
/** Gates whose rule asks nobody; and, beyond that, whose action then fails. */
let unasking: Partial<GateOptions>
let failing: Partial<GateOptions>
beforeAll(async () => {
  it = await theStore()
  gate = theGate(it)
  unasking = ruled({ approvalRule: () => false })
  failing = ruled({ approvalRule: () => false, accept: () => ({ ok: false, message: 'not today' }) })
})
afterAll(() => it.close())

/** The same contracts, as their hash has it, and other functions. */
function ruled(over: Partial<ActionOnFacts>): Partial<GateOptions> {
  const changed = (contract: Contract): Contract => ({
    ...contract,
    inspect(entityId, params) {
      const inspection = contract.inspect(entityId, params)
      return inspection.ok ? { ok: true, action: { ...inspection.action, on: (facts) => ({ ...inspection.action.on(facts), ...over }) } } : inspection
    },
  })
  const actions = { ...ledgers.actions, ASK: changed(ledgers.actions.ASK), MAY_ASK: changed(ledgers.actions.MAY_ASK) }
  return { bound: { ...gate.gate.bound, domain: { ...ledgers, actions } } }
}

const statusOf = async (approvalId: string) => (await it.reviews.show(approvalId))?.status

async function asking(action: 'ASK' | 'MAY_ASK' = 'MAY_ASK', callerKey?: string) {
  const account = await it.anAccount()
  const calls = gate.proposing(action, account, callerKey === undefined ? {} : { callerKey })
  return { account, calls, approvalId: askedIn(await calls.call()) }
}

describe.each(['ASK', 'MAY_ASK'] as const)('a request that nobody has to answer any more (%s)', (action) => {
  test('is void from the commit on by which it happens without one', async () => {
    const { account, calls, approvalId } = await asking(action)
    expect(await calls.call({ gate: unasking })).toMatchObject({ outcome: 'allowed' })
    expect(await statusOf(approvalId)).toBe('void')
    const rows = (await it.ledger()).filter(({ chain }) => chain === `ledgers/Account/${account}`).map(({ body }) => JSON.parse(body) as { kind: string; approval_id?: string; audit: { kind: string; data: unknown }[] })
    const acted = rows[2]
    expect(acted?.kind).toBe(action === 'ASK' ? 'executed' : 'opened')
    expect(acted).not.toHaveProperty('approval_id')
    expect(acted?.audit.slice(0, 2)).toMatchObject([{ kind: 'approval_void', data: { approval_id: approvalId, reason: 'nobody has to agree to it any more' } }, { kind: 'action_validated', data: { requires_approval: false } }])
  })

  test('is so also when it was granted, and the grant is not used', async () => {
    const { calls, approvalId } = await asking(action)
    await it.review(approvalId, 'granted', 'olga')
    expect(await calls.call({ gate: unasking })).toMatchObject({ outcome: 'allowed' })
    expect(await statusOf(approvalId)).toBe('void')
  })

  test.each<[string, (approvalId: string) => Promise<unknown>, object, string]>([
    ['denied', (approvalId) => it.review(approvalId, 'denied', 'olga'), { reason: 'approval_denied', message: 'olga said no: because' }, 'denied'],
    ['granted, and taken back', async (approvalId) => {
      await it.review(approvalId, 'granted', 'olga')
      await it.desk.revoke({ approvalId, reviewer: 'olga', reason: 'a mistake' })
    }, { reason: 'approval_void', message: 'the grant was revoked' }, 'revoked'],
  ])('and was %s stays so: it does not happen, now or later', async (_, review, refusal, status) => {
    const { account, calls, approvalId } = await asking(action)
    await review(approvalId)
    expect(await calls.call({ gate: unasking })).toMatchObject({ outcome: 'blocked', ...refusal })
    expect(await statusOf(approvalId)).toBe(status)
    expect(await lastRow(it, account)).toMatchObject({ approval_id: approvalId })
    expect(await calls.call({ gate: unasking })).toMatchObject({ outcome: 'blocked', ...refusal })
  })

  test('is looked at again where somebody denies it in the same moment', async () => {
    const { calls, approvalId } = await asking(action)
    expect(await calls.call({ gate: unasking, meanwhile: () => it.review(approvalId, 'denied', 'olga') })).toMatchObject({ reason: 'approval_denied' })
  })

  test('is another workflow\'s, under the same API caller\'s key: that one ends it, and this one waits', async () => {
    const { account, calls, approvalId } = await asking(action, `request-${action}`)
    const other = gate.proposing(action, account, { callerKey: `request-${action}` })
    expect(await other.fails({ gate: unasking })).toBe('kiff.EntityBusy')
    expect(await statusOf(approvalId)).toBe('pending')
    expect(await calls.call({ gate: unasking })).toMatchObject({ outcome: 'allowed' })
    expect(await other.call({ gate: unasking })).toMatchObject({ outcome: 'allowed' })
  })
})

test('an action that emits what its entity cannot take ends the request as well', async () => {
  const { calls, approvalId } = await asking('ASK')
  expect(await calls.call({ gate: failing })).toMatchObject({ reason: 'error' })
  expect(await statusOf(approvalId)).toBe('void')
})
