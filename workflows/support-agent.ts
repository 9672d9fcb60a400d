/** The reference agent: works through support tickets, proposes what its planner chooses, and lives with the gate's answer. */
import { proxyActivities } from '@temporalio/workflow'
import { governed, type ActionResult } from 'kiff-temporal/workflow'
import type { refunds } from '../domains/refunds/domain.ts'
import type { Planner, Ticket } from '../activities/planner.ts'

const { planTicket } = proxyActivities<Planner>({ startToCloseTimeout: '30 seconds', summary: 'think about the ticket' })
const order = governed<typeof refunds>('refunds', { actor: 'support-agent-1', startToCloseTimeout: '10 seconds' })

export async function supportAgent(ticket: Ticket): Promise<string> {
  const plan = await planTicket(ticket)
  const result: ActionResult = await order.propose(plan.action, plan.entityId, plan.params, { why: plan.why, evidence: plan.evidence, confidence: plan.confidence, key: plan.callId })
  return result.outcome === 'allowed' ? result.summary : `${result.outcome}/${result.reason}: ${result.message}`
}
