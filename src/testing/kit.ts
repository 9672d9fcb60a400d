/** For a workflow's author: the real gate's activities on the store in memory, and a reviewer whose every word is signed and delivered. */
import type { Client } from '@temporalio/client'
import { deliverDue } from '../approvals/relay.ts'
import type { AuditRecord } from '../core/audit-record.ts'
import type { Domain } from '../core/domain.ts'
import type { ActionResult } from '../core/outcome.ts'
import type { AuditFilter } from '../evidence/audit-records.ts'
import type { EventRecord } from './memory/views.ts'
import { gateActivities } from '../gate/activities.ts'
import type { ExecutorsOf, LoadersOf } from '../gate/binding.ts'
import { report } from '../gate/report.ts'
import { createStepReader } from '../gate/step.ts'
import { startSweeper } from '../gate/sweeper.ts'
import { gateQueue } from '../temporal/names.ts'
import type { Clock } from './clock.ts'
import type { Reviewing } from './scene.ts'
import type { GivenExecutor, GivenLoader, SpiedEffect } from './spies.ts'
import { createWorkflows } from './steps.ts'
import { createTestGate, type Past, type TestGateOptions } from './test-gate.ts'

export interface KitOptions<D extends Domain> extends TestGateOptions<D> {
  readonly domain: D
  /** Of the server that the test's workflows run on. */
  readonly client: Client
  /** What deadlines are judged by; the machine's clock unless told. For a server that skips time: `() => env.currentTimeMs()`. */
  readonly clock?: Clock
}

/** An approval by its id, or the one that a workflow waits for. */
export type ApprovalRef = string | { readonly workflowId: string }

export interface Kit<D extends Domain> {
  /** For `Worker.create`, beside `plugins: [new KiffPlugin()]` where the worker runs workflows. */
  readonly activities: Readonly<Record<string, (input: unknown) => Promise<unknown>>>
  /** Where `governed` sends the domain's actions, unless told otherwise. */
  readonly taskQueue: string
  /** An entity's past: also events that only an action emits. @throws Error when one cannot happen there */
  readonly given: (entityType: keyof D['entities'] & string, entityId: string, events: Past) => Promise<void>
  /** Reports an event through the gate. @throws ApplicationFailure while an execution holds the entity */
  readonly report: (event: string, entityId: string, payload: unknown, reporting: { readonly by: string }) => Promise<ActionResult>
  /** The id of the approval that a workflow waits for, once it does. @throws Error when it does not within 20 seconds */
  readonly asked: (which: ApprovalRef) => Promise<string>
  /** One person's verdict: signed, recorded, and signalled to the workflow. @throws Error when it is refused, or cannot be delivered */
  readonly review: (which: ApprovalRef, verdict: 'granted' | 'denied', reviewing: Reviewing) => Promise<void>
  /** Takes back a grant that was not used yet, and signals so. @throws Error when that is refused, or cannot be delivered */
  readonly revoke: (which: ApprovalRef, reviewing: Reviewing) => Promise<void>
  readonly grantRole: (actor: string, role: keyof D['roles'] & string) => Promise<void>
  readonly revokeRole: (actor: string, role: keyof D['roles'] & string) => Promise<void>
  /** Another executor from now on: what it returns, or does. */
  readonly executes: <Action extends keyof ExecutorsOf<D> & string>(action: Action, given: GivenExecutor<ExecutorsOf<D>[Action]>) => void
  /** Another loader from now on: what it loads, or how. */
  readonly loads: <Name extends keyof LoadersOf<D> & string>(fact: Name, given: GivenLoader<LoadersOf<D>[Name]>) => void
  /** The state an entity is in; `null` when there is no such entity. */
  readonly state: (entityType: keyof D['entities'] & string, entityId: string) => string | null
  /** Every effect that was begun, in order. */
  readonly effects: readonly SpiedEffect[]
  /** The audit records about an entity, or those that agree with a filter, in order; all there are unless told. */
  readonly timeline: (of?: string | AuditFilter) => readonly AuditRecord[]
  /** The events recorded of an entity, oldest first, with what they carry. */
  readonly events: (entityType: string, entityId: string) => readonly EventRecord[]
  /** Stops what a gate worker does beside its activities: marking executions in doubt that nobody takes up again, and ending them as people have found out. */
  readonly close: () => Promise<void>
}

const askedWithinMs = 20_000

/** @throws Error when a member holds a role that the domain does not have */
export async function createKit<D extends Domain>({ domain, client, clock = Date.now, ...options }: KitOptions<D>): Promise<Kit<D>> {
  const { gate, memory, spies, reconciling, ...kit } = await createTestGate(domain, options, clock)
  const workflows = createWorkflows()
  const sweeper = startSweeper(memory.gate, client, reconciling)

  async function roundOf(which: ApprovalRef, status: 'pending' | 'granted'): Promise<string> {
    if (typeof which === 'string') return which
    for (const until = Date.now() + askedWithinMs; Date.now() < until; ) {
      const open = memory.tables.approvals.all().findLast((row) => row.workflowId === which.workflowId && row.status === status && row.closedSeq === null)
      if (open !== undefined) return open.approvalId
      await new Promise((resolve) => { setTimeout(resolve, 20) })
    }
    throw new Error(`no approval of workflow ${which.workflowId} was ${status} within ${askedWithinMs} ms`)
  }

  /** As the relay does; it would try again, a test is told. */
  async function deliver(approvalId: string): Promise<void> {
    const faults: unknown[] = []
    const dueDeliveries = async () => (await memory.reviews.dueDeliveries()).filter((delivery) => delivery.approvalId === approvalId)
    await deliverDue({ store: { ...memory.reviews, dueDeliveries }, client, onFault: (fault) => faults.push(fault) })
    if (faults.length > 0) throw new Error('it was recorded, but not delivered', { cause: faults[0] })
  }

  return {
    activities: gateActivities(gate, createStepReader(() => client)),
    taskQueue: gateQueue(domain.name),
    given: kit.given,
    asked: (which) => roundOf(which, 'pending'),
    report(event, entityId, payload, { by }) {
      const { step } = workflows.next(undefined, '')
      return report(gate, step, { event, entityId, payload, actor: by, chain: { firstExecutionRunId: step.firstExecutionRunId, generation: 0, occurrence: 0 } })
    },
    async review(which, verdict, { by, reason = '' }) {
      const approvalId = await roundOf(which, 'pending')
      const outcome = await kit.review(approvalId, verdict, by, reason)
      if (outcome.outcome === 'refused') throw new Error(`${by} cannot review it: ${outcome.message}`)
      await deliver(approvalId)
    },
    async revoke(which, { by, reason = '' }) {
      const approvalId = await roundOf(which, 'granted')
      const outcome = await kit.revoke(approvalId, by, reason)
      if (outcome.outcome === 'refused') throw new Error(`${by} cannot revoke it: ${outcome.message}`)
      await deliver(approvalId)
    },
    async grantRole(actor, role) {
      await kit.changeRole('role_granted', actor, role)
    },
    async revokeRole(actor, role) {
      await kit.changeRole('role_revoked', actor, role)
    },
    executes: (action, given) => spies.execute(action, given),
    loads: (fact, given) => spies.load(fact, given),
    state: kit.state,
    effects: spies.effects,
    timeline: kit.timeline,
    events: kit.events,
    close: () => sweeper.stop(),
  }
}
