/** The gate on a store: who may report what, and what becomes of it. */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { ApplicationFailure } from '@temporalio/common'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ActionResult } from '../../../src/core/outcome.ts'
import type { EventRequest, Step } from '../../../src/core/proposal.ts'
import type { GateOptions } from '../../../src/gate/gate.ts'
import { report } from '../../../src/gate/report.ts'
import { theGate } from '../a-gate.ts'
import { aProposal, aStep, lastRow, leaseOf, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
let account: string
beforeAll(async () => { it = await theStore() })
beforeEach(async () => { account = await it.anAccount() })
afterAll(() => it.close())

type Reporting = Partial<EventRequest> & { readonly step?: Step; readonly gate?: Partial<GateOptions> }

/** One report, by the shop, that the account was touched, unless told. */
function reported({ step = aStep(), gate = {}, ...over }: Reporting = {}): Promise<ActionResult> {
  const chain = { firstExecutionRunId: step.firstExecutionRunId, generation: 0, occurrence: 0 }
  return report({ ...theGate(it).gate, ...gate }, step, { event: 'TOUCHED', entityId: account, payload: {}, actor: 'shop', chain, ...over })
}
const fails = async (over: Reporting): Promise<string | undefined> => {
  const answer = await reported(over).catch((error: unknown) => error)
  return answer instanceof ApplicationFailure ? (answer.type ?? undefined) : JSON.stringify(answer)
}
const versionNow = async (): Promise<number> => (await it.facts(aProposal(account))).state?.version ?? 0
/** Happens after the first reading of the facts. */
function meanwhile(what: () => Promise<unknown>): Partial<GateOptions> {
  let happened = false
  return { store: { ...it.store, async readFacts(query) {
    const facts = await it.store.readFacts(query)
    if (!happened) {
      happened = true
      await what()
    }
    return facts
  } } }
}

test('a report by whom the domain names moves the state, once', async () => {
  expect(await reported()).toMatchObject({ outcome: 'allowed' })
  expect(await versionNow()).toBe(2)
  expect(await lastRow(it, account)).toMatchObject({ kind: 'event', actor: 'shop' })
})

describe('a report is refused, on record, and the state stays', () => {
  test.each<[string, Reporting, string, string]>([
    ['of an event that there is not', { event: 'BURNED' }, 'event_not_reportable', 'ledgers has no event BURNED'],
    ['of an event that every object has a member of', { event: 'constructor' }, 'event_not_reportable', 'ledgers has no event constructor'],
    ['of what only an action can make happen', { event: 'NOTED', payload: { note: 'hello' } }, 'event_not_reportable', 'only the action that emits it makes it happen'],
    ['by one whom the gate does not serve', { actor: 'olga' }, 'actor_unproven', 'does not serve olga'],
    ['by one without the permission', { actor: 'bot-1' }, 'event_not_reportable', 'bot-1 does not hold accounts.report'],
    ['with a payload that its schema refuses', { payload: { more: 1 } }, 'invalid_parameter', 'payload'],
    ['with a payload that no digest can cover', { payload: { text: '\u0000' } }, 'invalid_parameter', 'the payload is not plain JSON'],
    ['under an id that only an event of an action has', { eventId: `${'0'.repeat(64)}-0` }, 'invalid_parameter', 'report it under another id, or without one'],
    ['of what cannot happen in this state', { event: 'OPENED' }, 'state_not_allowed', 'OPENED cannot happen in state OPEN'],
  ])('%s', async (_, over, reason, message) => {
    const before = await it.ledgerLength()
    expect(await reported(over)).toMatchObject({ reason, message: expect.stringContaining(message) })
    expect(await it.ledgerLength()).toBe(before + 1)
    expect(await versionNow()).toBe(1)
  })
})

describe('one event', () => {
  test('under one id happens once, and is answered so again', async () => {
    const eventId = randomUUID()
    for (const _ of [1, 2]) expect(await reported({ eventId })).toMatchObject({ outcome: 'allowed' })
    expect(await versionNow()).toBe(2)
    expect(await lastRow(it, account)).toMatchObject({ kind: 'repeated' })
  })

  test('is not another one under the same id', async () => {
    const eventId = randomUUID()
    await reported({ eventId })
    expect(await reported({ eventId, event: 'CLOSED' })).toMatchObject({ reason: 'invalid_parameter', message: 'this event id was used for another event' })
    expect(await versionNow()).toBe(2)
  })

  test.each([
    ['a digest', '0'.repeat(64)],
    ['a digest and a word', `${'0'.repeat(64)}-a`],
    ['something shorter', `${'0'.repeat(63)}-0`],
    ['something longer', `a${'0'.repeat(64)}-0`],
  ])('may have an id that is only like one of an action\'s events: %s', async (_, eventId) => {
    expect(await reported({ eventId })).toMatchObject({ outcome: 'allowed' })
  })

  test('reported under an activity id by which a person was asked ends there, and is not tried for ever', async () => {
    const step = aStep()
    await it.asked(aProposal(account, { action: 'ASK', step }))
    for (const event of ['TOUCHED', 'BURNED']) await expect(reported({ step, event })).rejects.toMatchObject({ nonRetryable: true })
    expect(await versionNow()).toBe(1)
  })

  test('reported by a call that is retried is answered with the same record, and nothing is written', async () => {
    const step = aStep()
    const answer = await reported({ step })
    const before = await it.ledgerLength()
    expect(await reported({ step })).toEqual(answer)
    expect(await it.ledgerLength()).toBe(before)
    await it.open(aProposal(account))
    expect(await reported({ step })).toEqual(answer) // nor does it wait for what has begun since
  })

  test('that meets another between read and commit is judged again', async () => {
    expect(await reported({ gate: meanwhile(async () => it.report({ type: 'CLOSED', from: 'OPEN', to: 'CLOSED' }, account)) })).toMatchObject({ reason: 'state_not_allowed' })
  })

  test('under a mandate that runs out between read and commit does not happen, and its refusal is recorded', async () => {
    const step = aStep()
    const until = Date.now() + 300
    const mandate = { issuer: 'desk', id: null, actor: 'shop', onBehalfOf: null, namespace: step.namespace, workflowId: step.workflowId, domain: null, actions: null, notBefore: null, expiresAt: until, sha256: '0' }
    expect(await reported({ step, mandate: 'a.b.c', gate: { verifyMandate: async () => mandate, ...meanwhile(async () => pause(until - Date.now() + 50)) } })).toMatchObject({ reason: 'actor_unproven' })
    expect(await versionNow()).toBe(1)
  })
})

describe('while an action is under way', () => {
  test('a report waits', async () => {
    leaseOf(await it.open(aProposal(account)))
    expect(await fails({})).toBe('kiff.EntityBusy')
    expect(await versionNow()).toBe(1)
  })

  test('also where the action begins between read and commit', async () => {
    expect(await fails({ gate: meanwhile(async () => it.open(aProposal(account))) })).toBe('kiff.EntityBusy')
    expect(await versionNow()).toBe(1)
  })
})

describe('behind an outcome that nobody knows', () => {
  test('a report is refused; what was recorded before stays so', async () => {
    const eventId = randomUUID()
    await reported({ eventId })
    const proposal = aProposal(account)
    await it.doubt(proposal, leaseOf(await it.open(proposal)).token)
    expect(await reported()).toMatchObject({ reason: 'outcome_unknown' })
    expect(await reported({ eventId })).toMatchObject({ outcome: 'allowed' })
    expect(await versionNow()).toBe(2)
  })
})
