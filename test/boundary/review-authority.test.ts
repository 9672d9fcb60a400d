/** I4: whatever the gate's login asks of its functions, no review and no grant comes of it. And nothing of a caller's shadows what they read. */
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { sha256 } from '../../src/core/digest.ts'
import { approvalBody } from '../../src/approvals/review.ts'
import { guardOf, type GovernedProposal } from '../../src/gate/proposal.ts'
import { again, aProposal, aStore, noToken, requestOf, type TestStore } from '../store/a-store.ts'

let it: TestStore
beforeAll(async () => { it = await aStore() })
afterAll(() => it.close())

interface Attempt {
  readonly sql: string
  readonly values: readonly unknown[]
}

/** An open execution past its lease. */
async function anOverdue(): Promise<GovernedProposal> {
  const proposal = aProposal(await it.anAccount(), { action: 'SEND' })
  await it.open(proposal, { idempotentForMs: 3_600_000 })
  await it.later({ lease: proposal.executionKey })
  return proposal
}

/** What a row about that proposal says of it. */
const of = ({ request, executionKey, action, contractHash }: GovernedProposal): object => ({ entity_id: request.entityId, execution_key: executionKey, action, contract: contractHash })

/** What a thief of the gate login would ask for: a body that says it is a review, of a real approval, in the name of a real reviewer. */
async function attempts(): Promise<{ readonly approvalId: string; readonly inDoubtKey: string; readonly byFunction: Readonly<Record<string, readonly Attempt[]>> }> {
  const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
  const approvalId = await it.asked(proposal)
  const request = await requestOf(it, approvalId)
  const [resumed, doubted, completed] = await Promise.all([anOverdue(), anOverdue(), anOverdue()])
  const inDoubt = await it.inDoubt()
  const digest = (await it.reviews.showInDoubt(inDoubt.executionKey, 1))?.digest ?? ''
  const found = { purpose: 'reconcile', execution_key: inDoubt.executionKey, ordinal: 1, digest, verdict: 'not_happened', reviewer: 'olga', reason: 'x', jws_sha256: sha256('j.w.s') }
  const finds = { audit: [{ kind: 'action_reconciled', message: 'x', data: null, actor_id: 'olga' }] }
  /** As what a person has found, as what it should be with an audit record that says so, and as what it should be. */
  const reconciledRows = (kind: string): string[] => [{ kind: 'reconciled' }, { kind, ...finds }, { kind }].map((each) => row(each.kind, { ...of(inDoubt), review: found, ...each }))
  const facts = await it.facts(again(proposal))
  const guard = JSON.stringify(guardOf(facts))
  const answer = JSON.stringify({ outcome: 'allowed', output: {}, summary: 'granted' })
  const review = { purpose: 'approval', approval_id: approvalId, digest: (await it.reviews.show(approvalId))?.digest ?? '', verdict: 'granted', reviewer: 'olga', reason: 'x', reviewed_at: 'now' }
  let calls = 0
  /** A row of the asking workflow's next call; each its own, so that no answer is a repetition. */
  const row = (kind: string, over: object = {}): string => {
    calls += 1
    return JSON.stringify({
      ...(JSON.parse(approvalBody(request, 'reviewed', 'olga', [], review)) as object),
      run_id: proposal.step.runId, activity_id: `theft-${calls}`, execution_key: proposal.executionKey, proposal_digest: proposal.proposalDigest, contract: proposal.contractHash, events: [], kind, ...over,
    })
  }
  const says = { audit: [{ kind: 'approval_granted', message: 'approval granted', data: null, actor_id: 'olga' }] }
  /** As a review, as what it should be with an audit record that says so, and last as what it should be: that may pass. */
  const rows = (kind: string, over: object = {}): string[] => [row('reviewed', over), row(kind, { ...over, ...says }), row(kind, over)]
  const closings = [null, ...['granted', 'consumed', 'revoked', 'pending', 'expired', 'denied'].map((status) => JSON.stringify({ approvalId, status }))]
  const next = JSON.stringify({ ...request, approval_id: '11111111-1111-4111-8111-111111111111', round: 2, status: 'granted', review })
  const touched = { action: null, actor: 'shop', events: [{ id: 'theft', type: 'TOUCHED', payload: review, from: 'OPEN', to: 'OPEN' }] }
  return {
    approvalId,
    inDoubtKey: inDoubt.executionKey,
    byFunction: {
      read_facts: [{ sql: 'select kiff.read_facts($1)', values: [JSON.stringify({ executionKey: proposal.executionKey, review, approval: { status: 'granted', review } })] }],
      record_answer: closings.flatMap((closing) => rows('refused').map((body) => ({ sql: 'select kiff.record_answer($1, $2, $3, $4)', values: [body, answer, guard, closing] }))),
      request_approval: closings.flatMap((closing) => rows('approval_requested').map((body) => ({ sql: 'select kiff.request_approval($1, $2, $3, $4, $5)', values: [body, answer, next, guard, closing] }))),
      open_execution: rows('opened').map((body) => ({ sql: 'select kiff.open_execution($1, $2, 60000, null, $3)', values: [body, guard, approvalId] })),
      execute_pure: rows('executed').map((body) => ({ sql: 'select kiff.execute_pure($1, $2, $3, $4)', values: [body, guard, approvalId, answer] })),
      resume_execution: rows('resumed', of(resumed)).map((body) => ({ sql: 'select kiff.resume_execution($1, $2, 60000)', values: [body, resumed.executionKey] })),
      mark_in_doubt: [...reconciledRows('in_doubt'), ...rows('in_doubt', of(doubted))].map((body) => ({ sql: 'select kiff.mark_in_doubt($1, $2, null)', values: [body, doubted.executionKey] })),
      complete_execution: ['granted', 'rejected', 'succeeded'].flatMap((status) => rows(status === 'succeeded' ? 'executed' : 'completion_rejected', of(completed)).map((body) => (
        { sql: 'select kiff.complete_execution($1, $2, $3, $4)', values: [body, completed.executionKey, answer, JSON.stringify({ status, why: 'x' })] }))),
      yield_lease: [{ sql: 'select kiff.yield_lease($1, $2)', values: [resumed.executionKey, noToken] }],
      report_event: rows('event', touched).map((body) => ({ sql: 'select kiff.report_event($1, $2, $3)', values: [body, answer, guard] })),
      overdue_executions: [{ sql: 'select kiff.overdue_executions($1)', values: ['default'] }],
      due_reconciliations: [{ sql: 'select kiff.due_reconciliations($1)', values: ['ledgers'] }],
      apply_reconciliation: ['executed', 'failed'].flatMap(reconciledRows).flatMap((body) => [null, 1].map((round) => ({ sql: 'select kiff.apply_reconciliation($1, $2, 1, $3, $4)', values: [body, inDoubt.executionKey, round, answer] }))),
      reject_reconciliation: reconciledRows('reconciliation_rejected').flatMap((body) => [null, 1].map((round) => ({ sql: 'select kiff.reject_reconciliation($1, $2, 1, $3, $4)', values: [body, inDoubt.executionKey, round, 'x'] }))),
      record_contradiction: reconciledRows('contradicted').map((body) => ({ sql: 'select kiff.record_contradiction($1, $2, 1)', values: [body, inDoubt.executionKey] })),
      registered_contracts: [{ sql: 'select kiff.registered_contracts($1)', values: ['ledgers'] }],
    },
  }
}

