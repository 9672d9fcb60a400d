/** Which chain a row belongs to, and that each function of a store writes its own kind of row only. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { approvalBody } from '../../../src/approvals/review.ts'
import { sha256 } from '../../../src/core/digest.ts'
import type { AuditKind, RowKind } from '../../../src/core/ledger-row.ts'
import { ask } from '../../../src/gate/ask.ts'
import { guardOf, rowOf, type GovernedProposal } from '../../../src/gate/proposal.ts'
import { aReconciled, dueOf, notHappened, shown } from '../a-doubt.ts'
import { again, aProposal, aStep, blocked, noted, requestOf, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

const chainOf = (commit: unknown): unknown => Reflect.get(Object(Reflect.get(Object(commit), 'record')), 'chain')
const runOf = ({ step }: GovernedProposal): string => `${step.namespace}/${step.firstExecutionRunId}/${step.workflowId}`

/** A run whose chain is named as that of an entity. */
const namesake = (entityType: string, entityId: string) => aStep({ namespace: 'ledgers', firstExecutionRunId: entityType, workflowId: entityId })

describe('a row goes to the chain of its entity, or of its run', () => {
  test('and to that of no run which is named as the entity', async () => {
    const account = `account-${randomUUID()}`
    const rows = async () => (await it.ledger()).filter(({ chain }) => chain === `ledgers/Account/${account}`).map(({ chainKind, seq }) => `${chainKind} ${seq}`).sort()
    await it.refuse(aProposal('nobody', { step: namesake('Account', account) }))
    await it.anAccount(account)
    await it.refuse(aProposal(account))
    expect(await rows()).toEqual(['entity 1', 'entity 2', 'run 1'])
  })

  test('and to that of no entity of another kind with its id', async () => {
    const proposal = aProposal(await it.anAccount())
    const { contract } = proposal
    const other = { ...proposal, contract: { ...contract, entity: { ...contract.entity, name: 'Invoice' } } }
    expect(chainOf(await it.refuse(other))).toBe(runOf(proposal))
  })

  test('and to that of the run where its entity does not exist, though others do, and whoever is asked about it', async () => {
    await it.anAccount()
    const [refused, asking] = [aProposal('does-not-exist'), aProposal('does-not-exist', { action: 'ASK' })]
    expect(chainOf(await it.refuse(refused))).toBe(runOf(refused))
    // As a gate would ask that takes it for one that exists.
    const facts = { ...(await it.facts(asking)), state: { value: 'OPEN', version: 0 } }
    expect(await it.ask(asking, { facts })).toMatchObject({ outcome: 'approval_required', record: { chain: runOf(asking) } })
  })

  test('and of what we keep no state of to its own, from the first time that something is done to it at once', async () => {
    expect(chainOf(await it.pure(aProposal('endpoint-done', { action: 'PING' }), { events: [] }))).toBe('ledgers/Endpoint/endpoint-done')
  })

  test('and of what we keep no state of not to its own because a run is named so', async () => {
    await it.refuse(aProposal('nobody', { step: namesake('Endpoint', 'endpoint-named') }))
    const proposal = aProposal('endpoint-named', { action: 'PING' })
    expect(chainOf(await it.refuse(proposal))).toBe(runOf(proposal))
  })
})

const aDoubted = async () => {
  const proposal = await it.inDoubt()
  await it.reconcile(proposal, 'olga', notHappened)
  return proposal
}
const anAsk = async () => it.asked(aProposal(await it.anAccount(), { action: 'ASK' }))
const anOverdue = async () => {
  const proposal = aProposal(await it.anAccount(), { action: 'SEND' })
  await it.open(proposal, { idempotentForMs: 3_600_000 })
  await it.later({ lease: proposal.executionKey })
  return proposal
}

type Writes = (kind: RowKind) => Promise<unknown>

