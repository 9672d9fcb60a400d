/** KIFF's own 24 cases of a store, by name and in meaning; where our design makes one moot, it says what holds instead. Beside them, what its suite lacks. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AuditEntry, RecordedEvent } from '../../../src/core/ledger-row.ts'
import { eventRequest } from '../../../src/core/proposal.ts'
import { guardOf, rowOf, type GovernedProposal } from '../../../src/gate/proposal.ts'
import { again, aProposal, aStep, blocked, requestOf, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

const eventsOf = async (entityId: string) => (await it.events()).filter((event) => event.entity_id === entityId)
const decisionsOf = async (entityId: string) => (await it.decisions()).filter((decision) => decision.entity_id === entityId)
const pendingOf = async (entityId?: string) => (await it.reviews.list('pending', 500)).filter(({ request }) => entityId === undefined || request.entity_id === entityId)
const audited = (data: AuditEntry['data'], message = 'event ingested'): AuditEntry[] => [{ kind: 'event_ingested', message, data }]

describe('events', () => {
  test('KIFF 1 AppendList: what is reported is listed', async () => {
    const account = await it.anAccount()
    await it.report({ id: 'e-1', payload: {} }, account)
    expect((await eventsOf(account)).at(-1)).toMatchObject({ id: 'e-1', type: 'TOUCHED', entity_type: 'Account', payload: {} })
  })

  test('KIFF 2 ListByEntity: three events on two entities', async () => {
    const [one, other] = [await it.anAccount(), await it.anAccount()]
    await it.report({}, one)
    expect([(await eventsOf(one)).length, (await eventsOf(other)).length]).toEqual([2, 1])
  })

  test('KIFF 3 ListAllWhenEntityEmpty: without an entity, every event', async () => {
    const accounts = [await it.anAccount(), await it.anAccount()]
    expect((await it.events()).map(({ entity_id }) => entity_id)).toEqual(expect.arrayContaining(accounts))
  })

  test('KIFF 4 OrderingPreserved: five events come back in the order in which they were taken', async () => {
    const account = await it.anAccount()
    const ids = ['e-5', 'e-1', 'e-4', 'e-2', 'e-3']
    for (const id of ids) await it.report({ id }, account)
    expect((await eventsOf(account)).slice(1).map(({ id }) => id)).toEqual(ids)
  })

  test('KIFF 5 ValidationRejectsInvalid: an event without an id is refused, and nothing is stored', async () => {
    const account = await it.anAccount()
    const before = await it.ledgerLength()
    await expect(it.report({ id: null as never }, account, { facts: await it.facts(aProposal(account)) })).rejects.toMatchObject({ code: '23502' })
    expect(await it.ledgerLength()).toBe(before)
    const request = { event: 'TOUCHED', entityId: account, payload: {}, actor: 'shop', chain: { firstExecutionRunId: 'r', generation: 0, occurrence: 0 } }
    expect([eventRequest.safeParse({ ...request, eventId: '' }).success, eventRequest.safeParse({ ...request, eventId: 'e-1' }).success]).toEqual([false, true])
  })

  test('KIFF 6 PayloadAndMetadataRoundTrip: trace, correlation, causation, tags, source, time, and a payload of words and numbers', async () => {
    const account = await it.anAccount()
    const payload = { words: 'é € 😀 \u2028', number: 0.71, nested: { list: [1, null, false] } }
    const trace = { traceId: 'trace-6', correlationId: 'correlation-6', causationId: 'causation-6', tags: { tenant: 'acme', channel: 'mail' } }
    await it.report({ id: 'e-1', payload, source: 'till-7', occurredAt: '2026-01-02T03:04:05.678Z' }, account, { trace })
    expect((await eventsOf(account)).at(-1)).toMatchObject({
      id: 'e-1', payload, trace_id: 'trace-6', correlation_id: 'correlation-6', causation_id: 'causation-6', tags: trace.tags,
      source: 'till-7', occurred_at: '2026-01-02T03:04:05.678000Z', actor_id: 'shop',
    })
  })

  test('KIFF 7 ContextCancellation: a commit cannot be cancelled halfway; who walks away and comes back is told what became of it', async () => {
    const account = await it.anAccount()
    const facts = await it.facts(aProposal(account))
    const [step, other] = [aStep(), aStep()]
    const walkedAway = it.report({ id: 'e-1' }, account, { facts, step })
    await walkedAway
    expect(await it.report({ id: 'e-1' }, account, { facts, step: other })).toMatchObject({ status: 'repeat', answer: { record: Reflect.get(await walkedAway, 'record') } })
    expect((await eventsOf(account)).map(({ id }) => id).filter((id) => id === 'e-1')).toEqual(['e-1'])
  })
})

/** Records that a proposal was refused, with what was decided. */
async function decide(proposal: GovernedProposal): Promise<void> {
  const facts = await it.facts(proposal)
  await it.store.recordAnswer({ body: rowOf(proposal, facts, 'refused', [], { decision: { outcome: 'blocked', reason: 'state_not_allowed', message: 'no' } }), answer: blocked, guard: guardOf(facts) })
}

