/** What the database itself holds to where several people have to agree, and where a grant is taken back. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Desk, ReviewOutcome } from '../../src/approvals/desk.ts'
import { approvalBody, createDesk } from '../../src/approvals/review.ts'
import { createReviewSigner, generateDevReviewKey } from '../../src/approvals/signing.ts'
import type { ApprovalStatus, Verdict } from '../../src/core/approval.ts'
import { evaluate } from '../../src/core/gate.ts'
import { ledgerBody } from '../../src/core/ledger-row.ts'
import type { Step } from '../../src/core/proposal.ts'
import type { Facts, GateStore } from '../../src/core/store.ts'
import { ask } from '../../src/gate/ask.ts'
import { guardOf, rowOf, toProposal, toQuery, type GovernedProposal } from '../../src/gate/proposal.ts'
import { createGateStore } from '../../src/postgres/gate-store.ts'
import { changeMembership } from '../../src/postgres/registry.ts'
import { createReviewStore, type ReviewStore } from '../../src/postgres/review-store.ts'
import { aDatabase, type TestDatabase } from '../a-database.ts'
import { wallets } from '../fixtures/wallets.ts'

let db: TestDatabase
let store: GateStore
let reviews: ReviewStore
let desk: Desk

beforeAll(async () => {
  // `bot-2` may both propose and review; `ada` is represented, and may review as well.
  db = await aDatabase(inject('postgresAdminUrl'), [wallets], { bot: 'bot', clerk: 'reporter', olga: 'reviewer', otto: 'reviewer', rita: 'reviewer', ada: 'reviewer' })
  for (const role of ['bot', 'reviewer']) await change('role_granted', 'bot-2', role)
  store = createGateStore(db.pool('gate'))
  reviews = createReviewStore(db.pool('reviewer'))
  desk = createDesk(reviews, await createReviewSigner((await generateDevReviewKey()).privateKey))
})
afterAll(() => db.close())

const change = (kind: 'role_granted' | 'role_revoked', actor: string, role: string, actorType?: 'agent' | 'human'): Promise<boolean> =>
  changeMembership(db.pool('owner'), { kind, domain: 'wallets', actor, role, by: 'test', actorType })

const facts = { paidOutCents: 0, balanceCents: 250_000 }

function aStep(): Step {
  const runId = randomUUID()
  return { namespace: 'default', workflowId: `payout-${runId}`, firstExecutionRunId: runId, runId, activityId: '1' }
}

async function aWallet(): Promise<string> {
  const [entityId, step] = [`wallet-${randomUUID()}`, aStep()]
  const read = await store.readFacts({ step, domain: 'wallets', entityType: 'Wallet', entityId, actor: 'clerk', executionKey: entityId, proposalDigest: entityId })
  const events = [{ id: entityId, type: 'OPENED', payload: {}, from: null, to: 'OPEN' }]
  const body = ledgerBody({ kind: 'event', step, domain: 'wallets', entityType: 'Wallet', entityId, action: null, actor: 'clerk', audit: [], events })
  await store.reportEvent({ body, answer: { outcome: 'allowed', output: {}, summary: 'opened' }, guard: guardOf(read) })
  return entityId
}

/** A payout that two people have to grant. */
async function aPayout(actor = 'bot', onBehalfOf: string | null = null): Promise<GovernedProposal> {
  const step = aStep()
  const request = { entityId: await aWallet(), params: { amountCents: 50_000 }, actor, chain: { firstExecutionRunId: step.firstExecutionRunId, generation: 0, occurrence: 0 } }
  return toProposal(step, 'wallets', 'PAY_OUT', wallets.actions.PAY_OUT, request, { problem: null, onBehalfOf, from: null, until: null, mandate: undefined })
}

/** The same proposal, come again by the run's next activity. */
const again = (proposal: GovernedProposal): GovernedProposal => ({ ...proposal, step: { ...proposal.step, activityId: String(Number(proposal.step.activityId) + 1) } })
const read = (proposal: GovernedProposal): Promise<Facts> => store.readFacts(toQuery(proposal))

async function asked(proposal: GovernedProposal): Promise<string> {
  const known = await read(proposal)
  const { action, inspection, contract, request } = proposal
  const decision = evaluate(contract, { action, entityId: request.entityId, actor: request.actor, inspection }, { actorProven: true, state: known.state, permissions: known.permissions, declared: facts })
  if (decision.outcome !== 'approval_required') throw new Error(`nobody is asked: ${decision.outcome}`)
  const answer = await ask(store, proposal, known, decision, { number: 1, changed: null, before: [], link: () => null })
  if (answer === 'stale' || answer.outcome !== 'approval_required') throw new Error('not asked')
  return answer.approvalId
}

