/** What nobody knows, settled by a person: it happened, with its output, or it did not; and the gate that believes only what they have signed. */
import { randomUUID } from 'node:crypto'
import type { WorkflowHandle } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { approvalBody } from '../../src/approvals/review.ts'
import { createReviewSigner, generateDevReviewKey } from '../../src/approvals/signing.ts'
import type { ReconcileOutcome } from '../../src/approvals/desk.ts'
import { canonical } from '../../src/core/canonical.ts'
import { sha256 } from '../../src/core/digest.ts'
import type { SignedReconciliation } from '../../src/core/reconciliation.ts'
import { verifyChains } from '../../src/evidence/chain.ts'
import { fetchHistory } from '../../src/evidence/history.ts'
import { replayBundle } from '../../src/evidence/replay-bundle.ts'
import { replayCheck, type ReplayReport } from '../../src/evidence/replay.ts'
import { executors, NotDone } from '../../src/gate/index.ts'
import { createReviewStore } from '../../src/postgres/review-store.ts'
import { aStack, eventually, type Stack } from '../a-stack.ts'
import { approval, anAccount, recorded, states } from '../an-entity.ts'
import { asOwner, rewriteFrom } from '../evidence/tamper.ts'
import { ledgers } from '../fixtures/ledgers.ts'

/** What the executor of an entity's next call does; nobody knows what became of it unless told. */
const does = new Map<string, () => Promise<unknown>>()
/** The idempotency keys that the provider saw. */
const called = new Map<string, string[]>()
const worked = async () => ({ ok: true })
const lost = async () => { throw new Error('the line went dead') }

let stack: Stack
/** One whose ledger somebody alters. */
let altered: Stack
let bundle: { readonly code: string }

const bound = executors(ledgers, {
  async CALL({ entityId, idempotencyKey }) {
    called.set(entityId, [...(called.get(entityId) ?? []), idempotencyKey])
    return (await (does.get(entityId) ?? lost)()) as { ok: true }
  },
  async SEND() { throw new NotDone('not here') },
  async FETCH() { throw new NotDone('not here') },
})
const options = { bound, actors: ['bot', 'clerk', 'olga'], members: { bot: 'bot', clerk: 'reporter', olga: 'reviewer', otto: 'reviewer', eve: 'bot' } }

beforeAll(async () => {
  ;[stack, altered, bundle] = await Promise.all([aStack(options), aStack({ ...options, verified: false }), replayBundle({ workflowsPath: new URL('../fixtures/workflows/index.ts', import.meta.url).pathname })])
})
afterAll(() => Promise.all([stack.close(), altered.close()]))

interface Doubtful {
  readonly entityId: string
  readonly handle: WorkflowHandle
  readonly executionKey: string
}

/** A call of which nobody knows what became; its workflow has been told so, and waits. */
async function aDoubtfulCall(on = stack, executor: () => Promise<unknown> = lost, timeout = '10 seconds'): Promise<Doubtful> {
  const entityId = await anAccount(on)
  does.set(entityId, executor)
  const handle = await on.start('ledgerAgain', [{ queue: on.queues.gate, entityId, params: { note: 'x' }, timeout }])
  const held = await eventually(async () => (await on.desk.inDoubt()).find((each) => each.entity_id === entityId))
  return { entityId, handle, executionKey: held.execution_key }
}

type Said = { readonly output: unknown } | 'not_happened'

async function say({ executionKey }: Doubtful, said: Said, reviewer = 'olga', { on = stack, ordinal = 1 } = {}): Promise<ReconcileOutcome> {
  const row = await on.desk.showInDoubt(executionKey, ordinal)
  const common = { executionKey, ordinal, digest: row?.digest ?? '', reason: 'looked it up', reviewer }
  return on.desk.reconcile(said === 'not_happened' ? { ...common, verdict: said } : { ...common, verdict: 'happened', ...said })
}

const appliedTo = ({ executionKey }: Doubtful, on = stack) => eventually(async () => {
  const row = await on.desk.showInDoubt(executionKey, 1)
  return row?.waiting === false && row
})

async function toldAgain({ handle }: Doubtful): Promise<unknown> {
  await handle.signal('again')
  return handle.result()
}

const note = (entityId: string, on = stack) => on.run('ledger', [{ queue: on.queues.gate, entityId, params: { note: 'y' } }])

const check = async ({ handle }: Doubtful, on = stack, reviewKeys = on.publicKeys): Promise<ReplayReport> =>
  replayCheck({ history: await fetchHistory(on.client, handle.workflowId), workflowId: handle.workflowId, bundle, auditor: on.db.pool('auditor'), domains: [ledgers], namespace: 'default', reviewKeys })

