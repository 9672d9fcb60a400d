import { once } from 'node:events'
import { setImmediate as soon } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ledgerBody } from '../../../src/core/ledger-row.ts'
import type { Committed, GateStore } from '../../../src/core/store.ts'
import { observed, type GateObservation, type GateObserver } from '../../../src/gate/observe.ts'
import { guardOf, rowOf, toQuery, type GovernedProposal } from '../../../src/gate/proposal.ts'
import { again, aProposal, aStep, theStore, blocked, type AnyStore } from '../the-store.ts'

let real: AnyStore
beforeAll(async () => { real = await theStore() })
afterAll(() => real.close())

function watching(): { readonly store: GateStore; readonly seen: GateObservation[] } {
  const seen: GateObservation[] = []
  return { store: observed(real.store, (observation) => seen.push(observation)), seen }
}

async function refuse(store: GateStore, proposal: GovernedProposal): Promise<Committed> {
  const facts = await store.readFacts(toQuery(proposal))
  const decision = { outcome: 'blocked', reason: 'state_not_allowed', message: 'no' }
  return store.recordAnswer({ body: rowOf(proposal, facts, 'refused', [], { decision }), answer: blocked, guard: guardOf(facts) })
}

test('a commit is told with what its row says; reading is not', async () => {
  const { store, seen } = watching()
  const proposal = aProposal(await real.anAccount())
  await expect(refuse(store, proposal)).resolves.toMatchObject({ status: 'committed' })
  await soon()
  expect(seen).toEqual([{ kind: 'refused', domain: 'ledgers', action: 'CALL', entityType: 'Account', outcome: 'blocked', reason: 'state_not_allowed', status: 'committed' }])
})

test('what the store answered instead is told as well, and a fault is still thrown', async () => {
  const { store, seen } = watching()
  const proposal = aProposal(await real.anAccount())
  const stale = await store.readFacts(toQuery(proposal))
  await refuse(store, proposal)
  await expect(refuse(store, proposal)).resolves.toMatchObject({ status: 'repeat' })
  const other = again(proposal)
  await store.recordAnswer({ body: rowOf(other, stale, 'refused', []), answer: blocked, guard: { ...guardOf(stale), stateVersion: 99 } })
  await expect(store.recordAnswer({ body: rowOf(again(other), stale, 'executed', []), answer: blocked, guard: null })).rejects.toThrow('is not recorded here')
  await soon()
  expect(seen.map(({ kind, outcome, status }) => [kind, outcome, status])).toEqual([['refused', 'blocked', 'committed'], ['refused', 'blocked', 'repeat'], ['refused', null, 'stale'], ['executed', null, 'fault']])
})

test('the name of an action that the domain does not have is not told: anybody may ask for anything', async () => {
  const { store, seen } = watching()
  const body = ledgerBody({ kind: 'refused', step: aStep(), domain: 'ledgers', action: 'x'.repeat(100), entityType: null, entityId: null, actor: 'bot', audit: [], decision: { outcome: 'invalid', reason: 'unknown_action', message: 'no' } })
  await store.recordAnswer({ body, answer: blocked, guard: null })
  await soon()
  expect(seen).toMatchObject([{ action: null, entityType: null, reason: 'unknown_action' }])
})

test('the gate has its answer before the observer hears of it, and does not wait for what it does', async () => {
  const seen: string[] = []
  const store = observed(real.store, ({ status }) => {
    seen.push(status)
    return new Promise(() => {})
  })
  await refuse(store, aProposal(await real.anAccount()))
  expect(seen).toEqual([])
  await soon()
  expect(seen).toEqual(['committed'])
})

test.each<[string, GateObserver]>([
  ['throws', () => { throw new Error('no metrics today') }],
  ['rejects', () => Promise.reject(new Error('no metrics today'))],
])('an observer that %s is warned of once, and nothing else comes of it', async (_, observer) => {
  const warnings: string[] = []
  const warn = (warning: Error): void => { if (warning.name === 'KiffObserver') warnings.push(warning.message) }
  process.on('warning', warn)
  try {
    const store = observed(real.store, observer)
    const warned = once(process, 'warning')
    for (let commit = 0; commit < 2; commit++) await expect(refuse(store, aProposal(await real.anAccount()))).resolves.toMatchObject({ status: 'committed' })
    await warned
    await soon()
    expect(warnings).toEqual(["the gate's observer failed: no metrics today"])
  } finally {
    process.off('warning', warn)
  }
})
