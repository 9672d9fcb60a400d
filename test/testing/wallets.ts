/** A small domain for the tests of the kit: facts of both kinds, an effect that must not be repeated, two people to agree, and something without state. */
import { defineDomain, entity, factFromLoader } from 'kiff-temporal'
import { z } from 'zod'

const cents = z.int().positive().max(1_000_000)

const Wallet = entity('Wallet', {
  states: ['OPEN', 'CLOSED'],
  events: {
    WALLET_OPENED: { from: null, to: 'OPEN', payload: z.strictObject({}), reportedBy: 'wallets.report' },
    PAID_OUT: { from: 'OPEN', to: 'OPEN', payload: z.strictObject({ amountCents: cents }) },
    WALLET_CLOSED: { from: 'OPEN', to: 'CLOSED', payload: z.strictObject({}), reportedBy: 'wallets.report' },
  },
})
const Address = entity('Address')

export const wallets = defineDomain({
  name: 'wallets',
  actions: {
    PAY_OUT: Wallet.action({
      description: 'Pay money out', from: ['OPEN'], params: z.strictObject({ amountCents: cents }), output: z.strictObject({ transferId: z.string().min(1) }), permission: 'wallets.pay', risk: 'high',
      facts: {
        balanceCents: factFromLoader(z.int()),
        paidCents: Wallet.factFromEvents(['PAID_OUT'], z.int(), (paid) => paid.reduce((sum, { payload }) => sum + payload.amountCents, 0)),
      },
      forbid: ({ params, facts }) => params.amountCents > facts.balanceCents && 'it holds less than that',
      approval: { when: ({ params, facts }) => facts.paidCents + params.amountCents > 1_000 && 'more than 10.00 in all', reviewers: 'wallets.review', quorum: 2, expiresIn: '1 day', useWithin: '2 hours' },
      effect: 'external', describe: ({ params, entityId }) => `Pay ${params.amountCents} out of ${entityId}`, emits: { PAID_OUT: ({ params }) => ({ amountCents: params.amountCents }) },
    }),
    VERIFY: Address.action({
      description: 'Verify an address', from: 'any', params: z.strictObject({}), output: z.strictObject({}), permission: 'wallets.pay', risk: 'low',
      effect: { idempotentFor: '1 hour' }, describe: ({ entityId }) => `Verify ${entityId}`,
    }),
  },
  roles: { payer: ['wallets.pay'], reviewer: ['wallets.review'], reporter: ['wallets.report'] },
})
