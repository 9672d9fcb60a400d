/**
 * KIFF's security-incident-response. The branch leads to two different effects, so it is two actions: CLASSIFY_LOW_RISK forbids itself
 * with the reasons, REQUIRE_REVIEW always may. REVOKE_USER_ACCESS asks by its scope and by the signals that the SIEM reported: tier,
 * blast radius and groups are no parameters, so an agent cannot talk them down.
 */
import { defineDomain, entity } from 'kiff-temporal'
import { z } from 'zod'
import { latest } from '../../../domains/recorded.ts'
import { because } from './because.ts'
import { id, nothing, percent, reason } from './fields.ts'

const subject = z.strictObject({ userId: id, userEmail: z.email().max(200), accountId: id })
const signals = z.strictObject({
  failedLoginCount: z.int().min(0).max(100_000), userTier: z.enum(['standard', 'privileged', 'service_account']), blastRadius: z.enum(['single_user', 'team', 'broad']),
  privilegedGroupCount: z.int().min(0).max(1_000), impossibleTravel: z.boolean(), malwareSignal: z.boolean(), dataExfiltrationSignal: z.boolean(),
})
const revocationScope = z.enum(['session_tokens', 'privileged_roles', 'all_access'])
const open = ['RECEIVED', 'SIGNALS_ATTACHED', 'ASSESSED', 'LOW_RISK_READY', 'REVIEW_REQUIRED'] as const

const SecurityIncident = entity('SecurityIncident', {
  states: [...open, 'CONTAINED', 'ESCALATED'],
  events: {
    SECURITY_ALERT_RECEIVED: { from: null, to: 'RECEIVED', payload: subject, reportedBy: 'security.report' },
    SECURITY_SIGNALS_ATTACHED: { from: 'RECEIVED', to: 'SIGNALS_ATTACHED', payload: signals, reportedBy: 'security.report' },
    IDENTITY_RISK_ASSESSED: { from: 'SIGNALS_ATTACHED', to: 'ASSESSED', payload: z.strictObject({ riskScorePercent: percent }) },
    LOW_RISK_CLASSIFIED: { from: 'ASSESSED', to: 'LOW_RISK_READY', payload: nothing },
    ACCESS_REVIEW_REQUIRED: { from: ['ASSESSED', 'LOW_RISK_READY'], to: 'REVIEW_REQUIRED', payload: z.strictObject({ reason }) },
    SESSION_RESET_EXECUTED: { from: 'LOW_RISK_READY', to: 'CONTAINED', payload: z.strictObject({ operationId: id, userId: id }) },
    ACCESS_REVOKED: { from: 'REVIEW_REQUIRED', to: 'CONTAINED', payload: z.strictObject({ operationId: id, userId: id, revocationScope }) },
    INCIDENT_ESCALATED: { from: open, to: 'ESCALATED', payload: z.strictObject({ reason }) },
  },
})

const user = SecurityIncident.factFromEvents(['SECURITY_ALERT_RECEIVED'], subject, latest)
const seen = SecurityIncident.factFromEvents(['SECURITY_SIGNALS_ATTACHED'], signals, latest)
const riskScore = SecurityIncident.factFromEvents(['IDENTITY_RISK_ASSESSED'], percent, (assessed) => latest(assessed).riskScorePercent)

/** Up to these, nobody is asked. */
const riskLimit = 35
const failedLoginLimit = 20
interface Recorded {
  readonly facts: { readonly riskScore: number; readonly seen: z.infer<typeof signals> }
}
const notLow = ({ facts: { riskScore: score, seen: s } }: Recorded): string | false => because(
  score > riskLimit && `risk score ${score} is above ${riskLimit}`,
  s.failedLoginCount > failedLoginLimit && `${s.failedLoginCount} failed logins`,
  s.userTier !== 'standard' && `user tier is ${s.userTier}`,
  s.blastRadius !== 'single_user' && `blast radius is ${s.blastRadius}`,
  s.privilegedGroupCount > 0 && `${s.privilegedGroupCount} privileged groups`,
  s.impossibleTravel && 'impossible travel',
  s.malwareSignal && 'malware signal present',
  s.dataExfiltrationSignal && 'data exfiltration signal present',
)
const preparing = { output: nothing, permission: 'security.prepare', effect: 'none' } as const
const containing = { output: z.strictObject({ operationId: id }), permission: 'security.contain', effect: { idempotentFor: '24 hours' } } as const

