/** A vocabulary for the tests of the core: an account that is opened, noted on, and closed. */
import { z } from 'zod'
import type { ActionContext, ActionOnFacts, Contract } from '../../src/core/contract.ts'
import { entity } from '../../src/core/entity.ts'

const note = z.strictObject({ note: z.string() })

export const Account = entity('Account', {
  states: ['OPEN', 'CLOSED'],
  events: {
    OPENED: { from: null, to: 'OPEN', payload: z.strictObject({}), reportedBy: 'accounts.report' },
    NOTED: { from: 'OPEN', to: 'OPEN', payload: note },
    CLOSED: { from: ['OPEN'], to: 'CLOSED', payload: z.strictObject({}), reportedBy: 'accounts.report' },
  },
})

export const roles = { bot: ['accounts.note'], boss: ['accounts.review'], shop: ['accounts.report'] } as const

type Noting = ActionContext<{ note: string }>

/** What a test may want otherwise. The rule and the words are functions of the note. */
export interface Wanted {
  readonly from?: readonly ('OPEN' | 'CLOSED')[]
  readonly rule?: (note: string) => string | false
  readonly check?: (note: string) => string | false
  readonly forbid?: (note: string) => string | false
  readonly words?: (note: string) => string
  readonly emits?: (note: string, text: string) => { note: string }
}

/** An action that notes: it asks by `rule`, answers `{ text }`, and emits NOTED. */
export function aContract(wanted: Wanted = {}): Contract {
  const { from = ['OPEN'], rule, check, forbid, words = (text) => `Note ${text}`, emits = (_, text) => ({ note: text }) } = wanted
  return Account.action({
    description: 'Writes a note',
    from,
    params: note,
    output: z.strictObject({ text: z.string() }),
    permission: 'accounts.note',
    risk: 'low',
    effect: 'external',
    describe: ({ params }: Noting) => words(params.note),
    emits: { NOTED: ({ params, output }: Noting & { output: { text: string } }) => emits(params.note, output.text) },
    ...(check === undefined ? {} : { check: ({ params }: Noting) => check(params.note) }),
    ...(forbid === undefined ? {} : { forbid: ({ params }: Noting) => forbid(params.note) }),
    ...(rule === undefined ? {} : { approval: { when: ({ params }: Noting) => rule(params.note), reviewers: 'accounts.review', expiresIn: '3 days' } }),
  })
}

/** The action that `params` parse to, on no facts. @throws Error when they are refused */
export function inspected(contract: Contract, params: unknown): ActionOnFacts {
  const inspection = contract.inspect('account-1', params)
  if (!inspection.ok) throw new Error(inspection.message)
  return inspection.action.on({})
}
