import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { verifyChains, type ChainFinding } from '../../src/evidence/chain.ts'
import { executors } from '../../src/gate/index.ts'
import { aStack, type Stack } from '../a-stack.ts'
import { aPaidOrder } from '../an-entity.ts'
import { alterRow, appendRows, asOwner, deleteRow, rewriteFrom } from './tamper.ts'

let stack: Stack

beforeAll(async () => {
  stack = await aStack({
    verified: false,
    bound: executors(refunds, { REFUND_ORDER: async () => ({ refundId: 'r-1' }) }),
    actors: ['support-agent-1', 'shop'],
    members: { 'support-agent-1': 'support-agent', shop: 'shop', maria: 'finance' },
  })
})
afterAll(() => stack.close())

/** An order that was paid and refunded: four rows. @returns its chain's key */
async function aRefundedOrder(): Promise<string> {
  const entityId = await aPaidOrder(stack)
  await stack.run('propose', [{ queue: stack.queues.gate, entityId, params: { amountCents: 4200, reason: 'late' } }])
  return `refunds/Order/${entityId}`
}

/** What is found on one chain. */
async function found(chain: string, domains = [refunds]): Promise<readonly Omit<ChainFinding, 'chain'>[]> {
  const { findings } = await verifyChains(stack.db.pool('auditor'), { keys: [chain], domains })
  return findings.map(({ seq, kind, message }) => ({ seq, kind, message }))
}
const finding = (kind: ChainFinding['kind'], seq: number) => expect.objectContaining({ kind, seq })

describe('the ledger as it was written', () => {
  test('verifies, with every row and chain counted', async () => {
    const chain = await aRefundedOrder()
    const one = await verifyChains(stack.db.pool('auditor'), { keys: [chain], domains: [refunds] })
    expect(one).toEqual({ ok: true, rows: 4, chains: 1, findings: [] })
    const { rows } = await stack.db.pool('auditor').query<{ rows: string; chains: string }>('select (select count(*) from kiff.ledger) as rows, (select count(*) from kiff.chains) as chains')
    expect(await verifyChains(stack.db.pool('auditor'), { domains: [refunds] })).toEqual({ ok: true, rows: Number(rows[0]?.rows), chains: Number(rows[0]?.chains), findings: [] })
  })

  test('verifies over more rows than a page holds', async () => {
    const body = '{"audit":[],"domain":"refunds","first_execution_run_id":"first","format":1,"kind":"refused","namespace":"default","workflow_id":"long"}'
    await appendRows(stack, 'run', 'default/first/long', Array.from({ length: 2500 }, () => body))
    expect(await verifyChains(stack.db.pool('auditor'), { keys: ['default/first/long'] })).toMatchObject({ ok: true, rows: 2500 })
  })

  test('verifies without the domain, by what the events say themselves', async () => {
    expect(await found(await aRefundedOrder(), [])).toEqual([])
  })
})

