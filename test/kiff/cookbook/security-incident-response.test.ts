import { testDomain, type Scene } from 'kiff-temporal/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { expectEnd } from './ending.ts'
import { securityIncidentResponse } from './security-incident-response.ts'

let scene: Scene<typeof securityIncidentResponse>
beforeEach(async () => {
  scene = await testDomain(securityIncidentResponse, {
    members: {
      'agent-security-response-1': { roles: ['security-agent'], type: 'agent' }, 'identity-control-service': { roles: ['identity-control'], type: 'service' }, siem: 'siem',
      'security-lead-ava': 'security-lead', both: ['identity-control', 'security-lead'],
    },
    executors: { EXECUTE_SESSION_RESET: ({ facts }) => ({ operationId: `reset-${facts.user.userId}` }), REVOKE_USER_ACCESS: ({ params, facts }) => ({ operationId: `${params.revocationScope}-${facts.user.userId}` }) },
  })
})
const ava = { by: 'security-lead-ava' }
const calm = { failedLoginCount: 6, userTier: 'standard', blastRadius: 'single_user', privilegedGroupCount: 0, impossibleTravel: false, malwareSignal: false, dataExfiltrationSignal: false }
const grave = { failedLoginCount: 58, userTier: 'privileged', blastRadius: 'broad', privilegedGroupCount: 4, impossibleTravel: true, malwareSignal: true, dataExfiltrationSignal: true }
const prepare = (action: string, params: unknown = {}) => scene.propose('agent-security-response-1', action, 's-1', params)
const reset = (params: object = {}, by = 'identity-control-service', how = {}) => scene.propose(by, 'EXECUTE_SESSION_RESET', 's-1', params, how)
const revoke = (revocationScope: unknown, more: object = {}, by = 'identity-control-service', how = {}) => scene.propose(by, 'REVOKE_USER_ACCESS', 's-1', { revocationScope, ...more }, how)

async function assessed(riskScorePercent: number, signals: object): Promise<void> {
  await scene.report('siem', 'SECURITY_ALERT_RECEIVED', 's-1', { userId: 'u-1', userEmail: 'u@corp.example', accountId: 'a-1' })
  await scene.report('siem', 'SECURITY_SIGNALS_ATTACHED', 's-1', { ...calm, ...signals })
  expect(await prepare('ASSESS_IDENTITY_RISK', { riskScorePercent })).toMatchObject({ outcome: 'allowed' })
}
async function reviewed(riskScorePercent: number, signals: object): Promise<void> {
  await assessed(riskScorePercent, signals)
  expect(await prepare('REQUIRE_REVIEW', { reason: 'take a look' })).toMatchObject({ outcome: 'allowed' })
}
const kinds = () => scene.timeline('s-1').map(({ kind }) => kind)

describe("KIFF's incidents", () => {
  test('18, 6 logins, standard, single user: contained by a session reset, without approval', async () => {
    await assessed(18, calm)
    expect(await prepare('CLASSIFY_LOW_RISK')).toMatchObject({ outcome: 'allowed' })
    expect(await reset()).toMatchObject({ outcome: 'allowed', output: { operationId: 'reset-u-1' } })
    expect(await reset()).toMatchObject({ outcome: 'blocked', reason: 'state_not_allowed' })
    expectEnd(scene, 'SecurityIncident', 's-1', 'CONTAINED', ['EXECUTE_SESSION_RESET'])
  })

  test('92, all signals, all access: held, granted, contained; the same key is told the same, and counted as a repeat', async () => {
    await reviewed(92, grave)
    const keyed = { workflow: 'w', key: 'revoke' }
    const asked = await revoke('all_access', {}, 'identity-control-service', keyed)
    expect(asked).toMatchObject({
      outcome: 'approval_required',
      rule: 'all_access revocation; risk score 92 is above 35; 58 failed logins; user tier is privileged; blast radius is broad; 4 privileged groups; impossible travel; malware signal present; data exfiltration signal present',
    })
    expect(await scene.granted(asked, ava)).toMatchObject({ outcome: 'allowed', output: { operationId: 'all_access-u-1' } })
    expect(await revoke('all_access', {}, 'identity-control-service', keyed)).toMatchObject({ outcome: 'allowed', output: { operationId: 'all_access-u-1' } })
    expect(kinds().at(-1)).toBe('action_deduplicated')
    expectEnd(scene, 'SecurityIncident', 's-1', 'CONTAINED', ['REVOKE_USER_ACCESS'])
  })

  test.each(['everything', '', 3])('a scope of %o is none', async (scope) => {
    await reviewed(92, grave)
    expect(await revoke(scope)).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expectEnd(scene, 'SecurityIncident', 's-1', 'REVIEW_REQUIRED', [])
  })

  test('what was proposed stands before what was done, though one commit records both', async () => {
    await assessed(18, calm)
    await prepare('CLASSIFY_LOW_RISK')
    const before = kinds().length
    await scene.propose('identity-control-service', 'EXECUTE_SESSION_RESET', 's-1', {}, { why: 'six failed logins', confidence: 0.9 })
    expect(kinds().slice(before)).toEqual(['decision_proposed', 'action_validated', 'action_executed', 'event_ingested', 'state_changed'])
    expect(scene.timeline({ entityId: 's-1', kind: 'decision_proposed' }).at(-1)).toMatchObject({ data: { proposed_action: 'EXECUTE_SESSION_RESET', confidence: 0.9 } })
  })
})

