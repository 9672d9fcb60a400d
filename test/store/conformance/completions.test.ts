import { afterAll, beforeAll, expect, test } from 'vitest'
import { rowOf } from '../../../src/gate/proposal.ts'
import { again, aProposal, theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

test.each<[string, Parameters<typeof aProposal>[1]]>([
  ['another action', { action: 'ASK' }],
  ['other parameters', { note: 'another' }],
  ['another actor', { actor: 'bot-2' }],
])('an execution is not completed by a row of %s', async (_, over) => {
  const opened = aProposal(await it.anAccount())
  await it.open(opened)
  const other = { ...aProposal(opened.request.entityId, over), executionKey: opened.executionKey }
  await expect(it.complete(again(other))).rejects.toMatchObject({ code: '23514' })
  expect(await it.complete(again(opened))).toMatchObject({ status: 'committed' })
})

test('nor by one whose key is that of another', async () => {
  const opened = aProposal(await it.anAccount())
  await it.open(opened)
  const body = aProposal(opened.request.entityId, { occurrence: 1, step: opened.step })
  const facts = await it.facts(opened)
  const commit = { body: rowOf(again(body), facts, 'executed', []), executionKey: opened.executionKey, answer: { outcome: 'allowed', output: {}, summary: 'x' }, end: { status: 'succeeded' } } as const
  await expect(it.store.completeExecution(commit)).rejects.toMatchObject({ code: '23514' })
})