describe('decisions', () => {
  test('KIFF 8 AppendList: what was decided is listed, with what was proposed', async () => {
    const account = await it.anAccount()
    await decide(aProposal(account))
    expect(await decisionsOf(account)).toEqual([{ entity_id: account, proposed_action: 'CALL', parameters: { note: 'hello' }, claim: null, outcome: 'blocked', reason: 'state_not_allowed', actor_id: 'bot-1' }])
  })

  test('KIFF 9 ListByEntity: another entity\'s are not among them', async () => {
    const [one, other] = [await it.anAccount(), await it.anAccount()]
    await decide(aProposal(one))
    await decide(aProposal(one, { note: 'again' }))
    await decide(aProposal(other))
    expect([(await decisionsOf(one)).length, (await decisionsOf(other)).length]).toEqual([2, 1])
  })

  test.each(['made_up', '', 'reviewed', 'opened'])('KIFF 10 ValidationRejectsInvalid: a row of kind "%s" is no decision', async (kind) => {
    const proposal = aProposal(await it.anAccount())
    const facts = await it.facts(proposal)
    const before = await it.ledgerLength()
    await expect(it.store.recordAnswer({ body: rowOf(proposal, facts, kind as 'refused', []), answer: blocked, guard: guardOf(facts) })).rejects.toMatchObject({ code: '23514' })
    expect(await it.ledgerLength()).toBe(before)
  })

  test('KIFF 11 EvidenceRoundTrip: two pieces of evidence, a confidence, and the reasoning', async () => {
    const account = await it.anAccount()
    const proposal = aProposal(account)
    const claim = { why: 'it arrived three weeks late', evidence: ['ticket 4711', 'carrier scan of 14 November'], confidence: 0.71 }
    await decide({ ...proposal, request: { ...proposal.request, claim } })
    expect((await decisionsOf(account)).map((decision) => decision.claim)).toEqual([claim])
  })
})

const anAsk = async (entityId?: string): Promise<GovernedProposal> => aProposal(entityId ?? (await it.anAccount()), { action: 'ASK' })

