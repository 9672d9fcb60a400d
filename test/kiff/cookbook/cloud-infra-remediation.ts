/**
 * KIFF's cloud-infra-remediation. The branch leads to two different effects, so it is two actions: CLASSIFY_LOW_RISK forbids itself with
 * the reasons when recorded telemetry and assessment are not low, REQUIRE_REVIEW always may. Telemetry is reported by monitoring,
 * not by the agent; what is restarted or isolated is what the alert recorded.
 */
import { defineDomain, entity } from 'kiff-temporal'
import { z } from 'zod'
import { latest } from '../../../domains/recorded.ts'
import { because } from './because.ts'
import { id, nothing, percent, reason } from './fields.ts'

const alert = z.strictObject({ service: id, instanceId: id, region: id })
const telemetry = z.strictObject({ cpuPercent: percent, errorRatePerMin: z.int().min(0).max(100_000), threatSignal: z.boolean(), customerImpact: z.enum(['none', 'limited', 'broad']) })
const runbookId = z.enum(['restart-process', 'rolling-restart'])
const isolationScope = z.enum(['instance', 'security_group'])
const open = ['RECEIVED', 'TRIAGED', 'ASSESSED', 'LOW_RISK_READY', 'REVIEW_REQUIRED'] as const

const CloudIncident = entity('CloudIncident', {
  states: [...open, 'REMEDIATED', 'ISOLATED', 'ESCALATED'],
  events: {
    ALERT_RECEIVED: { from: null, to: 'RECEIVED', payload: alert, reportedBy: 'cloud.report' },
    TELEMETRY_ATTACHED: { from: 'RECEIVED', to: 'TRIAGED', payload: telemetry, reportedBy: 'cloud.report' },
    REMEDIATION_ASSESSED: { from: 'TRIAGED', to: 'ASSESSED', payload: z.strictObject({ riskScorePercent: percent }) },
    LOW_RISK_CLASSIFIED: { from: 'ASSESSED', to: 'LOW_RISK_READY', payload: nothing },
    REVIEW_REQUIRED: { from: ['ASSESSED', 'LOW_RISK_READY'], to: 'REVIEW_REQUIRED', payload: z.strictObject({ reason }) },
    RESTART_EXECUTED: { from: 'LOW_RISK_READY', to: 'REMEDIATED', payload: z.strictObject({ operationId: id, runbookId, ...alert.shape }) },
    INSTANCE_ISOLATED: { from: 'REVIEW_REQUIRED', to: 'ISOLATED', payload: z.strictObject({ operationId: id, isolationScope, ...alert.shape }) },
    INCIDENT_ESCALATED: { from: open, to: 'ESCALATED', payload: z.strictObject({ reason }) },
  },
})

const target = CloudIncident.factFromEvents(['ALERT_RECEIVED'], alert, latest)
const measured = CloudIncident.factFromEvents(['TELEMETRY_ATTACHED'], telemetry, latest)
const riskScore = CloudIncident.factFromEvents(['REMEDIATION_ASSESSED'], percent, (assessed) => latest(assessed).riskScorePercent)

/** Up to this, a restart asks nobody. */
const riskLimit = 40
interface Recorded {
  readonly facts: { readonly riskScore: number; readonly measured: z.infer<typeof telemetry> }
}
const notLow = ({ facts: { riskScore: score, measured: { customerImpact, threatSignal } } }: Recorded): string | false => because(
  score > riskLimit && `risk score ${score} is above ${riskLimit}`,
  customerImpact === 'broad' && 'customer impact is broad',
  threatSignal && 'threat signal present',
)
const preparing = { output: nothing, permission: 'cloud.prepare', effect: 'none' } as const
const acting = { output: z.strictObject({ operationId: id }), permission: 'cloud.act', effect: { idempotentFor: '24 hours' } } as const

export const cloudInfraRemediation = defineDomain({
  name: 'cloud-infra-remediation',
  actions: {
    ASSESS_REMEDIATION: CloudIncident.action({
      ...preparing, description: 'Say how risky it is to act', from: ['TRIAGED'], params: z.strictObject({ riskScorePercent: percent }), risk: 'medium',
      describe: ({ params, entityId }) => `Assess ${entityId}: ${params.riskScorePercent}`,
      emits: { REMEDIATION_ASSESSED: ({ params }) => params },
    }),
    CLASSIFY_LOW_RISK: CloudIncident.action({
      ...preparing, description: 'Let a restart go ahead, where all that was recorded is low', from: ['ASSESSED'], params: nothing, risk: 'medium',
      facts: { riskScore, measured },
      forbid: notLow,
      describe: ({ entityId }) => `Call ${entityId} low-risk`,
      emits: { LOW_RISK_CLASSIFIED: () => ({}) },
    }),
    REQUIRE_REVIEW: CloudIncident.action({
      ...preparing, description: 'Leave it to the lead', from: ['ASSESSED', 'LOW_RISK_READY'], params: z.strictObject({ reason }), risk: 'medium',
      describe: ({ params, entityId }) => `Leave ${entityId} to the lead: ${params.reason}`,
      emits: { REVIEW_REQUIRED: ({ params }) => params },
    }),
    EXECUTE_PROCESS_RESTART: CloudIncident.action({
      ...acting, description: 'Restart the recorded service by a runbook', from: ['LOW_RISK_READY'], params: z.strictObject({ runbookId }), risk: 'high',
      facts: { target },
      reconciledBy: 'cloud.review',
      unapprovedBecause: 'LOW_RISK_READY is reached by CLASSIFY_LOW_RISK alone, which forbids itself unless what was recorded is low',
      describe: ({ params, facts }) => `Restart ${facts.target.service} on ${facts.target.instanceId} in ${facts.target.region} by ${params.runbookId}`,
      emits: { RESTART_EXECUTED: ({ params, facts, output }) => ({ ...output, ...params, ...facts.target }) },
    }),
    ISOLATE_INSTANCE: CloudIncident.action({
      ...acting, description: 'Cut the recorded instance off', from: ['REVIEW_REQUIRED'], params: z.strictObject({ isolationScope }), risk: 'critical',
      facts: { target, riskScore, measured },
      approval: { always: 'cutting off an instance is the lead\'s decision', when: notLow, reviewers: 'cloud.review', expiresIn: '4 hours' },
      describe: ({ params, facts }) => `Isolate ${facts.target.instanceId} of ${facts.target.service} in ${facts.target.region}, its ${params.isolationScope}`,
      emits: { INSTANCE_ISOLATED: ({ params, facts, output }) => ({ ...output, ...params, ...facts.target }) },
    }),
    ESCALATE_INCIDENT: CloudIncident.action({
      ...preparing, description: 'Hand an incident to people', from: open, params: z.strictObject({ reason }), permission: 'cloud.escalate', risk: 'medium',
      describe: ({ params, entityId }) => `Hand over ${entityId}: ${params.reason}`,
      emits: { INCIDENT_ESCALATED: ({ params }) => params },
    }),
  },
  roles: { 'cloud-ops-agent': ['cloud.prepare', 'cloud.escalate'], 'cloud-automation': ['cloud.act'], 'sre-lead': ['cloud.review', 'cloud.escalate'], monitoring: ['cloud.report'] },
})
