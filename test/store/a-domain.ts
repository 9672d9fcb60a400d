/** A domain for the tests of the store: an action of every kind of effect and of approval, and deadlines that no slow machine reaches. */
import { z } from 'zod'
import { defineDomain } from '../../src/core/domain.ts'
import { entity } from '../../src/core/entity.ts'

const note = z.strictObject({ note: z.string() })
const done = z.strictObject({ ok: z.literal(true) })

const Account = entity('Account', {
  states: ['OPEN', 'CLOSED'],
  events: {
    OPENED: { from: null, to: 'OPEN', payload: z.strictObject({}), reportedBy: 'accounts.report' },
    NOTED: { from: 'OPEN', to: 'OPEN', payload: note },
    TOUCHED: { from: 'OPEN', to: 'OPEN', payload: z.strictObject({}), reportedBy: 'accounts.report' },
    CLOSED: { from: 'OPEN', to: 'CLOSED', payload: z.strictObject({}), reportedBy: 'accounts.report' },
  },
})

/** We keep no state of it. */
const Endpoint = entity('Endpoint')

export const ledgers = defineDomain({
  name: 'ledgers',
  actions: {
    NOTE: Account.action({
      description: 'Has no effect outside', from: ['OPEN'], params: note, output: z.strictObject({}), permission: 'accounts.note', risk: 'low', effect: 'none',
      describe: ({ params }) => `Note: ${params.note}`, emits: { NOTED: ({ params }) => ({ note: params.note }) },
    }),
    CALL: Account.action({
      description: 'Must not be repeated', from: ['OPEN'], params: note, output: done, permission: 'accounts.note', risk: 'low', effect: 'external', reconciledBy: 'accounts.review',
      describe: ({ params }) => `Call: ${params.note}`, emits: { NOTED: ({ params }) => ({ note: params.note }) },
    }),
    FILL: Account.action({
      description: 'Its output has a default', from: ['OPEN'], params: note, output: z.strictObject({ ok: z.boolean().default(true) }), permission: 'accounts.note', risk: 'low', effect: 'external',
      reconciledBy: 'accounts.review', describe: ({ params }) => `Fill: ${params.note}`,
    }),
    SEND: Account.action({
      description: 'Its receiver honours our key', from: ['OPEN'], params: note, output: done, permission: 'accounts.note', risk: 'low', effect: { idempotentFor: '1 hour' }, reconciledBy: 'accounts.review',
      describe: ({ params }) => `Send: ${params.note}`, emits: { NOTED: ({ params }) => ({ note: params.note }) },
    }),
    ASK: Account.action({
      description: 'Always asks', from: ['OPEN'], params: note, output: z.strictObject({}), permission: 'accounts.note', risk: 'high', effect: 'none',
      approval: { when: () => 'always', reviewers: 'accounts.review', expiresIn: '3 days' },
      describe: ({ params }) => `Ask: ${params.note}`, emits: { NOTED: ({ params }) => ({ note: params.note }) },
    }),
    ASK_TWO: Account.action({
      description: 'Two people have to agree', from: ['OPEN'], params: note, output: z.strictObject({}), permission: 'accounts.note', risk: 'high', effect: 'none',
      approval: { when: () => 'two of them', reviewers: 'accounts.review', quorum: 2, expiresIn: '3 days' },
      describe: ({ params }) => `Ask two: ${params.note}`, emits: { NOTED: ({ params }) => ({ note: params.note }) },
    }),
    NEVER_ALONE: Account.action({
      description: 'Always asks, by its contract', from: ['OPEN'], params: note, output: done, permission: 'accounts.note', risk: 'critical', effect: 'external',
      approval: { always: 'it cannot be undone', reviewers: 'accounts.review', expiresIn: '3 days' },
      describe: ({ params }) => `Never alone: ${params.note}`, emits: { NOTED: ({ params }) => ({ note: params.note }) },
    }),
    MAY_ASK: Account.action({
      description: 'Asks as its rule says, and has an effect', from: ['OPEN'], params: note, output: done, permission: 'accounts.note', risk: 'high', effect: { idempotentFor: '1 hour' },
      approval: { when: () => 'today', reviewers: 'accounts.review', expiresIn: '3 days' },
      describe: ({ params }) => `May ask: ${params.note}`, emits: { NOTED: ({ params }) => ({ note: params.note }) },
    }),
    PING: Endpoint.action({
      description: 'About something that we keep no state of', from: 'any', params: note, output: done, permission: 'accounts.note', risk: 'low', effect: 'external',
      describe: ({ params }) => `Ping: ${params.note}`,
    }),
    BROKEN_RULE: Account.action({
      description: 'Its approval rule throws', from: ['OPEN'], params: note, output: z.strictObject({}), permission: 'accounts.note', risk: 'high', effect: 'none',
      approval: { when: () => { throw new Error('no policy today') }, reviewers: 'accounts.review', expiresIn: '1 day' },
      describe: () => 'never', emits: { NOTED: ({ params }) => ({ note: params.note }) },
    }),
  },
  roles: { bot: ['accounts.note'], reviewer: ['accounts.review'], reporter: ['accounts.report'] },
})
