/** The workflows that are attacked, and the attacker's. */
import { CancellationScope, condition, continueAsNew, defineSignal, executeChild, ParentClosePolicy, setHandler, sleep, startChild, workflowInfo } from '@temporalio/workflow'
import { governed, type ActionResult } from 'kiff-temporal/workflow'
import type { payments } from '../domain.ts'

export interface Call {
  readonly queue: string
  readonly order: string
  readonly action: string
  readonly amountCents: number
  readonly timeout: string
  readonly key?: string
}

const gateOf = ({ queue, timeout }: Pick<Call, 'queue' | 'timeout'>, actor: string) => governed<typeof payments>('payments', { actor, startToCloseTimeout: timeout as '2 seconds', taskQueue: queue })

/** One proposal. */
export async function proposeOne(call: Call): Promise<ActionResult> {
  return gateOf(call, 'agent-1').propose(call.action, call.order, { amountCents: call.amountCents, reason: 'late' }, call.key === undefined ? {} : { key: call.key })
}

/** One proposal, by a child: a parent that is reset starts another one, in a run chain of its own. */
export async function proposeInChild(call: Call): Promise<ActionResult> {
  return executeChild(proposeOne, { args: [call] })
}

/** Proposals one after the other. */
export async function proposeInTurn(calls: readonly Call[]): Promise<readonly ActionResult[]> {
  const answers: ActionResult[] = []
  for (const call of calls) answers.push(await proposeOne(call))
  return answers
}

/** Equal proposals at once, in one workflow. */
export async function proposeAtOnce(calls: readonly Call[]): Promise<readonly ActionResult[]> {
  return Promise.all(calls.map(proposeOne))
}

/** Proposes, and when nobody knows what became of it, the same again, once told to. */
export async function proposeAgain(call: Call): Promise<readonly ActionResult[]> {
  let told = false
  setHandler(defineSignal('again'), () => { told = true })
  const first = await proposeOne({ ...call, key: 'the-same' })
  if (first.outcome === 'allowed' || first.reason !== 'outcome_unknown') return [first]
  await condition(() => told)
  return [first, await proposeOne({ ...call, key: 'the-same' })]
}

/** Proposes, and continues as new after `afterMs` while that goes on; the last run takes its answer. */
export async function continueMeanwhile(call: Call, turns: number, afterMs: number): Promise<ActionResult> {
  const asking = proposeOne(call)
  if (turns === 0) return asking
  const scope = new CancellationScope()
  await Promise.race([asking, scope.run(() => sleep(afterMs))])
  return continueAsNew<typeof continueMeanwhile>(call, turns - 1, afterMs)
}

/** Reports that an order was delivered. */
export async function reportDelivery(call: Call): Promise<ActionResult> {
  return gateOf(call, 'shop').report('ORDER_DELIVERED', call.order, { parcel: call.key ?? '' }, { id: `delivery-${call.key}` })
}

/** The attacker's: takes a running workflow's id away from it, and proposes the same there. */
export async function takeOver(victim: string, call: Call): Promise<void> {
  await startChild(proposeOne, { workflowId: victim, args: [call], workflowIdReusePolicy: 'TERMINATE_IF_RUNNING', parentClosePolicy: ParentClosePolicy.ABANDON, taskQueue: workflowInfo().taskQueue })
}