describe('approvals', () => {
  test('KIFF 12 SaveGet: what is asked is found by its id, pending', async () => {
    const proposal = await anAsk()
    expect(await it.reviews.show(await it.asked(proposal))).toMatchObject({ status: 'pending', reviews: [], request: { entity_id: proposal.request.entityId, action: 'ASK', actor: 'bot-1' } })
  })

  test('KIFF 13 UpsertPreservesOrder: granted, it is still one approval; the others keep their places', async () => {
    const account = await it.anAccount()
    const ids: string[] = []
    for (let count = 0; count < 3; count++) ids.push(await it.asked(await anAsk(account)))
    const [first = '', second = '', third = ''] = ids
    const before = (await pendingOf(account)).map(({ request }) => request.approval_id)
    await it.review(second, 'granted', 'olga')
    expect((await pendingOf(account)).map(({ request }) => request.approval_id)).toEqual(before.filter((id) => id !== second))
    const everywhere = [...(await it.reviews.list('pending', 500)), ...(await it.reviews.list('closed', 500))].map(({ request }) => request.approval_id)
    expect([first, second, third].map((id) => everywhere.filter((each) => each === id).length)).toEqual([1, 1, 1])
  })

  test('KIFF 14 ListByEntity: two of three; without an entity all', async () => {
    const [one, other] = [await it.anAccount(), await it.anAccount()]
    const [first, second, third] = [await it.asked(await anAsk(one)), await it.asked(await anAsk(one)), await it.asked(await anAsk(other))]
    expect((await pendingOf(one)).map(({ request }) => request.approval_id).sort()).toEqual([first, second].sort())
    expect((await pendingOf()).map(({ request }) => request.approval_id)).toEqual(expect.arrayContaining([first, second, third]))
  })

  test('KIFF 15 IsGranted: for the very proposal, and for no other action, other parameters, other entity, nor a missing id', async () => {
    const proposal = await anAsk()
    const approvalId = await it.granted(proposal)
    const { step, request: { entityId } } = proposal
    const next = { ...step, activityId: '9' }
    const uses = [
      it.pure(aProposal(entityId, { action: 'NOTE', step: next }), { approvalId }),
      it.pure(aProposal(entityId, { action: 'ASK', step: next, note: 'something else' }), { approvalId }),
      it.pure(aProposal(await it.anAccount(), { action: 'ASK', step: next }), { approvalId }),
      it.pure({ ...proposal, step: next }, { approvalId: randomUUID() }),
    ]
    expect(await Promise.all(uses)).toEqual(uses.map(() => ({ status: 'stale' })))
    expect(await it.pure({ ...proposal, step: next }, { approvalId })).toMatchObject({ status: 'committed' })
  })

  test('KIFF 16 ValidationRejectsInvalid: a request that is none is refused, and nothing is stored', async () => {
    const proposal = await anAsk()
    const before = await it.ledgerLength()
    await expect(it.ask(proposal, { round: 0 })).rejects.toMatchObject({ code: '23514' })
    expect(await it.ledgerLength()).toBe(before)
    expect((await it.facts(again(proposal))).approval).toBeNull()
  })

  test('KIFF 17 GetMissing: nothing, and no error', async () => {
    expect(await it.reviews.show(randomUUID())).toBeUndefined()
    expect((await it.facts(await anAsk())).approval).toBeNull()
  })

  test('lacking there: a denial never becomes pending, nor a grant, whatever is asked or reviewed after', async () => {
    const proposal = await anAsk()
    const approvalId = await it.asked(proposal)
    await it.review(approvalId, 'denied', 'olga')
    expect(await it.review(approvalId, 'granted', 'otto')).toMatchObject({ outcome: 'refused', reason: 'already_reviewed' })
    expect(await it.ask(again(proposal), { round: 2 })).toMatchObject({ outcome: 'approval_required', round: 2 })
    expect((await it.reviews.show(approvalId))?.status).toBe('denied')
    expect((await it.facts(again(again(proposal)))).denied).toMatchObject({ reviewer: 'olga' })
  })

  test.each<[string, (approvalId: string) => Promise<unknown>]>([
    ['pending', async () => {}],
    ['denied', (approvalId) => it.review(approvalId, 'denied', 'olga')],
  ])('lacking there: what is %s is no grant', async (status, become) => {
    const proposal = await anAsk()
    const approvalId = await it.asked(proposal)
    await become(approvalId)
    expect((await it.reviews.show(approvalId))?.status).toBe(status)
    expect(await it.pure(again(proposal), { approvalId })).toEqual({ status: 'stale' })
  })

  test('lacking there: an approval id is used once', async () => {
    const [proposal, other] = [await anAsk(), await anAsk()]
    const request = await requestOf(it, await it.asked(proposal))
    const facts = await it.facts(other)
    const body = rowOf(other, facts, 'approval_requested', [], { approvalId: request.approval_id })
    const same = JSON.stringify({ ...request, workflow_id: other.step.workflowId, first_execution_run_id: other.step.firstExecutionRunId, entity_id: other.request.entityId })
    const answer = { outcome: 'approval_required', approvalId: request.approval_id, round: 1, summary: '', rule: '', reviewers: '', changed: null, answerBy: '', remainingMs: 0, link: null, rejected: 0 } as const
    expect(await it.store.requestApproval({ body, answer, request: same, guard: guardOf(facts), closing: undefined })).toEqual({ status: 'stale' })
    expect((await it.reviews.show(request.approval_id))?.request.entity_id).toBe(proposal.request.entityId)
  })
})

/** An event with one audit record that says this. */
const record = (entityId: string, data: AuditEntry['data'], how: Parameters<AnyStore['report']>[2] = {}, event: Partial<RecordedEvent> = {}) => it.report(event, entityId, { ...how, audit: audited(data) })

