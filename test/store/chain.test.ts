import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ledgerBody } from '../../src/core/ledger-row.ts'
import { transaction } from '../../src/postgres/connect.ts'
import { again, aProposal, aStep, aStore, blocked, type TestStore } from './a-store.ts'

let it: TestStore
beforeAll(async () => { it = await aStore() })
afterAll(() => it.close())

interface Row {
  readonly kind: string
  readonly key: string
  readonly seq: string
  readonly at: string
  readonly body: string
  readonly digest: string
  readonly prev: string
  readonly hash: string
  readonly chain_seq: string
  readonly chain_head: string
}

/** Every row with its chain, as an auditor without our code would read it. */
async function rows(where = 'true', values: readonly unknown[] = []): Promise<Row[]> {
  return it.look<Row>(`
    select c.kind, c.key, l.seq::text, to_char(l.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, l.body, encode(l.digest, 'hex') as digest,
      encode(l.prev, 'hex') as prev, encode(l.hash, 'hex') as hash, c.seq::text as chain_seq, encode(c.head, 'hex') as chain_head
    from kiff.ledger l join kiff.chains c using (chain) where ${where} order by l.chain, l.seq`, values)
}

const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex')

/** What is wrong with these rows, by the rule in the migration's words: six lines, SHA-256. */
function faults(found: readonly Row[]): string[] {
  return found.flatMap((row, index) => {
    const before = found[index - 1]
    const first = before === undefined || before.key !== row.key || before.kind !== row.kind
    const last = found[index + 1]?.key !== row.key || found[index + 1]?.kind !== row.kind
    const expected = {
      digest: sha256(row.body),
      prev: first ? '' : before.hash,
      seq: first ? '1' : String(Number(before.seq) + 1),
      hash: sha256([row.prev, row.kind, row.key, row.seq, row.at, row.digest].join('\n')),
    }
    const wrong = Object.entries(expected).filter(([field, value]) => Reflect.get(row, field) !== value).map(([field]) => field)
    if (last && (row.chain_head !== row.hash || row.chain_seq !== row.seq)) wrong.push('head')
    return wrong.map((field) => `${row.key}#${row.seq}: ${field}`)
  })
}

describe('every chain', () => {
  test('can be recomputed from its rows, with nothing but SHA-256: of entities, run chains, and roles', async () => {
    const proposal = aProposal(await it.anAccount())
    await it.open(proposal)
    await it.complete(proposal)
    await it.refuse(aProposal('nobody-at-all'))
    const unicode = aProposal(await it.anAccount('Ärger-€-😀'), { note: '€ 😀 \u2028' })
    await it.refuse(unicode)
    const found = await rows()
    expect(new Set(found.map(({ kind }) => kind))).toEqual(new Set(['entity', 'run', 'roles']))
    expect(faults(found)).toEqual([])
  })

  test('is handed to the workflow as the record it will find again', async () => {
    const proposal = aProposal(await it.anAccount())
    const commit = await it.refuse(proposal)
    const [, row] = await rows('c.key = $1', [`ledgers/Account/${proposal.request.entityId}`])
    expect(Reflect.get(commit, 'record')).toEqual({ chain: row?.key, seq: Number(row?.seq), hash: row?.hash })
  })

  test('keeps the body to the last character, and takes its columns from it', async () => {
    const body = ledgerBody({ kind: 'refused', step: aStep({ activityId: '7' }), domain: 'ledgers', entityType: null, entityId: null, action: 'X', actor: 'bot-1', params: { b: 1, a: 'é' }, approvalId: 'a', executionKey: 'k', audit: [] })
    await it.store.recordAnswer({ body, answer: blocked, guard: null })
    const [row] = await it.look<{ body: string }>("select body, kind, activity_id, approval_id, execution_key from kiff.ledger where activity_id = '7'")
    expect(row).toEqual({ body, kind: 'refused', activity_id: '7', approval_id: 'a', execution_key: 'k' })
  })

  test('an altered body is seen by whoever recomputes', async () => {
    const account = await it.anAccount()
    await asOwnerWithoutTriggers("update kiff.ledger set body = replace(body, 'OPEN', 'OPEM') where chain = (select chain from kiff.chains where key = $1)", [`ledgers/Account/${account}`])
    expect(faults(await rows('c.key = $1', [`ledgers/Account/${account}`]))).toEqual([`ledgers/Account/${account}#1: digest`])
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

describe('where a row goes', () => {
  test('a refusal about an entity that does not exist: to the run chain, and no entity is made', async () => {
    const proposal = aProposal('a-stranger')
    const { namespace, firstExecutionRunId, workflowId } = proposal.step
    expect(await it.refuse(proposal)).toMatchObject({ status: 'committed', record: { chain: `${namespace}/${firstExecutionRunId}/${workflowId}`, seq: 1 } })
    expect(await it.look("select from kiff.entities where entity_id = 'a-stranger'")).toEqual([])
    expect(await it.look("select from kiff.chains where key = 'ledgers/Account/a-stranger'")).toEqual([])
  })

  test('the next one of the same run goes behind it, that of another run does not', async () => {
    const proposal = aProposal('another-stranger')
    await it.refuse(proposal)
    expect(await it.refuse(again(proposal))).toMatchObject({ record: { seq: 2 } })
    expect(await it.refuse(aProposal('another-stranger'))).toMatchObject({ record: { seq: 1 } })
  })

  test('a refusal about an entity that exists: to its chain', async () => {
    const account = await it.anAccount()
    expect(await it.refuse(aProposal(account))).toMatchObject({ record: { chain: `ledgers/Account/${account}`, seq: 2 } })
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
