/** The reference agent: works through support tickets, proposes what its planner chooses, and lives with the gate's answer. */
import { proxyActivities } from '@temporalio/workflow'
import { governed, type ActionResult } from 'kiff-temporal/workflow'
import type { refunds } from '../domains/refunds/domain.ts'
import type { Planner, Ticket } from '../activities/planner.ts'

const { planTicket } = proxyActivities<Planner>({ startToCloseTimeout: '30 seconds', summary: 'think about the ticket' })
// Six seconds an attempt, so that a worker lost in the middle is noticed soon; a minute is more usual.
const order = governed<typeof refunds>('refunds', { actor: 'support-agent-1', startToCloseTimeout: '6 seconds' })

export async function supportAgent(ticket: Ticket): Promise<ActionResult> {
  const plan = await planTicket(ticket)
  const { why, evidence, confidence, callId: key } = plan
  return order.propose(plan.action, plan.entityId, plan.params, { why, evidence, confidence, key })
}
