/** A stack for refunds whose executor is a spy, and refunds that wait for a person. */
import { randomUUID } from 'node:crypto'
import type { WorkflowHandle } from '@temporalio/client'
import { refunds } from '../domains/refunds/domain.ts'
import type { ApprovalRequest } from '../src/core/approval.ts'
import { executors, type BoundDomain } from '../src/gate/index.ts'
import { changeMembership } from '../src/postgres/registry.ts'
import { aStack, eventually, type GateChange, type Stack, type StoppableWorker } from './a-stack.ts'
import { aPaidOrder } from './an-entity.ts'

export interface HeldRefund {
  readonly entityId: string
  readonly handle: WorkflowHandle
  readonly approvalId: string
  readonly digest: string
  readonly request: ApprovalRequest
}

export interface Refunds {
  readonly stack: Stack
  /** How often money was given back for an order. */
  readonly effects: (entityId: string) => number
  readonly payingFor: (domain: typeof refunds) => BoundDomain
  /** The argument of the test workflow `propose`: a refund for which a person has to agree. */
  readonly aRefund: (entityId: string, more?: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>
  readonly aHeldRefund: (more?: Readonly<Record<string, unknown>>) => Promise<HeldRefund>
  /** One whose gate is down by now; `restart` brings a gate back. */
  readonly aHeldRefundWithoutGate: () => Promise<HeldRefund & { readonly restart: (change?: GateChange) => Promise<StoppableWorker> }>
}

/** Reviewers: maria, rita, and support-agent-2, who is an agent as well. */
export async function aRefundsStack(options: { readonly relay?: boolean } = {}): Promise<Refunds> {
  const paid: string[] = []
  const payingFor = (domain: typeof refunds): BoundDomain =>
    executors(domain, {
      async REFUND_ORDER({ entityId }) {
        paid.push(entityId)
        return { refundId: `r-${paid.length}` }
      },
    })
  const stack = await aStack({
    ...options,
    bound: payingFor(refunds),
    actors: ['support-agent-1', 'support-agent-2', 'shop'],
    members: { 'support-agent-1': 'support-agent', 'support-agent-2': 'support-agent', shop: 'shop', maria: 'finance', rita: 'finance' },
  })
  await changeMembership(stack.db.pool('owner'), { kind: 'role_granted', domain: 'refunds', actor: 'support-agent-2', role: 'finance', by: 'test' })
  const aRefund: Refunds['aRefund'] = (entityId, more = {}) => ({ queue: stack.queues.gate, entityId, params: { amountCents: 99_900, reason: 'late' }, why: 'it came late', ...more })
  const aHeldRefund: Refunds['aHeldRefund'] = async (more = {}) => {
    const entityId = await aPaidOrder(stack)
    const handle = await stack.start('propose', [aRefund(entityId, more)])
    const approvalId = await stack.asked(entityId)
    const row = await stack.desk.show(approvalId)
    if (row === undefined) throw new Error(`approval ${approvalId} is not shown`)
    return { entityId, handle, approvalId, digest: row.digest, request: row.request }
  }
  return {
    stack, payingFor, aRefund, aHeldRefund,
    effects: (entityId) => paid.filter((order) => order === entityId).length,
    async aHeldRefundWithoutGate() {
      const queue = `gate-${randomUUID()}`
      const gate = await stack.startGate({ queue })
      const held = await aHeldRefund({ queue })
      await gate.stop()
      return { ...held, restart: (change = {}) => stack.startGate({ queue, ...change }) }
    },
  }
}

/** Waits until a signal stands in the workflow's history. */
export async function signalled(handle: WorkflowHandle): Promise<void> {
  await eventually(async () => (await handle.fetchHistory()).events?.some((event) => event.workflowExecutionSignaledEventAttributes))
}
