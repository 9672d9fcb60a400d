/** What is the store in memory's own, beside what every store keeps to (`test/store/conformance`): its clock, and the tables' last guards. */
import { describe, expect, test } from 'vitest'
import { aFixedClock, type Clock } from 'kiff-temporal/testing'
import { createMemoryStore } from '../../src/testing/memory-store.ts'
import { newestExecution, putExecution } from '../../src/testing/memory/guards.ts'
import { aProposal, members, noToken, over, type AnyStore } from '../store/any-store.ts'
import { ledgers } from '../store/a-domain.ts'

async function aStoreAt(clock: Clock): Promise<{ readonly it: AnyStore; readonly memory: ReturnType<typeof createMemoryStore> }> {
  const memory = createMemoryStore([ledgers], clock)
  for (const [actor, role] of Object.entries(members)) await memory.changeMembership({ kind: 'role_granted', domain: 'ledgers', actor, role, by: 'test' })
  const it = await over({
    store: memory.gate, reviews: memory.reviews, register: memory.registerDomain, change: memory.changeMembership, later: async () => {},
    ledger: async () => memory.ledger(), chains: async () => memory.tables.chains.all(), auditRecords: async () => memory.auditRecords(),
    events: async () => memory.events(), decisions: async () => memory.decisions(), close: async () => {},
  })
  return { it, memory }
}

describe('its clock', () => {
  test('is the time of every row, and what every deadline is judged by, to the millisecond', async () => {
    const clock = aFixedClock()
    const { it } = await aStoreAt(clock.now)
    const proposal = aProposal(await it.anAccount(), { action: 'SEND' })
    await it.open(proposal, { leaseMs: 1_000, idempotentForMs: 61_000 }) // a new lease is for 60 seconds
    expect((await it.ledger()).at(-1)?.at).toBe('2026-01-01T00:00:00.000000Z')
    clock.advance('0.999 seconds')
    expect(await it.resume(proposal)).toEqual({ status: 'stale' })
    expect(await it.store.overdueExecutions('default')).toEqual([])
    clock.advance('0.001 seconds')
    expect(await it.resume(proposal)).toMatchObject({ status: 'committed' })
    expect((await it.facts(proposal)).now).toBe('2026-01-01T00:00:01.000Z')
  })

  test('ends what the receiver honours at its very millisecond', async () => {
    const clock = aFixedClock()
    const { it } = await aStoreAt(clock.now)
    const proposal = aProposal(await it.anAccount(), { action: 'SEND' })
    await it.open(proposal, { leaseMs: 1_000, idempotentForMs: 61_000 }) // a new lease is for 60 seconds
    clock.advance('1.001 seconds')
    expect(await it.resume(proposal)).toEqual({ status: 'stale' })
    expect(await it.doubt(proposal)).toMatchObject({ status: 'committed' })
  })

  test('lets nobody but the holder doubt before the lease is over, and anybody at its very millisecond', async () => {
    const clock = aFixedClock()
    const { it } = await aStoreAt(clock.now)
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal, { leaseMs: 1_000 })
    clock.advance('0.999 seconds')
    expect(await it.doubt(proposal)).toEqual({ status: 'stale' })
    clock.advance('0.001 seconds')
    expect(await it.doubt(proposal)).toMatchObject({ status: 'committed' })
  })

  test('may be a server\'s, which answers later', async () => {
    const { it } = await aStoreAt(async () => Promise.resolve(Date.parse('2030-05-05T05:05:05Z')))
    await it.anAccount()
    expect((await it.ledger()).at(-1)?.at).toBe('2030-05-05T05:05:05.000000Z')
  })

  test('is the machine\'s own unless told', async () => {
    const before = Date.now()
    const { now } = await createMemoryStore([ledgers]).gate.readFacts({ step: { namespace: '', workflowId: '', firstExecutionRunId: '', runId: '', activityId: '' }, domain: 'ledgers', entityType: 'Account', entityId: 'a', actor: 'a', executionKey: 'k', proposalDigest: 'd' })
    expect(Date.parse(now)).toBeGreaterThanOrEqual(before)
    expect(Date.parse(now)).toBeLessThanOrEqual(Date.now())
  })
})