const told = (error: unknown): string => (error instanceof Error ? error.message : String(error))

describe('the gate\'s login cannot produce a review', () => {
  test('by any of its functions, with any of these rows', async () => {
    const { approvalId, inDoubtKey, byFunction } = await attempts()
    const granted = await it.look<{ proname: string }>("select proname from pg_proc where pronamespace = 'kiff'::regnamespace and has_function_privilege('kiff_gate', oid, 'execute') order by proname")
    expect(Object.keys(byFunction).sort()).toEqual(granted.map(({ proname }) => proname))
    const pool = it.db.pool('gate')
    for (const each of Object.values(byFunction).flat()) {
      // Most are refused, some record a lie: all that matters is what is there afterwards.
      await pool.query(each.sql, [...each.values]).catch(told)
      expect(await it.look('select from kiff.reviews'), each.sql).toEqual([])
      expect(await it.look('select from kiff.consumptions'), each.sql).toEqual([])
      expect(await it.look("select from kiff.approvals where status in ('granted', 'denied', 'consumed')"), each.sql).toEqual([])
      expect(await it.look('select from kiff.deliveries'), each.sql).toEqual([])
      expect(await it.look("select from kiff.ledger where kind in ('reviewed', 'reconciled')"), each.sql).toEqual([])
      expect(await it.look('select from kiff.reconciliations'), each.sql).toEqual([])
      expect(await it.look("select from kiff.executions where reconciling is not null or execution_key = $1 and status <> 'in_doubt'", [inDoubtKey]), each.sql).toEqual([])
      expect(await it.look("select from kiff.audit_records where kind in ('approval_granted', 'approval_denied', 'action_reconciled')"), each.sql).toEqual([])
    }
    expect((await it.reviews.show(approvalId))?.reviews).toEqual([])
  })

  test('by the function that does: it is not the gate\'s to call', async () => {
    const approvalId = await it.asked(aProposal(await it.anAccount(), { action: 'ASK' }))
    const body = approvalBody(await requestOf(it, approvalId), 'reviewed', 'olga', [])
    await expect(it.db.pool('gate').query('select kiff.record_review($1, $2)', [body, 'j.w.s'])).rejects.toMatchObject({ code: '42501' })
  })

  test('nor say what became of what is in doubt, by the function that does', async () => {
    await expect(it.db.pool('gate').query('select kiff.record_reconciliation($1, $2)', ['{}', 'j.w.s'])).rejects.toMatchObject({ code: '42501' })
  })

  test('by a role it gives itself', async () => {
    await expect(it.db.pool('gate').query('select kiff.change_membership($1)', [JSON.stringify({ kind: 'role_granted', domain: 'ledgers', actor: 'bot-1', role: 'reviewer' })])).rejects.toMatchObject({ code: '42501' })
    await expect(it.db.pool('gate').query('select kiff.register_domain($1, $2)', ['ledgers', '{}'])).rejects.toMatchObject({ code: '42501' })
  })
})

