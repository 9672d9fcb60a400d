import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ledgerBody } from '../../src/core/ledger-row.ts'
import type { Committed, Facts } from '../../src/core/store.ts'
import { propose } from '../../src/gate/gate.ts'
import type { GovernedProposal } from '../../src/gate/proposal.ts'
import { createGateStore } from '../../src/postgres/gate-store.ts'
import { ledgers } from './a-domain.ts'
import { again, aProposal, aStep, aStore, type Action, type TestStore } from './a-store.ts'

let it: TestStore
beforeAll(async () => { it = await aStore() })
afterAll(() => it.close())

const done = async () => Promise.resolve({ ok: true as const })

/** What one proposal through the whole gate costs: statements sent, and transactions that wrote. */
async function costOf(proposal: GovernedProposal): Promise<{ outcome: string; statements: string[]; commits: number }> {
  const statements: string[] = []
  const pool = new Proxy(it.db.pool('gate'), {
    get(target, name) {
      if (name !== 'query') return Reflect.get(target, name)
      return (query: { text: string }) => {
        statements.push(/kiff\.\w+/.exec(query.text)?.[0] ?? query.text)
        return target.query(query)
      }
    },
  })
  const gate = { bound: { domain: ledgers, executorOf: () => done, loaderOf: () => undefined }, store: createGateStore(pool), verify: async () => Promise.resolve(null), actors: ['bot-1'], verifyMandate: async () => Promise.resolve(null) }
  const answer = await propose(gate, proposal.step, proposal.action, proposal.request, () => ({ executorMs: 5_000, leaseMs: 6_000, until: Date.now() + 6_000 }))
  const [written] = await it.look<{ commits: number }>(`
    select count(distinct x)::int as commits from (
      select xmin::text as x from kiff.ledger where run_id = $1
      union all select xmin::text from kiff.calls where run_id = $1
      union all select xmin::text from kiff.executions where opened ->> 'run_id' = $1
      union all select xmin::text from kiff.approvals where workflow_id = $2
      union all select xmin::text from kiff.entities where state_version > 1 and chain in (select chain from kiff.ledger where run_id = $1)
      union all select xmin::text from kiff.chains where chain in (select chain from kiff.ledger where run_id = $1)
    ) as writes`, [proposal.step.runId, proposal.step.workflowId])
  return { outcome: answer.outcome, statements, commits: written?.commits ?? 0 }
}

describe('what a proposal costs', () => {
  test('an allowed action without an effect outside: one read, one commit', async () => {
    const cost = await costOf(aProposal(await it.anAccount(), { action: 'NOTE' }))
    expect(cost).toEqual({ outcome: 'allowed', statements: ['kiff.read_facts', 'kiff.execute_pure'], commits: 1 })
  })

  test('an allowed action with one: one read, and two commits around the effect', async () => {
    const cost = await costOf(aProposal(await it.anAccount(), { action: 'CALL' }))
    expect(cost).toEqual({ outcome: 'allowed', statements: ['kiff.read_facts', 'kiff.open_execution', 'kiff.complete_execution'], commits: 2 })
  })

  test('a refusal: one read, one commit', async () => {
    const cost = await costOf(aProposal(await it.anAccount(), { action: 'BROKEN_RULE' }))
    expect(cost).toEqual({ outcome: 'blocked', statements: ['kiff.read_facts', 'kiff.record_answer'], commits: 1 })
  })

  test('a refusal about an entity that does not exist: one read, one commit', async () => {
    const cost = await costOf(aProposal('nobody', { action: 'NOTE' }))
    expect(cost).toEqual({ outcome: 'invalid', statements: ['kiff.read_facts', 'kiff.record_answer'], commits: 1 })
  })

  test('asking a person: one read, one commit', async () => {
    const cost = await costOf(aProposal(await it.anAccount(), { action: 'ASK' }))
    expect(cost).toEqual({ outcome: 'approval_required', statements: ['kiff.read_facts', 'kiff.request_approval'], commits: 1 })
  })
})

