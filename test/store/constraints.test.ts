/** What the tables themselves refuse, whatever a function, or the owner, would write; and what is read where only the owner could have brought it about. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256 } from '../../src/core/digest.ts'
import { guardOf, rowOf, type GovernedProposal } from '../../src/gate/proposal.ts'
import { registeredContracts } from '../../src/postgres/gate-store.ts'
import { aReconciled, dueOf, notHappened } from './a-doubt.ts'
import { registerOthers } from './another-domain.ts'
import { again, aProposal, aStore, blocked, requestOf, type TestStore } from './a-store.ts'
import { approvalBody } from '../../src/approvals/review.ts'

let it: TestStore
/** One with a review, one that was used, one that was reconciled: so that every table has a row to copy. */
let asked: { readonly proposal: GovernedProposal; readonly approvalId: string }
let reconciled: GovernedProposal
beforeAll(async () => {
  it = await aStore()
  const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
  asked = { proposal, approvalId: await it.granted(proposal) }
  reconciled = await it.inDoubt()
  await it.reconcile(reconciled, 'olga', notHappened)
})
afterAll(() => it.close())

const asOwner = (sql: string, values: readonly unknown[] = []) => it.db.pool('owner').query(sql, [...values])

/** Copies one row of a table, with this changed. */
const copy = (table: string, where: string, over: object) => asOwner(`
  insert into kiff.${table} select (jsonb_populate_record(r, $1)).* from kiff.${table} r where ${where} limit 1`, [JSON.stringify(over)])

const [check, unique, reference] = ['23514', '23505', '23503']

describe('the tables refuse', () => {
  test.each<[string, string, () => Promise<unknown>]>([
    ['a chain of another kind', check, () => asOwner("insert into kiff.chains (kind, key) values ('other', 'x')")],
    ['a second state of an entity', unique, async () => {
      const account = await it.anAccount()
      const { rows: [another] } = await asOwner("insert into kiff.chains (kind, key) values ('entity', $1) returning chain", [`another-${account}`])
      return copy('entities', `entity_id = '${account}'`, another ?? {})
    }],
    ['a state that no event has led to', check, async () => asOwner('update kiff.entities set state_version = 0 where entity_id = $1', [await it.anAccount()])],
    ['a state of no chain', reference, () => copy('entities', 'true', { chain: 999_999, entity_id: randomUUID() })],
    ['a row of no chain', reference, () => asOwner("insert into kiff.ledger (chain, seq, at, body, digest, prev, hash) select 999999, seq, at, body, digest, prev, hash from kiff.ledger limit 1")],
    ['a row before the first', check, () => asOwner('insert into kiff.ledger (chain, seq, at, body, digest, prev, hash) select chain, 0, at, body, digest, prev, hash from kiff.ledger limit 1')],
    ['two contracts in force for one action', unique, () => copy('contracts', "newest and action = 'CALL'", { hash: 'another' })],
    ['one event that leads to two states: from OPEN', unique, () => copy('transitions', "event_type = 'TOUCHED'", { to_state: 'CLOSED' })],
    ['one event that leads to two states: from nothing', unique, () => copy('transitions', "event_type = 'OPENED'", { to_state: 'CLOSED' })],
    ['a kind of entity listed twice', unique, () => copy('stateless', 'true', {})],
    ['a permission listed twice for a role', unique, () => copy('role_permissions', 'true', {})],
    ['a second answer to a call', unique, () => copy('calls', 'true', { answer: {} })],
    ['an answer that no row records', reference, () => copy('calls', 'true', { activity_id: randomUUID(), seq: 999_999 })],
    ['a round before the first', check, () => copy('approvals', `approval_id = '${asked.approvalId}'`, { approval_id: randomUUID(), execution_key: 'x', round: 0 })],
    ['an approval of no chain', reference, () => copy('approvals', 'true', { approval_id: randomUUID(), execution_key: 'x', chain: 999_999 })],
    ['an approval that nobody has to give', check, () => copy('approvals', 'true', { approval_id: randomUUID(), execution_key: 'x', quorum: 0 })],
    ['an approval in a status that there is not', check, () => copy('approvals', 'true', { approval_id: randomUUID(), execution_key: 'x', status: 'fine' })],
    ['a second round beside a grant', unique, () => copy('approvals', `approval_id = '${asked.approvalId}'`, { approval_id: randomUUID(), round: 2 })],
    ['an attempt before the first', check, () => copy('executions', "status = 'in_doubt'", { execution_key: 'x', ordinal: 0, status: 'failed' })],
    ['an execution of no chain', reference, () => copy('executions', 'true', { execution_key: 'x', chain: 999_999 })],
    ['an execution in a status that there is not', check, () => copy('executions', 'true', { execution_key: 'x', status: 'fine' })],
    ['an answer before the first', check, () => copy('reconciliations', 'true', { round: 0 })],
    ['an answer whose text is not what its digest says', check, () => copy('reconciliations', 'true', { round: 2, request: 'another' })],
    ['two answers of one number', unique, () => copy('reconciliations', 'true', {})],
    ['an answer about no execution', reference, () => copy('reconciliations', 'true', { execution_key: 'x' })],
  ])('%s', async (_, code, write) => {
    await expect(write()).rejects.toMatchObject({ code })
  })
})

