import { testDomain, type Scene } from 'kiff-temporal/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { cloudInfraRemediation } from './cloud-infra-remediation.ts'
import { expectEnd } from './ending.ts'

let scene: Scene<typeof cloudInfraRemediation>
beforeEach(async () => {
  scene = await testDomain(cloudInfraRemediation, {
    members: {
      'agent-cloud-ops-1': { roles: ['cloud-ops-agent'], type: 'agent' }, 'cloud-automation-service': { roles: ['cloud-automation'], type: 'service' }, monitoring: 'monitoring',
      'sre-lead-ava': 'sre-lead', both: ['cloud-automation', 'sre-lead'],
    },
    executors: { EXECUTE_PROCESS_RESTART: ({ facts }) => ({ operationId: `restart-${facts.target.instanceId}` }), ISOLATE_INSTANCE: ({ facts }) => ({ operationId: `isolate-${facts.target.instanceId}` }) },
  })
})
const ava = { by: 'sre-lead-ava' }
const calm = { cpuPercent: 97, errorRatePerMin: 40, threatSignal: false, customerImpact: 'limited' }
const prepare = (action: string, params: unknown = {}) => scene.propose('agent-cloud-ops-1', action, 'i-1', params)
const restart = (params: object = {}, by = 'cloud-automation-service', how = {}) => scene.propose(by, 'EXECUTE_PROCESS_RESTART', 'i-1', { runbookId: 'restart-process', ...params }, how)
const isolate = (params: object = {}, by = 'cloud-automation-service', how = {}) => scene.propose(by, 'ISOLATE_INSTANCE', 'i-1', { isolationScope: 'instance', ...params }, how)

async function assessed(riskScorePercent: number, telemetry: object = {}): Promise<void> {
  await scene.report('monitoring', 'ALERT_RECEIVED', 'i-1', { service: 'checkout', instanceId: 'vm-7', region: 'eu-1' })
  await scene.report('monitoring', 'TELEMETRY_ATTACHED', 'i-1', { ...calm, ...telemetry })
  expect(await prepare('ASSESS_REMEDIATION', { riskScorePercent })).toMatchObject({ outcome: 'allowed' })
}
const broad = { customerImpact: 'broad', threatSignal: true }
async function reviewed(): Promise<void> {
  await assessed(91, broad)
  expect(await prepare('REQUIRE_REVIEW', { reason: 'broad impact' })).toMatchObject({ outcome: 'allowed' })
}

