/** The gate on a store: what it does not believe of an answer that is due, and what does not stop it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Contract } from '../../../src/core/contract.ts'
import { sha256 } from '../../../src/core/digest.ts'
import type { SignedReconciliation } from '../../../src/core/reconciliation.ts'
import type { DueReconciliation, GateStore } from '../../../src/core/store.ts'
import { applyReconciliations } from '../../../src/gate/reconcile.ts'
import { rejectedAs, shown } from '../a-doubt.ts'
import { ledgers } from '../a-domain.ts'
import { theStore, type AnyStore } from '../the-store.ts'

let it: AnyStore
beforeAll(async () => { it = await theStore() })
afterAll(() => it.close())

/** The same answer, signed with something else in it. */
async function signedWith({ executionKey, request }: DueReconciliation, over: Partial<Record<keyof SignedReconciliation | 'output', unknown>>): Promise<string> {
  const said = { purpose: 'reconcile', execution_key: executionKey, ordinal: 1, digest: sha256(request), verdict: 'happened', output: { ok: true }, reviewer: 'olga', reason: 'x', reviewed_at: 'now' }
  return it.sign(JSON.parse(JSON.stringify({ ...said, ...over })))
}

describe('an answer', () => {
  test('that is signed as it says is believed', async () => {
    expect(await rejectedAs(it, async (due) => ({ jws: await signedWith(due, {}) }))).toBeUndefined()
  })

  test.each<[string, Parameters<typeof signedWith>[1]]>([
    ['another execution', { execution_key: 'k' }],
    ['another attempt', { ordinal: 2 }],
    ['another question', { digest: '0'.repeat(64) }],
    ['another verdict', { verdict: 'not_happened', output: undefined }],
    ['another person', { reviewer: 'otto' }],
  ])('whose signature is for %s is not', async (_, over) => {
    expect(await rejectedAs(it, async (due) => ({ jws: await signedWith(due, over) }))).toBe('it is signed for something else')
  })

  test.each<[string, object]>([['another execution', { execution_key: 'k' }], ['another attempt', { ordinal: 2 }]])('to a question about %s is not, though it is signed', async (_, over) => {
    expect(await rejectedAs(it, async (due) => {
      const request = JSON.stringify({ ...JSON.parse(due.request), ...over })
      return { request, jws: await signedWith({ ...due, request }, {}) }
    })).toBe('it is signed for something else')
  })

  test('of the person for whom it was proposed is not', async () => {
    expect(await rejectedAs(it, async (due) => {
      const request = JSON.stringify({ ...JSON.parse(due.request), on_behalf_of: 'olga' })
      return { request, opened: { ...due.opened, on_behalf_of: 'olga' }, jws: await signedWith({ ...due, request }, {}) }
    })).toBe('whoever proposed it has signed it')
  })
})

describe('an answer that cannot be applied', () => {
  test('because its action cannot be put into words is rejected on record', async () => {
    const proposal = await it.inDoubt()
    await it.reconcile(proposal, 'olga')
    const contract: Contract = ledgers.actions.CALL
    const inspect: Contract['inspect'] = (entityId, params) => {
      const inspection = contract.inspect(entityId, params)
      if (!inspection.ok) return inspection
      const { on } = inspection.action
      return { ok: true, action: { ...inspection.action, on: (facts) => ({ ...on(facts), describe: () => { throw new Error('no words') } }) } }
    }
    await applyReconciliations(it.store, { ...it.reconciling, bound: { ...it.reconciling.bound, domain: { ...ledgers, actions: { ...ledgers.actions, CALL: { ...contract, inspect } } } } })
    expect((await shown(it, proposal))?.rejected).toContain('no words')
  })

  test('because the database refuses its events is rejected on record, and holds no other up', async () => {
    const [refused, fine] = [await it.inDoubt(), await it.inDoubt()]
    for (const proposal of [refused, fine]) await it.reconcile(proposal, 'olga')
    const store: GateStore = { ...it.store, async applyReconciliation(commit) {
      if (commit.executionKey === refused.executionKey) throw Object.assign(new Error('NOTED cannot happen'), { code: '23514' })
      return it.store.applyReconciliation(commit)
    } }
    await applyReconciliations(store, it.reconciling)
    expect((await shown(it, refused))?.rejected).toBe('the database refused the events')
    expect(await shown(it, fine)).toMatchObject({ status: 'succeeded' })
  })
})