describe('what only the owner could have brought about', () => {
  test('a denial in a round that is not denied refuses nothing later', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
    const approvalId = await it.asked(proposal)
    await it.review(approvalId, 'denied', 'olga')
    await asOwner("update kiff.approvals set status = 'pending' where approval_id = $1", [approvalId])
    expect((await it.facts(again(proposal))).denied).toBeNull()
  })

  test('a review of another approval stands behind a grant: it opens nothing', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
    const approvalId = await it.asked(proposal)
    expect(await it.look('select from kiff.reviews')).not.toEqual([])
    await asOwner("update kiff.approvals set status = 'granted' where approval_id = $1", [approvalId])
    expect(await it.open(again(proposal), { approvalId })).toEqual({ status: 'stale' })
  })

  test('a review by the one it is done for stands behind a grant: it opens nothing', async () => {
    const { authority, ...rest } = aProposal(await it.anAccount(), { action: 'ASK' })
    const proposal = { ...rest, authority: { ...authority, onBehalfOf: 'olga' } }
    const approvalId = await it.asked(proposal)
    await asOwner("insert into kiff.reviews (approval_id, verdict, reviewer, reason, jws) values ($1, 'granted', 'olga', '', '')", [approvalId])
    await asOwner("update kiff.approvals set status = 'granted' where approval_id = $1", [approvalId])
    expect(await it.open(again(proposal), { approvalId })).toEqual({ status: 'stale' })
  })

  test('a round that is over by its status only is not closed again', async () => {
    const approvalId = await it.asked(aProposal(await it.anAccount(), { action: 'ASK' }))
    await asOwner("update kiff.approvals set status = 'consumed' where approval_id = $1", [approvalId])
    expect(await it.reviews.closeApproval(approvalBody(await requestOf(it, approvalId), 'approval_withdrawn', 'kiff', []))).toBe(false)
  })
})

test('the use of a grant is recorded: the last guard against a second one', async () => {
  const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
  const approvalId = await it.granted(proposal)
  await it.open(again(proposal), { approvalId })
  expect(await it.look('select execution_key from kiff.consumptions where approval_id = $1', [approvalId])).toEqual([{ execution_key: proposal.executionKey }])
})

describe('a person\'s answer', () => {
  test('to what has ended is refused, also over the text that would be shown', async () => {
    const proposal = await it.inDoubt()
    await it.complete(proposal)
    const { rows: [text] } = await it.db.pool('owner').query<{ request: string }>('select kiff.reconciliation_request(e) as request from kiff.executions e where execution_key = $1', [proposal.executionKey])
    const said = { execution_key: proposal.executionKey, ordinal: 1, digest: sha256(text?.request ?? ''), verdict: 'not_happened', reviewer: 'olga', reason: 'x', jws_sha256: sha256('j.w.s') }
    expect(await it.reviews.recordReconciliation(aReconciled(proposal, said), 'j.w.s')).toEqual({ status: 'refused', reason: 'closed' })
  })

  test('of which none waits is applied by no number, and rejected by none', async () => {
    const proposal = await it.inDoubt()
    await it.reconcile(proposal, 'olga')
    const due = await dueOf(it, proposal)
    const rejected = JSON.stringify({ ...due.opened, kind: 'reconciliation_rejected', audit: [] })
    await it.store.rejectReconciliation({ ...due, body: rejected, why: 'x' })
    const unnumbered = { ...due, round: null as never }
    const applied = JSON.stringify({ ...due.opened, kind: 'executed', audit: [], output: { ok: true }, causation_id: due.record })
    expect(await it.store.applyReconciliation({ ...unnumbered, body: applied, answer: blocked })).toEqual({ status: 'stale' })
    expect(await it.store.rejectReconciliation({ ...unnumbered, body: rejected, why: 'y' })).toEqual({ status: 'stale' })
  })
})

test('a row is dated when it is written, not when its writer\'s transaction began', async () => {
  const proposal = aProposal(await it.anAccount())
  const facts = await it.facts(proposal)
  const gate = await it.db.pool('gate').connect()
  try {
    await gate.query('begin')
    await it.refuse(again(proposal))
    await gate.query('select kiff.record_answer($1, $2, $3, null)', [rowOf(proposal, facts, 'refused', []), JSON.stringify(blocked), JSON.stringify(guardOf(facts))])
    await gate.query('commit')
  } finally {
    gate.release()
  }
  const rows = (await it.ledger()).filter(({ chain }) => chain === `ledgers/Account/${proposal.request.entityId}`).map(({ at }) => at)
  expect(rows).toEqual(rows.toSorted())
})

test('registered contracts are told of the domain that was asked for', async () => {
  const here = await registeredContracts(it.db.pool('gate'), 'ledgers')
  await registerOthers(it)
  expect(await registeredContracts(it.db.pool('gate'), 'ledgers')).toEqual(here)
})