describe.concurrent('a person finds that it happened', () => {
  test('the state moves, the account is free, and the workflow gets the output; nothing is done again', async () => {
    const call = await aDoubtfulCall()
    expect(await note(call.entityId)).toMatchObject({ outcome: 'blocked', reason: 'outcome_unknown' })
    expect(await say(call, { output: { ok: true } })).toEqual({ outcome: 'recorded', verdict: 'happened' })
    expect(await appliedTo(call)).toMatchObject({ status: 'succeeded', rejected: null })
    expect(await states(stack, ledgers, call.entityId)).toEqual({ live: { value: 'OPEN', version: 2 }, rebuilt: { value: 'OPEN', version: 2 } })
    expect(await toldAgain(call)).toMatchObject([{ outcome: 'blocked', reason: 'outcome_unknown' }, { outcome: 'allowed', output: { ok: true }, summary: 'Call: x' }])
    expect(await note(call.entityId)).toMatchObject({ outcome: 'allowed' })
    expect(called.get(call.entityId)).toEqual([call.executionKey])
    expect(await recorded(stack, call.entityId)).toEqual(expect.arrayContaining(['action_in_doubt', 'action_reconciled', 'action_executed', 'action_deduplicated']))
  })

  test('each step of the workflow checks, with its signature; not by another key', async () => {
    const call = await aDoubtfulCall()
    await say(call, { output: { ok: true } })
    await appliedTo(call)
    await toldAgain(call)
    expect(await check(call)).toMatchObject({ ok: true, findings: [], signatures: 'checked' })
    const { publicKeys } = await generateDevReviewKey()
    expect((await check(call, stack, publicKeys)).findings).toContainEqual({ kind: 'review', step: 1, message: expect.stringContaining('not signed by any of the review keys') })
  })

  test('also where what came back could not be accepted', async () => {
    const call = await aDoubtfulCall(stack, async () => ({ ok: 'perhaps' }))
    expect((await stack.desk.showInDoubt(call.executionKey, 1))?.request).toMatchObject({ doubt: 'completion_rejected', returned: { ok: 'perhaps' } })
    await say(call, { output: { ok: true } })
    expect(await appliedTo(call)).toMatchObject({ status: 'succeeded' })
    expect(await toldAgain(call)).toMatchObject([{ reason: 'outcome_unknown' }, { outcome: 'allowed', output: { ok: true } }])
    expect(await check(call)).toMatchObject({ ok: true, findings: [] })
  })

  test('with an output that the contract does not take: nothing happens, and the inbox says why', async () => {
    const call = await aDoubtfulCall()
    await say(call, { output: { ok: 'perhaps' } })
    expect(await appliedTo(call)).toMatchObject({ status: 'in_doubt', rejected: expect.stringContaining('output.ok') })
    expect(await states(stack, ledgers, call.entityId)).toMatchObject({ live: { version: 1 } })
    await say(call, { output: { ok: true } }, 'otto')
    expect(await toldAgain({ ...call, handle: (await appliedTo(call), call.handle) })).toMatchObject([{}, { outcome: 'allowed' }])
  })
})

describe.concurrent('a person finds that it did not happen', () => {
  test('the next attempt runs, once, with a new key for the provider', async () => {
    const call = await aDoubtfulCall()
    await say(call, 'not_happened')
    expect(await appliedTo(call)).toMatchObject({ status: 'failed' })
    does.set(call.entityId, worked)
    expect(await toldAgain(call)).toMatchObject([{ reason: 'outcome_unknown' }, { outcome: 'allowed', output: { ok: true } }])
    expect(called.get(call.entityId)).toEqual([call.executionKey, `${call.executionKey}-2`])
    expect(await states(stack, ledgers, call.entityId)).toMatchObject({ live: { version: 2 } })
    expect(await check(call)).toMatchObject({ ok: true, findings: [] })
  })

  test('and then it returns after all: that is recorded, and a person looks again; nothing is done twice', async () => {
    const late = Promise.withResolvers<unknown>()
    const call = await aDoubtfulCall(stack, () => late.promise, '3 seconds')
    await say(call, 'not_happened')
    expect(await appliedTo(call)).toMatchObject({ status: 'failed' })
    late.resolve({ ok: true })
    const again = await eventually(async () => (await stack.desk.inDoubt()).find((each) => each.entity_id === call.entityId))
    expect(again).toMatchObject({ status: 'in_doubt', ordinal: 1 })
    expect(await recorded(stack, call.entityId)).toContain('action_contradicted')
    expect(await note(call.entityId)).toMatchObject({ reason: 'outcome_unknown' })
    await say(call, { output: { ok: true } }, 'otto')
    await appliedTo(call)
    expect(await toldAgain(call)).toMatchObject([{ reason: 'outcome_unknown' }, { outcome: 'allowed' }])
    expect(called.get(call.entityId)).toHaveLength(1)
    expect(await check(call)).toMatchObject({ ok: true, findings: [] })
  })

  test('and it returns while the next attempt runs: that one is not taken for it', async () => {
    const late = Promise.withResolvers<unknown>()
    const next = Promise.withResolvers<unknown>()
    const call = await aDoubtfulCall(stack, () => late.promise, '5 seconds')
    await say(call, 'not_happened')
    await appliedTo(call)
    does.set(call.entityId, () => next.promise)
    await call.handle.signal('again')
    await eventually(async () => called.get(call.entityId)?.length === 2)
    late.resolve({ ok: true })
    await eventually(async () => (await recorded(stack, call.entityId)).includes('action_contradicted'))
    expect(await states(stack, ledgers, call.entityId)).toMatchObject({ live: { version: 1 } })
    next.resolve({ ok: true })
    expect(await call.handle.result()).toMatchObject([{}, { outcome: 'allowed' }])
    expect((await recorded(stack, call.entityId)).filter((kind) => kind === 'action_executed')).toHaveLength(1)
    expect(await stack.desk.inDoubt()).toContainEqual(expect.objectContaining({ entity_id: call.entityId, status: 'contradicted' }))
  })
})

