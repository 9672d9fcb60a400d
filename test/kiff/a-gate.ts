/** What the kit's scenes leave out: a store that fails, reviews from elsewhere, and the events as they were recorded. */
import { testDomain } from 'kiff-temporal/testing'
import { aFixedClock } from '../../src/testing/clock.ts'
import { createWorkflows } from '../../src/testing/steps.ts'
import { createTestGate } from '../../src/testing/test-gate.ts'
import { propose, type GateOptions } from '../../src/gate/gate.ts'
import type { GateAnswer, GateStore } from '../../src/core/store.ts'
import { rebuildState, type EntityState, type KiffEvent } from '../../src/core/state.ts'
import { orders, paid } from './orders.ts'

/** Who is who in every case; `requester` may ask and may review. */
export const members = {
  'agent-1': { roles: ['agent'], type: 'agent' }, 'agent-2': { roles: ['agent'], type: 'agent' }, intern: [], requester: ['agent', 'finance'], maria: 'finance', rita: 'finance', shop: 'shop',
} as const
export const executors = { MARK_PAID: {}, REFUND_ORDER: { refundId: 'r-1' }, SEND_NOTE: {} } as const

/** A scene of the orders in which an agent acts. */
export const aScene = (domain = orders) => testDomain(domain, { members, executors })

/** The kinds of audit records about an order, in turn, from after its past on. */
export function kindsAfterPast(records: readonly { readonly kind: string; readonly actor_id: string }[]): readonly string[] {
  return records.filter(({ actor_id }) => actor_id !== 'given').map(({ kind }) => kind)
}

const timing = () => ({ executorMs: 5_000, leaseMs: 5_500, until: Date.now() + 6_000 })

/** A gate with its parts open. */
export async function anOpenGate() {
  const clock = aFixedClock()
  const { gate, memory, spies, ...kit } = await createTestGate(orders, { members, executors }, clock.now)
  const workflows = createWorkflows()
  const eventsOf = (entityId: string): readonly KiffEvent[] => memory.events().filter((event) => event.entity_id === entityId)
  return {
    ...kit, memory, effects: spies.effects, eventsOf,
    /** One order that is paid. */
    aPaidOrder: (entityId: string) => kit.given('Order', entityId, paid),
    /** One call of a workflow, with the signatures that this test says have arrived. */
    call(action: string, entityId: string, params: unknown, how: { readonly workflow: string; readonly reviews?: readonly string[]; readonly store?: GateStore; readonly key?: string }): Promise<GateAnswer> {
      const { step } = workflows.next(how.workflow, '')
      const options: GateOptions = how.store === undefined ? gate : { ...gate, store: how.store }
      const chain = { firstExecutionRunId: step.firstExecutionRunId, generation: 0, occurrence: 0 }
      return propose(options, step, action, { entityId, params, actor: 'agent-1', chain, key: how.key, reviews: [...(how.reviews ?? [])] }, timing)
    },
    rebuilt: (entityId: string) => rebuiltFrom(eventsOf(entityId)),
    rebuiltFrom,
  }
}

/** The state that events alone lead to. */
function rebuiltFrom(events: readonly KiffEvent[]): EntityState | null {
  const { Order } = orders.entities
  if (Order === undefined) throw new Error('the domain has no orders')
  return rebuildState(Order, events)
}

/** The id of the approval that was asked for. */
export function approvalIn(answer: GateAnswer): string {
  if (answer.outcome !== 'approval_required') throw new Error(`nobody was asked: ${JSON.stringify(answer)}`)
  return answer.approvalId
}
