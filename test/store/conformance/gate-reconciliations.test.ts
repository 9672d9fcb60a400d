/** The gate on a store: what it does not believe of an answer that is due, and what does not stop it. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { contractHash } from '../../../src/core/contract-hash.ts'
import type { ActionOnFacts, Contract } from '../../../src/core/contract.ts'
import { defineAction } from '../../../src/core/define-action.ts'
import { sha256 } from '../../../src/core/digest.ts'
import type { Domain } from '../../../src/core/domain.ts'
import type { SignedReconciliation } from '../../../src/core/reconciliation.ts'
import type { DueReconciliation, GateStore } from '../../../src/core/store.ts'
import { applyReconciliations, type Reconciling } from '../../../src/gate/reconcile.ts'
import { dueOf, notHappened, rejectedAs, shown } from '../a-doubt.ts'
import { ledgers } from '../a-domain.ts'
import { again, lastRow, theStore, type AnyStore } from '../the-store.ts'

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

/** A worker that has this contract for CALL; `null`: none. */
function workerWith(call: Contract | null): Reconciling & { readonly domain: Domain } {
  const { CALL: _, ...others } = ledgers.actions
  const domain: Domain = { ...ledgers, actions: call === null ? others : { ...others, CALL: call } }
  return { ...it.reconciling, bound: { ...it.reconciling.bound, domain }, domain }
}

const { CALL } = ledgers.actions
const spec = {
  description: 'Must not be repeated', from: ['OPEN'], params: z.strictObject({ note: z.string() }), output: z.strictObject({ ok: z.literal(true) }), permission: 'accounts.note', risk: 'low', effect: 'external',
  reconciledBy: 'accounts.review', describe: () => 'Called',
} as const
/** What the next deploys have of it. */
const next = {
  'other words': { ...CALL, version: 2 },
  'one parameter more': defineAction(CALL.entity, { ...spec, params: z.strictObject({ note: z.string(), to: z.string() }) }),
  'another output': defineAction(CALL.entity, { ...spec, output: z.strictObject({ receipt: z.string() }) }),
  'another event': defineAction(CALL.entity, { ...spec, emits: { CLOSED: () => ({}) } }),
} satisfies Record<string, Contract>