const touch = (entityId: string) => stack.run('report', [stack.queues.gate, 'clerk', [{ event: 'TOUCHED', entityId, payload: {} }], 'ledgers'])

test('a person finds that it did not happen, the account moves on, and then it returns: nothing is done under that key again', async () => {
  const late = Promise.withResolvers<unknown>()
  const call = await aDoubtfulCall(stack, () => late.promise, '3 seconds')
  await say(call, 'not_happened')
  await appliedTo(call)
  await touch(call.entityId)
  late.resolve({ ok: true })
  await eventually(async () => (await recorded(stack, call.entityId)).includes('action_contradicted'))
  does.set(call.entityId, worked)
  expect(await toldAgain(call)).toMatchObject([{ reason: 'outcome_unknown' }, { reason: 'outcome_unknown', message: expect.stringContaining('and then it had') }])
  expect(called.get(call.entityId)).toHaveLength(1)
  expect(await stack.desk.inDoubt()).toContainEqual(expect.objectContaining({ entity_id: call.entityId, status: 'contradicted' }))
  expect(await note(call.entityId)).toMatchObject({ outcome: 'allowed' })
  expect(await check(call)).toMatchObject({ ok: true, findings: [] })
})

const chainOf = ({ entityId }: Doubtful): string => `ledgers/Account/${entityId}`
const problemsOf = async (call: Doubtful) => (await check(call, altered)).findings.filter(({ kind }) => kind === 'review' || kind === 'review_altered').map(({ message }) => message)
const lastSeq = async (call: Doubtful, kind: string): Promise<number> =>
  Number((await altered.db.pool('auditor').query<{ seq: string }>('select l.seq from kiff.ledger l join kiff.chains c using (chain) where c.key = $1 and l.kind = $2 order by l.seq desc limit 1', [chainOf(call), kind])).rows[0]?.seq)
/** Settled, its workflow done, then one row rewritten with every hash after it. */
async function settled(said: Said, executor: () => Promise<unknown>, kind: string, alter: (body: Record<string, unknown>) => object): Promise<Doubtful> {
  const call = await aDoubtfulCall(altered, executor)
  await say(call, said, 'olga', { on: altered })
  await appliedTo(call, altered)
  does.set(call.entityId, worked)
  await toldAgain(call)
  expect(await problemsOf(call)).toEqual([])
  await rewriteFrom(altered, chainOf(call), await lastSeq(call, kind), (body) => canonical(alter(JSON.parse(body) as Record<string, unknown>)))
  return call
}

describe('what was altered afterwards is told', () => {
  test('another output than was signed', async () => {
    const call = await settled({ output: { ok: true } }, lost, 'executed', (body) => ({ ...body, output: { ok: 'more' } }))
    expect(await problemsOf(call)).toContainEqual(expect.stringContaining('what was signed is something else: output.ok'))
  })

  test('the other verdict, also with its record', async () => {
    const call = await settled('not_happened', lost, 'reconciled', (body) => ({ ...body, review: { ...Object(body['review']), verdict: 'happened' } }))
    expect(await problemsOf(call)).toContainEqual(expect.stringContaining('what was signed is something else: verdict'))
  })

  test('an end of what nobody knew that names no reconciliation', async () => {
    const mended = await settled({ output: { ok: true } }, async () => ({ ok: 'perhaps' }), 'executed', (body) => ({ ...body, causation_id: null }))
    expect(await problemsOf(mended)).toContainEqual(expect.stringContaining('names no reconciliation as its cause'))
    const failed = await settled('not_happened', lost, 'failed', (body) => ({ ...body, causation_id: null }))
    expect(await problemsOf(failed)).toContainEqual(expect.stringContaining('names no reconciliation as its cause'))
  })

  test('a signature that was exchanged, or is gone', async () => {
    const call = await settled({ output: { ok: true } }, lost, 'executed', (body) => body)
    await asOwner(altered, (owner) => owner.query("update kiff.reconciliations set jws = 'another' where execution_key = $1", [call.executionKey]))
    expect(await problemsOf(call)).toEqual(expect.arrayContaining([expect.stringContaining('the signed reconciliation is not the one that it records'), expect.stringContaining('what was signed is something else')]))
    await asOwner(altered, (owner) => owner.query('delete from kiff.reconciliations where execution_key = $1', [call.executionKey]))
    expect(await problemsOf(call)).toEqual(expect.arrayContaining([expect.stringContaining('the signed reconciliation that it records is gone'), expect.stringContaining('is not kept')]))
  })
})

