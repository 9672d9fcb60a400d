/** One trial: a proposal, or a family of equal ones, on an order of its own; what the fault did to it, and what its workflows were told. */
import { randomUUID } from 'node:crypto'
import type { WorkflowHandle } from '@temporalio/client'
import { executors } from '../../../src/gate/index.ts'
import type { GateOptions } from '../../../src/gate/gate.ts'
import { createMandateVerifier } from '../../../src/gate/mandate.ts'
import { report } from '../../../src/gate/report.ts'
import { payments } from './domain.ts'
import type { World } from './world.ts'

export interface Trial {
  readonly order: string
  readonly action: string
  readonly amountCents: number
  /** How many of its calls are proposals of their own: each may have one effect, under a key of its own. */
  readonly proposals: number
  /** Where it is from: the family, and the batch's number, by which it can be repeated. */
  readonly fault: string
  readonly batch: number
  readonly workflows: WorkflowHandle[]
  /** What a fault did to it; a trial that no fault touched is not counted as hit. */
  readonly hits: string[]
  /** Answers of its workflows, when they have ended; a string says how else one ended. */
  readonly told: unknown[]
  /** Somebody was let be wrong about it, or forged an answer: what that excuses. */
  readonly excused: Set<'workflow_terminated' | 'person_wrong' | 'answer_forged' | 'still_waits'>
}

const unused = async (): Promise<never> => { throw new Error('the harness pays nothing itself') }

/** Brings an order into the state PAID (or only CREATED) by the gate's own reporting, on the gate's login; no workflow is needed for it. */
export async function anOrder(world: World, state: 'CREATED' | 'PAID' = 'PAID'): Promise<string> {
  const order = `order-${randomUUID()}`
  const gate: GateOptions = {
    bound: executors(payments, { REFUND: unused, CREDIT: unused, WIRE: unused, SEND: unused }),
    store: world.gateStore, verify: async () => null, actors: ['shop'], verifyMandate: createMandateVerifier([]),
  }
  const step = { namespace: 'default', workflowId: `shop-${order}`, firstExecutionRunId: `run-${order}`, runId: `run-${order}` }
  for (const [index, event] of ['ORDER_PLACED', 'ORDER_PAID'].slice(0, state === 'PAID' ? 2 : 1).entries()) {
    const told = await report(gate, { ...step, activityId: String(index) }, {
      event, entityId: order, payload: {}, actor: 'shop', chain: { firstExecutionRunId: step.firstExecutionRunId, generation: 0, occurrence: index },
    })
    if (told.outcome !== 'allowed') throw new Error(`the order cannot be made: ${told.message}`)
  }
  return order
}

/** Waits until every workflow of these trials has ended. @returns those that have not, as sentences */
export async function ended(trials: readonly Trial[], withinMs: number): Promise<string[]> {
  const late: string[] = []
  const over = AbortSignal.timeout(withinMs)
  const isOver = new Promise<'late'>((resolve) => { over.addEventListener('abort', () => resolve('late'), { once: true }) })
  await Promise.all(trials.flatMap((trial) => trial.workflows.map(async (workflow) => {
    const answer = await Promise.race([workflow.result().catch((error: unknown) => `ended otherwise: ${String(Reflect.get(Object(error), 'cause') ?? error)}`), isOver])
    if (answer === 'late') late.push(`${trial.order}: its workflow still waits after ${withinMs} ms: ${await standOf(workflow)} (${[...new Set(trial.hits)].join('; ')})`)
    else trial.told.push(answer)
  })))
  return late
}

/** What a workflow waits for, in words. */
async function standOf(workflow: WorkflowHandle): Promise<string> {
  const [{ raw }, { events }] = await Promise.all([workflow.describe(), workflow.fetchHistory()])
  const pending = raw.pendingActivities?.map(({ activityType, attempt, lastFailure }) => `${activityType?.name}, attempt ${attempt}, ${lastFailure?.message ?? 'under way'}`) ?? []
  const last = events?.slice(-4).map((event) => Object.keys(event).find((key) => key.endsWith('Attributes') && Reflect.get(event, key) !== null)) ?? []
  return `${workflow.workflowId}, ${pending.length === 0 ? `no activity pending, ${last.join(', ')}` : pending.join('; ')}`
}
