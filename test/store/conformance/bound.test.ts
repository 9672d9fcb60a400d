/** What a person's grant, and an open execution, are bound to: a row that says otherwise is neither opened by the one, nor ends the other. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { canonical } from '../../../src/core/canonical.ts'
import { contractHash } from '../../../src/core/contract-hash.ts'
import type { RowKind } from '../../../src/core/ledger-row.ts'
import { defineAction } from '../../../src/core/define-action.ts'
import type { GateStore } from '../../../src/core/store.ts'
import { ask } from '../../../src/gate/ask.ts'
import { guardOf, rowOf, type GovernedProposal } from '../../../src/gate/proposal.ts'
import { ledgers } from '../a-domain.ts'
import { askedIn, signaturesOf, theGate } from '../a-gate.ts'
import { again, aProposal, blocked, leaseOf, noted, theStore, type Action, type AnyStore } from '../the-store.ts'

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
    ['what nobody was shown, though its digest says otherwise', () => ({ params: { note: 'a million' } })],
    ['other facts than were shown', () => ({ facts: { balance: 1 } })],
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

const saying = (text: string, more: object): string => canonical({ ...(JSON.parse(text) as object), ...more })

/** Asks for approval with a row, and a request, that say this beside what is true, and gets it. @returns its id */
async function grantedFor(proposal: GovernedProposal, row: object, request: object): Promise<string> {
  const { inspection } = proposal
  if (!inspection.ok) throw new Error(inspection.message)
  const store: GateStore = { ...it.store, requestApproval: (commit) => it.store.requestApproval({ ...commit, body: saying(commit.body, row), request: saying(commit.request, request) }) }
  const answer = await ask(store, proposal, await it.facts(proposal), { outcome: 'approval_required', action: inspection.action.on({}), rule: 'always' }, { number: 1, changed: null, before: [], link: () => null })
  if (answer === 'stale' || answer.outcome !== 'approval_required') throw new Error(`not asked: ${JSON.stringify(answer)}`)
  await it.review(answer.approvalId, 'granted', 'olga')
  return answer.approvalId
}

const anAsk = async (): Promise<GovernedProposal> => aProposal(await it.anAccount(), { action: 'ASK' })

describe('a person is shown what the row says', () => {
  test.each<[string, object, object]>([
    ['parameters', {}, { params: { note: 'one cent' } }],
    ['facts', {}, { facts: { balance: 1 } }],
    ['facts, where the row has some', { facts: { balance: 1 } }, {}],
    ['state', {}, { state: 'CLOSED' }],
    ['version of the state', {}, { state_version: 2 }],
  ])('and no other %s', async (_, row, request) => {
    const before = await it.ledgerLength()
    await expect(grantedFor(await anAsk(), row, request)).rejects.toMatchObject({ code: '23514' })
    expect(await it.ledgerLength()).toBe(before + 1) // the account's own event
  })

  test('also of an entity that we keep no state of', async () => {
    const proposal = aProposal('endpoint-1', { action: 'PING' })
    const asks = { ...ledgers, actions: { ...ledgers.actions, PING: { ...ledgers.actions.PING, approval: ledgers.actions.ASK.approval } } }
    await it.register(asks)
    const asking = { ...proposal, contract: asks.actions.PING, contractHash: contractHash('ledgers', 'PING', asks.actions.PING) }
    expect((await uses(asking, await grantedFor(asking, {}, {}), {}))[0]).toBe('committed')
    await it.register(ledgers)
  })

  test.each<[object, object]>([
    [{ note: 'x' }, { note: 'x', channel: 'mail' }],
    [{ to: { name: 'x' } }, { to: { name: 'x', country: 'DE' } }],
    [{ lines: [{ item: 1 }, { item: 2, count: 3 }] }, { lines: [{ item: 1, count: 1 }, { item: 2, count: 3 }] }],
  ])('with defaults where it says nothing: %j is shown as %j, and done', async (params, parsed) => {
    const proposal = await anAsk()
    expect((await uses(proposal, await grantedFor(proposal, { params }, { params: parsed }), { params }))[0]).toBe('committed')
  })

  test('and an honest gate asks, and acts, for parameters that its schema fills in', async () => {
    const line = z.strictObject({ item: z.string(), count: z.int().default(1) })
    const ASK = defineAction(ledgers.actions.ASK.entity, {
      description: 'Has defaults', from: ['OPEN'], params: z.strictObject({ lines: z.array(line), channel: z.string().default('mail') }), output: z.strictObject({}), permission: 'accounts.note', risk: 'high', effect: 'none',
      approval: { when: () => 'always', reviewers: 'accounts.review', expiresIn: '3 days', binds: 'state' }, describe: ({ params }) => `Ask by ${params.channel}`,
    })
    const domain = { ...ledgers, actions: { ...ledgers.actions, ASK } }
    await it.register(domain)
    const { gate, proposing } = theGate(it)
    const calls = proposing('ASK', await it.anAccount(), { params: { lines: [{ item: 'a' }, { count: 2, item: 'b' }] } })
    const approvalId = askedIn(await calls.call({ gate: { bound: { ...gate.bound, domain } } }))
    await it.review(approvalId, 'granted', 'olga')
    await it.report({}, calls.entityId)
    expect(await calls.call({ gate: { bound: { ...gate.bound, domain } }, reviews: await signaturesOf(it, approvalId) })).toMatchObject({ outcome: 'allowed', summary: 'Ask by mail' })
    await it.register(ledgers)
  })

  test.each<[object, object]>([
    [{ note: 'x' }, {}],
    [{ note: null }, {}],
    [{ to: { name: 'x' } }, { to: { name: 'y', country: 'DE' } }],
    [{ to: { name: 'x' } }, { to: ['x'] }],
    [{ lines: [1, 2] }, { lines: [2, 1] }],
    [{ lines: [1] }, { lines: [1, 2] }],
    [{ lines: [1, 2] }, { lines: [1] }],
    [{ lines: [{ item: 1 }] }, { lines: [{ item: 2 }] }],
    [{ lines: ['1'] }, { lines: [1] }],
  ])('and nothing else: %j is not shown as %j', async (params, parsed) => {
    await expect(grantedFor(await anAsk(), { params }, { params: parsed })).rejects.toMatchObject({ code: '23514' })
  })
})