async function review(approvalId: string, reviewer: string, verdict: Verdict = 'granted'): Promise<ReviewOutcome> {
  return desk.review({ approvalId, digest: (await desk.show(approvalId))?.digest ?? '', verdict, reason: 'because', reviewer })
}

/** One that olga and otto have granted. */
async function granted(proposal: GovernedProposal): Promise<string> {
  const approvalId = await asked(proposal)
  for (const reviewer of ['olga', 'otto']) expect(await review(approvalId, reviewer)).toMatchObject({ outcome: 'recorded' })
  return approvalId
}

/** Opens the execution with this grant, as a gate that believes in it would, whatever else is so. */
async function open(proposal: GovernedProposal, approvalId: string) {
  const known = await read(proposal)
  const body = rowOf(proposal, known, 'opened', [], { approvalId, facts })
  return store.openExecution({ body, guard: guardOf(known), leaseMs: 60_000, idempotentForMs: 60_000, approvalId })
}

const status = async (approvalId: string): Promise<ApprovalStatus | undefined> => (await reviews.show(approvalId))?.status
const isDelivered = async (approvalId: string): Promise<boolean> => (await reviews.dueDeliveries()).some((delivery) => delivery.approvalId === approvalId)
const kindsOf = async (approvalId: string): Promise<readonly string[]> =>
  (await db.pool('auditor').query<{ kind: string }>('select kind from kiff.ledger where approval_id = $1 order by seq', [approvalId])).rows.map(({ kind }) => kind)

describe('a quorum of two', () => {
  test('is not reached by one: it still waits, nothing is delivered, nothing opens', async () => {
    const proposal = await aPayout()
    const approvalId = await asked(proposal)
    await review(approvalId, 'olga')
    expect([await status(approvalId), await isDelivered(approvalId)]).toEqual(['pending', false])
    expect((await desk.pending()).find(({ request }) => request.approval_id === approvalId)?.reviews).toMatchObject([{ reviewer: 'olga', verdict: 'granted' }])
    expect(await open(again(proposal), approvalId)).toEqual({ status: 'stale' })
  })

  test('is reached by two, delivered with both their reviews, and used once', async () => {
    const proposal = await aPayout()
    const approvalId = await granted(proposal)
    expect(await status(approvalId)).toBe('granted')
    expect((await reviews.dueDeliveries()).find((delivery) => delivery.approvalId === approvalId)?.reviews).toHaveLength(2)
    expect((await read(again(proposal))).approval?.reviews).toMatchObject([{ reviewer: 'olga', permitted: true }, { reviewer: 'otto', permitted: true }])
    expect(await open(again(proposal), approvalId)).toMatchObject({ status: 'committed' })
    expect([await status(approvalId), await kindsOf(approvalId)]).toEqual(['consumed', ['approval_requested', 'reviewed', 'reviewed', 'opened']])
  })

  test('counts nobody twice, whatever they say the second time', async () => {
    const approvalId = await asked(await aPayout())
    await review(approvalId, 'olga')
    for (const verdict of ['granted', 'denied'] as const) expect(await review(approvalId, 'olga', verdict)).toMatchObject({ outcome: 'refused', reason: 'already_reviewed' })
    expect([await status(approvalId), await kindsOf(approvalId)]).toEqual(['pending', ['approval_requested', 'reviewed', 'review_refused', 'review_refused']])
  })

  test('counts a person once, though they press the button ten times at once', async () => {
    const approvalId = await asked(await aPayout())
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => review(approvalId, 'olga')))
    expect(outcomes.filter(({ outcome }) => outcome === 'recorded')).toHaveLength(1)
    expect(await status(approvalId)).toBe('pending')
  })

  test('takes no more than two, though ten people press the button at once', async () => {
    const people = Array.from({ length: 10 }, (_, index) => `person-${index}`)
    for (const person of people) await change('role_granted', person, 'reviewer')
    const approvalId = await asked(await aPayout())
    const outcomes = await Promise.all(people.map((person) => review(approvalId, person)))
    expect(outcomes.filter(({ outcome }) => outcome === 'recorded')).toHaveLength(2)
    expect((await reviews.show(approvalId))?.reviews).toHaveLength(2)
  })

  test('ends with one denial, also after a grant', async () => {
    const proposal = await aPayout()
    const approvalId = await asked(proposal)
    await review(approvalId, 'olga')
    expect(await review(approvalId, 'otto', 'denied')).toMatchObject({ outcome: 'recorded' })
    expect([await status(approvalId), await isDelivered(approvalId)]).toEqual(['denied', true])
    expect(await review(approvalId, 'rita')).toMatchObject({ outcome: 'refused', reason: 'already_reviewed' })
    expect(await open(again(proposal), approvalId)).toEqual({ status: 'stale' })
    expect((await read(again(proposal))).denied).toEqual({ reviewer: 'otto', reason: 'because' })
  })

  test('ends with one denial, also when nobody has answered before', async () => {
    const approvalId = await asked(await aPayout())
    await review(approvalId, 'otto', 'denied')
    expect([await status(approvalId), await isDelivered(approvalId)]).toEqual(['denied', true])
    expect(await review(approvalId, 'olga')).toMatchObject({ outcome: 'refused', reason: 'already_reviewed' })
  })

  test('is not reached any more when one of the two has lost the role', async () => {
    await change('role_granted', 'temp', 'reviewer')
    const proposal = await aPayout()
    const approvalId = await asked(proposal)
    await review(approvalId, 'olga')
    await review(approvalId, 'temp')
    await change('role_revoked', 'temp', 'reviewer')
    expect(await open(again(proposal), approvalId)).toEqual({ status: 'stale' })
    expect(await status(approvalId)).toBe('granted')
    await change('role_granted', 'temp', 'reviewer')
    expect(await open(again(proposal), approvalId)).toMatchObject({ status: 'committed' })
  })

  test('is not reached any more when one of the two turns out to be no person', async () => {
    await change('role_granted', 'temp-2', 'reviewer')
    const proposal = await aPayout()
    const approvalId = await asked(proposal)
    await review(approvalId, 'olga')
    await review(approvalId, 'temp-2')
    await change('role_granted', 'temp-2', 'reviewer', 'agent')
    expect(await open(again(proposal), approvalId)).toEqual({ status: 'stale' })
  })
})