describe.concurrent('nobody else', () => {
  test('the one who proposed it, somebody without the permission, a second person', async () => {
    const call = await aDoubtfulCall()
    expect(await say(call, 'not_happened', 'bot')).toMatchObject({ outcome: 'refused', reason: 'permission_denied' })
    expect(await say(call, 'not_happened', 'eve')).toMatchObject({ outcome: 'refused', reason: 'permission_denied' })
    expect(await say(call, { output: { ok: true } })).toMatchObject({ outcome: 'recorded' })
    expect(await say(call, 'not_happened', 'otto')).toMatchObject({ outcome: 'refused' })
    await appliedTo(call)
    expect((await recorded(stack, call.entityId)).filter((kind) => kind === 'action_reconciliation_rejected').length).toBeGreaterThanOrEqual(2)
  })

  test('the owner of the database, by their own hand', async () => {
    const call = await aDoubtfulCall(altered)
    const row = await altered.desk.showInDoubt(call.executionKey, 1)
    const { privateKey } = await generateDevReviewKey()
    const forger = await createReviewSigner(privateKey)
    const said: SignedReconciliation = { purpose: 'reconcile', execution_key: call.executionKey, ordinal: 1, digest: row?.digest ?? '', verdict: 'not_happened', reviewer: 'olga', reason: 'x', reviewed_at: new Date().toISOString() }
    await altered.db.pool('owner').query(
      `insert into kiff.reconciliations (execution_key, ordinal, round, request, digest, verdict, reviewer, reason, jws, seq)
       select execution_key, ordinal, 1, kiff.reconciliation_request(e), sha256(convert_to(kiff.reconciliation_request(e), 'UTF8')), 'not_happened', 'olga', 'x', $2, 1
       from kiff.executions e where execution_key = $1`, [call.executionKey, await forger(said)])
    await altered.db.pool('owner').query('update kiff.executions set reconciling = 1 where execution_key = $1', [call.executionKey])
    expect(await appliedTo(call, altered)).toMatchObject({ status: 'in_doubt', rejected: 'it is not signed by a key that this gate trusts' })
    expect(await note(call.entityId, altered)).toMatchObject({ reason: 'outcome_unknown' })
    const { findings } = await verifyChains(altered.db.pool('auditor'), { domains: [ledgers] })
    expect(findings).toContainEqual(expect.objectContaining({ kind: 'review_altered', message: 'a reconciliation by olga is kept that no row records' }))
  })

  test('with what they signed for something else: a reconciliation grants nothing', async () => {
    const entityId = await anAccount(stack, `account-${randomUUID()}`)
    const handle = await stack.start('ledger', [{ queue: stack.queues.gate, entityId, action: 'ASK_PATIENTLY', params: { note: 'x' } }])
    const approvalId = await stack.asked(entityId)
    const row = await stack.desk.show(approvalId)
    if (row === undefined) throw new Error('not asked')
    const said = { digest: row.digest, reviewer: 'olga', reason: 'x', reviewed_at: new Date().toISOString() }
    const jws = await stack.sign({ ...said, purpose: 'reconcile', execution_key: sha256('x'), ordinal: 1, verdict: 'happened', output: { approval_id: approvalId, verdict: 'granted' } })
    const body = approvalBody(row.request, 'reviewed', 'olga', [], { ...said, purpose: 'approval', approval_id: approvalId, verdict: 'granted', jws_sha256: sha256(jws) })
    await createReviewStore(stack.db.pool('reviewer')).recordReview(body, jws)
    await eventually(async () => (await recorded(stack, entityId)).includes('approval_review_rejected'))
    expect((await approval(stack, approvalId)).status).toBe('granted')
    expect(await recorded(stack, entityId)).not.toContain('action_executed')
    await handle.terminate()
  })
})
