import { testDomain, type Scene } from 'kiff-temporal/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { expectEnd } from './ending.ts'
import { insuranceClaimsTriage } from './insurance-claims-triage.ts'

let scene: Scene<typeof insuranceClaimsTriage>
beforeEach(async () => {
  scene = await testDomain(insuranceClaimsTriage, {
    members: {
      'agent-claims-1': { roles: ['claims-agent'], type: 'agent' }, 'claims-core-service': { roles: ['claims-core'], type: 'service' }, 'claims-desk': 'claims-desk',
      'adjuster-marta': 'adjuster', both: ['claims-core', 'adjuster'],
    },
    executors: { ISSUE_PAYOUT: ({ facts }) => ({ payoutId: `claim-pay-${facts.claim.claimantId}-${facts.assessed.payoutAmountCents}` }) },
    loaders: { coveredCents: ({ facts }) => (facts.claim.lossType === 'water' ? 500_000 : null), fraudSignals: ({ facts }) => facts.claim.claimantId === 'fraudster' },
  })
})
const marta = { by: 'adjuster-marta' }
const prepare = (action: string, params: unknown, id = 'c-1') => scene.propose('agent-claims-1', action, id, params)
const issue = (params: object = {}, by = 'claims-core-service', how = {}) => scene.propose(by, 'ISSUE_PAYOUT', 'c-1', params, how)

/** c-1, received and covered, then assessed by the agent. */
async function assessed(riskScore: number, payoutAmountCents: number, claimantId = 'cl-1'): Promise<void> {
  await scene.report('claims-desk', 'CLAIM_RECEIVED', 'c-1', { claimantId, policyId: 'p-1', lossType: 'water' })
  expect(await prepare('VERIFY_COVERAGE', {})).toMatchObject({ outcome: 'allowed' })
  expect(await prepare('ASSESS_RISK', { riskScore, payoutAmountCents, currency: 'EUR' })).toMatchObject({ outcome: 'allowed' })
}

