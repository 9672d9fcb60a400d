/** More than one attempt under a key, and more than one execution: what is meant for one is never taken for the other. */
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256 } from '../../../src/core/digest.ts'
import { contractHash } from '../../../src/core/contract-hash.ts'
import { applyReconciliations } from '../../../src/gate/reconcile.ts'
import { rowOf, type GovernedProposal } from '../../../src/gate/proposal.ts'
import { aReconciled, contradict, dueOf, notHappened, shown } from '../a-doubt.ts'
import { ledgers } from '../a-domain.ts'
import { again, aProposal, blocked, leaseOf, noted, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

const apply = () => applyReconciliations(it.store, it.reconciling)

async function anOverdue(): Promise<{ readonly proposal: GovernedProposal; readonly token: string }> {
  const proposal = aProposal(await it.anAccount(), { action: 'SEND' })
  const { token } = leaseOf(await it.open(proposal, { idempotentForMs: 3_600_000 }))
  await it.later({ lease: proposal.executionKey })
  return { proposal, token }
}

/** Its first attempt did not happen, as a person has found out. */
async function notDone(): Promise<GovernedProposal> {
  const proposal = await it.inDoubt()
  await it.reconcile(proposal, 'olga', notHappened)
  await apply()
  return proposal
}

/** Its second attempt is in doubt. */
async function doubtedAgain(): Promise<GovernedProposal> {
  const proposal = await notDone()
  const { token } = leaseOf(await it.open(again(proposal)))
  await it.doubt(again(proposal), token)
  return proposal
}

const shownOf = ({ executionKey }: GovernedProposal, ordinal: number) => it.reviews.showInDoubt(executionKey, ordinal)

describe('taking up', () => {
  test('by another key takes nothing up', async () => {
    const { proposal } = await anOverdue()
    expect(await it.resume(proposal, 'another')).toEqual({ status: 'stale' })
  })

  test('what is in doubt is refused', async () => {
    const { proposal } = await anOverdue()
    await it.doubt(proposal)
    expect(await it.resume(proposal)).toEqual({ status: 'stale' })
  })

  test('leaves whoever held it before unbelieved', async () => {
    const { proposal, token } = await anOverdue()
    await it.resume(proposal)
    expect(await it.complete(again(proposal), { status: 'failed', token })).toEqual({ status: 'stale' })
  })
})

test('a doubt by another key doubts nothing', async () => {
  const { proposal } = await anOverdue()
  const body = rowOf(proposal, await it.facts(proposal), 'in_doubt', [])
  expect(await it.store.markInDoubt({ body, executionKey: 'another', token: null })).toEqual({ status: 'stale' })
  expect((await it.facts(proposal)).execution?.status).toBe('reserved')
})

describe('an end', () => {
  test('that says of no attempt is of the newest', async () => {
    const proposal = aProposal(await it.anAccount())
    const { token } = leaseOf(await it.open(proposal))
    await it.complete(proposal, { status: 'failed', token })
    await it.open(again(proposal))
    expect(await it.complete(again(proposal))).toMatchObject({ status: 'committed' })
  })

  test('of one key is of no other', async () => {
    const [proposal, other] = [aProposal(await it.anAccount()), aProposal(await it.anAccount())]
    await it.open(proposal)
    await it.open(other)
    await it.complete(other)
    await it.complete(proposal)
    expect(await Promise.all([proposal, other].map(async (each) => (await it.facts(again(each))).execution?.status))).toEqual(['succeeded', 'succeeded'])
  })

  test('in a call that was answered already is recorded: the effect has happened', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    await it.store.recordAnswer({ body: rowOf(proposal, await it.facts(proposal), 'repeated', []), answer: blocked, guard: null })
    expect(await it.complete(proposal)).toMatchObject({ status: 'committed' })
  })

  test('leaves the attempts before as they ended', async () => {
    const proposal = await notDone()
    await it.open(again(proposal))
    expect(await it.complete(again(proposal))).toMatchObject({ status: 'committed' })
    expect((await shownOf(proposal, 1))?.status).toBe('failed')
  })

  test('by the contract of another action emits nothing', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    await expect(it.complete({ ...proposal, contractHash: contractHash('ledgers', 'NOTE', ledgers.actions.NOTE) })).rejects.toMatchObject({ code: '23514' })
  })
})

