/** A stack for `invoices`: rules that rest on declared facts, and a register outside that the test can change. */
import { randomUUID } from 'node:crypto'
import { executors } from '../src/gate/index.ts'
import type { MandateIssuer } from '../src/gate/index.ts'
import { aStack, type Stack } from './a-stack.ts'
import { invoices } from './fixtures/invoices.ts'
import type { Asked } from './fixtures/workflows/asked.ts'

export interface Effect {
  readonly action: string
  readonly entityId: string
  readonly params: unknown
  readonly facts: unknown
  readonly actor: string
  readonly onBehalfOf: string | null
}

export interface Invoices {
  readonly stack: Stack
  /** What the loaders find. `fails`: they find nothing, and say so in these words. */
  readonly register: { trusted: boolean; bank: string; consent: boolean; fails: boolean; words: string; loads: number }
  readonly effects: (entityId: string) => readonly Effect[]
  /** An open invoice of 50000 from vendor v-1. */
  readonly anInvoice: () => Promise<string>
  readonly ask: (asked: readonly Asked[], options?: Readonly<Record<string, unknown>>, workflowId?: string) => Promise<readonly unknown[]>
  readonly start: (asked: readonly Asked[], options?: Readonly<Record<string, unknown>>, workflowId?: string) => ReturnType<Stack['start']>
}

export async function anInvoicesStack(options: { readonly mandateIssuers?: readonly MandateIssuer[] } = {}): Promise<Invoices> {
  const register = { trusted: true, bank: 'DE-1', consent: true, fails: false, words: 'the register is closed', loads: 0 }
  const effects: Effect[] = []
  const look = <T>(value: T): T => {
    register.loads += 1
    if (register.fails) throw new Error(register.words)
    return value
  }
  const done = (action: string) => async ({ entityId, params, facts, actor, onBehalfOf }: Omit<Effect, 'action'>): Promise<Record<string, never>> => {
    effects.push({ action, entityId, params, facts, actor, onBehalfOf })
    return Promise.resolve({})
  }
  const stack = await aStack({
    ...options,
    bound: executors(invoices, {
      async PAY_PART({ entityId, params, facts, actor, onBehalfOf }) {
        effects.push({ action: 'PAY_PART', entityId, params, facts, actor, onBehalfOf })
        return Promise.resolve({ paymentId: `p-${effects.length}` })
      },
      CALL_VENDOR: done('CALL_VENDOR'),
      SUSPEND_VENDOR: done('SUSPEND_VENDOR'),
    }, {
      vendor: async ({ facts }) => Promise.resolve(look({ trusted: register.trusted && facts.invoice.vendorId === 'v-1', bank: register.bank })),
      consent: async () => Promise.resolve(look(register.consent)),
    }),
    actors: ['clerk-1', 'clerk-2', 'reporter-1'],
    members: { 'clerk-1': 'clerk', 'clerk-2': 'clerk', 'intern-1': 'clerk', 'reporter-1': 'reporter', maria: 'boss', rita: 'boss', omar: 'boss' },
  })
  const start: Invoices['start'] = (asked, more = {}, workflowId) =>
    stack.start('askInTurn', [{ domain: 'invoices', actor: 'clerk-1', startToCloseTimeout: '10 seconds', taskQueue: stack.queues.gate, ...more }, asked], workflowId)
  const ask: Invoices['ask'] = async (asked, more, workflowId) => (await (await start(asked, more, workflowId)).result()) as readonly unknown[]
  return {
    stack, register, ask, start,
    effects: (entityId) => effects.filter((effect) => effect.entityId === entityId),
    async anInvoice() {
      const entityId = `invoice-${randomUUID()}`
      await ask([{ ask: 'report', event: 'INVOICE_RECEIVED', entityId, payload: { amountCents: 50_000, vendorId: 'v-1' } }], { actor: 'reporter-1' })
      return entityId
    },
  }
}

export const pay = (entityId: string, amountCents: number): Asked => ({ ask: 'propose', action: 'PAY_PART', entityId, params: { amountCents } })
export const note = (entityId: string): Asked => ({ ask: 'report', event: 'INVOICE_NOTED', entityId, payload: {} })
