import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GovernedProposal } from '../../src/gate/proposal.ts'
import { guardOf, rowOf } from '../../src/gate/proposal.ts'
import { createGateStore } from '../../src/postgres/gate-store.ts'
import { aRace, type Race } from './a-race.ts'
import { again, aProposal, aStore, type TestStore } from './a-store.ts'

let it: TestStore
let race: Race
beforeAll(async () => {
  it = await aStore()
  race = await aRace(it)
})
afterAll(async () => {
  await race.close()
  await it.close()
})

const statuses = (commits: readonly { readonly status: string }[]): string[] => commits.map(({ status }) => status).sort()

/** An open by a connection of the race. */
async function opener(proposal: GovernedProposal, approvalId: string | null = null): Promise<() => ReturnType<ReturnType<typeof createGateStore>['openExecution']>> {
  const facts = await it.facts(proposal)
  const body = rowOf(proposal, facts, 'opened', [], approvalId === null ? {} : { approvalId })
  return () => createGateStore(race.gate).openExecution({ body, guard: guardOf(facts), leaseMs: 60_000, idempotentForMs: null, approvalId })
}

describe('at once', () => {
  test('ten attempts with one grant: it is used once', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
    const approvalId = await it.granted(proposal)
    const runners = await Promise.all(Array.from({ length: 10 }, async (_, index) => opener({ ...proposal, step: { ...proposal.step, activityId: `attempt-${index}` } }, approvalId)))
    expect(statuses(await race.all(proposal.request.entityId, runners))).toEqual(['committed', ...Array<string>(9).fill('stale')])
    expect(await it.look('select execution_key from kiff.consumptions where approval_id = $1', [approvalId])).toEqual([{ execution_key: proposal.executionKey }])
    expect(await it.look('select ordinal from kiff.executions where execution_key = $1', [proposal.executionKey])).toEqual([{ ordinal: 1 }])
  })

  test('five workflows on one entity: one opens', async () => {
    const account = await it.anAccount()
    const runners = await Promise.all(Array.from({ length: 5 }, async () => opener(aProposal(account))))
    expect(statuses(await race.all(account, runners))).toEqual(['committed', 'stale', 'stale', 'stale', 'stale'])
    expect(await it.look("select from kiff.ledger l join kiff.chains c using (chain) where c.key = $1 and l.kind = 'opened'", [`ledgers/Account/${account}`])).toHaveLength(1)
  })

  test('five retries of one call: one answer is recorded, and all get it', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'NOTE' })
    const facts = await it.facts(proposal)
    const body = rowOf(proposal, facts, 'refused', [])
    const answer = { outcome: 'blocked', reason: 'error', message: 'no', nextStep: 'ask_operator' } as const
    const commits = await race.all(proposal.request.entityId, Array.from({ length: 5 }, () => () => createGateStore(race.gate).recordAnswer({ body, answer, guard: guardOf(facts) })))
    expect(statuses(commits)).toEqual(['committed', 'repeat', 'repeat', 'repeat', 'repeat'])
  })

  test('two first events of one entity: one makes it', async () => {
    const entityId = `account-${again(aProposal('x')).step.runId}`
    const facts = await it.facts(aProposal(entityId))
    const opened = (id: string) => () => createGateStore(race.gate).reportEvent({
      body: JSON.stringify({ kind: 'event', namespace: 'n', run_id: id, activity_id: '1', domain: 'ledgers', entity_type: 'Account', entity_id: entityId, action: null, actor: 'shop', audit: [], events: [{ id, type: 'OPENED', payload: {}, from: null, to: 'OPEN' }] }),
      answer: { outcome: 'allowed', output: {}, summary: 's' }, guard: guardOf(facts),
    })
    expect(statuses(await race.all(entityId, [opened('one'), opened('two')]))).toEqual(['committed', 'stale'])
    expect((await it.facts(aProposal(entityId))).state).toEqual({ value: 'OPEN', version: 1 })
  })

  test('one event reported five times under one id: it happens once, and all are told its record', async () => {
    const account = await it.anAccount()
    const facts = await it.facts(aProposal(account))
    const touched = (call: number) => () => createGateStore(race.gate).reportEvent({
      body: JSON.stringify({ kind: 'event', namespace: 'n', run_id: account, activity_id: String(call), domain: 'ledgers', entity_type: 'Account', entity_id: account, action: null, actor: 'shop', audit: [], events: [{ id: 'once', type: 'TOUCHED', payload: {}, from: 'OPEN', to: 'OPEN' }] }),
      answer: { outcome: 'allowed', output: {}, summary: 's' }, guard: guardOf(facts),
    })
    expect(statuses(await race.all(account, Array.from({ length: 5 }, (_, call) => touched(call))))).toEqual(['committed', 'repeat', 'repeat', 'repeat', 'repeat'])
    expect((await it.facts(aProposal(account))).state?.version).toBe(2)
  })

  test('an action and the revocation of a role: it waits for the revocation, and then no longer holds', async () => {
    const open = await opener(aProposal(await it.anAccount()))
    const revoking = await it.db.pool('owner').connect()
    try {
      await revoking.query('begin')
      await revoking.query('select kiff.change_membership($1)', [JSON.stringify({ kind: 'role_revoked', domain: 'ledgers', actor: 'bot-1', role: 'bot', audit: [] })])
      const opening = open()
      await expect.poll(race.waiting, { timeout: 10_000 }).toBe(1)
      await revoking.query('commit')
      expect(await opening).toEqual({ status: 'stale' })
    } finally {
      revoking.release()
      await it.grant('bot-1', 'bot')
    }
  })

  test('a late success and a doubt: the success stands', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    await it.later({ lease: proposal.executionKey })
    const facts = await it.facts(proposal)
    const store = createGateStore(race.gate)
    await race.all(proposal.request.entityId, [
      async () => store.completeExecution({ body: rowOf(proposal, facts, 'executed', [], { events: [] }), executionKey: proposal.executionKey, answer: { outcome: 'allowed', output: {}, summary: 's' }, end: { status: 'succeeded' } }),
      async () => store.markInDoubt({ body: rowOf(proposal, facts, 'in_doubt', []), executionKey: proposal.executionKey, token: null }),
    ])
    expect(await it.facts(again(proposal))).toMatchObject({ holder: null, execution: { status: 'succeeded' } })
  })
})