describe('a grant is for the entity', () => {
  test('as it was: moved since, it opens nothing', async () => {
    const proposal = await anAsk()
    const approvalId = await it.granted(proposal)
    await it.report({}, proposal.request.entityId)
    expect(await uses(proposal, approvalId, {})).not.toContain('committed')
  })

  test('in its state, where the request says that this is enough', async () => {
    const proposal = await anAsk()
    const approvalId = await grantedFor(proposal, {}, { binds: 'state' })
    await it.report({}, proposal.request.entityId)
    expect((await uses(proposal, approvalId, {}))[0]).toBe('committed')
  })

  test.each(['version', 'state'])('in the state that a person was shown, whatever a row says (%s)', async (binds) => {
    const proposal = await anAsk()
    const approvalId = await grantedFor(proposal, { state: { value: 'CLOSED', version: 1 } }, { state: 'CLOSED', binds })
    expect(await uses(proposal, approvalId, {})).not.toContain('committed')
  })
})

/** What writes a row about an execution, what it leads to when its row says what was opened, and how an execution comes to where it may. */
interface Way {
  readonly kind: RowKind
  readonly of: () => Promise<GovernedProposal>
  readonly commit: (proposal: GovernedProposal, body: string) => Promise<{ readonly status: string }>
}

const openOf = async (idempotentForMs: number | null = null): Promise<GovernedProposal> => {
  const proposal = aProposal(await it.anAccount())
  await it.open(proposal, { idempotentForMs })
  return proposal
}

const ways: Readonly<Record<string, Way>> = {
  'is not ended': { kind: 'executed', of: () => openOf(), commit: ({ executionKey }, body) => it.store.completeExecution({ body, executionKey, answer: blocked, end: { status: 'succeeded' } }) },
  'is not taken up': {
    kind: 'resumed',
    async of() {
      const proposal = await openOf(3_600_000)
      await it.later({ lease: proposal.executionKey })
      return proposal
    },
    commit: ({ executionKey }, body) => it.store.resumeExecution({ body, executionKey, leaseMs: 60_000 }),
  },
  'does not come to be in doubt': {
    kind: 'in_doubt',
    async of() {
      const proposal = await openOf()
      await it.later({ lease: proposal.executionKey })
      return proposal
    },
    commit: ({ executionKey }, body) => it.store.markInDoubt({ body, executionKey, token: null }),
  },
  'keeps what a person has said of it': {
    kind: 'reconciliation_rejected',
    async of() {
      const proposal = await it.inDoubt()
      await it.reconcile(proposal, 'olga')
      return proposal
    },
    commit: ({ executionKey }, body) => it.store.rejectReconciliation({ body, executionKey, ordinal: 1, round: 1, why: 'x' }),
  },
  'is not contradicted': {
    kind: 'contradicted',
    async of() {
      const proposal = aProposal(await it.anAccount())
      await it.complete(proposal, { status: 'failed', token: leaseOf(await it.open(proposal)).token })
      return proposal
    },
    commit: ({ executionKey }, body) => it.store.recordContradiction({ body, executionKey, ordinal: 1 }),
  },
}

const otherwise: Readonly<Record<string, (account: string) => object>> = {
  domain: () => ({ domain: 'another' }),
  'type of entity': () => ({ entity_type: 'Another' }),
  entity: (account) => ({ entity_id: account }),
  action: () => contractOf('ASK'),
  'digest of its parameters': () => ({ proposal_digest: '0'.repeat(64) }),
  'set of parameters': () => ({ params: { note: 'more' } }),
  actor: () => ({ actor: 'bot-2' }),
  'person for whom it is done': () => ({ on_behalf_of: 'anna' }),
  key: () => ({ execution_key: '0'.repeat(64) }),
}

describe.each(Object.entries(ways))('an execution %s', (_, { kind, of, commit }) => {
  test.each(Object.entries(otherwise))('by a row that says another %s', async (__, over) => {
    const proposal = await of()
    const row = JSON.parse(rowOf(proposal, await it.facts(proposal), kind, [], kind === 'executed' ? { events: [noted(proposal)], output: {} } : {})) as object
    const [saying, before] = [over(await it.anAccount()), await it.ledgerLength()]
    const told = await commit(proposal, JSON.stringify({ ...row, ...saying })).then(({ status }) => status, ({ code }: { code: string }) => code)
    expect(told).toMatch(/^(stale|23514|P0001)$/)
    expect(await it.ledgerLength()).toBe(before)
    expect(await commit(proposal, JSON.stringify(row))).toMatchObject({ status: 'committed' })
  })
})
