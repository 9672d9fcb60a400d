import { testDomain, type Scene } from 'kiff-temporal/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { expectEnd } from './ending.ts'
import { healthcarePriorAuth } from './healthcare-prior-auth.ts'

let scene: Scene<typeof healthcarePriorAuth>
beforeEach(async () => {
  scene = await testDomain(healthcarePriorAuth, {
    members: {
      'agent-prior-auth-1': { roles: ['prior-auth-agent'], type: 'agent' }, 'payer-portal-service': { roles: ['payer-portal'], type: 'service' }, intake: 'intake',
      'clinician-dr-santos': 'clinician', both: ['payer-portal', 'clinician'],
    },
    executors: { SUBMIT_AUTHORIZATION: ({ facts }) => ({ submissionId: `pa-sub-${facts.request.procedureCode.toUpperCase()}-${facts.evidence.evidencePacketId}` }) },
    loaders: { payerCriteria: ({ facts }) => ({ met: facts.request.payerId === 'easy', evidenceMissing: false }) },
  })
})
const santos = { by: 'clinician-dr-santos' }
const request = { patientId: 'pat-1', payerId: 'easy', procedureCode: 'a1234' }
const prepare = (action: string, params: unknown) => scene.propose('agent-prior-auth-1', action, 'r-1', params)
const submit = (params: object = {}, by = 'payer-portal-service', how = {}) => scene.propose(by, 'SUBMIT_AUTHORIZATION', 'r-1', params, how)

async function ready(payerId = 'easy'): Promise<void> {
  await scene.report('intake', 'AUTH_REQUEST_RECEIVED', 'r-1', { ...request, payerId })
  expect(await prepare('REQUEST_CLINICAL_EVIDENCE', { missingItems: ['x-ray'] })).toMatchObject({ outcome: 'allowed' })
  await scene.report('intake', 'CLINICAL_EVIDENCE_RECEIVED', 'r-1', { evidencePacketId: 'packet-1' })
}
async function checked(denialRiskScore: number, payerId = 'easy'): Promise<void> {
  await ready(payerId)
  expect(await prepare('CHECK_POLICY_CRITERIA', { denialRiskScore })).toMatchObject({ outcome: 'allowed' })
}

