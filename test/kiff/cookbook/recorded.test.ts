/** What each recipe records of its effect: what was judged, never what was told. */
import { expect, test } from 'vitest'
import type { Contract } from '../../../src/core/contract.ts'
import { aiCafeOps } from './ai-cafe-ops.ts'
import { cloudInfraRemediation } from './cloud-infra-remediation.ts'
import { healthcarePriorAuth } from './healthcare-prior-auth.ts'
import { insuranceClaimsTriage } from './insurance-claims-triage.ts'
import { missions } from './mission.ts'
import { procurementPurchaseOrder } from './procurement-purchase-order.ts'
import { securityIncidentResponse } from './security-incident-response.ts'
import { vendorBankChange } from './vendor-bank-change.ts'

const order = { itemId: 'napkins', quantity: 2, amountCents: 3 }
const assessed = { riskScore: 9, payoutAmountCents: 84_000, currency: 'EUR' }
const checked = { met: true, evidenceMissing: false, denialRiskScore: 12 }
const change = { vendorId: 'v-1', accountFingerprint: 'acct-9981', accountCountry: 'DE', requesterEmail: 'pay@v-1.example' }
const target = { service: 'checkout', instanceId: 'vm-7', region: 'eu-1' }
const user = { userId: 'u-1', userEmail: 'u@corp.example', accountId: 'a-1' }
const quoted = { quoteId: 'q-1', vendorId: 'v-1', amountCents: 84_000, currency: 'EUR' }

interface Effect {
  readonly contract: Contract
  readonly params?: object
  readonly facts?: Readonly<Record<string, unknown>>
  readonly output: object
  readonly event: readonly [type: string, payload: object]
}

test.each<Effect>([
  { contract: aiCafeOps.actions.ORDER_INVENTORY, params: order, output: { orderId: 'o-1' }, event: ['INVENTORY_ORDERED', { ...order, orderId: 'o-1' }] },
  { contract: aiCafeOps.actions.SEND_STAFF_MESSAGE, params: { recipient: 'sam', message: 'hi' }, output: { messageId: 'm-1' }, event: ['STAFF_MESSAGED', { recipient: 'sam', messageId: 'm-1' }] },
  { contract: missions.actions.EXECUTE_MOVE, facts: { move: 'north' }, output: { moveId: 'm-1' }, event: ['MOVE_EXECUTED', { move: 'north', moveId: 'm-1' }] },
  { contract: insuranceClaimsTriage.actions.VERIFY_COVERAGE, facts: { coveredCents: 500 }, output: {}, event: ['COVERAGE_VERIFIED', { coveredCents: 500 }] },
  { contract: insuranceClaimsTriage.actions.ISSUE_PAYOUT, facts: { assessed }, output: { payoutId: 'p-1' }, event: ['PAYOUT_ISSUED', { ...assessed, payoutId: 'p-1' }] },
  { contract: healthcarePriorAuth.actions.CHECK_POLICY_CRITERIA, params: { denialRiskScore: 12 }, facts: { payerCriteria: { met: true, evidenceMissing: false } }, output: {}, event: ['CRITERIA_CHECKED', checked] },
  { contract: healthcarePriorAuth.actions.SUBMIT_AUTHORIZATION, facts: { checked, held: false }, output: { submissionId: 's-1' }, event: ['AUTHORIZATION_SUBMITTED', { submissionId: 's-1', reviewed: false }] },
  { contract: healthcarePriorAuth.actions.SUBMIT_AUTHORIZATION, facts: { checked, held: true }, output: { submissionId: 's-1' }, event: ['AUTHORIZATION_SUBMITTED', { submissionId: 's-1', reviewed: true }] },
  { contract: vendorBankChange.actions.APPLY_BANK_CHANGE, facts: { change }, output: { updateId: 'u-1' }, event: ['BANK_DETAILS_UPDATED', { ...change, updateId: 'u-1' }] },
  { contract: cloudInfraRemediation.actions.EXECUTE_PROCESS_RESTART, params: { runbookId: 'rolling-restart' }, facts: { target }, output: { operationId: 'o-1' }, event: ['RESTART_EXECUTED', { ...target, runbookId: 'rolling-restart', operationId: 'o-1' }] },
  { contract: cloudInfraRemediation.actions.ISOLATE_INSTANCE, params: { isolationScope: 'instance' }, facts: { target }, output: { operationId: 'o-1' }, event: ['INSTANCE_ISOLATED', { ...target, isolationScope: 'instance', operationId: 'o-1' }] },
  { contract: securityIncidentResponse.actions.EXECUTE_SESSION_RESET, facts: { user }, output: { operationId: 'o-1' }, event: ['SESSION_RESET_EXECUTED', { operationId: 'o-1', userId: 'u-1' }] },
  { contract: securityIncidentResponse.actions.REVOKE_USER_ACCESS, params: { revocationScope: 'all_access' }, facts: { user }, output: { operationId: 'o-1' }, event: ['ACCESS_REVOKED', { operationId: 'o-1', userId: 'u-1', revocationScope: 'all_access' }] },
  { contract: procurementPurchaseOrder.actions.CHECK_BUDGET, facts: { availableCents: 7 }, output: {}, event: ['BUDGET_CHECKED', { availableCents: 7 }] },
  { contract: procurementPurchaseOrder.actions.CREATE_PURCHASE_ORDER, facts: { quoted }, output: { orderId: 'po-1' }, event: ['PURCHASE_ORDER_CREATED', { ...quoted, orderId: 'po-1' }] },
])('$event.0: $event.1', ({ contract, params = {}, facts = {}, output, event: [type, payload] }) => {
  const inspected = contract.inspect('an-id', params)
  expect(inspected.ok && inspected.action.on(facts).accept(output)).toEqual({ ok: true, output, events: [{ type, payload }] })
})
