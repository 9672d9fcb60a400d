import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { propose } from '../../src/gate/gate.ts'
import type { GovernedProposal } from '../../src/gate/proposal.ts'
import { createGateStore } from '../../src/postgres/gate-store.ts'
import { ledgers } from './a-domain.ts'
import { aProposal, aStore, type TestStore } from './a-store.ts'

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

test('a gate whose contract nobody has registered steps aside, and writes nothing', async () => {
  const proposal = aProposal(await it.anAccount(), { action: 'NOTE' })
  const unregistered = { ...ledgers, actions: { ...ledgers.actions, NOTE: { ...ledgers.actions.NOTE, version: 99 } } }
  const gate = { bound: { domain: unregistered, executorOf: () => done, loaderOf: () => undefined }, store: it.store, verify: async () => Promise.resolve(null), actors: ['bot-1'], verifyMandate: async () => Promise.resolve(null) }
  const before = await it.ledgerLength()
  await expect(propose(gate, proposal.step, 'NOTE', proposal.request, () => ({ executorMs: 5_000, leaseMs: 6_000, until: Date.now() + 6_000 })))
    .rejects.toMatchObject({ type: 'kiff.ContractSuperseded', message: expect.stringContaining('is not registered; run "kiff-temporal migrate"') })
  expect(await it.ledgerLength()).toBe(before)
})