/** A superuser, who alone can make temporary objects here and call every function. */
async function asAdmin(work: (client: Client) => Promise<void>): Promise<void> {
  const url = new URL(inject('postgresAdminUrl'))
  url.pathname = new URL(it.db.urls.gate).pathname
  const client = new Client({ connectionString: url.toString() })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

describe('what stands in a caller\'s own schema shadows nothing', () => {
  test('no temporary table', async () => {
    const proposal = aProposal(await it.anAccount())
    await asAdmin(async (client) => {
      await client.query('create temporary table entities as select chain, domain, entity_type, entity_id, text \'CLOSED\' as state, 99::bigint as state_version from kiff.entities')
      await client.query('set search_path = pg_temp, kiff')
      const { rows } = await client.query<{ facts: { state: object } }>('select kiff.read_facts($1) as facts', [JSON.stringify({ domain: 'ledgers', entityType: 'Account', entityId: proposal.request.entityId })])
      expect(rows[0]?.facts.state).toEqual({ value: 'OPEN', version: 1 })
    })
  })

  test('no temporary function, and no path of the caller\'s', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
    const approvalId = await it.asked(proposal)
    const body = approvalBody(await requestOf(it, approvalId), 'reviewed', 'bot-2', [], { verdict: 'granted', reviewer: 'bot-2', digest: (await it.reviews.show(approvalId))?.digest ?? '', jws_sha256: sha256('j.w.s') })
    await asAdmin(async (client) => {
      await client.query("create function pg_temp.holds(text, text, text) returns boolean language sql as 'select true'")
      await client.query('create schema evil')
      await client.query("create function evil.holds(text, text, text) returns boolean language sql as 'select true'")
      await client.query('set search_path = evil, pg_temp, kiff')
      const { rows } = await client.query<{ outcome: object }>('select kiff.record_review($1, $2) as outcome', [body, 'j.w.s'])
      expect(rows[0]?.outcome).toEqual({ status: 'refused', reason: 'permission_denied' })
    })
  })
})