describe('a person\'s answer', () => {
  test('to the second attempt is not to the first', async () => {
    const proposal = await doubtedAgain()
    expect(await it.reconcile(proposal, 'olga', { ordinal: 2, digest: (await shownOf(proposal, 2))?.digest ?? '' })).toMatchObject({ outcome: 'recorded' })
    expect([await shownOf(proposal, 1), await shownOf(proposal, 2)]).toMatchObject([{ waiting: false, status: 'failed' }, { waiting: true, status: 'in_doubt' }])
  })

  test('to the second attempt, applied, leaves the first as it ended', async () => {
    const proposal = await doubtedAgain()
    await it.reconcile(proposal, 'olga', { ordinal: 2, digest: (await shownOf(proposal, 2))?.digest ?? '' })
    await apply()
    expect([await shownOf(proposal, 1), await shownOf(proposal, 2)]).toMatchObject([{ status: 'failed' }, { status: 'succeeded' }])
  })

  test('is asked for over the attempt, and the execution, that was asked for', async () => {
    const [proposal, other] = [await doubtedAgain(), await it.inDoubt()]
    expect((await shownOf(proposal, 1))?.request.ordinal).toBe(1)
    expect((await shownOf(proposal, 2))?.request.ordinal).toBe(2)
    expect((await shownOf(other, 1))?.request.execution_key).toBe(other.executionKey)
  })

  test.each([
    'namespace', 'workflow_id', 'first_execution_run_id', 'domain', 'contract', 'entity_type', 'entity_id', 'action', 'params', 'actor', 'on_behalf_of', 'execution_key', 'proposal_digest',
  ])('is applied by no row with another %s than was opened', async (field) => {
    const proposal = await it.inDoubt()
    await it.reconcile(proposal, 'olga', notHappened)
    const due = await dueOf(it, proposal)
    const body = JSON.stringify({ ...due.opened, kind: 'failed', audit: [], causation_id: due.record, [field]: 'another' })
    await expect(it.store.applyReconciliation({ ...due, body, answer: blocked })).rejects.toMatchObject({ code: '23514' })
  })

  test('is due alone, whatever was answered before', async () => {
    const proposal = await it.inDoubt()
    await it.reconcile(proposal, 'olga', { output: { ok: false } })
    await apply()
    await it.reconcile(proposal, 'otto')
    const due = (await it.store.dueReconciliations('ledgers')).filter(({ executionKey }) => executionKey === proposal.executionKey)
    expect(due.map(({ round, reviewer }) => [round, reviewer])).toEqual([[2, 'otto']])
    await apply()
  })

  test('to what there is not is refused, and leaves no trace', async () => {
    const proposal = await it.inDoubt()
    const said = { execution_key: '0'.repeat(64), ordinal: 1, digest: (await shown(it, proposal))?.digest ?? '', verdict: 'not_happened', reviewer: 'olga', reason: 'x', jws_sha256: sha256('j.w.s') }
    const before = await it.ledgerLength()
    expect(await it.reviews.recordReconciliation(aReconciled(proposal, said), 'j.w.s')).toEqual({ status: 'refused', reason: 'not_found' })
    await it.reviews.recordRefusedReconciliation(JSON.stringify({ ...(JSON.parse(aReconciled(proposal, said)) as object), kind: 'reconciliation_refused', audit: [] }))
    expect(await it.ledgerLength()).toBe(before)
  })

  test('that it did not happen folds nothing, whatever the row says', async () => {
    const proposal = await it.inDoubt()
    await it.reconcile(proposal, 'olga', notHappened)
    const due = await dueOf(it, proposal)
    const body = JSON.stringify({ ...due.opened, kind: 'failed', audit: [], causation_id: due.record, events: [noted(proposal)] })
    expect(await it.store.applyReconciliation({ ...due, body, answer: blocked })).toMatchObject({ status: 'committed' })
    expect((await it.facts(again(proposal))).state?.version).toBe(1)
  })
})