describe('its tables refuse, should every function be wrong', () => {
  test('a second execution that holds an entity, and a second that lasts a key', async () => {
    const { it, memory: { tables } } = await aStoreAt(Date.now)
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    const tx = { ...tables, now: Date.now() }
    const open = newestExecution(tx, proposal.executionKey)
    if (open === undefined) throw new Error('not opened')
    expect(() => { putExecution(tx, { ...open, executionKey: 'another' }) }).toThrow('one open execution an entity')
    for (const held of [{ status: 'in_doubt' }, { status: 'succeeded', completionRejected: 'why' }] as const) {
      putExecution(tx, { ...open, ...held })
      expect(() => { putExecution(tx, { ...open, executionKey: 'another' }) }).toThrow('one open execution an entity')
    }
    putExecution(tx, { ...open, status: 'succeeded' })
    expect(() => { putExecution(tx, { ...open, ordinal: 2, status: 'succeeded' }) }).toThrow('one lasting execution a key')
  })

  test.each(['ledger', 'eventIds', 'calls', 'chains'] as const)('a second row of one key: %s', async (name) => {
    const { it, memory: { tables } } = await aStoreAt(Date.now)
    await it.refuse(aProposal(await it.anAccount()))
    const table: { readonly all: () => readonly unknown[]; readonly insert: (row: never) => void } = tables[name]
    expect(() => { table.insert(table.all()[0] as never) }).toThrow('is there already')
  })

  test('a chain key with a line break: the hash is made of lines', async () => {
    const { it } = await aStoreAt(Date.now)
    await expect(it.refuse(aProposal('nobody', { step: { namespace: 'n', workflowId: 'a\nb', firstExecutionRunId: 'f', runId: 'r', activityId: '1' } }))).rejects.toMatchObject({ code: '23514' })
  })

  test('a grant that is one by its status only: it opens nothing', async () => {
    const { it, memory: { tables } } = await aStoreAt(Date.now)
    const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
    const approvalId = await it.asked(proposal)
    const asked = tables.approvals.get(approvalId)
    if (asked === undefined) throw new Error('not asked')
    tables.approvals.put({ ...asked, status: 'granted' })
    const next = aProposal(proposal.request.entityId, { action: 'ASK', step: { ...proposal.step, activityId: '2' } })
    expect(await it.open(next, { approvalId })).toEqual({ status: 'stale' })
    for (const [reviewer, verdict] of [['bot-1', 'granted'], ['olga', 'denied']] as const) tables.reviews.insert({ approvalId, verdict, reviewer, reason: '', jws: '', at: 0 })
    await it.grant('bot-1', 'reviewer')
    expect(await it.open(next, { approvalId })).toEqual({ status: 'stale' })
    expect(await it.doubt(next, noToken)).toEqual({ status: 'stale' })
  })

  test('a second use of a grant: the first is kept', async () => {
    const { it, memory: { tables } } = await aStoreAt(Date.now)
    const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
    const approvalId = await it.granted(proposal)
    await it.open({ ...proposal, step: { ...proposal.step, activityId: '2' } }, { approvalId })
    expect(tables.consumptions.all()).toEqual([{ approvalId, executionKey: proposal.executionKey }])
    expect(() => { tables.consumptions.insert({ approvalId, executionKey: 'another' }) }).toThrow('is there already')
  })

  test('a head that is not the last row\'s hash is not intact', async () => {
    const { it, memory: { tables } } = await aStoreAt(Date.now)
    const account = await it.anAccount()
    const chain = tables.chains.get('entity', `ledgers/Account/${account}`)
    if (chain === undefined) throw new Error('no chain')
    expect((await it.facts(aProposal(account))).intact).toBe(true)
    tables.chains.put({ ...chain, head: 'another' })
    expect((await it.facts(aProposal(account))).intact).toBe(false)
  })
})
