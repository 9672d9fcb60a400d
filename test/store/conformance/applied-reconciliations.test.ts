/** How the gate ends an execution as a person has said, what it does not believe, and what of a late end of the attempt itself. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256 } from '../../../src/core/digest.ts'
import type { Domain } from '../../../src/core/domain.ts'
import type { DueReconciliation } from '../../../src/core/store.ts'
import { applyReconciliations } from '../../../src/gate/reconcile.ts'
import { createReconciliationVerifier, createReviewVerifier } from '../../../src/temporal/verify-review.ts'
import { aReconciled, aRejected, chainOf, contradict, dueOf, kindsOf, notHappened, rejectedAs, shown } from '../a-doubt.ts'
import { ledgers } from '../a-domain.ts'
import { again, aProposal, lastRow, leaseOf, noted, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

const apply = () => applyReconciliations(it.store, it.reconciling)
const answer = { outcome: 'allowed', output: {}, summary: 's' } as const
const row = (due: DueReconciliation, over: object) => JSON.stringify({ ...due.opened, kind: 'executed', audit: [], output: { ok: true }, causation_id: due.record, ...over })

describe('the gate applies', () => {
  test('it happened: the event is folded, the entity free, the answer kept', async () => {
    const proposal = await it.inDoubt()
    await it.reconcile(proposal, 'olga')
    await apply()
    expect(await it.facts(again(proposal))).toMatchObject({ holder: null, execution: { status: 'succeeded', completionRejected: null }, executed: { outcome: 'allowed', output: { ok: true }, summary: 'Call: hello' }, state: { version: 2 } })
    expect(await lastRow(it, proposal.request.entityId)).toMatchObject({
      kind: 'executed', run_id: proposal.step.runId, activity_id: '1', actor: 'bot-1', causation_id: `${chainOf(proposal)}#4`, output: { ok: true }, proposal_digest: proposal.proposalDigest,
      events: [{ type: 'NOTED', payload: { note: 'hello' }, from: 'OPEN', to: 'OPEN' }],
    })
    expect(await it.open(aProposal(proposal.request.entityId))).toMatchObject({ status: 'committed' })
    expect(await shown(it, proposal)).toMatchObject({ status: 'succeeded', waiting: false })
  })

  test('it happened, also where the completion had been rejected', async () => {
    const proposal = await aRejected(it)
    expect(await shown(it, proposal)).toMatchObject({ status: 'completion_rejected', request: { doubt: 'completion_rejected' } })
    await it.reconcile(proposal, 'olga')
    await apply()
    expect(await it.facts(again(proposal))).toMatchObject({ holder: null, executed: { outcome: 'allowed', output: { ok: true } }, state: { version: 2 } })
  })

  test('it did not: the attempt has failed, and the next is another', async () => {
    const proposal = await it.inDoubt()
    await it.reconcile(proposal, 'olga', notHappened)
    await apply()
    expect(await it.facts(again(proposal))).toMatchObject({ holder: null, execution: { status: 'failed' }, executed: null, state: { version: 1 } })
    expect(await lastRow(it, proposal.request.entityId)).toMatchObject({ kind: 'failed', decision: { reason: 'execution_failed' }, causation_id: `${chainOf(proposal)}#4` })
    expect(await it.open(again(proposal))).toMatchObject({ status: 'committed', ordinal: 2 })
  })

  test('it did not, also where the completion had been rejected', async () => {
    const proposal = await aRejected(it)
    await it.reconcile(proposal, 'olga', notHappened)
    await apply()
    expect(await it.facts(again(proposal))).toMatchObject({ holder: null, execution: { status: 'failed', completionRejected: null } })
  })

  test('each answer once', async () => {
    const proposal = await it.inDoubt()
    await it.reconcile(proposal, 'olga')
    await apply()
    await apply()
    expect((await kindsOf(it, proposal)).filter((kind) => kind === 'executed')).toHaveLength(1)
  })

  test('nothing where the output is not what the contract takes: it says why, once, and a person answers anew', async () => {
    const proposal = await it.inDoubt()
    await it.reconcile(proposal, 'olga', { output: { ok: false } })
    await apply()
    await apply()
    expect(await it.facts(again(proposal))).toMatchObject({ holder: { status: 'in_doubt' }, state: { version: 1 } })
    expect(await shown(it, proposal)).toMatchObject({ waiting: false, rejected: expect.stringContaining('output.ok') })
    expect((await kindsOf(it, proposal)).filter((kind) => kind === 'reconciliation_rejected')).toHaveLength(1)
    expect(await it.reconcile(proposal, 'otto')).toMatchObject({ outcome: 'recorded' })
    expect(await shown(it, proposal)).toMatchObject({ waiting: true, rejected: null, reconciliations: [{ round: 1 }, { round: 2, reviewer: 'otto' }] })
    await apply()
    expect((await it.facts(again(proposal))).executed).toMatchObject({ output: { ok: true } })
  })

  test('nothing that the schema would fill in: what is recorded is what was signed', async () => {
    const proposal = await it.inDoubt({ action: 'FILL' })
    await it.reconcile(proposal, 'olga', { output: {} })
    await apply()
    expect((await shown(it, proposal))?.rejected).toContain('nothing is changed silently')
    await it.reconcile(proposal, 'olga', { output: { ok: false } })
    await apply()
    expect((await it.facts(again(proposal))).executed).toMatchObject({ output: { ok: false } })
  })

  test('nothing that is signed by another key', async () => {
    const proposal = await it.inDoubt()
    await it.reconcile(proposal, 'olga')
    await applyReconciliations(it.store, { ...it.reconciling, verify: async () => null })
    expect((await it.facts(again(proposal))).holder?.status).toBe('in_doubt')
    expect(await shown(it, proposal)).toMatchObject({ waiting: false, rejected: 'it is not signed by a key that this gate trusts' })
  })

  test.each(['an approval', 'another purpose', 'another execution', 'another attempt', 'another text', 'somebody else', 'another verdict'])('nothing that is signed for %s', async (what) => {
    const proposal = await it.inDoubt()
    const digest = (await shown(it, proposal))?.digest ?? ''
    const common = { digest, reviewer: 'olga', reason: 'x', reviewed_at: '2026-01-01T00:00:00.000Z' }
    const right = { ...common, purpose: 'reconcile', execution_key: proposal.executionKey, ordinal: 1, verdict: 'not_happened' } as const
    const other = {
      'an approval': { ...common, purpose: 'approval', approval_id: 'a', verdict: 'granted' }, 'another execution': { ...right, execution_key: '0'.repeat(64) },
      'another purpose': { ...right, purpose: 'approval' } as never, 'somebody else': { ...right, reviewer: 'otto' }, 'another verdict': { ...right, verdict: 'happened', output: { ok: true } },
      'another attempt': { ...right, ordinal: 2 }, 'another text': { ...right, digest: '0'.repeat(64) },
    } as const
    const jws = await it.sign(other[what as keyof typeof other])
    expect(await it.reviews.recordReconciliation(aReconciled(proposal, { ...right, jws_sha256: sha256(jws) }), jws)).toMatchObject({ status: 'committed' })
    await apply()
    expect((await it.facts(again(proposal))).holder?.status).toBe('in_doubt')
    expect((await shown(it, proposal))?.rejected).toMatch(/signed/)
  })

  test('nothing that whoever signed it may say no longer', async () => {
    await it.grant('petra', 'reviewer')
    const proposal = await it.inDoubt()
    await it.reconcile(proposal, 'petra')
    await it.revoke('petra', 'reviewer')
    await apply()
    expect((await it.facts(again(proposal))).holder?.status).toBe('in_doubt')
    expect((await shown(it, proposal))?.rejected).toBe('whoever signed may no longer')
  })

  test('nothing by a contract it does not have: another worker\'s business, unless it did not happen', async () => {
    const { bound, verify } = it.reconciling
    const domain: Domain = { ...ledgers, actions: { ...ledgers.actions, CALL: { ...ledgers.actions.CALL, version: 2 } } }
    const changed = { bound: { ...bound, domain }, verify }
    const [did, didNot] = [await it.inDoubt(), await it.inDoubt()]
    await it.reconcile(did, 'olga')
    await it.reconcile(didNot, 'olga', notHappened)
    await applyReconciliations(it.store, changed)
    expect(await shown(it, did)).toMatchObject({ waiting: true, rejected: null })
    expect(await shown(it, didNot)).toMatchObject({ status: 'failed' })
    await apply()
    expect(await shown(it, did)).toMatchObject({ status: 'succeeded' })
  })
})

describe('the gate does not believe the store', () => {
  test('about what was opened', async () => {
    expect(await rejectedAs(it, async ({ opened }) => ({ opened: { ...opened, params: { note: 'more' } } }))).toBe('it is signed for something else')
    expect(await rejectedAs(it, async ({ opened }) => ({ opened: { ...opened, facts: { balance: 1 } } }))).toBe('it is signed for something else')
  })

  test('that whoever proposed it may say so', async () => {
    expect(await rejectedAs(it, async ({ executionKey, request }) => {
      const said = { purpose: 'reconcile', execution_key: executionKey, ordinal: 1, digest: sha256(request), verdict: 'happened', output: { ok: true }, reviewer: 'bot-1', reason: 'x', reviewed_at: 'now' } as const
      return { reviewer: 'bot-1', jws: await it.sign(said) }
    })).toBe('whoever proposed it has signed it')
  })
})

test('a signed reconciliation is no review, nor a review a reconciliation, whatever else they say', async () => {
  const common = { digest: '0'.repeat(64), reviewer: 'olga', reason: 'x', reviewed_at: 'now' }
  const review = { ...common, purpose: 'approval', approval_id: 'a', verdict: 'granted' } as const
  const reconciliation = { ...common, purpose: 'reconcile', execution_key: 'k', ordinal: 1, verdict: 'not_happened' } as const
  const verifiers = [createReviewVerifier(it.publicKeys), createReconciliationVerifier(it.publicKeys)] as const
  const verdicts = async (signed: Parameters<AnyStore['sign']>[0]) => Promise.all(verifiers.map(async (verify) => (await verify(await it.sign(signed))) !== null))
  expect(await verdicts(review)).toEqual([true, false])
  expect(await verdicts(reconciliation)).toEqual([false, true])
  expect(await verdicts({ ...review, purpose: 'reconcile' } as never)).toEqual([false, false])
  expect(await verdicts({ ...reconciliation, purpose: 'approval' } as never)).toEqual([false, false])
})

describe('the store does not believe the gate', () => {
  test.each([{ output: { ok: 'otherwise' } }, { output: undefined }, { causation_id: 'ledgers/Account/x#1' }, { params: { note: 'more' } }, { actor: 'bot-2' }, { contract: '0'.repeat(64) }, { kind: 'failed' }])('with a row that is not what was opened and signed: %j', async (over) => {
    const proposal = await it.inDoubt()
    await it.reconcile(proposal, 'olga')
    const due = await dueOf(it, proposal)
    const before = await it.ledgerLength()
    await expect(it.store.applyReconciliation({ ...due, body: row(due, over), answer })).rejects.toMatchObject({ code: '23514' })
    expect(await it.ledgerLength()).toBe(before)
  })

  test('that it happened, where a person says that it did not', async () => {
    const proposal = await it.inDoubt()
    await it.reconcile(proposal, 'olga', notHappened)
    const due = await dueOf(it, proposal)
    await expect(it.store.applyReconciliation({ ...due, body: row(due, { output: undefined }), answer })).rejects.toMatchObject({ code: '23514' })
  })

  test('without a reconciliation that waits, or for another round', async () => {
    const proposal = await it.inDoubt()
    await it.reconcile(proposal, 'olga')
    const due = await dueOf(it, proposal)
    expect(await it.store.applyReconciliation({ ...due, round: 2, body: row(due, {}), answer })).toEqual({ status: 'stale' })
    await it.store.rejectReconciliation({ ...due, body: row(due, { kind: 'reconciliation_rejected' }), why: 'x' })
    expect(await it.store.applyReconciliation({ ...due, body: row(due, {}), answer })).toEqual({ status: 'stale' })
    expect(await it.store.rejectReconciliation({ ...due, body: row(due, { kind: 'reconciliation_rejected' }), why: 'x' })).toEqual({ status: 'stale' })
  })

  test('and nobody repairs a rejected completion without one', async () => {
    const proposal = await aRejected(it)
    expect(await it.complete(again(proposal))).toMatchObject({ status: 'repeat' })
    expect((await it.facts(proposal)).holder?.completionRejected).toBe('not what it should be')
  })
})

describe('a late end of the attempt itself', () => {
  test('before the gate has applied the answer: it is believed, and the answer moot', async () => {
    const proposal = await it.inDoubt()
    await it.reconcile(proposal, 'olga', notHappened)
    expect(await it.complete(proposal, { status: 'succeeded', ordinal: 1 })).toMatchObject({ status: 'committed' })
    await apply()
    expect(await it.facts(again(proposal))).toMatchObject({ holder: null, execution: { status: 'succeeded' }, state: { version: 2 } })
    expect(await shown(it, proposal)).toMatchObject({ status: 'succeeded', waiting: false, rejected: 'it is no longer what was signed' })
  })

  test('that cannot be accepted asks again: it is no longer what was signed', async () => {
    const proposal = await it.inDoubt()
    const digest = (await shown(it, proposal))?.digest
    await it.reconcile(proposal, 'olga')
    await it.complete(proposal, { status: 'rejected', why: 'late and wrong', ordinal: 1 })
    await apply()
    expect(await shown(it, proposal)).toMatchObject({ status: 'completion_rejected', waiting: false, rejected: 'it is no longer what was signed' })
    expect((await shown(it, proposal))?.digest).not.toBe(digest)
  })

  test('after a person\'s "it did not": contradicts it, and nobody knows again', async () => {
    const proposal = await it.inDoubt()
    await it.reconcile(proposal, 'olga', notHappened)
    await apply()
    expect(await it.complete(proposal, { status: 'succeeded', ordinal: 1 })).toEqual({ status: 'contradicted' })
    expect(await contradict(it, proposal)).toMatchObject({ status: 'committed' })
    expect((await it.facts(again(proposal))).holder?.status).toBe('in_doubt')
    expect(await shown(it, proposal)).toMatchObject({ status: 'in_doubt', contradicted: true, request: { why: 'it came back' } })
    await it.reconcile(proposal, 'otto')
    await apply()
    expect(await it.facts(again(proposal))).toMatchObject({ holder: null, executed: { output: { ok: true } }, state: { version: 2 } })
  })

  test('is never taken for that of the next attempt, and holds nothing then', async () => {
    const proposal = await it.inDoubt()
    await it.reconcile(proposal, 'olga', notHappened)
    await apply()
    await it.open(again(proposal))
    expect(await it.complete(proposal, { status: 'succeeded', ordinal: 1 })).toEqual({ status: 'contradicted' })
    expect((await it.facts(proposal)).execution).toMatchObject({ ordinal: 2, status: 'reserved' })
    await contradict(it, proposal)
    expect(await contradict(it, proposal)).toEqual({ status: 'stale' })
    expect((await it.facts(proposal)).holder).toMatchObject({ ordinal: 2 })
    expect(await it.reviews.inDoubt()).toContainEqual(expect.objectContaining({ execution_key: proposal.executionKey, ordinal: 1, status: 'contradicted' }))
    expect(await it.complete(again(proposal), { status: 'succeeded', ordinal: 2 })).toMatchObject({ status: 'committed' })
  })

  test('holds nothing either where the entity has moved since', async () => {
    const proposal = await it.inDoubt()
    await it.reconcile(proposal, 'olga', notHappened)
    await apply()
    await it.pure(aProposal(proposal.request.entityId, { action: 'NOTE' }))
    await contradict(it, proposal)
    expect((await it.facts(again(proposal))).holder).toBeNull()
  })

  test('ends the use of its key: it happened, so nothing is opened under it again', async () => {
    const proposal = await it.inDoubt()
    await it.reconcile(proposal, 'olga', notHappened)
    await apply()
    await it.pure(aProposal(proposal.request.entityId, { action: 'NOTE' }))
    expect((await it.facts(again(proposal))).execution).toMatchObject({ status: 'failed', contradicted: false })
    await contradict(it, proposal)
    expect((await it.facts(again(proposal))).execution).toMatchObject({ status: 'failed', contradicted: true })
    expect(await it.open(again(proposal))).toEqual({ status: 'stale' })
    expect(await it.pure({ ...again(proposal), executionKey: proposal.executionKey })).toEqual({ status: 'stale' })
  })

  test('while the next attempt is open: that one is not taken up again', async () => {
    const proposal = await it.inDoubt()
    await it.reconcile(proposal, 'olga', notHappened)
    await apply()
    const { token } = leaseOf(await it.open(again(proposal), { idempotentForMs: 3_600_000 }))
    await it.store.yieldLease(proposal.executionKey, token)
    await contradict(it, proposal)
    expect(await it.resume(proposal)).toEqual({ status: 'stale' })
  })

  test('is told once, and only of what is on record as not done', async () => {
    const proposal = await it.inDoubt()
    expect(await contradict(it, proposal)).toEqual({ status: 'stale' })
    await it.reconcile(proposal, 'olga', notHappened)
    expect(await contradict(it, proposal)).toEqual({ status: 'stale' })
    await apply()
    await contradict(it, proposal)
    expect(await contradict(it, proposal)).toEqual({ status: 'stale' })
    const failed = aProposal(await it.anAccount())
    const { token } = leaseOf(await it.open(failed))
    await it.complete(failed, { status: 'failed', token })
    expect(await it.complete(failed, { status: 'succeeded', ordinal: 1 }, [noted(failed)])).toEqual({ status: 'contradicted' })
    expect(await contradict(it, failed)).toMatchObject({ status: 'committed' })
    expect(await contradict(it, failed)).toEqual({ status: 'stale' })
  })
})