describe('after a deploy, an answer about what was opened before it', () => {
  afterEach(() => it.register(ledgers))

  test('is applied by the newer contract, and its row names the one that was opened', async () => {
    const worker = workerWith(next['other words'])
    const proposal = await it.inDoubt()
    await it.register(worker.domain)
    await it.reconcile(proposal, 'olga')
    await applyReconciliations(it.store, worker)
    expect(await it.facts(again(proposal))).toMatchObject({ holder: null, executed: { outcome: 'allowed', output: { ok: true } }, state: { version: 2 } })
    expect(await lastRow(it, proposal.request.entityId)).toMatchObject({ kind: 'executed', contract: proposal.contractHash, events: [{ type: 'NOTED' }] })
  })

  test('is applied by the contract that opened it, also once a newer one is registered', async () => {
    const proposal = await it.inDoubt()
    await it.register(workerWith(next['other words']).domain)
    await it.reconcile(proposal, 'olga')
    await applyReconciliations(it.store, it.reconciling)
    expect(await shown(it, proposal)).toMatchObject({ status: 'succeeded' })
  })

  test('is left alone by a worker whose contract is neither that one nor the newest', async () => {
    const [older, newer] = [workerWith(next['other words']), workerWith({ ...CALL, version: 3 })]
    const proposal = await it.inDoubt()
    await it.register(newer.domain)
    await it.reconcile(proposal, 'olga')
    for (const worker of [older, workerWith(null)]) await applyReconciliations(it.store, worker)
    expect(await shown(it, proposal)).toMatchObject({ status: 'in_doubt', waiting: true, rejected: null })
    await applyReconciliations(it.store, newer)
    expect(await shown(it, proposal)).toMatchObject({ status: 'succeeded' })
  })

  test.each([
    ['one parameter more', 'its parameters cannot be read: params.to'],
    ['another output', 'output.receipt'],
    ['another event', 'the database refused the events'],
  ] as const)('is rejected on record where that has %s, and can be given anew', async (what, why) => {
    const worker = workerWith(next[what])
    const proposal = await it.inDoubt()
    await it.register(worker.domain)
    await it.reconcile(proposal, 'olga')
    await applyReconciliations(it.store, worker)
    expect(await shown(it, proposal)).toMatchObject({ status: 'in_doubt', waiting: false, rejected: expect.stringContaining(why) })
    expect(await it.reconcile(proposal, 'olga', notHappened)).toMatchObject({ outcome: 'recorded' })
    await applyReconciliations(it.store, worker)
    expect(await shown(it, proposal)).toMatchObject({ status: 'failed' })
  })

  test.each([['has no such action', null], ['still has another contract of it', next['other words']]])('is rejected on record where the domain has no such action any more, by a worker that %s', async (_, call) => {
    const proposal = await it.inDoubt()
    await it.register(workerWith(null).domain)
    await it.reconcile(proposal, 'olga')
    await applyReconciliations(it.store, workerWith(call))
    expect(await shown(it, proposal)).toMatchObject({ status: 'in_doubt', waiting: false, rejected: 'CALL is no action of ledgers any more; answer anew once it is one again' })
  })

  test('is due with the contract that is registered for its own action now, whatever other domains have', async () => {
    const proposal = await it.inDoubt()
    await it.register({ ...ledgers, name: 'others' })
    await it.register(workerWith(next['other words']).domain)
    await it.reconcile(proposal, 'olga', notHappened)
    expect((await dueOf(it, proposal)).newest).toBe(contractHash('ledgers', 'CALL', next['other words']))
    await applyReconciliations(it.store, it.reconciling)
  })
})

describe('an answer that cannot be applied', () => {
  test('nor even rejected holds up no other, and is told', async () => {
    const [bad, good] = [await it.inDoubt(), await it.inDoubt()]
    for (const each of [bad, good]) await it.reconcile(each, 'olga')
    const [first, second] = [await dueOf(it, bad), await dueOf(it, good)]
    const faults: unknown[] = []
    const store = { ...it.store, dueReconciliations: async () => [{ ...first, opened: { ...first.opened, params: { note: Number.POSITIVE_INFINITY } } }, second] }
    await applyReconciliations(store, it.reconciling, (fault, { executionKey }) => faults.push([executionKey, String(fault)]))
    expect(faults).toEqual([[bad.executionKey, expect.stringContaining('NotCanonical')]])
    expect(await shown(it, good)).toMatchObject({ status: 'succeeded' })
  })

  test.each<[string, (action: ActionOnFacts) => ActionOnFacts]>([
    ['its action cannot be put into words', (action) => ({ ...action, describe: () => { throw new Error('no words') } })],
    ['its contract fails on the facts it was opened with', () => { throw new Error('no words') }],
  ])('because %s is rejected on record, and holds no other up', async (_, failing) => {
    const [proposal, other] = [await it.inDoubt(), await it.inDoubt()]
    await it.reconcile(proposal, 'olga')
    await it.reconcile(other, 'olga', notHappened)
    const contract: Contract = CALL
    const inspect: Contract['inspect'] = (entityId, params) => {
      const inspection = contract.inspect(entityId, params)
      if (!inspection.ok) return inspection
      const { on } = inspection.action
      return { ok: true, action: { ...inspection.action, on: (facts) => failing(on(facts)) } }
    }
    await applyReconciliations(it.store, workerWith({ ...contract, inspect }))
    expect((await shown(it, proposal))?.rejected).toContain('no words')
    expect(await shown(it, other)).toMatchObject({ status: 'failed' })
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
