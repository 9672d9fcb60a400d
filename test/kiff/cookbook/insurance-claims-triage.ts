/**
 * KIFF's insurance-claims-triage. The branch: an assessment is recorded, and ISSUE_PAYOUT's approval rule decides on it; there is no
 * low-value twin and no amount to name again. Fraud signals and cover are the insurer's registers', read again as the money goes.
 */
import { defineDomain, entity, factFromLoader } from 'kiff-temporal'
import { z } from 'zod'
import { latest } from '../../../domains/recorded.ts'
import { because } from './because.ts'
import { cents, currency, id, nothing, percent, reason } from './fields.ts'

const claim = z.strictObject({ claimantId: id, policyId: id, lossType: z.enum(['water', 'fire', 'theft', 'storm']) })
const assessment = z.strictObject({ riskScore: percent, payoutAmountCents: cents, currency })
const covered = z.int().min(0)
const missingEvidence = z.array(id).min(1).max(20)
const open = ['RECEIVED', 'WAITING_EVIDENCE', 'COVERAGE_VERIFIED', 'ASSESSED', 'REVIEW_REQUIRED'] as const

const InsuranceClaim = entity('InsuranceClaim', {
  states: [...open, 'PAID', 'DENIED'],
  events: {
    CLAIM_RECEIVED: { from: null, to: 'RECEIVED', payload: claim, reportedBy: 'claims.report' },
    EVIDENCE_REQUESTED: { from: 'RECEIVED', to: 'WAITING_EVIDENCE', payload: z.strictObject({ missingEvidence }) },
    EVIDENCE_RECEIVED: { from: 'WAITING_EVIDENCE', to: 'RECEIVED', payload: z.strictObject({ evidenceId: id }), reportedBy: 'claims.report' },
    COVERAGE_VERIFIED: { from: 'RECEIVED', to: 'COVERAGE_VERIFIED', payload: z.strictObject({ coveredCents: covered }) },
    RISK_ASSESSED: { from: 'COVERAGE_VERIFIED', to: 'ASSESSED', payload: assessment },
    REVIEW_REQUIRED: { from: 'ASSESSED', to: 'REVIEW_REQUIRED', payload: z.strictObject({ reason }) },
    PAYOUT_ISSUED: { from: ['ASSESSED', 'REVIEW_REQUIRED'], to: 'PAID', payload: z.strictObject({ payoutId: id, ...assessment.shape }) },
    CLAIM_DENIED: { from: open, to: 'DENIED', payload: z.strictObject({ reason }) },
  },
})

const recordedClaim = InsuranceClaim.factFromEvents(['CLAIM_RECEIVED'], claim, latest)
const assessed = InsuranceClaim.factFromEvents(['RISK_ASSESSED'], assessment, latest)
const held = InsuranceClaim.factFromEvents(['REVIEW_REQUIRED'], z.boolean(), (holds) => holds.length > 0)
/** What the recorded policy pays at most for the recorded loss; `null` where it does not cover it. */
const coveredCents = factFromLoader(covered.nullable())
/** Whether the fraud register has anything on the recorded claimant. */
const fraudSignals = factFromLoader(z.boolean())

/** Below the first and up to the second, nobody is asked. */
const riskLimit = 50
const lowValueLimitCents = 100_000
const preparing = { output: nothing, permission: 'claims.prepare', effect: 'none' } as const

export const insuranceClaimsTriage = defineDomain({
  name: 'insurance-claims-triage',
  actions: {
    REQUEST_EVIDENCE: InsuranceClaim.action({
      ...preparing, description: 'Ask for what a claim lacks', from: ['RECEIVED'], params: z.strictObject({ missingEvidence }), risk: 'low',
      describe: ({ params, entityId }) => `Ask for ${params.missingEvidence.join(', ')} of ${entityId}`,
      emits: { EVIDENCE_REQUESTED: ({ params }) => params },
    }),
    VERIFY_COVERAGE: InsuranceClaim.action({
      ...preparing, description: 'Confirm that the policy covers the loss', from: ['RECEIVED'], params: nothing, risk: 'medium',
      facts: { claim: recordedClaim, coveredCents },
      forbid: ({ facts }) => facts.coveredCents === null && `policy ${facts.claim.policyId} does not cover ${facts.claim.lossType}`,
      describe: ({ entityId }) => `Confirm the cover of ${entityId}`,
      emits: { COVERAGE_VERIFIED: ({ facts }) => ({ coveredCents: facts.coveredCents ?? 0 }) },
    }),
    ASSESS_RISK: InsuranceClaim.action({
      ...preparing, description: 'Say how risky the claim is, and what is to be paid', from: ['COVERAGE_VERIFIED'], params: assessment, risk: 'medium',
      describe: ({ params, entityId }) => `Assess ${entityId}: score ${params.riskScore}, ${params.payoutAmountCents} cents ${params.currency}`,
      emits: { RISK_ASSESSED: ({ params }) => params },
    }),
    HOLD_FOR_ADJUSTER: InsuranceClaim.action({
      ...preparing, description: 'Have an adjuster agree, whatever the assessment', from: ['ASSESSED'], params: z.strictObject({ reason }), risk: 'medium',
      describe: ({ params, entityId }) => `Hold ${entityId}: ${params.reason}`,
      emits: { REVIEW_REQUIRED: ({ params }) => params },
    }),
    ISSUE_PAYOUT: InsuranceClaim.action({
      description: 'Pay the recorded amount to the recorded claimant', from: ['ASSESSED', 'REVIEW_REQUIRED'], params: nothing, output: z.strictObject({ payoutId: id }), permission: 'claims.pay', risk: 'critical',
      facts: { claim: recordedClaim, assessed, held, coveredCents, fraudSignals },
      forbid: ({ facts }) => facts.assessed.payoutAmountCents > (facts.coveredCents ?? 0) && `payout ${facts.assessed.payoutAmountCents} cents is above the cover of ${facts.coveredCents ?? 0}`,
      approval: {
        when: ({ facts: { assessed: { riskScore, payoutAmountCents }, ...facts } }) => because(
          riskScore >= riskLimit && `risk score ${riskScore} is not below ${riskLimit}`,
          payoutAmountCents > lowValueLimitCents && `payout ${payoutAmountCents} cents is above low-value limit ${lowValueLimitCents}`,
          facts.fraudSignals && 'fraud signals present',
          facts.held && 'held for an adjuster',
        ),
        reviewers: 'claims.review', expiresIn: '5 days',
      },
      effect: { idempotentFor: '24 hours' },
      describe: ({ facts: { claim: { claimantId, policyId }, assessed: { payoutAmountCents, currency: unit } } }) => `Pay ${payoutAmountCents} cents ${unit} to ${claimantId} on policy ${policyId}`,
      emits: { PAYOUT_ISSUED: ({ facts, output }) => ({ payoutId: output.payoutId, ...facts.assessed }) },
    }),
    DENY_CLAIM: InsuranceClaim.action({
      description: 'Deny a claim for good', from: open, params: z.strictObject({ reason }), output: nothing, permission: 'claims.deny', risk: 'high', effect: 'none',
      unapprovedBecause: 'only an adjuster holds the permission, and moves no money by it',
      describe: ({ params, entityId }) => `Deny ${entityId}: ${params.reason}`,
      emits: { CLAIM_DENIED: ({ params }) => params },
    }),
  },
  roles: { 'claims-agent': ['claims.prepare'], 'claims-core': ['claims.pay'], adjuster: ['claims.review', 'claims.deny'], 'claims-desk': ['claims.report'] },
})
