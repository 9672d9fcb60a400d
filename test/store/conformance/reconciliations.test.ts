/** What a person has found out about an execution whose outcome nobody knew: who may say so, and what it is over. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256 } from '../../../src/core/digest.ts'
import { guardOf, rowOf } from '../../../src/gate/proposal.ts'
import { aReconciled, chainOf, dueOf, notHappened, shown } from '../a-doubt.ts'
import { again, aProposal, lastRow, leaseOf, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

const recorded = { outcome: 'recorded' }
const refusedAs = (reason: string) => ({ outcome: 'refused', reason })

describe('what a person is shown', () => {
  test('is what was opened, by whom, and since when nobody knows', async () => {
    const proposal = await it.inDoubt({ note: 'pay' })
    const row = await shown(it, proposal)
    expect(row?.request).toMatchObject({
      format: 1, namespace: 'default', workflow_id: proposal.step.workflowId, first_execution_run_id: proposal.step.firstExecutionRunId, domain: 'ledgers', contract: proposal.contractHash,
      entity_type: 'Account', entity_id: proposal.request.entityId, state: { value: 'OPEN', version: 1 }, action: 'CALL', params: { note: 'pay' }, facts: {}, actor: 'bot-1', on_behalf_of: null,
      execution_key: proposal.executionKey, ordinal: 1, opened: `${chainOf(proposal)}#2`, doubt: 'in_doubt', returned: null, reconcilers: 'accounts.review', summary: null,
    })
    expect(row).toMatchObject({ status: 'in_doubt', waiting: false, rejected: null, contradicted: false, reconciliations: [] })
    expect(await it.reviews.inDoubt()).toContainEqual(expect.objectContaining({ execution_key: proposal.executionKey, ordinal: 1, status: 'in_doubt', waiting: false }))
  })

  test('says for whom, by which facts, and when its own row was written', async () => {
    const account = await it.anAccount()
    await it.inDoubt()
    const proposal = aProposal(account)
    const behalf = { ...proposal, authority: { ...proposal.authority, onBehalfOf: 'anna' } }
    const facts = await it.facts(behalf)
    const { token } = leaseOf(await it.store.openExecution({ body: rowOf(behalf, facts, 'opened', [], { facts: { balance: 7 } }), guard: guardOf(facts), leaseMs: 60_000, idempotentForMs: null, approvalId: null }))
    await it.doubt(behalf, token)
    const opened = (await it.ledger()).find(({ chain, seq }) => chain === chainOf(proposal) && seq === 2)
    expect((await shown(it, proposal))?.request).toMatchObject({ on_behalf_of: 'anna', facts: { balance: 7 }, opened_at: opened?.at.replace(/\d{3}Z$/, 'Z') })
  })

  test('is nothing of an execution that is not in doubt', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    expect(await shown(it, proposal)).toBeUndefined()
    expect(await it.reviews.showInDoubt('0'.repeat(64), 1)).toBeUndefined()
  })
})

describe('an answer', () => {
  test('is recorded with its signature\'s hash, and changes nothing by itself', async () => {
    const proposal = await it.inDoubt()
    const digest = (await shown(it, proposal))?.digest
    expect(await it.reconcile(proposal, 'olga')).toEqual({ outcome: 'recorded', verdict: 'happened' })
    const { jws } = await dueOf(it, proposal)
    expect(await lastRow(it, proposal.request.entityId)).toMatchObject({
      kind: 'reconciled', actor: 'olga', execution_key: proposal.executionKey,
      review: { purpose: 'reconcile', execution_key: proposal.executionKey, ordinal: 1, digest, verdict: 'happened', output: { ok: true }, reviewer: 'olga', reason: 'looked it up', jws_sha256: sha256(jws) },
    })
    expect((await it.facts(again(proposal))).holder?.status).toBe('in_doubt')
    expect(await shown(it, proposal)).toMatchObject({ waiting: true, reconciliations: [{ round: 1, verdict: 'happened', reviewer: 'olga', output: { ok: true } }] })
  })

  test('counts once', async () => {
    const proposal = await it.inDoubt()
    await it.reconcile(proposal, 'olga')
    expect(await it.reconcile(proposal, 'otto', notHappened)).toMatchObject(refusedAs('already_reconciled'))
    expect((await shown(it, proposal))?.reconciliations).toHaveLength(1)
  })

  test('is not for the one who proposed it, nor for whoever they act for', async () => {
    await it.grant('bot-2', 'reviewer')
    const own = await it.inDoubt({ actor: 'bot-2' })
    expect(await it.reconcile(own, 'bot-2')).toMatchObject(refusedAs('self_review'))
    const proposal = aProposal(await it.anAccount())
    const behalf = { ...proposal, authority: { ...proposal.authority, onBehalfOf: 'olga' } }
    const { token } = leaseOf(await it.open(behalf))
    await it.doubt(behalf, token)
    expect(await it.reconcile(behalf, 'olga')).toMatchObject(refusedAs('self_review'))
    expect(await it.reconcile(behalf, 'otto')).toMatchObject(recorded)
  })

  test('is not for whoever lacks the permission, nor for what is known to be no person', async () => {
    const proposal = await it.inDoubt()
    expect(await it.reconcile(proposal, 'shop')).toMatchObject(refusedAs('permission_denied'))
    await it.change({ kind: 'role_granted', domain: 'ledgers', actor: 'robot', role: 'reviewer', by: 'test', actorType: 'agent' })
    expect(await it.reconcile(proposal, 'robot')).toMatchObject(refusedAs('permission_denied'))
  })

  test('is for nobody where the contract names no one', async () => {
    const proposal = await it.inDoubt({ action: 'NOTE' })
    expect(await it.reconcile(proposal, 'olga')).toMatchObject(refusedAs('permission_denied'))
  })

  test('is over exactly what was shown', async () => {
    const proposal = await it.inDoubt()
    const other = (await shown(it, await it.inDoubt()))?.digest ?? ''
    expect(await it.reconcile(proposal, 'olga', { digest: other })).toMatchObject(refusedAs('closed'))
    // The store recomputes it: also when whoever asks does not.
    const said = { execution_key: proposal.executionKey, ordinal: 1, digest: other, verdict: 'not_happened', reviewer: 'olga', reason: 'x', jws_sha256: sha256('j.w.s') }
    expect(await it.reviews.recordReconciliation(aReconciled(proposal, said), 'j.w.s')).toEqual({ status: 'refused', reason: 'closed' })
  })

  test('is kept only beside the hash of its signature', async () => {
    const proposal = await it.inDoubt()
    const said = { execution_key: proposal.executionKey, ordinal: 1, digest: (await shown(it, proposal))?.digest ?? '', verdict: 'not_happened', reviewer: 'olga', reason: 'x', jws_sha256: sha256('another') }
    await expect(it.reviews.recordReconciliation(aReconciled(proposal, said), 'j.w.s')).rejects.toMatchObject({ code: '23514' })
  })

  test.each([{ verdict: 'perhaps' }, { verdict: 'happened' }, { verdict: 'not_happened', output: {} }, { verdict: 'not_happened', reason: '' }])('says one or the other, with an output or without, and why: %j', async (over) => {
    const proposal = await it.inDoubt()
    const said = { execution_key: proposal.executionKey, ordinal: 1, digest: (await shown(it, proposal))?.digest ?? '', reviewer: 'olga', reason: 'x', jws_sha256: sha256('j.w.s'), ...over }
    const before = await it.ledgerLength()
    await expect(it.reviews.recordReconciliation(aReconciled(proposal, said), 'j.w.s')).rejects.toMatchObject({ code: '23514' })
    expect(await it.ledgerLength()).toBe(before)
  })

  test('comes too late for what has ended meanwhile', async () => {
    const proposal = await it.inDoubt()
    const digest = (await shown(it, proposal))?.digest ?? ''
    await it.complete(proposal)
    expect(await it.reconcile(proposal, 'olga', { digest })).toMatchObject(refusedAs('not_found'))
    const said = { execution_key: proposal.executionKey, ordinal: 1, digest, verdict: 'not_happened', reviewer: 'olga', reason: 'x', jws_sha256: sha256('j.w.s') }
    expect(await it.reviews.recordReconciliation(aReconciled(proposal, said), 'j.w.s')).toEqual({ status: 'refused', reason: 'closed' })
  })

  test('that was refused is a fact too', async () => {
    const proposal = await it.inDoubt()
    await it.reconcile(proposal, 'shop')
    expect(await lastRow(it, proposal.request.entityId)).toMatchObject({ kind: 'reconciliation_refused', actor: 'shop', audit: [{ kind: 'action_reconciliation_rejected', data: { reason: 'permission_denied' } }] })
  })

  test('is said by no row but its own', async () => {
    const proposal = await it.inDoubt()
    const audit = [{ kind: 'action_reconciled', message: 'x', data: {}, actor_id: 'olga' }] as const
    const body = rowOf(again(proposal), await it.facts(proposal), 'executed', audit, { events: [] })
    await expect(it.store.completeExecution({ body, executionKey: proposal.executionKey, answer: { outcome: 'allowed', output: {}, summary: 's' }, end: { status: 'succeeded' } })).rejects.toMatchObject({ code: '23514' })
  })
})