describe('a late success', () => {
  test('of an attempt that a person has not spoken of contradicts its own executor', async () => {
    const proposal = await notDone()
    const { token } = leaseOf(await it.open(again(proposal)))
    await it.complete(again(proposal), { status: 'failed', token })
    expect(await it.complete(again(proposal), { status: 'succeeded', ordinal: 2 })).toEqual({ status: 'contradicted' })
    const body = rowOf(proposal, await it.facts(proposal), 'contradicted', [])
    expect(await it.store.recordContradiction({ body, executionKey: proposal.executionKey, ordinal: 2 })).toMatchObject({ status: 'committed' })
    expect((await it.facts(again(proposal))).execution).toMatchObject({ ordinal: 2, status: 'in_doubt' })
  })

  test('holds nothing where another action holds the entity', async () => {
    const proposal = await notDone()
    const other = aProposal(proposal.request.entityId)
    await it.open(other)
    expect(await contradict(it, proposal)).toMatchObject({ status: 'committed' })
    expect((await it.facts(again(proposal))).holder).toMatchObject({ executionKey: other.executionKey })
  })

  test('holds nothing where the next attempt has ended', async () => {
    const proposal = await notDone()
    const { token } = leaseOf(await it.open(again(proposal)))
    await it.complete(again(proposal), { status: 'failed', token })
    expect(await contradict(it, proposal)).toMatchObject({ status: 'committed' })
    expect((await it.facts(again(proposal))).holder).toBeNull()
  })

  test('keeps no other key from being opened', async () => {
    const proposal = await notDone()
    await it.pure(aProposal(proposal.request.entityId, { action: 'NOTE' }))
    await contradict(it, proposal)
    expect(await it.open(aProposal(proposal.request.entityId))).toMatchObject({ status: 'committed' })
  })

  test('does nothing under its key any more, also without an effect', async () => {
    const proposal = await notDone()
    await it.pure(aProposal(proposal.request.entityId, { action: 'NOTE' }))
    await contradict(it, proposal)
    expect(await it.pure({ ...aProposal(proposal.request.entityId, { action: 'NOTE' }), executionKey: proposal.executionKey })).toEqual({ status: 'stale' })
  })
})

describe('an execution', () => {
  test('is known to have been begun by the call that has', async () => {
    const proposal = aProposal(await it.anAccount())
    expect((await it.facts(proposal)).begun).toBe(false)
    await it.open(proposal)
    expect((await it.facts(proposal)).begun).toBe(true)
    expect((await it.facts(again(proposal))).begun).toBe(false)
    expect((await it.facts({ ...proposal, step: { ...proposal.step, runId: 'another' } })).begun).toBe(false)
    expect((await it.facts({ ...proposal, step: { ...proposal.step, namespace: 'another' } })).begun).toBe(false)
  })

  test('is known by its age', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    const first = (await it.facts(proposal)).execution?.openedAgoMs ?? -1
    await pause(30)
    const later = (await it.facts(proposal)).execution?.openedAgoMs ?? -1
    expect(first).toBeGreaterThanOrEqual(0)
    expect(later - first).toBeGreaterThanOrEqual(25)
  })

  test('is not known by the grant of the attempt before', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'MAY_ASK' })
    const approvalId = await it.granted(proposal)
    const { token } = leaseOf(await it.open(again(proposal), { approvalId }))
    expect((await it.facts(proposal)).execution?.grant).toBe(approvalId)
    await it.complete(again(proposal), { status: 'failed', token })
    await it.open(again(again(proposal)))
    expect((await it.facts(proposal)).execution).toMatchObject({ ordinal: 2, grant: null })
  })
})
