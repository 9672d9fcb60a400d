import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ledgerBody } from '../../src/core/ledger-row.ts'
import { transaction } from '../../src/postgres/connect.ts'
import { aProposal, aStep, aStore, blocked, type TestStore } from './a-store.ts'
import { faultsOf } from './recompute.ts'

let it: TestStore
beforeAll(async () => { it = await aStore() })
afterAll(() => it.close())

describe('a row', () => {
  test('keeps the body to the last character, and takes its columns from it', async () => {
    const body = ledgerBody({ kind: 'refused', step: aStep({ activityId: '7' }), domain: 'ledgers', entityType: null, entityId: null, action: 'X', actor: 'bot-1', params: { b: 1, a: 'é' }, approvalId: 'a', executionKey: 'k', audit: [] })
    await it.store.recordAnswer({ body, answer: blocked, guard: null })
    const [row] = await it.look<{ body: string }>("select body, kind, activity_id, approval_id, execution_key from kiff.ledger where activity_id = '7'")
    expect(row).toEqual({ body, kind: 'refused', activity_id: '7', approval_id: 'a', execution_key: 'k' })
  })

  test('an altered body is seen by whoever recomputes', async () => {
    const account = await it.anAccount()
    await asOwnerWithoutTriggers("update kiff.ledger set body = replace(body, 'OPEN', 'OPEM') where chain = (select chain from kiff.chains where key = $1)", [`ledgers/Account/${account}`])
    expect(await faultsOf(it, (chain) => chain === `ledgers/Account/${account}`)).toEqual([`ledgers/Account/${account}#1: digest`])
  })
})

/** The database's owner can do anything, once the triggers are away; the next test needs them back. */
async function asOwnerWithoutTriggers(sql: string, values: readonly unknown[]): Promise<void> {
  await transaction(it.db.pool('owner'), async (client) => {
    await client.query('alter table kiff.ledger disable trigger user')
    await client.query(sql, [...values])
    await client.query('alter table kiff.ledger enable trigger user')
  })
}

const intact = async (account: string): Promise<boolean> => (await it.facts(aProposal(account))).intact

describe('a gate that reads its facts sees whether the entity\'s chain ends where it should', () => {
  const ofChain = 'chain = (select chain from kiff.chains where key = $1)'

  test('as it does, for an entity that exists and for one that does not', async () => {
    expect(await intact(await it.anAccount())).toBe(true)
    expect(await intact('nobody')).toBe(true)
  })

  test.each([
    ['the head altered', `update kiff.chains set head = sha256('x') where key = $1`],
    ['the counter altered', `update kiff.chains set seq = seq - 1 where key = $1`],
    ['the last hash altered', `update kiff.ledger set hash = sha256('x') where ${ofChain} and seq = 2`],
    ['the last row deleted', `with calls as (delete from kiff.calls where ${ofChain}) delete from kiff.ledger where ${ofChain} and seq = 2`],
    ['every row deleted', `with calls as (delete from kiff.calls where ${ofChain}) delete from kiff.ledger where ${ofChain}`],
  ])('not with %s', async (_, sql) => {
    const account = await it.anAccount()
    await it.report({}, account)
    await asOwnerWithoutTriggers(sql, [`ledgers/Account/${account}`])
    expect(await intact(account)).toBe(false)
  })
})

test('a transaction that would not see what others commit is refused: guards would be blind', async () => {
  const proposal = aProposal(await it.anAccount())
  const body = ledgerBody({ kind: 'refused', step: proposal.step, domain: 'ledgers', entityType: 'Account', entityId: proposal.request.entityId, action: 'CALL', actor: 'bot-1', audit: [] })
  const client = await it.db.pool('gate').connect()
  try {
    await client.query('begin isolation level repeatable read')
    await expect(client.query('select kiff.record_answer($1, $2, null, null)', [body, JSON.stringify(blocked)])).rejects.toThrow('READ COMMITTED')
  } finally {
    await client.query('rollback')
    client.release()
  }
})