describe('whoever owns the database', () => {
  test('cannot alter a body unseen', async () => {
    const chain = await aRefundedOrder()
    await alterRow(stack, chain, 4, "body = replace(body, '4200', '42')")
    expect(await found(chain)).toEqual([finding('body_altered', 4)])
  })

  test('nor a body with its digest', async () => {
    const chain = await aRefundedOrder()
    await alterRow(stack, chain, 4, "body = replace(body, '4200', '42'), digest = sha256(convert_to(replace(body, '4200', '42'), 'UTF8'))")
    expect(await found(chain)).toEqual([finding('hash_altered', 4)])
  })

  test('nor the time at which it was written, by a microsecond', async () => {
    const chain = await aRefundedOrder()
    await alterRow(stack, chain, 2, "at = at + interval '1 microsecond'")
    expect(await found(chain)).toEqual([finding('hash_altered', 2)])
  })

  test('nor a hash: the row after it is chained to another', async () => {
    const chain = await aRefundedOrder()
    await alterRow(stack, chain, 2, "hash = sha256('x')")
    expect(await found(chain)).toEqual([finding('hash_altered', 2), finding('link_broken', 3)])
  })

  test('nor take a row out of the middle', async () => {
    const chain = await aRefundedOrder()
    await deleteRow(stack, chain, 3)
    expect(await found(chain)).toEqual([finding('missing', 3)])
  })

  test('nor the last row', async () => {
    const chain = await aRefundedOrder()
    await deleteRow(stack, chain, 4)
    expect(await found(chain)).toEqual([finding('missing', 4), finding('state_mismatch', 3)])
  })

  test('nor put a row at the end', async () => {
    const chain = await aRefundedOrder()
    await asOwner(stack, (owner) => owner.query(
      `insert into kiff.ledger (chain, seq, at, body, digest, prev, hash)
       select l.chain, 5, l.at, l.body, l.digest, l.hash, l.hash from kiff.ledger l join kiff.chains c using (chain) where c.key = $1 and l.seq = 4`, [chain]))
    expect(await found(chain)).toEqual(expect.arrayContaining([finding('hash_altered', 5), finding('head_mismatch', 5), finding('event_illegal', 5)]))
  })

  test('nor move the head', async () => {
    const chain = await aRefundedOrder()
    await stack.db.pool('owner').query("update kiff.chains set head = sha256('x') where key = $1", [chain])
    expect(await found(chain)).toEqual([finding('head_mismatch', 4)])
  })

  test('nor put a row of one entity into the chain of another', async () => {
    const chain = await aRefundedOrder()
    await rewriteFrom(stack, chain, 3, (body) => body.replace(/"entity_id":"[^"]*"/, '"entity_id":"order-0"'))
    expect(await found(chain)).toEqual([finding('misplaced', 3)])
  })

  test('nor write a body that readers could read in two ways', async () => {
    const chain = await aRefundedOrder()
    await rewriteFrom(stack, chain, 3, (body) => body.replace('{', '{"kind":"executed",'))
    expect(await found(chain)).toEqual([finding('unreadable', 3)])
  })

  test('nor set the state of an entity', async () => {
    const chain = await aRefundedOrder()
    await stack.db.pool('owner').query("update kiff.entities set state = 'PAID' where entity_id = $1", [chain.split('/')[2]])
    expect(await found(chain)).toEqual([expect.objectContaining({ kind: 'state_mismatch', seq: 4, message: 'the state is PAID, version 3, but its events lead to REFUNDED, version 3' })])
  })

  test('nor its version alone', async () => {
    const chain = await aRefundedOrder()
    await stack.db.pool('owner').query('update kiff.entities set state_version = 7 where entity_id = $1', [chain.split('/')[2]])
    expect(await found(chain)).toEqual([finding('state_mismatch', 4)])
  })

  test('nor exchange the signature that a person gave', async () => {
    const entityId = await aPaidOrder(stack)
    const chain = `refunds/Order/${entityId}`
    const asking = await stack.start('propose', [{ queue: stack.queues.gate, entityId, params: { amountCents: 99_900, reason: 'late' } }])
    const approvalId = await stack.asked(entityId)
    await stack.review(approvalId, 'granted', 'maria')
    await asking.result()
    expect(await found(chain)).toEqual([])
    await asOwner(stack, (owner) => owner.query("update kiff.reviews set jws = 'another' where approval_id = $1", [approvalId]))
    expect(await found(chain)).toEqual([finding('review_altered', 4)])
  })

  test('nor record an event that the rules do not have, with every hash and the state made to fit', async () => {
    const chain = await aRefundedOrder()
    await rewriteFrom(stack, chain, 4, (body) => body.replaceAll('"to":"REFUNDED"', '"to":"CREATED"'))
    await stack.db.pool('owner').query("update kiff.entities set state = 'CREATED' where entity_id = $1", [chain.split('/')[2]])
    expect(await found(chain)).toEqual([finding('event_illegal', 4)])
    expect(await found(chain, [])).toEqual([])
  })

  test('a fault on one chain is told of that chain alone', async () => {
    const [altered, other] = [await aRefundedOrder(), await aRefundedOrder()]
    await alterRow(stack, altered, 1, "body = replace(body, 'ORDER_PLACED', 'ORDER_PLACEX')")
    const { findings } = await verifyChains(stack.db.pool('auditor'), { keys: [altered, other], domains: [refunds] })
    expect(new Set(findings.map(({ chain }) => chain))).toEqual(new Set([altered]))
  })
})