/** Every guarded commit of the gate, by name. */
const commits: readonly { readonly name: string; readonly action: Action; readonly commit: (proposal: GovernedProposal, facts?: Facts) => Promise<unknown> }[] = [
  { name: 'recordAnswer', action: 'CALL', commit: async (proposal, facts) => it.refuse(proposal, facts) },
  { name: 'requestApproval', action: 'ASK', commit: async (proposal, facts) => it.ask(proposal, facts === undefined ? {} : { facts }) },
  { name: 'openExecution', action: 'CALL', commit: async (proposal, facts) => it.open(proposal, facts === undefined ? {} : { facts }) },
  { name: 'executePure', action: 'NOTE', commit: async (proposal, facts) => it.pure(proposal, facts === undefined ? {} : { facts }) },
  { name: 'reportEvent', action: 'NOTE', commit: async ({ request, step }, facts) => it.report({}, request.entityId, { step, actor: 'shop', ...(facts === undefined ? {} : { facts }) }) },
]
const stale = expect.toSatisfy((commit: unknown) => commit === 'stale' || (commit as Committed).status === 'stale', 'is stale')

describe.each(commits)('$name holds only if what was read still does', ({ action, commit }) => {
  test('the state has moved meanwhile: stale, and nothing is written', async () => {
    const account = await it.anAccount()
    const proposal = aProposal(account, { action })
    const facts = await it.facts(proposal)
    await it.report({}, account)
    const before = await it.ledgerLength()
    expect(await commit(proposal, facts)).toEqual(stale)
    expect(await it.ledgerLength()).toBe(before)
  })

  test('a role was revoked meanwhile, anyone\'s: stale, and nothing is written', async () => {
    const proposal = aProposal(await it.anAccount(), { action })
    const facts = await it.facts(proposal)
    await it.revoke('bot-2', 'bot')
    await it.grant('bot-2', 'bot')
    const before = await it.ledgerLength()
    expect(await commit(proposal, facts)).toEqual(stale)
    expect(await it.ledgerLength()).toBe(before)
  })

  test('a guard left out does not hold', async () => {
    const proposal = aProposal(await it.anAccount(), { action })
    const facts = await it.facts(proposal)
    expect(await commit(proposal, { ...facts, rolesEpoch: null as never })).toEqual(stale)
  })
})

test('an unguarded answer is recorded whatever has moved: a refusal of input that names nothing', async () => {
  const body = ledgerBody({ kind: 'refused', step: aStep(), domain: 'ledgers', entityType: null, entityId: null, action: 'MADE_UP', actor: 'bot-1', audit: [] })
  const answer = { outcome: 'invalid', reason: 'unknown_action', message: 'no', nextStep: 'fix_proposal' } as const
  expect(await it.store.recordAnswer({ body, answer, guard: null })).toMatchObject({ status: 'committed' })
})

describe('a call is answered once', () => {
  const answering = commits.filter(({ name }) => name !== 'openExecution')

  test.each(answering)('$name, the same call again: the first answer and its record, and nothing is written', async ({ action, commit }) => {
    const proposal = aProposal(await it.anAccount(), { action })
    const first = await commit(proposal)
    const before = await it.ledgerLength()
    const repeated = await commit(proposal, await it.facts(proposal))
    const record = Reflect.get(first as object, 'record') as object
    expect(record).toMatchObject({ seq: 2 })
    expect('status' in (repeated as object) ? repeated : { status: 'repeat', answer: repeated }).toMatchObject({ status: 'repeat', answer: { record } })
    expect(await it.ledgerLength()).toBe(before)
  })

  test('what a call has answered is among its facts, with the record', async () => {
    const proposal = aProposal(await it.anAccount())
    const commit = await it.refuse(proposal)
    expect((await it.facts(proposal)).call).toEqual({ outcome: 'blocked', reason: 'state_not_allowed', message: 'no', nextStep: 'do_not_retry', record: Reflect.get(commit, 'record') })
  })

  test('another activity of the run is another call', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.refuse(proposal)
    expect(await it.refuse(again(proposal))).toMatchObject({ status: 'committed', record: { seq: 3 } })
  })

  test('the same activity id in another run is another call', async () => {
    const account = await it.anAccount()
    const step = aStep()
    await it.refuse(aProposal(account, { step }))
    expect(await it.refuse(aProposal(account, { step: { ...step, runId: 'after-a-reset' } }))).toMatchObject({ status: 'committed' })
  })

  test('the same run and activity in another namespace is another call', async () => {
    const account = await it.anAccount()
    const step = aStep()
    await it.refuse(aProposal(account, { step }))
    expect(await it.refuse(aProposal(account, { step: { ...step, namespace: 'other' } }))).toMatchObject({ status: 'committed' })
  })

  test('a call that has completed an execution does not open another', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    await it.complete(proposal)
    expect(await it.open(proposal)).toMatchObject({ status: 'repeat', answer: { outcome: 'allowed' } })
  })
})
