/**
 * KIFF's other demos and recipes as domains of ours, rules only, each with its cases beside it. For all of them: the agent prepares, a
 * service alone acts, a person alone reviews, and intake (or another register) reports what the world says. What an action rests
 * on is recorded or loaded, never told again: PREPARE_* with its second set of parameters is gone, and so is each low-risk twin.
 *
 * | KIFF's                     | file                          | stricter than KIFF's |
 * |----------------------------|-------------------------------|----------------------|
 * | ai-cafe-ops                | ai-cafe-ops.ts                | one order action; ceilings and catalog in the contract, the shift's total from events, the hour from the café's clock; amounts bounded |
 * | mission                    | mission.ts                    | the move that is made is the recorded one; asking is the gate's, no action of the agent's |
 * | insurance-claims-triage    | insurance-claims-triage.ts    | amount and score from the recorded assessment; cover and fraud signals loaded as the money goes; never above the cover |
 * | healthcare-prior-auth      | healthcare-prior-auth.ts      | whether criteria are met is loaded and recorded, not told; the clinician's words are signed, no parameter |
 * | vendor-bank-change         | vendor-bank-change.ts         | account and country as intake recorded them; known account, call-back, exposure, fraud from the vendor master as it is applied |
 * | cloud-infra-remediation    | cloud-infra-remediation.ts    | telemetry reported by monitoring; low risk is refused with the reasons, not chosen; the target is the alert's |
 * | security-incident-response | security-incident-response.ts | tier, blast radius, groups and signals reported by the SIEM; a benign claim skips no approval; every signal asks |
 * | procurement-purchase-order | procurement-purchase-order.ts | ordered is the recorded quote, bounded; vendor and budget read again as it is ordered; a blocked vendor never |
 *
 * (accounts-payable-payout, support-ops and refund are `domains/`.)
 */
import { aiCafeOps } from './ai-cafe-ops.ts'
import { cloudInfraRemediation } from './cloud-infra-remediation.ts'
import { healthcarePriorAuth } from './healthcare-prior-auth.ts'
import { insuranceClaimsTriage } from './insurance-claims-triage.ts'
import { missions } from './mission.ts'
import { procurementPurchaseOrder } from './procurement-purchase-order.ts'
import { securityIncidentResponse } from './security-incident-response.ts'
import { vendorBankChange } from './vendor-bank-change.ts'

export const cookbook = [
  aiCafeOps, missions, insuranceClaimsTriage, healthcarePriorAuth, vendorBankChange, cloudInfraRemediation, securityIncidentResponse, procurementPurchaseOrder,
] as const
