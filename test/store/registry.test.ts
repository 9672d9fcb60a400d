import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { contractHash } from '../../src/core/contract-hash.ts'
import type { Domain } from '../../src/core/domain.ts'
import { registeredContracts } from '../../src/postgres/gate-store.ts'
import { changeMembership, registerDomain } from '../../src/postgres/registry.ts'
import { ledgers } from './a-domain.ts'
import { aProposal, aStore, type TestStore } from './a-store.ts'

let it: TestStore
beforeAll(async () => { it = await aStore() })
afterAll(() => it.close())

const owner = () => it.db.pool('owner')
const hashes = () => registeredContracts(it.db.pool('gate'), 'ledgers')
const factsOf = async (actor: string) => it.facts(aProposal('nobody', { actor }))

describe('registering a domain', () => {
  test('makes its contracts known, by hash', async () => {
    const expected = Object.entries(ledgers.actions).map(([action, contract]) => contractHash('ledgers', action, contract))
    expect([...(await hashes())].sort()).toEqual(expected.sort())
  })

  test('again changes nothing but the epoch, so that every gate reads anew', async () => {
    const [before, epoch] = [await hashes(), (await factsOf('bot-1')).rolesEpoch]
    await registerDomain(owner(), ledgers)
    expect(await hashes()).toEqual(before)
    expect((await factsOf('bot-1')).rolesEpoch).toBe(epoch + 1)
  })

  test('with fewer roles takes the permissions away at once; contracts registered before stay known', async () => {
    const before = await hashes()
    await registerDomain(owner(), { ...ledgers, actions: {}, roles: { ...ledgers.roles, bot: [] } })
    expect((await factsOf('bot-1')).permissions).toEqual([])
    expect(await hashes()).toEqual(before)
    await registerDomain(owner(), ledgers)
    expect((await factsOf('bot-1')).permissions).toEqual(['accounts.note'])
  })

  test('takes a role or a source state that is written twice once', async () => {
    const doubled: Domain = { ...ledgers, roles: { ...ledgers.roles, bot: ['accounts.note', 'accounts.note'] } }
    await registerDomain(owner(), doubled)
    expect((await factsOf('bot-1')).permissions).toEqual(['accounts.note'])
    await registerDomain(owner(), ledgers)
  })
})

const change = (kind: 'role_granted' | 'role_revoked', actor: string, role: string) => changeMembership(owner(), { kind, domain: 'ledgers', actor, role, by: 'anna' })

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
    const [last] = await it.look("select kind, actor_id, data from kiff.audit_records r where chain = (select chain from kiff.chains where kind = 'roles' and key = 'ledgers') order by seq desc limit 1")
    expect(last).toEqual({ kind: 'role_granted', actor_id: 'anna', data: { actor: 'someone', role: 'reporter' } })
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
    await registerDomain(owner(), { ...ledgers, roles: { reviewer: ['accounts.review'], reporter: ['accounts.report'] } })
    expect(await change('role_revoked', 'leaver', 'bot')).toBe(true)
    await registerDomain(owner(), ledgers)
    expect((await factsOf('leaver')).permissions).toEqual([])
  })

  test('hold in their own domain only', async () => {
    await registerDomain(owner(), { ...ledgers, name: 'others' })
    expect(await it.look("select from kiff.memberships where domain = 'others'")).toEqual([])
  })

  test('of an unknown kind are refused', async () => {
    await expect(change('role_lent' as 'role_granted', 'newcomer', 'bot')).rejects.toThrow('unknown kind role_lent')
  })
})