export const securityIncidentResponse = defineDomain({
  name: 'security-incident-response',
  actions: {
    ASSESS_IDENTITY_RISK: SecurityIncident.action({
      ...preparing, description: 'Say how risky the account is', from: ['SIGNALS_ATTACHED'], params: z.strictObject({ riskScorePercent: percent }), risk: 'medium',
      describe: ({ params, entityId }) => `Assess ${entityId}: ${params.riskScorePercent}`,
      emits: { IDENTITY_RISK_ASSESSED: ({ params }) => params },
    }),
    CLASSIFY_LOW_RISK: SecurityIncident.action({
      ...preparing, description: 'Let a session reset go ahead, where all that was recorded is low', from: ['ASSESSED'], params: nothing, risk: 'medium',
      facts: { riskScore, seen },
      forbid: notLow,
      describe: ({ entityId }) => `Call ${entityId} low-risk`,
      emits: { LOW_RISK_CLASSIFIED: () => ({}) },
    }),
    REQUIRE_REVIEW: SecurityIncident.action({
      ...preparing, description: 'Have the access reviewed', from: ['ASSESSED', 'LOW_RISK_READY'], params: z.strictObject({ reason }), risk: 'medium',
      describe: ({ params, entityId }) => `Have the access in ${entityId} reviewed: ${params.reason}`,
      emits: { ACCESS_REVIEW_REQUIRED: ({ params }) => params },
    }),
    EXECUTE_SESSION_RESET: SecurityIncident.action({
      ...containing, description: 'End the recorded user\'s sessions', from: ['LOW_RISK_READY'], params: nothing, risk: 'high',
      facts: { user },
      reconciledBy: 'security.review',
      unapprovedBecause: 'LOW_RISK_READY is reached by CLASSIFY_LOW_RISK alone, which forbids itself unless what was recorded is low',
      describe: ({ facts }) => `End the sessions of ${facts.user.userEmail} on ${facts.user.accountId}`,
      emits: { SESSION_RESET_EXECUTED: ({ facts, output }) => ({ operationId: output.operationId, userId: facts.user.userId }) },
    }),
    REVOKE_USER_ACCESS: SecurityIncident.action({
      ...containing, description: 'Take access from the recorded user', from: ['REVIEW_REQUIRED'], params: z.strictObject({ revocationScope }), risk: 'critical',
      facts: { user, riskScore, seen },
      approval: { when: ({ params, facts }) => because(params.revocationScope !== 'session_tokens' && `${params.revocationScope} revocation`, notLow({ facts })), reviewers: 'security.review', expiresIn: '4 hours' },
      describe: ({ params, facts }) => `Revoke ${params.revocationScope} of ${facts.user.userEmail} on ${facts.user.accountId}`,
      emits: { ACCESS_REVOKED: ({ params, facts, output }) => ({ ...output, ...params, userId: facts.user.userId }) },
    }),
    ESCALATE_INCIDENT: SecurityIncident.action({
      ...preparing, description: 'Hand an incident to people', from: open, params: z.strictObject({ reason }), permission: 'security.escalate', risk: 'medium',
      describe: ({ params, entityId }) => `Hand over ${entityId}: ${params.reason}`,
      emits: { INCIDENT_ESCALATED: ({ params }) => params },
    }),
  },
  roles: { 'security-agent': ['security.prepare', 'security.escalate'], 'identity-control': ['security.contain'], 'security-lead': ['security.review', 'security.escalate'], siem: ['security.report'] },
})
