/** What a person's grant, and an open execution, are bound to: a row that says otherwise is neither opened by the one, nor ends the other. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { contractHash } from '../../../src/core/contract-hash.ts'
import { guardOf, rowOf, type GovernedProposal } from '../../../src/gate/proposal.ts'
import { ledgers } from '../a-domain.ts'
import { again, aProposal, blocked, noted, theStore, type Action, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

/** What a row says that is of another action. */
const contractOf = (action: Action) => ({ action, contract: aProposal('x', { action }).contractHash })

/** Opens, and executes at once, with a row that says this otherwise than was asked. */
async function uses(proposal: GovernedProposal, approvalId: string, over: object): Promise<string[]> {
  const facts = await it.facts(again(proposal))
  const row = (kind: 'opened' | 'executed'): string => JSON.stringify({ ...(JSON.parse(rowOf(again(proposal), facts, kind, [], { approvalId, events: kind === 'executed' ? [noted(proposal)] : [], output: {} })) as object), ...over })
  const commits = [
    () => it.store.openExecution({ body: row('opened'), guard: guardOf(facts), leaseMs: 60_000, idempotentForMs: null, approvalId }),
    () => it.store.executePure({ body: row('executed'), guard: guardOf(facts), approvalId, answer: blocked }),
  ]
  const ended: string[] = []
  for (const commit of commits) ended.push(await commit().then(({ status }) => status, () => 'refused'))
  return ended
}

describe('a grant', () => {
  test('opens what it was given for', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
    expect((await uses(proposal, await it.granted(proposal), {}))[0]).toBe('committed')
  })

  test.each<[string, (account: string) => object]>([
    ['another workflow', () => ({ workflow_id: 'another' })],
    ['another run chain', () => ({ first_execution_run_id: 'another' })],
    ['another namespace', () => ({ namespace: 'another' })],
    ['another actor', () => ({ actor: 'bot-2' })],
    ['another person for whom it is done', () => ({ on_behalf_of: 'anna' })],
    ['other parameters', () => ({ proposal_digest: '0'.repeat(64) })],
    ['another key', () => ({ execution_key: '0'.repeat(64) })],
    ['another entity', (account) => ({ entity_id: account })],
    ['another action', () => contractOf('NOTE')],
    ['another action that never happens without', () => contractOf('NEVER_ALONE')],
  ])('opens nothing for %s', async (_, over) => {
    const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
    const approvalId = await it.granted(proposal)
    const [otherwise, before] = [over(await it.anAccount()), await it.ledgerLength()]
    expect(await uses(proposal, approvalId, otherwise)).not.toContain('committed')
    expect(await it.ledgerLength()).toBe(before)
    expect((await it.reviews.show(approvalId))?.status).toBe('granted')
  })

  test('by another version of its contract opens nothing', async () => {
    const proposal = aProposal(await it.anAccount(), { action: 'ASK' })
    const approvalId = await it.granted(proposal)
    const changed = { ...ledgers, actions: { ...ledgers.actions, ASK: { ...ledgers.actions.ASK, version: 2 } } }
    await it.register(changed)
    expect(await uses(proposal, approvalId, { contract: contractHash('ledgers', 'ASK', changed.actions.ASK) })).not.toContain('committed')
    await it.register(ledgers)
  })
})

describe('an open execution', () => {
  test.each<[string, () => object]>([
    ['action', () => contractOf('ASK')],
    ['digest of its parameters', () => ({ proposal_digest: '0'.repeat(64) })],
    ['set of parameters', () => ({ params: { note: 'more' } })],
    ['actor', () => ({ actor: 'bot-2' })],
    ['person for whom it is done', () => ({ on_behalf_of: 'anna' })],
    ['key', () => ({ execution_key: '0'.repeat(64) })],
  ])('is not ended by a row that says another %s', async (_, over) => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    const body = JSON.stringify({ ...(JSON.parse(rowOf(proposal, await it.facts(proposal), 'executed', [], { events: [noted(proposal)], output: {} })) as object), ...over() })
    await expect(it.store.completeExecution({ body, executionKey: proposal.executionKey, answer: blocked, end: { status: 'succeeded' } })).rejects.toMatchObject({ code: '23514' })
    expect((await it.facts(again(proposal))).execution?.status).toBe('reserved')
  })
})
