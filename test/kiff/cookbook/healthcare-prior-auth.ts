/**
 * KIFF's healthcare-prior-auth. The branch: the check is recorded, and SUBMIT_AUTHORIZATION's approval rule decides on it. Whether the
 * payer's criteria are met is loaded by the gate as the check is made, and recorded with the agent's own score; a clinician's note
 * is the reason they sign with, no parameter.
 */
import { defineDomain, entity, factFromLoader } from 'kiff-temporal'
import { z } from 'zod'
import { latest } from '../../../domains/recorded.ts'
import { because } from './because.ts'
import { id, nothing, percent, reason } from './fields.ts'

const request = z.strictObject({ patientId: id, payerId: id, procedureCode: z.string().regex(/^[A-Za-z0-9]{5}$/) })
const packet = z.strictObject({ evidencePacketId: id })
const criteria = z.strictObject({ met: z.boolean(), evidenceMissing: z.boolean() })
const check = z.strictObject({ ...criteria.shape, denialRiskScore: percent })
const missingItems = z.array(id).min(1).max(20)
const open = ['RECEIVED', 'WAITING_CLINICAL_EVIDENCE', 'READY_FOR_CRITERIA', 'CRITERIA_CHECKED', 'REVIEW_REQUIRED'] as const

const PriorAuthRequest = entity('PriorAuthRequest', {
  states: [...open, 'SUBMITTED', 'WITHDRAWN'],
  events: {
    AUTH_REQUEST_RECEIVED: { from: null, to: 'RECEIVED', payload: request, reportedBy: 'priorauth.report' },
    CLINICAL_EVIDENCE_REQUESTED: { from: 'RECEIVED', to: 'WAITING_CLINICAL_EVIDENCE', payload: z.strictObject({ missingItems }) },
    CLINICAL_EVIDENCE_RECEIVED: { from: ['RECEIVED', 'WAITING_CLINICAL_EVIDENCE'], to: 'READY_FOR_CRITERIA', payload: packet, reportedBy: 'priorauth.report' },
    CRITERIA_CHECKED: { from: 'READY_FOR_CRITERIA', to: 'CRITERIA_CHECKED', payload: check },
    CLINICIAN_REVIEW_REQUIRED: { from: 'CRITERIA_CHECKED', to: 'REVIEW_REQUIRED', payload: z.strictObject({ reason }) },
    AUTHORIZATION_SUBMITTED: { from: ['CRITERIA_CHECKED', 'REVIEW_REQUIRED'], to: 'SUBMITTED', payload: z.strictObject({ submissionId: id, reviewed: z.boolean() }) },
    AUTH_REQUEST_WITHDRAWN: { from: open, to: 'WITHDRAWN', payload: z.strictObject({ reason }) },
  },
})

const recordedRequest = PriorAuthRequest.factFromEvents(['AUTH_REQUEST_RECEIVED'], request, latest)
const evidence = PriorAuthRequest.factFromEvents(['CLINICAL_EVIDENCE_RECEIVED'], packet, latest)
const checked = PriorAuthRequest.factFromEvents(['CRITERIA_CHECKED'], check, latest)
const held = PriorAuthRequest.factFromEvents(['CLINICIAN_REVIEW_REQUIRED'], z.boolean(), (holds) => holds.length > 0)
/** What the recorded payer's policy says of the recorded procedure and evidence. */
const payerCriteria = factFromLoader(criteria)

/** A denial that is at least this likely is for a clinician. */
const denialRiskLimit = 50
interface Submission {
  readonly facts: { readonly checked: z.infer<typeof check>; readonly held: boolean }
}
const needsClinician = ({ facts }: Submission): string | false => because(
  !facts.checked.met && 'policy criteria not fully met',
  facts.checked.denialRiskScore >= denialRiskLimit && `denial risk ${facts.checked.denialRiskScore} is not below ${denialRiskLimit}`,
  facts.checked.evidenceMissing && 'clinical evidence is incomplete',
  facts.held && 'held for a clinician',
)
const preparing = { output: nothing, permission: 'priorauth.prepare', effect: 'none' } as const

export const healthcarePriorAuth = defineDomain({
  name: 'healthcare-prior-auth',
  actions: {
    REQUEST_CLINICAL_EVIDENCE: PriorAuthRequest.action({
      ...preparing, description: 'Ask for what a request lacks', from: ['RECEIVED'], params: z.strictObject({ missingItems }), risk: 'low',
      describe: ({ params, entityId }) => `Ask for ${params.missingItems.join(', ')} of ${entityId}`,
      emits: { CLINICAL_EVIDENCE_REQUESTED: ({ params }) => params },
    }),
    CHECK_POLICY_CRITERIA: PriorAuthRequest.action({
      ...preparing, description: 'Check the request against the payer\'s criteria, and say how likely a denial is', from: ['READY_FOR_CRITERIA'], params: z.strictObject({ denialRiskScore: percent }), risk: 'medium',
      facts: { request: recordedRequest, evidence, payerCriteria },
      describe: ({ params, facts }) => `Check ${facts.request.procedureCode}, with ${facts.evidence.evidencePacketId}, against the criteria of ${facts.request.payerId}: denial risk ${params.denialRiskScore}`,
      emits: { CRITERIA_CHECKED: ({ params, facts }) => ({ ...facts.payerCriteria, denialRiskScore: params.denialRiskScore }) },
    }),
    HOLD_FOR_CLINICIAN_REVIEW: PriorAuthRequest.action({
      ...preparing, description: 'Have a clinician agree, whatever the check says', from: ['CRITERIA_CHECKED'], params: z.strictObject({ reason }), risk: 'medium',
      describe: ({ params, entityId }) => `Hold ${entityId}: ${params.reason}`,
      emits: { CLINICIAN_REVIEW_REQUIRED: ({ params }) => params },
    }),
    SUBMIT_AUTHORIZATION: PriorAuthRequest.action({
      description: 'Submit the recorded request with its evidence to the payer', from: ['CRITERIA_CHECKED', 'REVIEW_REQUIRED'], params: nothing, output: z.strictObject({ submissionId: id }), permission: 'priorauth.submit', risk: 'critical',
      facts: { request: recordedRequest, evidence, checked, held },
      approval: { when: needsClinician, reviewers: 'priorauth.review', expiresIn: '3 days' },
      effect: { idempotentFor: '24 hours' },
      describe: ({ facts: { request: { patientId, payerId, procedureCode }, evidence: { evidencePacketId } } }) => `Submit ${procedureCode} for ${patientId} to ${payerId}, with ${evidencePacketId}`,
      emits: { AUTHORIZATION_SUBMITTED: ({ facts, output }) => ({ submissionId: output.submissionId, reviewed: needsClinician({ facts }) !== false }) },
    }),
    WITHDRAW_REQUEST: PriorAuthRequest.action({
      ...preparing, description: 'Withdraw a request for good', from: open, params: z.strictObject({ reason }), permission: 'priorauth.withdraw', risk: 'medium',
      describe: ({ params, entityId }) => `Withdraw ${entityId}: ${params.reason}`,
      emits: { AUTH_REQUEST_WITHDRAWN: ({ params }) => params },
    }),
  },
  roles: { 'prior-auth-agent': ['priorauth.prepare', 'priorauth.withdraw'], 'payer-portal': ['priorauth.submit'], clinician: ['priorauth.review', 'priorauth.withdraw'], intake: ['priorauth.report'] },
})