describe("KIFF's incidents", () => {
  test('24, limited, no threat: restarted without approval, once', async () => {
    await assessed(24)
    expect(await prepare('CLASSIFY_LOW_RISK')).toMatchObject({ outcome: 'allowed' })
    const keyed = { workflow: 'w', key: 'restart' }
    for (let n = 0; n < 2; n++) expect(await restart({}, 'cloud-automation-service', keyed)).toMatchObject({ outcome: 'allowed', output: { operationId: 'restart-vm-7' } })
    expect(await restart()).toMatchObject({ outcome: 'blocked', reason: 'state_not_allowed' })
    expectEnd(scene, 'CloudIncident', 'i-1', 'REMEDIATED', ['EXECUTE_PROCESS_RESTART'])
  })

  test('91, broad, threat: held, granted, isolated once', async () => {
    await reviewed()
    const keyed = { workflow: 'w', key: 'isolate' }
    const asked = await isolate({}, 'cloud-automation-service', keyed)
    expect(asked).toMatchObject({
      outcome: 'approval_required', summary: 'Isolate vm-7 of checkout in eu-1, its instance',
      rule: 'cutting off an instance is the lead\'s decision; risk score 91 is above 40; customer impact is broad; threat signal present',
    })
    expect(await scene.granted(asked, ava)).toMatchObject({ outcome: 'allowed', output: { operationId: 'isolate-vm-7' } })
    expect(await isolate({}, 'cloud-automation-service', keyed)).toMatchObject({ outcome: 'allowed' })
    expect(await isolate()).toMatchObject({ outcome: 'blocked', reason: 'state_not_allowed' })
    expectEnd(scene, 'CloudIncident', 'i-1', 'ISOLATED', ['ISOLATE_INSTANCE'])
  })

  test.each(['vpc', '', null])('a scope of %o is none, and nobody is asked', async (isolationScope) => {
    await reviewed()
    expect(await isolate({ isolationScope })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expect(scene.timeline({ kind: 'approval_recorded' })).toEqual([])
    expectEnd(scene, 'CloudIncident', 'i-1', 'REVIEW_REQUIRED', [])
  })
})

describe('low risk is found, not chosen', () => {
  test.each([
    [41, {}, 'risk score 41 is above 40'], [0, { customerImpact: 'broad' }, 'customer impact is broad'], [0, { threatSignal: true }, 'threat signal present'],
  ])('%i with %o is not low', async (score, telemetry, message) => {
    await assessed(score, telemetry)
    expect(await prepare('CLASSIFY_LOW_RISK')).toMatchObject({ outcome: 'blocked', reason: 'forbidden', message })
    expect(await restart()).toMatchObject({ reason: 'state_not_allowed' })
    expectEnd(scene, 'CloudIncident', 'i-1', 'ASSESSED', [])
  })

  test('40 is', async () => {
    await assessed(40)
    expect(await prepare('CLASSIFY_LOW_RISK')).toMatchObject({ outcome: 'allowed' })
  })

  test('an agent can say nothing of impact or threat, nor report it', async () => {
    await assessed(91, broad)
    expect(await prepare('CLASSIFY_LOW_RISK', { customerImpact: 'none', threatSignal: false })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expect(await scene.report('agent-cloud-ops-1', 'TELEMETRY_ATTACHED', 'i-1', calm)).toMatchObject({ reason: 'event_not_reportable' })
  })

  test('what was low can still be left to the lead, and is then not restarted', async () => {
    await assessed(24)
    await prepare('CLASSIFY_LOW_RISK')
    expect(await prepare('REQUIRE_REVIEW', { reason: 'a bad feeling' })).toMatchObject({ outcome: 'allowed' })
    expect(await restart()).toMatchObject({ reason: 'state_not_allowed' })
    expect(await isolate()).toMatchObject({ outcome: 'approval_required', rule: 'cutting off an instance is the lead\'s decision' })
  })

  test.each([{ cpuPercent: 101 }, { errorRatePerMin: -1 }, { errorRatePerMin: 100_001 }, { customerImpact: 'huge' }, { threatSignal: 'no' }])('telemetry with %o is none', async (wrong) => {
    await scene.report('monitoring', 'ALERT_RECEIVED', 'i-1', { service: 'checkout', instanceId: 'vm-7', region: 'eu-1' })
    expect(await scene.report('monitoring', 'TELEMETRY_ATTACHED', 'i-1', { ...calm, ...wrong })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expectEnd(scene, 'CloudIncident', 'i-1', 'RECEIVED', [])
  })

  test('another instance than the alert\'s has no place', async () => {
    await reviewed()
    expect(await isolate({ instanceId: 'vm-1' })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expectEnd(scene, 'CloudIncident', 'i-1', 'REVIEW_REQUIRED', [])
  })
})

describe('who may do what', () => {
  test('an agent neither restarts nor isolates, whatever it says of itself', async () => {
    await reviewed()
    expect(await isolate({}, 'agent-cloud-ops-1')).toMatchObject({ outcome: 'blocked', reason: 'permission_denied' })
    expect(await isolate({ roles: ['cloud-automation'] }, 'agent-cloud-ops-1')).toMatchObject({ outcome: 'invalid' })
    expectEnd(scene, 'CloudIncident', 'i-1', 'REVIEW_REQUIRED', [])
  })

  test('neither the agent, nor the service, nor whoever asks agrees to it', async () => {
    await reviewed()
    const asked = await isolate()
    for (const by of ['agent-cloud-ops-1', 'cloud-automation-service']) expect(await scene.review(asked, 'granted', { by })).toMatchObject({ outcome: 'refused', reason: 'permission_denied' })
    const own = await isolate({}, 'both')
    expect(await scene.review(own, 'granted', { by: 'both' })).toMatchObject({ outcome: 'refused', reason: 'self_review' })
    expect(await scene.again(own)).toMatchObject({ outcome: 'approval_required' })
    expectEnd(scene, 'CloudIncident', 'i-1', 'REVIEW_REQUIRED', [])
  })

  test.each(['agent-cloud-ops-1', 'sre-lead-ava'])('%s can hand an incident to people', async (by) => {
    await assessed(24)
    expect(await scene.propose(by, 'ESCALATE_INCIDENT', 'i-1', { reason: 'unclear' })).toMatchObject({ outcome: 'allowed' })
    expectEnd(scene, 'CloudIncident', 'i-1', 'ESCALATED', [])
  })
})
