/** Two domains that share their words: what is registered, granted, or known in one says nothing of the other. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { contractHash } from '../../../src/core/contract-hash.ts'
import { rowOf, toQuery, type GovernedProposal } from '../../../src/gate/proposal.ts'
import { ledgers } from '../a-domain.ts'
import { anOther, anOtherAccount, others, registerOthers } from '../another-domain.ts'
import { aProposal, leaseOf, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => {
  it = await theStore()
  await registerOthers(it)
})
afterAll(() => it.close())

const chainOf = (commit: unknown): unknown => Reflect.get(Object(Reflect.get(Object(commit), 'record')), 'chain')
const runOf = ({ step }: GovernedProposal): string => `${step.namespace}/${step.firstExecutionRunId}/${step.workflowId}`
const hashOf = (action: keyof typeof others.actions): string => contractHash('others', action, others.actions[action])
const epochOf = async (domain: string): Promise<number> => (await it.store.readFacts({ ...toQuery(aProposal('nobody')), domain })).rolesEpoch

/** What a gate is told of a contract. */
const known = async (domain: string, action: string, hash: string) => (await it.store.readFacts({ ...toQuery(aProposal('nobody')), domain, contract: { action, hash } })).contract

/** Nothing is written by a commit that throws. */
async function refusesWhole(commit: () => Promise<unknown>): Promise<void> {
  const before = await it.ledgerLength()
  await expect(commit()).rejects.toMatchObject({ code: '23514' })
  expect(await it.ledgerLength()).toBe(before)
}

describe('an entity', () => {
  test('of another domain with the same id is another: what is refused here goes to the run', async () => {
    const id = `account-${randomUUID()}`
    await anOtherAccount(it, id)
    const proposal = aProposal(id)
    expect(chainOf(await it.refuse(proposal))).toBe(runOf(proposal))
    expect((await it.facts(aProposal(id))).state).toBeNull()
  })

  test('that only the other domain keeps no state of must exist here', async () => {
    await refusesWhole(() => it.open(anOther('PING', 'endpoint-nowhere')))
    const asking = anOther('WAKE', 'endpoint-nowhere')
    // As a gate would ask that takes it for one that exists.
    const facts = { ...(await it.facts(asking)), state: { value: 'UP', version: 0 } }
    expect(await it.ask(asking, { facts })).toMatchObject({ outcome: 'approval_required', record: { chain: runOf(asking) } })
  })

  test('that we keep no state of has its chain from the first time that somebody is asked about it', async () => {
    const proposal = anOther('SWITCH', 'gadget-1')
    await it.asked(proposal)
    expect((await it.chains()).map(({ key }) => key)).toContain('others/Gadget/gadget-1')
  })
})

describe('a contract', () => {
  test('is known in its own domain and for its own action', async () => {
    const hash = contractHash('ledgers', 'CALL', ledgers.actions.CALL)
    expect(await Promise.all([known('ledgers', 'CALL', hash), known('others', 'CALL', hash), known('ledgers', 'NOTE', hash)])).toEqual(['newest', 'unknown', 'unknown'])
  })

  test('of the other domain permits no effect here', async () => {
    const proposal = { ...aProposal(await it.anAccount()), contractHash: hashOf('CALL') }
    await refusesWhole(() => it.open(proposal))
  })

  test('of the other domain asks nobody here', async () => {
    const proposal = { ...aProposal(await it.anAccount(), { action: 'ASK' }), contractHash: hashOf('ASK') }
    await refusesWhole(() => it.ask(proposal))
  })

  test('of the other domain emits nothing here', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    await refusesWhole(() => it.complete({ ...proposal, contractHash: hashOf('CALL') }))
  })
})

test('an event that only the other domain declares cannot happen here', async () => {
  const account = await it.anAccount()
  await refusesWhole(() => it.report({ type: 'SHUT', to: 'SHUT' }, account))
})

describe('the epoch of roles', () => {
  test('is told of the domain that was asked for, and moves with its own', async () => {
    const [here, there] = [await epochOf('ledgers'), await epochOf('others')]
    expect(here).not.toBe(there)
    await it.change({ kind: 'role_granted', domain: 'others', actor: randomUUID(), role: 'guest', by: 'test' })
    expect([await epochOf('ledgers'), await epochOf('others')]).toEqual([here, there + 1])
  })

  test('of the other domain guards nothing here', async () => {
    expect(await it.open(aProposal(await it.anAccount()))).toMatchObject({ status: 'committed' })
    const proposal = aProposal(await it.anAccount())
    const facts = { ...(await it.facts(proposal)), rolesEpoch: await epochOf('others') }
    expect(await it.open(proposal, { facts })).toEqual({ status: 'stale' })
  })
})

describe('a role', () => {
  test('that only the other domain has cannot be granted here', async () => {
    await expect(it.grant('newcomer', 'guest')).rejects.toThrow('domain ledgers has no role guest')
  })

  test('that is held there permits nothing here, and is not taken there by being taken here', async () => {
    await it.change({ kind: 'role_granted', domain: 'others', actor: 'visitor', role: 'bot', by: 'test' })
    const permitted = async (domain: string) => (await it.store.readFacts({ ...toQuery(aProposal('nobody', { actor: 'visitor' })), domain })).permissions
    expect([await permitted('ledgers'), await permitted('others')]).toEqual([[], ['accounts.note']])
    await it.grant('visitor', 'bot')
    await it.revoke('visitor', 'bot')
    expect([await permitted('ledgers'), await permitted('others')]).toEqual([[], ['accounts.note']])
  })
})

test('registering one domain leaves the other as it is', async () => {
  await anOtherAccount(it, 'account-before')
  await it.register(ledgers)
  await anOtherAccount(it, 'account-after')
  expect(await it.open(anOther('CALL', 'account-after'))).toMatchObject({ status: 'committed' })
  await it.asked(anOther('SWITCH', 'gadget-2'))
  expect((await it.chains()).map(({ key }) => key)).toContain('others/Gadget/gadget-2')
})

test('what a person found out is due in its own domain only', async () => {
  const proposal = aProposal(await it.anAccount())
  const { token } = leaseOf(await it.open(proposal))
  await it.store.markInDoubt({ body: rowOf(proposal, await it.facts(proposal), 'in_doubt', []), executionKey: proposal.executionKey, token })
  expect(await it.reconcile(proposal, 'olga')).toMatchObject({ outcome: 'recorded' })
  expect([await it.store.dueReconciliations('ledgers'), await it.store.dueReconciliations('others')].map((due) => due.map(({ executionKey }) => executionKey))).toEqual([[proposal.executionKey], []])
})
