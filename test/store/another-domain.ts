/** A domain that shares its words with `ledgers`, and means something else by each: for tests that one is never taken for the other. */
import { z } from 'zod'
import { defineDomain } from '../../src/core/domain.ts'
import { entity } from '../../src/core/entity.ts'
import { ledgerBody, type RecordedEvent } from '../../src/core/ledger-row.ts'
import { guardOf, toProposal, type GovernedProposal } from '../../src/gate/proposal.ts'
import { aStep, type AnyStore } from './any-store.ts'

const note = z.strictObject({ note: z.string() })

const Account = entity('Account', {
  states: ['OPEN', 'SHUT'],
  events: {
    OPENED: { from: null, to: 'OPEN', payload: z.strictObject({}), reportedBy: 'accounts.report' },
    NOTED: { from: 'OPEN', to: 'OPEN', payload: note },
    SHUT: { from: 'OPEN', to: 'SHUT', payload: z.strictObject({}), reportedBy: 'accounts.report' },
  },
})

/** Here it has states. */
const Endpoint = entity('Endpoint', {
  states: ['UP'],
  events: { STARTED: { from: null, to: 'UP', payload: z.strictObject({}), reportedBy: 'accounts.report' } },
})

/** We keep no state of it, and somebody is asked. */
const Gadget = entity('Gadget')

const approval = { always: 'it cannot be undone', reviewers: 'accounts.review', expiresIn: '3 days' } as const

export const others = defineDomain({
  name: 'others',
  actions: {
    CALL: Account.action({
      description: 'Its namesake is another', from: ['OPEN'], params: note, output: z.strictObject({}), permission: 'accounts.note', risk: 'low', effect: 'external', reconciledBy: 'accounts.review',
      describe: ({ params }) => `Call: ${params.note}`, emits: { NOTED: ({ params }) => ({ note: params.note }) },
    }),
    ASK: Account.action({
      description: 'Its namesake asks as well', from: ['OPEN'], params: note, output: z.strictObject({}), permission: 'accounts.note', risk: 'high', effect: 'external', approval,
      describe: ({ params }) => `Ask: ${params.note}`,
    }),
    PING: Endpoint.action({
      description: 'About something that has states here', from: 'any', params: note, output: z.strictObject({}), permission: 'accounts.note', risk: 'low', effect: 'external',
      describe: ({ params }) => `Ping: ${params.note}`,
    }),
    WAKE: Endpoint.action({
      description: 'About something that has states here, and asks', from: 'any', params: note, output: z.strictObject({}), permission: 'accounts.note', risk: 'critical', effect: 'external', approval,
      describe: ({ params }) => `Wake: ${params.note}`,
    }),
    SWITCH: Gadget.action({
      description: 'About something that we keep no state of, and asks', from: 'any', params: note, output: z.strictObject({}), permission: 'accounts.note', risk: 'critical', effect: 'external', approval,
      describe: ({ params }) => `Switch: ${params.note}`,
    }),
  },
  roles: { bot: ['accounts.note'], reviewer: ['accounts.review'], reporter: ['accounts.report'], guest: ['accounts.note'] },
})

/** Registers it beside `ledgers`; bot-1 and shop hold the same roles there. */
export async function registerOthers(it: AnyStore): Promise<void> {
  await it.register(others)
  for (const [actor, role] of [['bot-1', 'bot'], ['olga', 'reviewer'], ['shop', 'reporter']] as const) await it.change({ kind: 'role_granted', domain: 'others', actor, role, by: 'test' })
}

export function anOther(action: keyof typeof others.actions, entityId: string): GovernedProposal {
  const step = aStep()
  const request = { entityId, params: { note: 'hello' }, actor: 'bot-1', chain: { firstExecutionRunId: step.firstExecutionRunId, generation: 0, occurrence: 0 } }
  return toProposal(step, 'others', action, others.actions[action], request, { problem: null, onBehalfOf: null, from: null, until: null, mandate: undefined })
}

/** An account of the other domain in state OPEN. */
export async function anOtherAccount(it: AnyStore, entityId: string): Promise<void> {
  const facts = await it.facts(anOther('CALL', entityId))
  const opened: RecordedEvent = { id: 'opened', type: 'OPENED', payload: {}, from: null, to: 'OPEN' }
  const body = ledgerBody({ kind: 'event', step: aStep(), domain: 'others', entityType: 'Account', entityId, action: null, actor: 'shop', audit: [], events: [opened] })
  const commit = await it.store.reportEvent({ body, answer: { outcome: 'allowed', output: {}, summary: '' }, guard: guardOf(facts) })
  if (commit.status !== 'committed') throw new Error(`not opened: ${commit.status}`)
}