/** What the gate can write, each with all that it needs, and with a row that says to be of another kind. */
const gate: Readonly<Record<string, Writes>> = {
  async recordAnswer(kind) {
    const proposal = aProposal(await it.anAccount())
    return it.store.recordAnswer({ body: rowOf(proposal, await it.facts(proposal), kind, []), answer: blocked, guard: null })
  },
  async requestApproval(kind) {
    const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
    const [facts, { inspection }] = [await it.facts(proposal), proposal]
    if (!inspection.ok) throw new Error(inspection.message)
    const store = { ...it.store, requestApproval: (commit: Parameters<AnyStore['store']['requestApproval']>[0]) => it.store.requestApproval({ ...commit, body: rowOf(proposal, facts, kind, []) }) }
    return ask(store, proposal, facts, { outcome: 'approval_required', action: inspection.action.on({}), rule: 'always' }, { number: 1, changed: null, before: [], link: () => null })
  },
  async openExecution(kind) {
    const proposal = aProposal(await it.anAccount())
    const facts = await it.facts(proposal)
    return it.store.openExecution({ body: rowOf(proposal, facts, kind, []), guard: guardOf(facts), leaseMs: 60_000, idempotentForMs: null, approvalId: null })
  },
  async resumeExecution(kind) {
    const proposal = await anOverdue()
    return it.store.resumeExecution({ body: rowOf(again(proposal), await it.facts(proposal), kind, []), executionKey: proposal.executionKey, leaseMs: 60_000 })
  },
  async completeExecution(kind) {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    return it.store.completeExecution({ body: rowOf(proposal, await it.facts(proposal), kind, []), executionKey: proposal.executionKey, answer: blocked, end: { status: 'succeeded' } })
  },
  async executePure(kind) {
    const proposal = aProposal(await it.anAccount(), { action: 'NOTE' })
    const facts = await it.facts(proposal)
    return it.store.executePure({ body: rowOf(proposal, facts, kind, [], { events: [noted(proposal)], output: {} }), guard: guardOf(facts), approvalId: null, answer: blocked })
  },
  async markInDoubt(kind) {
    const proposal = await anOverdue()
    return it.store.markInDoubt({ body: rowOf(proposal, await it.facts(proposal), kind, []), executionKey: proposal.executionKey, token: null })
  },
  async reportEvent(kind) {
    const proposal = aProposal(await it.anAccount(), { actor: 'shop' })
    const body = JSON.parse(rowOf(proposal, await it.facts(proposal), kind, [], { events: [{ id: 'touch', type: 'TOUCHED', payload: {}, from: 'OPEN', to: 'OPEN' }] })) as object
    return it.store.reportEvent({ body: JSON.stringify({ ...body, action: null }), answer: blocked, guard: guardOf(await it.facts(proposal)) })
  },
  async applyReconciliation(kind) {
    const due = await dueOf(it, await aDoubted())
    return it.store.applyReconciliation({ ...due, body: JSON.stringify({ ...due.opened, kind, audit: [], causation_id: due.record }), answer: blocked })
  },
  async rejectReconciliation(kind) {
    const due = await dueOf(it, await aDoubted())
    return it.store.rejectReconciliation({ ...due, body: JSON.stringify({ ...due.opened, kind, audit: [] }), why: 'x' })
  },
  async recordContradiction(kind) {
    const proposal = await aDoubted()
    const due = await dueOf(it, proposal)
    await it.store.applyReconciliation({ ...due, body: JSON.stringify({ ...due.opened, kind: 'failed', audit: [], causation_id: due.record }), answer: blocked })
    return it.store.recordContradiction({ body: rowOf(proposal, await it.facts(proposal), kind, []), executionKey: proposal.executionKey, ordinal: 1 })
  },
}

/** The same of the human-facing service. */
const service: Readonly<Record<string, Writes>> = {
  async recordReview(kind) {
    const approvalId = await anAsk()
    const digest = (await it.reviews.show(approvalId))?.digest ?? ''
    return it.reviews.recordReview(approvalBody(await requestOf(it, approvalId), kind, 'olga', [], { digest, verdict: 'granted', reviewer: 'olga', reason: 'x', jws_sha256: sha256('j.w.s') }), 'j.w.s')
  },
  async recordRefusedReview(kind) {
    return it.reviews.recordRefusedReview(approvalBody(await requestOf(it, await anAsk()), kind, 'olga', []))
  },
  async recordReconciliation(kind) {
    const proposal = await it.inDoubt()
    const said = { execution_key: proposal.executionKey, ordinal: 1, digest: (await shown(it, proposal))?.digest ?? '', verdict: 'not_happened', reviewer: 'olga', reason: 'x', jws_sha256: sha256('j.w.s') }
    return it.reviews.recordReconciliation(JSON.stringify({ ...(JSON.parse(aReconciled(proposal, said)) as object), kind, audit: [] }), 'j.w.s')
  },
  async recordRefusedReconciliation(kind) {
    const proposal = await it.inDoubt()
    return it.reviews.recordRefusedReconciliation(JSON.stringify({ ...(JSON.parse(aReconciled(proposal, { execution_key: proposal.executionKey, ordinal: 1 })) as object), kind, audit: [] }))
  },
}

async function refusesWhole(commit: () => Promise<unknown>): Promise<void> {
  await expect(commit()).rejects.toMatchObject({ code: '23514' })
}

describe('a row of another kind is refused', () => {
  test.each(Object.entries(gate))('%s writes no review, and no reconciliation', async (_, writes) => {
    for (const kind of ['reviewed', 'reconciled'] as const) await refusesWhole(() => writes(kind))
  })

  test.each(Object.entries(service))('%s writes no execution, and no refusal of the gate', async (_, writes) => {
    for (const kind of ['executed', 'refused'] as const) await refusesWhole(() => writes(kind))
  })

  test('also one of no kind', async () => {
    const proposal = aProposal(await it.anAccount())
    const body = JSON.stringify({ ...(JSON.parse(rowOf(proposal, await it.facts(proposal), 'refused', [])) as object), kind: null })
    await refusesWhole(() => it.store.recordAnswer({ body, answer: blocked, guard: null }))
  })

  test.each<AuditKind>(['approval_granted', 'approval_denied', 'action_reconciled'])('also one that says by the way: %s', async (kind) => {
    const proposal = aProposal(await it.anAccount())
    const body = rowOf(proposal, await it.facts(proposal), 'refused', [{ kind: 'action_failed', message: 'x', data: {} }, { kind, message: 'x', data: {} }])
    await refusesWhole(() => it.store.recordAnswer({ body, answer: blocked, guard: null }))
  })
})
