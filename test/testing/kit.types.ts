/** What a test of a domain gets wrong, its compiler tells: this file is type-checked, never run. */
import { testDomain, type GivenExecutors, type GivenLoaders, type Scene } from 'kiff-temporal/testing'
import { wallets } from './wallets.ts'

export const right: GivenExecutors<typeof wallets> = { PAY_OUT: ({ params, facts }) => ({ transferId: `${params.amountCents + facts.paidCents}` }), VERIFY: async () => Promise.resolve({}) }
export const values: GivenExecutors<typeof wallets> = { PAY_OUT: { transferId: 't-1' } }
export const loaded: GivenLoaders<typeof wallets> = { balanceCents: ({ params, facts }) => params.amountCents + facts.paidCents }

// @ts-expect-error: an output that the contract does not know
export const wrongOutput: GivenExecutors<typeof wallets> = { PAY_OUT: { transfer: 't-1' } }
// @ts-expect-error: an action that there is not
export const wrongAction: GivenExecutors<typeof wallets> = { FLY: {} }
// @ts-expect-error: a fact of another type
export const wrongFact: GivenLoaders<typeof wallets> = { balanceCents: 'much' }
// @ts-expect-error: a fact that is derived from events is not loaded
export const derived: GivenLoaders<typeof wallets> = { paidCents: 1 }

export async function wrongCalls(scene: Scene<typeof wallets>): Promise<void> {
  // @ts-expect-error: a parameter of another type
  await scene.as('payer').PAY_OUT('w-1', { amountCents: '1' })
  // @ts-expect-error: an output that the contract does not know
  scene.executes('PAY_OUT', { transfer: 't-1' })
  // @ts-expect-error: a verdict that is none
  await scene.review('id', 'approved', { by: 'olga' })
  // @ts-expect-error: members are never left out: who holds which role is what is tested
  await testDomain(wallets, {})
}