describe("KIFF's claims", () => {
  test('18, 84000, no fraud: paid without approval', async () => {
    await assessed(18, 84_000)
    expect(await issue()).toMatchObject({ outcome: 'allowed', output: { payoutId: 'claim-pay-cl-1-84000' } })
    expectEnd(scene, 'InsuranceClaim', 'c-1', 'PAID', ['ISSUE_PAYOUT'])
  })

  test('82, 420000, fraud: held, granted, paid once', async () => {
    await assessed(82, 420_000, 'fraudster')
    expect(await prepare('HOLD_FOR_ADJUSTER', { reason: 'looks odd' })).toMatchObject({ outcome: 'allowed' })
    const keyed = { workflow: 'w', key: 'payout' }
    const asked = await issue({}, 'claims-core-service', keyed)
    expect(asked).toMatchObject({ outcome: 'approval_required', rule: 'risk score 82 is not below 50; payout 420000 cents is above low-value limit 100000; fraud signals present; held for an adjuster' })
    expect(scene.state('InsuranceClaim', 'c-1')).toBe('REVIEW_REQUIRED')
    expect(await scene.granted(asked, marta)).toMatchObject({ outcome: 'allowed' })
    expect(await issue({}, 'claims-core-service', keyed)).toMatchObject({ outcome: 'allowed', output: { payoutId: 'claim-pay-fraudster-420000' } })
    expect(await issue()).toMatchObject({ outcome: 'blocked', reason: 'state_not_allowed' })
    expectEnd(scene, 'InsuranceClaim', 'c-1', 'PAID', ['ISSUE_PAYOUT'])
  })

  test('assessed at 90000, another amount has no place', async () => {
    await assessed(18, 90_000)
    expect(await issue({ payoutAmountCents: 180_000 })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expectEnd(scene, 'InsuranceClaim', 'c-1', 'ASSESSED', [])
  })

  test.each([[49, 100_000, 'allowed'], [50, 1, 'approval_required'], [0, 100_001, 'approval_required'], [0, 500_001, 'blocked']])('%i, %i: %s', async (score, cents, outcome) => {
    await assessed(score, cents)
    expect(await issue()).toMatchObject({ outcome })
  })

  test.each([{ riskScore: 101 }, { riskScore: -1 }, { payoutAmountCents: 0 }, { payoutAmountCents: 1e12 }, { currency: 'BTC' }, { fraudSignals: false }])('an assessment of %o is none', async (change) => {
    await scene.given('InsuranceClaim', 'c-1', [['CLAIM_RECEIVED', { claimantId: 'cl-1', policyId: 'p-1', lossType: 'water' }], ['COVERAGE_VERIFIED', { coveredCents: 1 }]])
    expect(await prepare('ASSESS_RISK', { riskScore: 1, payoutAmountCents: 1, currency: 'EUR', ...change })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
    expectEnd(scene, 'InsuranceClaim', 'c-1', 'COVERAGE_VERIFIED', [])
  })
})

describe('what decides is read, not told', () => {
  test('a loss that the policy does not cover goes no further', async () => {
    await scene.report('claims-desk', 'CLAIM_RECEIVED', 'c-1', { claimantId: 'cl-1', policyId: 'p-1', lossType: 'fire' })
    expect(await prepare('VERIFY_COVERAGE', { coverageConfirmed: true })).toMatchObject({ outcome: 'invalid' })
    expect(await prepare('VERIFY_COVERAGE', {})).toMatchObject({ outcome: 'blocked', message: 'policy p-1 does not cover fire' })
    expectEnd(scene, 'InsuranceClaim', 'c-1', 'RECEIVED', [])
  })

  test('however small the score and the amount, a fraud signal asks', async () => {
    await assessed(0, 1, 'fraudster')
    expect(await issue()).toMatchObject({ outcome: 'approval_required', rule: 'fraud signals present' })
  })

  test('a fraud signal that came while the adjuster thought voids their consent', async () => {
    await assessed(82, 1_000)
    const asked = await issue()
    scene.loads('fraudSignals', true)
    expect(await scene.granted(asked, marta)).toMatchObject({ outcome: 'approval_required', round: 2, rule: 'risk score 82 is not below 50; fraud signals present' })
    expectEnd(scene, 'InsuranceClaim', 'c-1', 'ASSESSED', [])
  })

  test('cover that ended while the adjuster thought ends the payout', async () => {
    await assessed(82, 1_000)
    const asked = await issue()
    scene.loads('coveredCents', null)
    expect(await scene.granted(asked, marta)).toMatchObject({ outcome: 'blocked', reason: 'forbidden' })
    expectEnd(scene, 'InsuranceClaim', 'c-1', 'ASSESSED', [])
  })

  test('cover below nothing is none, and nothing is judged by it', async () => {
    await assessed(0, 1)
    scene.loads('coveredCents', -1)
    await expect(issue()).rejects.toThrow('coveredCents')
  })

  test.each([[[]], [Array<string>(21).fill('photo')]])('%o cannot be asked for', async (missingEvidence) => {
    await scene.report('claims-desk', 'CLAIM_RECEIVED', 'c-1', { claimantId: 'cl-1', policyId: 'p-1', lossType: 'water' })
    expect(await prepare('REQUEST_EVIDENCE', { missingEvidence })).toMatchObject({ outcome: 'invalid', reason: 'invalid_parameter' })
  })

  test('only the desk says that evidence has come', async () => {
    await scene.report('claims-desk', 'CLAIM_RECEIVED', 'c-1', { claimantId: 'cl-1', policyId: 'p-1', lossType: 'water' })
    expect(await prepare('REQUEST_EVIDENCE', { missingEvidence: ['photo'] })).toMatchObject({ outcome: 'allowed' })
    expect(await scene.report('agent-claims-1', 'EVIDENCE_RECEIVED', 'c-1', { evidenceId: 'e-1' })).toMatchObject({ reason: 'event_not_reportable' })
    expect(await scene.report('claims-desk', 'EVIDENCE_RECEIVED', 'c-1', { evidenceId: 'e-1' })).toMatchObject({ outcome: 'allowed' })
    expectEnd(scene, 'InsuranceClaim', 'c-1', 'RECEIVED', [])
  })
})

describe('who may do what', () => {
  test('an agent pays nothing, whatever it says of itself', async () => {
    await assessed(18, 84_000)
    expect(await issue({}, 'agent-claims-1')).toMatchObject({ outcome: 'blocked', reason: 'permission_denied' })
    expect(await issue({ roles: ['claims-core'] }, 'agent-claims-1')).toMatchObject({ outcome: 'invalid' })
    expectEnd(scene, 'InsuranceClaim', 'c-1', 'ASSESSED', [])
  })

  test('neither the agent, nor the service, nor whoever asks agrees to a payout', async () => {
    await assessed(82, 1_000)
    const asked = await issue()
    for (const by of ['agent-claims-1', 'claims-core-service']) expect(await scene.review(asked, 'granted', { by })).toMatchObject({ outcome: 'refused', reason: 'permission_denied' })
    const own = await issue({}, 'both')
    expect(await scene.review(own, 'granted', { by: 'both' })).toMatchObject({ outcome: 'refused', reason: 'self_review' })
    expect(await scene.again(own)).toMatchObject({ outcome: 'approval_required' })
    expectEnd(scene, 'InsuranceClaim', 'c-1', 'ASSESSED', [])
  })

  test('only the adjuster denies a claim, for good', async () => {
    await assessed(18, 84_000)
    expect(await prepare('DENY_CLAIM', { reason: 'no' })).toMatchObject({ reason: 'permission_denied' })
    expect(await scene.propose('adjuster-marta', 'DENY_CLAIM', 'c-1', { reason: 'staged' })).toMatchObject({ outcome: 'allowed' })
    expect(await issue()).toMatchObject({ reason: 'state_not_allowed' })
    expectEnd(scene, 'InsuranceClaim', 'c-1', 'DENIED', [])
  })
})
