import { expect, test } from 'vitest'
import { testDomain } from 'kiff-temporal/testing'
import { wallets } from './wallets.ts'

test('a fact is not loaded for one who may not do the thing, nor for what cannot be done; then nobody learns of it', async () => {
  let loaded = 0
  const scene = await testDomain(wallets, {
    members: { payer: 'payer', nobody: [] }, executors: { PAY_OUT: { transferId: 't' }, VERIFY: {} },
    loaders: { balanceCents: () => {
      loaded += 1
      return 5_000
    } },
  })
  await scene.given('Wallet', 'w-1', [['WALLET_OPENED']])
  expect(await scene.propose('nobody', 'PAY_OUT', 'w-1', { amountCents: 1 })).toMatchObject({ reason: 'permission_denied' })
  expect(await scene.propose('payer', 'PAY_OUT', 'w-2', { amountCents: 1 })).toMatchObject({ reason: 'unknown_entity' })
  expect(await scene.propose('payer', 'PAY_OUT', 'w-1', { amountCents: 'one' })).toMatchObject({ reason: 'invalid_parameter' })
  expect(loaded).toBe(0)
  expect(await scene.propose('payer', 'PAY_OUT', 'w-1', { amountCents: 1 })).toMatchObject({ outcome: 'allowed' })
  expect(loaded).toBeGreaterThan(0)
})
