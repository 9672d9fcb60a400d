/** What a thief of the gate's login cannot have, since SQL itself compares with the registered contract: one deviation at a time. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { contractHash } from '../../src/core/contract-hash.ts'
import { ledgerBody, type LedgerRow } from '../../src/core/ledger-row.ts'
import type { Unrecorded, Waiting } from '../../src/core/store.ts'
import { canonical } from '../../src/core/canonical.ts'
import { createGateStore } from '../../src/postgres/gate-store.ts'
import { registerDomain } from '../../src/postgres/registry.ts'
import { aDatabase, type TestDatabase } from '../a-database.ts'
import { invoices } from '../fixtures/invoices.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await aDatabase(inject('postgresAdminUrl'), [invoices], { 'clerk-1': 'clerk', maria: 'boss', 'reporter-1': 'reporter' })
})
afterAll(() => db.close())

const hashOf = (action: keyof typeof invoices.actions): string => contractHash('invoices', action, invoices.actions[action])
const holds = (stateVersion: number) => async () => {
  const { rows } = await db.pool('auditor').query<{ epoch: string }>("select epoch from kiff.role_epochs where domain = 'invoices'")
  return { stateVersion, rolesEpoch: Number(rows[0]?.epoch), mandateUntil: null }
}
const allowed = { outcome: 'allowed', output: {}, summary: '' } as const

function aRow(over: Partial<LedgerRow> = {}): LedgerRow {
  const runId = randomUUID()
  return {
    kind: 'opened', step: { namespace: 'default', workflowId: `w-${runId}`, firstExecutionRunId: runId, runId, activityId: '1' },
    domain: 'invoices', entityType: 'Vendor', entityId: `vendor-${runId}`, action: 'CALL_VENDOR', contract: hashOf('CALL_VENDOR'), actor: 'clerk-1',
    executionKey: randomUUID(), proposalDigest: 'd', params: { words: 'x' }, state: null, audit: [], ...over,
  }
}

async function open(over: Partial<LedgerRow> = {}, guard?: Record<string, unknown>, stateVersion = 0): Promise<string> {
  const held = guard ?? (await holds(stateVersion)())
  return (await createGateStore(db.pool('gate')).openExecution({ body: ledgerBody(aRow(over)), guard: held as never, leaseMs: 60_000, idempotentForMs: null, approvalId: null })).status
}

async function anInvoice(state: 'OPEN' | 'CLOSED' = 'OPEN'): Promise<string> {
  const entityId = `invoice-${randomUUID()}`
  const events = [
    { id: 'a', type: 'INVOICE_RECEIVED', payload: { amountCents: 1, vendorId: 'v' }, from: null, to: 'OPEN' },
    { id: 'b', type: 'INVOICE_CLOSED', payload: {}, from: 'OPEN', to: 'CLOSED' },
  ]
  for (const [version, event] of events.slice(0, state === 'OPEN' ? 1 : 2).entries()) {
    const body = ledgerBody(aRow({ kind: 'event', entityType: 'Invoice', entityId, action: null, contract: undefined, actor: 'reporter-1', events: [event] }))
    const commit = await createGateStore(db.pool('gate')).reportEvent({ body, answer: allowed, guard: await holds(version)() })
    expect(commit.status).toBe('committed')
  }
  return entityId
}

const paying = { entityType: 'Invoice', action: 'PAY_PART', contract: hashOf('PAY_PART') }

describe('opening an execution', () => {
  test('with everything in order is possible: what follows is refused for what it says', async () => {
    expect(await open()).toBe('committed')
    expect(await open({ ...paying, entityId: await anInvoice() }, undefined, 1)).toBe('committed')
  })

  test.each<[string, () => Partial<LedgerRow>, string]>([
    ['that is never done without approval', () => ({ action: 'SUSPEND_VENDOR', contract: hashOf('SUSPEND_VENDOR') }), 'never done without approval'],
    ['by someone without the permission', () => ({ actor: 'maria' }), 'maria does not hold vendors.call'],
    ['by someone unheard of', () => ({ actor: 'mallory' }), 'mallory does not hold'],
    ['under rules that nobody registered', () => ({ contract: 'f'.repeat(64) }), 'is not registered'],
    ['under the rules of another action', () => ({ contract: hashOf('SUSPEND_VENDOR') }), 'is not registered'],
    ['on another kind of entity', () => ({ entityType: 'Account' }), 'is not allowed on Account'],
    ['on an entity that does not exist', () => paying, 'in state nothing'],
  ])('%s is refused', async (_, over, message) => {
    await expect(open(over())).rejects.toMatchObject({ code: '23514', message: expect.stringContaining(message) })
  })

  test('in a state that does not permit it is refused', async () => {
    await expect(open({ ...paying, entityId: await anInvoice('CLOSED') }, undefined, 2)).rejects.toMatchObject({ code: '23514', message: expect.stringContaining('in state CLOSED') })
  })

  test('in the name of a mandate that has run out, or saying nothing of one, is stale', async () => {
    const held = await holds(0)()
    expect(await open({}, { ...held, mandateUntil: '2020-01-01T00:00:00Z' })).toBe('stale')
    expect(await open({}, { stateVersion: held.stateVersion, rolesEpoch: held.rolesEpoch })).toBe('stale')
    expect(await open({}, { ...held, mandateUntil: '2120-01-01T00:00:00Z' })).toBe('committed')
  })

  test('under rules that newer ones have replaced is stale', async () => {
    const newer = { ...invoices, actions: { ...invoices.actions, CALL_VENDOR: { ...invoices.actions.CALL_VENDOR, version: 2 } } }
    await registerDomain(db.pool('owner'), newer)
    expect(await open()).toBe('stale')
    await registerDomain(db.pool('owner'), invoices)
    expect(await open()).toBe('committed')
  })
})

describe('asking for approval', () => {
  const suspending = { kind: 'approval_requested', action: 'SUSPEND_VENDOR', contract: hashOf('SUSPEND_VENDOR') } as const

  async function ask(over: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const row = aRow(suspending)
    const soon = new Date(Date.now() + 60_000).toISOString()
    const request = {
      approval_id: randomUUID(), round: 1, namespace: row.step.namespace, workflow_id: row.step.workflowId, first_execution_run_id: row.step.firstExecutionRunId, domain: row.domain,
      contract: row.contract, entity_type: row.entityType, entity_id: row.entityId, action: row.action, actor: row.actor, on_behalf_of: null, reviewers: 'vendors.review', quorum: 2,
      params: row.params, facts: {}, state: null, state_version: 0, binds: 'version', answer_by: soon, use_by: soon, ...over,
    }
    const answer = { outcome: 'approval_required' } as Unrecorded<Waiting>
    return (await createGateStore(db.pool('gate')).requestApproval({ body: ledgerBody(row), answer, request: canonical(request), guard: await holds(0)() })).status
  }

  test('with everything in order is possible', async () => {
    expect(await ask()).toBe('committed')
  })

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['of fewer people than the contract says', { quorum: 1 }],
    ['of other people than the contract says', { reviewers: 'vendors.call' }],
    ['for another actor', { actor: 'mallory' }],
    ['for someone represented whom the row does not name', { on_behalf_of: 'olga' }],
    ['for another action', { action: 'CALL_VENDOR' }],
    ['for another contract', { contract: hashOf('CALL_VENDOR') }],
    ['about another entity', { entity_id: 'another' }],
    ['about another kind of entity', { entity_type: 'Invoice' }],
    ['for another workflow', { workflow_id: 'another' }],
    ['for another run chain', { first_execution_run_id: 'another' }],
    ['in another domain', { domain: 'refunds' }],
    ['in another namespace', { namespace: 'another' }],
    ['for other parameters', { params: { words: 'y' } }],
    ['on other facts', { facts: { balance: 1 } }],
    ['in another state', { state: 'OPEN' }],
    ['at another version', { state_version: 1 }],
  ])('%s is refused', async (_, over) => {
    await expect(ask(over)).rejects.toMatchObject({ code: '23514', message: 'what is asked is not what the row and the registered contract say' })
  })
})
