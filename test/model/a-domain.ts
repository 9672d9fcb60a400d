/** A domain with an action of every kind that the model knows. */
import { z } from 'zod'
import { defineDomain } from '../../src/core/domain.ts'
import { entity } from '../../src/core/entity.ts'

const nothing = z.strictObject({})
const done = z.strictObject({ ok: z.literal(true) })

const Account = entity('Account', {
  states: ['OPEN', 'CLOSED'],
  events: {
    OPENED: { from: null, to: 'OPEN', payload: nothing, reportedBy: 'accounts.report' },
    TOUCHED: { from: 'OPEN', to: 'OPEN', payload: nothing, reportedBy: 'accounts.report' },
    CLOSED: { from: 'OPEN', to: 'CLOSED', payload: nothing, reportedBy: 'accounts.report' },
    DONE: { from: 'OPEN', to: 'OPEN', payload: nothing },
  },
})

const common = { description: 'x', from: ['OPEN'], params: nothing, permission: 'accounts.act', risk: 'low', reconciledBy: 'accounts.review', describe: () => 'x', emits: { DONE: () => ({}) } } as const
const approval = { always: 'always', reviewers: 'accounts.review', expiresIn: '1 day' } as const
const idempotent = { output: done, effect: { idempotentFor: '1 hour' } } as const
const external = { output: done, effect: 'external' } as const
const pure = { output: nothing, effect: 'none' } as const

export const accounts = defineDomain({
  name: 'accounts',
  actions: {
    SEND: Account.action({ ...common, ...idempotent }),
    CALL: Account.action({ ...common, ...external }),
    NOTE: Account.action({ ...common, ...pure }),
    ASKED_SEND: Account.action({ ...common, ...idempotent, approval }),
    ASKED_CALL: Account.action({ ...common, ...external, approval }),
    ASKED_NOTE: Account.action({ ...common, ...pure, approval }),
    ASKED_TWICE: Account.action({ ...common, ...external, approval: { ...approval, quorum: 2 } }),
  },
  roles: { bot: ['accounts.act'], reviewer: ['accounts.review'], reporter: ['accounts.report'] },
})

export type Action = keyof typeof accounts.actions