describe('weak point 9: nothing is talked down', () => {
  test.each([
    { userTier: 'privileged' }, { userTier: 'service_account' }, { blastRadius: 'team' }, { blastRadius: 'broad' }, { privilegedGroupCount: 1 },
    { failedLoginCount: 21 }, { impossibleTravel: true }, { malwareSignal: true }, { dataExfiltrationSignal: true },
  ])('%o asks, even for session tokens, and is not low', async (signal) => {
    await assessed(18, signal)
    expect(await prepare('CLASSIFY_LOW_RISK')).toMatchObject({ outcome: 'blocked', reason: 'forbidden' })
    await prepare('REQUIRE_REVIEW', { reason: 'so' })
    expect(await revoke('session_tokens')).toMatchObject({ outcome: 'approval_required' })
    expectEnd(scene, 'SecurityIncident', 's-1', 'REVIEW_REQUIRED', [])
  })

  test.each([{ userTier: 'standard' }, { blastRadius: 'single_user' }, { privilegedGroupCount: 0 }, { dataExfiltrationSignal: false }])('saying %o has no place', async (claim) => {
    await reviewed(92, grave)
    expect(await revoke('session_tokens', claim)).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expect(await scene.report('agent-security-response-1', 'SECURITY_SIGNALS_ATTACHED', 's-1', calm)).toMatchObject({ reason: 'event_not_reportable' })
    expectEnd(scene, 'SecurityIncident', 's-1', 'REVIEW_REQUIRED', [])
  })

  test.each([['session_tokens', 'allowed'], ['privileged_roles', 'approval_required'], ['all_access', 'approval_required']])('where all is low, %s: %s', async (scope, outcome) => {
    await reviewed(35, { failedLoginCount: 20 })
    expect(await revoke(scope)).toMatchObject({ outcome })
  })

  test.each([{ failedLoginCount: -1 }, { failedLoginCount: 100_001 }, { privilegedGroupCount: -1 }, { privilegedGroupCount: 1_001 }, { userTier: 'root' }, { malwareSignal: 'no' }])('a report of %o is none', async (wrong) => {
    await scene.report('siem', 'SECURITY_ALERT_RECEIVED', 's-1', { userId: 'u-1', userEmail: 'u@corp.example', accountId: 'a-1' })
    expect(await scene.report('siem', 'SECURITY_SIGNALS_ATTACHED', 's-1', { ...calm, ...wrong })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expectEnd(scene, 'SecurityIncident', 's-1', 'RECEIVED', [])
  })

  test.each(['nobody', `${'x'.repeat(50)}@${'long.'.repeat(40)}example`])('an alert about %o is none', async (userEmail) => {
    expect(await scene.report('siem', 'SECURITY_ALERT_RECEIVED', 's-1', { userId: 'u-1', userEmail, accountId: 'a-1' })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expect(scene.state('SecurityIncident', 's-1')).toBeNull()
  })

  test('36 is not low', async () => {
    await assessed(36, calm)
    expect(await prepare('CLASSIFY_LOW_RISK')).toMatchObject({ reason: 'forbidden', message: 'risk score 36 is above 35' })
  })
})

describe('who may do what', () => {
  test('an agent takes no access, whatever it says of itself', async () => {
    await reviewed(92, grave)
    expect(await revoke('all_access', {}, 'agent-security-response-1')).toMatchObject({ outcome: 'blocked', reason: 'permission_denied' })
    expect(await revoke('all_access', { roles: ['identity-control'] }, 'agent-security-response-1')).toMatchObject({ outcome: 'invalid' })
    expectEnd(scene, 'SecurityIncident', 's-1', 'REVIEW_REQUIRED', [])
  })

  test('neither the agent, nor the service, nor whoever asks agrees to it', async () => {
    await reviewed(92, grave)
    const asked = await revoke('all_access')
    for (const by of ['agent-security-response-1', 'identity-control-service']) expect(await scene.review(asked, 'granted', { by })).toMatchObject({ outcome: 'refused', reason: 'permission_denied' })
    const own = await revoke('all_access', {}, 'both')
    expect(await scene.review(own, 'granted', { by: 'both' })).toMatchObject({ outcome: 'refused', reason: 'self_review' })
    expect(await scene.again(own)).toMatchObject({ outcome: 'approval_required' })
    expectEnd(scene, 'SecurityIncident', 's-1', 'REVIEW_REQUIRED', [])
  })

  test.each(['agent-security-response-1', 'security-lead-ava'])('%s can hand an incident to people', async (by) => {
    await assessed(18, calm)
    expect(await scene.propose(by, 'ESCALATE_INCIDENT', 's-1', { reason: 'unclear' })).toMatchObject({ outcome: 'allowed' })
    expectEnd(scene, 'SecurityIncident', 's-1', 'ESCALATED', [])
  })
})