describe("KIFF's requests", () => {
  test('met, 12, nothing missing: submitted without approval', async () => {
    await checked(12)
    expect(await submit()).toMatchObject({ outcome: 'allowed', output: { submissionId: 'pa-sub-A1234-packet-1' } })
    expectEnd(scene, 'PriorAuthRequest', 'r-1', 'SUBMITTED', ['SUBMIT_AUTHORIZATION'])
  })

  test('not met, 74: held, a clinician agrees, submitted once', async () => {
    await checked(74, 'strict')
    expect(await prepare('HOLD_FOR_CLINICIAN_REVIEW', { reason: 'criteria' })).toMatchObject({ outcome: 'allowed' })
    const keyed = { workflow: 'w', key: 'submission' }
    const asked = await submit({}, 'payer-portal-service', keyed)
    expect(asked).toMatchObject({ outcome: 'approval_required', rule: 'policy criteria not fully met; denial risk 74 is not below 50; held for a clinician' })
    expect(await scene.granted(asked, { ...santos, reason: 'indicated' })).toMatchObject({ outcome: 'allowed' })
    expect(scene.timeline({ entityId: 'r-1', kind: 'approval_granted' })).toMatchObject([{ data: { reason: 'indicated' } }])
    expect(await submit({}, 'payer-portal-service', keyed)).toMatchObject({ outcome: 'allowed' })
    expect(await submit()).toMatchObject({ outcome: 'blocked', reason: 'state_not_allowed' })
    expectEnd(scene, 'PriorAuthRequest', 'r-1', 'SUBMITTED', ['SUBMIT_AUTHORIZATION'])
  })

  test.each([101, -1, 12.5, '12'])('a score of %o is none', async (denialRiskScore) => {
    await ready()
    expect(await prepare('CHECK_POLICY_CRITERIA', { denialRiskScore })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expectEnd(scene, 'PriorAuthRequest', 'r-1', 'READY_FOR_CRITERIA', [])
  })

  test.each([[49, 'allowed'], [50, 'approval_required']])('a score of %i: %s', async (score, outcome) => {
    await checked(score)
    expect(await submit()).toMatchObject({ outcome })
  })
})

describe('what decides is read, not told', () => {
  test('that criteria are met cannot be said', async () => {
    await ready('strict')
    expect(await prepare('CHECK_POLICY_CRITERIA', { denialRiskScore: 0, criteriaMet: true })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expect(await prepare('CHECK_POLICY_CRITERIA', { denialRiskScore: 0 })).toMatchObject({ outcome: 'allowed' })
    expect(await submit()).toMatchObject({ outcome: 'approval_required', rule: 'policy criteria not fully met' })
  })

  test('that evidence is missing asks', async () => {
    scene.loads('payerCriteria', { met: true, evidenceMissing: true })
    await checked(0)
    expect(await submit()).toMatchObject({ outcome: 'approval_required', rule: 'clinical evidence is incomplete' })
  })

  test('another procedure than the recorded one has no place', async () => {
    await checked(12)
    expect(await submit({ ...request, procedureCode: 'Z9999' })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expectEnd(scene, 'PriorAuthRequest', 'r-1', 'CRITERIA_CHECKED', [])
  })

  test.each([[[]], [Array<string>(21).fill('x-ray')]])('%o cannot be asked for', async (missingItems) => {
    await scene.report('intake', 'AUTH_REQUEST_RECEIVED', 'r-1', request)
    expect(await prepare('REQUEST_CLINICAL_EVIDENCE', { missingItems })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
  })

  test('only intake says what was requested, and that evidence has come', async () => {
    expect(await scene.report('agent-prior-auth-1', 'AUTH_REQUEST_RECEIVED', 'r-2', request)).toMatchObject({ reason: 'event_not_reportable' })
    await scene.report('intake', 'AUTH_REQUEST_RECEIVED', 'r-1', request)
    expect(await scene.report('agent-prior-auth-1', 'CLINICAL_EVIDENCE_RECEIVED', 'r-1', { evidencePacketId: 'made-up' })).toMatchObject({ reason: 'event_not_reportable' })
    expect(await scene.report('intake', 'AUTH_REQUEST_RECEIVED', 'r-2', { ...request, procedureCode: 'a1234; DROP' })).toMatchObject({ reason: 'invalid_parameter' })
  })
})

describe('who may do what', () => {
  test('an agent submits nothing, whatever it says of itself', async () => {
    await checked(12)
    expect(await submit({}, 'agent-prior-auth-1')).toMatchObject({ outcome: 'blocked', reason: 'permission_denied' })
    expect(await submit({ roles: ['payer-portal'] }, 'agent-prior-auth-1')).toMatchObject({ outcome: 'invalid' })
    expectEnd(scene, 'PriorAuthRequest', 'r-1', 'CRITERIA_CHECKED', [])
  })

  test('neither the agent, nor the service, nor whoever asks agrees to it', async () => {
    await checked(74)
    const asked = await submit()
    for (const by of ['agent-prior-auth-1', 'payer-portal-service']) expect(await scene.review(asked, 'granted', { by })).toMatchObject({ outcome: 'refused', reason: 'permission_denied' })
    const own = await submit({}, 'both')
    expect(await scene.review(own, 'granted', { by: 'both' })).toMatchObject({ outcome: 'refused', reason: 'self_review' })
    expect(await scene.again(own)).toMatchObject({ outcome: 'approval_required' })
    expectEnd(scene, 'PriorAuthRequest', 'r-1', 'CRITERIA_CHECKED', [])
  })

  test.each(['agent-prior-auth-1', 'clinician-dr-santos'])('%s can withdraw a request, for good', async (by) => {
    await checked(12)
    expect(await scene.propose(by, 'WITHDRAW_REQUEST', 'r-1', { reason: 'the patient moved' })).toMatchObject({ outcome: 'allowed' })
    expect(await submit()).toMatchObject({ reason: 'state_not_allowed' })
    expectEnd(scene, 'PriorAuthRequest', 'r-1', 'WITHDRAWN', [])
  })
})