describe('an actor that is known to be an agent', () => {
  test('can never review, whatever role it holds; a person with the same role can', async () => {
    await change('role_granted', 'robot', 'reviewer', 'agent')
    await change('role_granted', 'known-person', 'reviewer', 'human')
    const approvalId = await asked(await aPayout())
    for (const verdict of ['granted', 'denied'] as const) expect(await review(approvalId, 'robot', verdict)).toMatchObject({ outcome: 'refused', reason: 'permission_denied' })
    expect(await review(approvalId, 'known-person')).toMatchObject({ outcome: 'recorded' })
  })

  test('cannot revoke either', async () => {
    await change('role_granted', 'robot', 'reviewer', 'agent')
    const approvalId = await granted(await aPayout())
    expect(await desk.revoke({ approvalId, reviewer: 'robot', reason: 'x' })).toMatchObject({ outcome: 'refused', reason: 'permission_denied' })
    expect(await status(approvalId)).toBe('granted')
  })
})

describe('a revocation', () => {
  test('by any reviewer takes back a grant that is not used: it opens nothing any more', async () => {
    const proposal = await aPayout()
    const approvalId = await granted(proposal)
    expect(await desk.revoke({ approvalId, reviewer: 'rita', reason: 'the vendor called' })).toEqual({ outcome: 'revoked' })
    expect([await status(approvalId), await kindsOf(approvalId)]).toEqual(['revoked', ['approval_requested', 'reviewed', 'reviewed', 'approval_revoked']])
    expect(await open(again(proposal), approvalId)).toEqual({ status: 'stale' })
    const { rows } = await db.pool('auditor').query("select actor_id, data from kiff.audit_records where kind = 'approval_revoked' and data ->> 'approval_id' = $1", [approvalId])
    expect(rows).toEqual([{ actor_id: 'rita', data: { approval_id: approvalId, action: 'PAY_OUT', requested_by: 'bot', revoked_by: 'rita', reason: 'the vendor called' } }])
  })

  test('is delivered at once, also after long waits between deliveries', async () => {
    const approvalId = await granted(await aPayout())
    await reviews.deliveryAttempted(approvalId, 3_600_000, 'the server is away')
    expect(await isDelivered(approvalId)).toBe(false)
    await desk.revoke({ approvalId, reviewer: 'olga', reason: 'x' })
    expect(await isDelivered(approvalId)).toBe(true)
  })

  test('ends the round as revoked when the gate takes note, and is delivered until then', async () => {
    const proposal = again(await aPayout())
    const approvalId = await granted(proposal)
    await desk.revoke({ approvalId, reviewer: 'olga', reason: 'x' })
    const next = again(proposal)
    const known = await read(next)
    expect(known.approval).toMatchObject({ status: 'revoked', closed: false })
    const refusal = { outcome: 'blocked', reason: 'approval_void', message: 'revoked', nextStep: 'do_not_retry' } as const
    const close = (status: 'revoked' | 'void' | 'expired') => store.recordAnswer({ body: rowOf(again(next), known, 'refused', [], { approvalId, decision: refusal }), answer: refusal, guard: guardOf(known), closing: { approvalId, status } })
    for (const other of ['void', 'expired'] as const) await expect(close(other)).rejects.toThrow(`approval ${approvalId}`)
    expect(await close('revoked')).toMatchObject({ status: 'committed' })
    expect((await read(next)).approval).toMatchObject({ status: 'revoked', closed: true })
    expect(await isDelivered(approvalId)).toBe(false)
  })

  test('stays one when the service closes the round of a workflow that has ended', async () => {
    const approvalId = await granted(await aPayout())
    await desk.revoke({ approvalId, reviewer: 'olga', reason: 'x' })
    const row = await reviews.show(approvalId)
    if (row === undefined) throw new Error('there is no such approval')
    expect(await reviews.closeApproval(approvalBody(row.request, 'approval_expired', 'kiff', []))).toBe(false)
    expect(await reviews.closeApproval(approvalBody(row.request, 'approval_withdrawn', 'kiff', []))).toBe(true)
    expect(await status(approvalId)).toBe('revoked')
  })

  test.each([
    ['someone without the permission', 'bot', null, 'clerk', 'permission_denied'],
    ['nobody', 'bot', null, '', 'permission_denied'],
    ['who asked, though they may review', 'bot-2', null, 'bot-2', 'self_review'],
    ['the one for whom it was asked, though they may review', 'bot', 'ada', 'ada', 'self_review'],
  ])('by %s is refused, and recorded', async (_, actor, onBehalfOf, reviewer, reason) => {
    const approvalId = await granted(await aPayout(actor, onBehalfOf))
    expect(await desk.revoke({ approvalId, reviewer, reason: 'x' })).toMatchObject({ outcome: 'refused', reason })
    expect([await status(approvalId), (await kindsOf(approvalId)).at(-1)]).toEqual(['granted', 'review_refused'])
  })

  test.each<[string, (approvalId: string, proposal: GovernedProposal) => Promise<unknown>]>([
    ['used', (approvalId, proposal) => open(again(proposal), approvalId)],
    ['revoked', (approvalId) => desk.revoke({ approvalId, reviewer: 'olga', reason: 'x' })],
  ])('of what has been %s is refused', async (_, before) => {
    const proposal = await aPayout()
    const approvalId = await granted(proposal)
    await before(approvalId, proposal)
    const then = await status(approvalId)
    expect(await desk.revoke({ approvalId, reviewer: 'rita', reason: 'x' })).toMatchObject({ outcome: 'refused', reason: 'closed' })
    expect(await status(approvalId)).toBe(then)
  })

  test.each<[ApprovalStatus, (approvalId: string) => Promise<unknown>]>([
    ['pending', async () => {}],
    ['pending', (approvalId) => review(approvalId, 'otto')],
    ['denied', (approvalId) => review(approvalId, 'otto', 'denied')],
  ])('of what is %s is refused', async (then, before) => {
    const approvalId = await asked(await aPayout())
    await before(approvalId)
    expect(await desk.revoke({ approvalId, reviewer: 'rita', reason: 'x' })).toMatchObject({ outcome: 'refused', reason: 'closed' })
    expect(await status(approvalId)).toBe(then)
  })

  test('of an approval that does not exist is refused, and leaves no trace', async () => {
    expect(await desk.revoke({ approvalId: randomUUID(), reviewer: 'olga', reason: 'x' })).toMatchObject({ outcome: 'refused', reason: 'not_found' })
    expect(await desk.revoke({ approvalId: 'no-uuid', reviewer: 'olga', reason: 'x' })).toMatchObject({ outcome: 'refused', reason: 'not_found' })
  })

  test('against the use of the grant, at the same moment: one of them wins, never both', async () => {
    for (let round = 0; round < 5; round++) {
      const proposal = await aPayout()
      const approvalId = await granted(proposal)
      const [opened, revoked] = await Promise.all([open(again(proposal), approvalId), desk.revoke({ approvalId, reviewer: 'olga', reason: 'x' })])
      expect([opened.status, await status(approvalId)]).toEqual(revoked.outcome === 'revoked' ? ['stale', 'revoked'] : ['committed', 'consumed'])
    }
  })
})
