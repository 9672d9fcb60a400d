/** Refunds on real servers: payments at a provider with books of its own, gate workers in this process or in processes of their own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { inject } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { aProvider, type Provider } from '../a-provider.ts'
import { aStack, eventually, type Stack } from '../a-stack.ts'
import { states } from '../an-entity.ts'

export interface GateProcess {
  readonly queue: string
  /** Resolves once it answers; a fresh process takes seconds. */
  readonly ready: () => Promise<unknown>
  /** SIGKILL; resolves when it is dead. */
  readonly kill: () => Promise<void>
  /** Resolves when it is dead, by whatever hand. */
  readonly dead: Promise<unknown>
}

export interface RefundServers {
  readonly stack: Stack
  readonly provider: Provider
  /** @param dies where it kills itself, as `fixtures/gate-process.ts` has it */
  readonly aGateProcess: (queue?: string, dies?: string) => GateProcess
  /** The argument of the test workflow `propose`; €42.00, which nobody has to agree to. */
  readonly aRefund: (entityId: string, more?: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>
  /** What there is to count about one order. */
  readonly counted: (entityId: string) => Promise<Counted>
  readonly close: () => Promise<void>
}

export interface Counted {
  /** Payments in the provider's books. */
  readonly effects: number
  /** Events that say it was refunded. */
  readonly refunded: number
  readonly live: string | undefined
  /** What the events alone lead to; it throws where KIFF's rebuild fails. */
  readonly rebuilt: string | undefined
}

/** An order that was paid for once, told once, and can be rebuilt. */
export const paidOnce: Counted = { effects: 1, refunded: 1, live: 'REFUNDED', rebuilt: 'REFUNDED' }

export async function refundServers(): Promise<RefundServers> {
  const provider = await aProvider()
  const stack = await aStack({ bound: provider.bound, actors: ['support-agent-1', 'shop'], members: { 'support-agent-1': 'support-agent', shop: 'shop', maria: 'finance' } })
  const children: ChildProcess[] = []
  return {
    stack, provider,
    aGateProcess(queue = `gate-${randomUUID()}`, dies = '') {
      const child = spawn(process.execPath, ['--conditions=kiff-source', new URL('../fixtures/gate-process.ts', import.meta.url).pathname], {
        env: {
          PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], TEMPORAL_ADDRESS: inject('temporalAddress'), KIFF_GATE_DATABASE_URL: stack.db.urls.gate,
          KIFF_REVIEW_KEYS: JSON.stringify(stack.publicKeys), KIFF_QUEUE: queue, KIFF_DIE: dies, PROVIDER_URL: provider.url,
        },
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      children.push(child)
      const dead = once(child, 'exit')
      return {
        queue, dead,
        ready: () => stack.run('report', [queue, 'nobody', [{ event: 'ORDER_DELIVERED', entityId: `order-${randomUUID()}`, payload: {} }]]),
        async kill() {
          child.kill('SIGKILL')
          await dead
        },
      }
    },
    aRefund: (entityId, more = {}) => ({ queue: stack.queues.gate, entityId, params: { amountCents: 4_200, reason: 'late' }, timeout: '3 seconds', ...more }),
    async counted(entityId) {
      const { rows } = await stack.db.pool('auditor').query<{ count: string }>("select count(*) from kiff.events where entity_id = $1 and type = 'ORDER_REFUNDED'", [entityId])
      const { live, rebuilt } = await states(stack, refunds, entityId)
      return { effects: provider.paid(entityId), refunded: Number(rows[0]?.count), live: live?.value, rebuilt: rebuilt?.value }
    },
    async close() {
      for (const child of children) child.kill('SIGKILL')
      await stack.close()
      provider.close()
    },
  }
}

/** Does this while the payments of an order take their time: the first has reached the provider, and is answered only a moment later. */
export async function slowly<T>({ provider }: RefundServers, entityId: string, run: () => Promise<T>): Promise<T> {
  const answer = provider.slowDown(entityId)
  const running = run()
  await eventually(async () => provider.paid(entityId) > 0)
  await new Promise((resolve) => { setTimeout(resolve, 300) })
  answer()
  return running
}

