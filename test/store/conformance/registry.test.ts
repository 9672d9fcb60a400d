import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { contractHash } from '../../../src/core/contract-hash.ts'
import type { Domain } from '../../../src/core/domain.ts'
import type { Facts } from '../../../src/core/store.ts'
import { toQuery } from '../../../src/gate/proposal.ts'
import { ledgers } from '../a-domain.ts'
import { aProposal, theStore, type AnyStore } from '../the-store.ts'

/** The same domain with another version of one contract. */
const changed: Domain = { ...ledgers, actions: { ...ledgers.actions, NOTE: { ...ledgers.actions.NOTE, version: 2 } } }

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

/** What the gate is told of each of the domain's contracts, by action. */
async function known(domain: Domain = ledgers): Promise<Record<string, Facts['contract']>> {
  const asked = Object.entries(domain.actions).map(async ([action, contract]) => {
    const facts = await it.store.readFacts({ ...toQuery(aProposal('nobody')), contract: { action, hash: contractHash(domain.name, action, contract) } })
    return [action, facts.contract] as const
  })
  return Object.fromEntries(await Promise.all(asked))
}
const all = (contract: Facts['contract']) => Object.fromEntries(Object.keys(ledgers.actions).map((action) => [action, contract]))
const factsOf = async (actor: string) => it.facts(aProposal('nobody', { actor }))

describe('registering a domain', () => {
  test('makes its contracts known, by hash; another version is not', async () => {
    expect(await known()).toEqual(all('newest'))
    expect(await known(changed)).toMatchObject({ NOTE: 'unknown', CALL: 'newest' })
  })

  test('again changes nothing but the epoch, so that every gate reads anew', async () => {
    const epoch = (await factsOf('bot-1')).rolesEpoch
    await it.register(ledgers)
    expect(await known()).toEqual(all('newest'))
    expect((await factsOf('bot-1')).rolesEpoch).toBe(epoch + 1)
  })

  test('in another version supersedes the contracts that it changes, until they are registered again', async () => {
    await it.register(changed)
    expect(await known()).toEqual({ ...all('newest'), NOTE: 'superseded' })
    expect(await known(changed)).toMatchObject({ NOTE: 'newest' })
    await it.register(ledgers)
    expect(await known()).toEqual(all('newest'))
  })

  test('with fewer roles takes the permissions away at once; contracts registered before stay known', async () => {
    await it.register({ ...ledgers, actions: {}, roles: { ...ledgers.roles, bot: [] } })
    expect((await factsOf('bot-1')).permissions).toEqual([])
    expect(await known()).toEqual(all('superseded'))
    await it.register(ledgers)
    expect((await factsOf('bot-1')).permissions).toEqual(['accounts.note'])
  })

  test('takes away what it declares no more: a kind of entity without state, and an event', async () => {
    const { Account } = ledgers.entities
    if (Account === undefined) throw new Error('there is no Account')
    const { TOUCHED: _, ...events } = Account.events
    const account = await it.anAccount()
    await it.register({ ...ledgers, entities: { Account: { ...Account, events } } })
    await expect(it.open(aProposal('endpoint-1', { action: 'PING' }))).rejects.toMatchObject({ code: '23514' })
    await expect(it.report({}, account)).rejects.toMatchObject({ code: '23514' })
    await it.register(ledgers)
    expect(await it.open(aProposal('endpoint-1', { action: 'PING' }))).toMatchObject({ status: 'committed' })
    expect(await it.report({}, account)).toMatchObject({ status: 'committed' })
  })

  test('takes a role or a source state that is written twice once', async () => {
    const doubled: Domain = { ...ledgers, roles: { ...ledgers.roles, bot: ['accounts.note', 'accounts.note'] } }
    await it.register(doubled)
    expect((await factsOf('bot-1')).permissions).toEqual(['accounts.note'])
    await it.register(ledgers)
  })
})

const change = (kind: 'role_granted' | 'role_revoked', actor: string, role: string) => it.change({ kind, domain: 'ledgers', actor, role, by: 'anna' })

describe('memberships', () => {
  test('give an actor the permissions of the role, and take them', async () => {
    expect(await change('role_granted', 'newcomer', 'reviewer')).toBe(true)
    expect((await factsOf('newcomer')).permissions).toEqual(['accounts.review'])
    expect(await change('role_revoked', 'newcomer', 'reviewer')).toBe(true)
    expect((await factsOf('newcomer')).permissions).toEqual([])
  })

  test('move the epoch, and stand in the ledger with who did it', async () => {
    const { rolesEpoch } = await factsOf('newcomer')
    await change('role_granted', 'someone', 'reporter')
    expect((await factsOf('newcomer')).rolesEpoch).toBe(rolesEpoch + 1)
    const last = (await it.auditRecords()).filter(({ data }) => data['actor'] === 'someone').at(-1)
    expect(last).toMatchObject({ kind: 'role_granted', actor_id: 'anna', data: { actor: 'someone', role: 'reporter' } })
  })

  test('that are taken take nothing else: neither another role, nor anybody else\'s', async () => {
    for (const [actor, role] of [['one', 'bot'], ['one', 'reviewer'], ['two', 'bot']] as const) await change('role_granted', actor, role)
    await change('role_revoked', 'one', 'bot')
    expect((await factsOf('one')).permissions).toEqual(['accounts.review'])
    expect((await factsOf('two')).permissions).toEqual(['accounts.note'])
  })

  test('that are so already change nothing, and write nothing', async () => {
    await change('role_granted', 'twice', 'bot')
    const [{ rolesEpoch }, before] = [await factsOf('twice'), await it.ledgerLength()]
    expect(await change('role_granted', 'twice', 'bot')).toBe(false)
    expect(await change('role_revoked', 'twice', 'reviewer')).toBe(false)
    expect((await factsOf('twice')).rolesEpoch).toBe(rolesEpoch)
    expect(await it.ledgerLength()).toBe(before)
  })

  test('of a role the domain does not have are refused', async () => {
    await expect(change('role_granted', 'newcomer', 'admin')).rejects.toThrow('domain ledgers has no role admin')
  })

  test('of a role the domain no longer has can be revoked: its holders do not come back with it', async () => {
    await change('role_granted', 'leaver', 'bot')
    await it.register({ ...ledgers, roles: { reviewer: ['accounts.review'], reporter: ['accounts.report'] } })
    expect(await change('role_revoked', 'leaver', 'bot')).toBe(true)
    await it.register(ledgers)
    expect((await factsOf('leaver')).permissions).toEqual([])
  })

  test('hold in their own domain only', async () => {
    await it.register({ ...ledgers, name: 'others' })
    expect((await it.store.readFacts({ ...toQuery(aProposal('nobody')), domain: 'others' })).permissions).toEqual([])
  })

  test('of an unknown kind are refused', async () => {
    await expect(change('role_lent' as 'role_granted', 'newcomer', 'bot')).rejects.toThrow('unknown kind role_lent')
  })
})