describe('audit records', () => {
  test('KIFF 18 AppendList: what a row tells is listed, with who, when, and about what', async () => {
    const account = await it.anAccount()
    await record(account, { n: 1 })
    expect((await it.auditRecords({ entityId: account })).at(-1)).toMatchObject({ kind: 'event_ingested', entity_type: 'Account', entity_id: account, actor_id: 'shop', message: 'event ingested', data: { n: 1 }, seq: 2, position: 1, created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) })
  })

  test('KIFF 19 FilterByEntity', async () => {
    const [one, other] = [await it.anAccount(), await it.anAccount()]
    await record(one, { n: 1 })
    await record(other, { n: 2 })
    expect((await it.auditRecords({ entityId: one })).map(({ data }) => data)).toEqual([{}, { n: 1 }])
  })

  test('KIFF 20 FilterByKind', async () => {
    const account = await it.anAccount()
    await it.refuse(aProposal(account))
    const [refused] = await it.auditRecords({ entityId: account, kind: 'action_failed' })
    expect(refused).toMatchObject({ kind: 'action_failed', entity_id: account })
    expect(await it.auditRecords({ entityId: account, kind: 'action_executed' })).toEqual([])
  })

  test('KIFF 21 FilterByActor', async () => {
    const account = await it.anAccount()
    await it.refuse(aProposal(account, { actor: 'bot-2' }))
    expect((await it.auditRecords({ entityId: account, actor: 'bot-2' })).map(({ kind }) => kind)).toEqual(['action_failed'])
    expect((await it.auditRecords({ entityId: account, actor: 'shop' })).map(({ kind }) => kind)).toEqual(['event_ingested'])
  })

  test('KIFF 22 FilterByTrace: across entities', async () => {
    const [one, other] = [await it.anAccount(), await it.anAccount()]
    const trace = { traceId: `trace-${randomUUID()}` }
    for (const account of [one, other]) await record(account, {}, { trace })
    expect((await it.auditRecords({ trace: trace.traceId })).map(({ entity_id }) => entity_id)).toEqual([one, other])
  })

  test('lacking there: filter by correlation, across entities; without one of its own it is the workflow\'s id', async () => {
    const [one, other] = [await it.anAccount(), await it.anAccount()]
    const trace = { correlationId: `correlation-${randomUUID()}` }
    for (const account of [one, other]) await record(account, {}, { trace })
    expect((await it.auditRecords({ correlation: trace.correlationId })).map(({ entity_id }) => entity_id)).toEqual([one, other])
    const proposal = aProposal(one)
    await it.refuse(proposal)
    expect((await it.auditRecords({ correlation: proposal.step.workflowId })).map(({ kind }) => kind)).toEqual(['action_failed'])
  })

  test('KIFF 23 ChronologicalOrdering: by the store\'s own clock, whatever time a reporter claims', async () => {
    const account = await it.anAccount()
    const claimed = ['2026-01-03T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z']
    for (const [n, occurredAt] of claimed.entries()) await record(account, { n }, {}, { occurredAt })
    const records = (await it.auditRecords({ entityId: account })).slice(1)
    expect(records.map(({ data }) => data)).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }])
    expect(records.map(({ created_at }) => created_at)).toEqual(records.map(({ created_at }) => created_at).toSorted())
    expect((await eventsOf(account)).slice(1).map(({ occurred_at }) => occurred_at.slice(0, 10))).toEqual(claimed.map((time) => time.slice(0, 10)))
  })

  test('lacking there: records of one time keep the order in which they were written', async () => {
    const proposal = aProposal(await it.anAccount())
    const facts = await it.facts(proposal)
    const entries = [3, 1, 2].map((n): AuditEntry => ({ kind: 'action_failed', message: `the ${n}th`, data: { n } }))
    await it.store.recordAnswer({ body: rowOf(proposal, facts, 'refused', entries), answer: blocked, guard: guardOf(facts) })
    const records = (await it.auditRecords({ correlation: proposal.step.workflowId }))
    expect(records.map(({ data, position }) => [data['n'], position])).toEqual([[3, 1], [1, 2], [2, 3]])
    expect(new Set(records.map(({ created_at }) => created_at)).size).toBe(1)
  })

  test('KIFF 24 DataRoundTrip: nested, and with a fraction', async () => {
    const account = await it.anAccount()
    const data = { amount: 12.5, nested: { deep: { list: [1, 'two', null, true] } }, empty: {}, words: 'é \u2028' }
    await record(account, data)
    expect((await it.auditRecords({ entityId: account })).at(-1)?.data).toEqual(data)
  })

  test.each(['approval_granted', 'approval_denied'] as const)('lacking there, validation: a row that is no review cannot say %s', async (kind) => {
    const account = await it.anAccount()
    const before = await it.ledgerLength()
    await expect(it.report({}, account, { audit: [{ kind, message: 'yes', data: {} }] })).rejects.toMatchObject({ code: '23514' })
    expect(await it.ledgerLength()).toBe(before)
  })
})
