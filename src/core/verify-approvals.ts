/** Verifying approvals: somebody can give them, somebody else than who asks, and they are for something. */
import { reconcilersOf, type Contract } from './contract.ts'
import { isStateless } from './entity.ts'
import { finding, type Finding } from './findings.ts'
import type { Roles } from './permission.ts'
import { rolesWith } from './verify-roles.ts'

/** Roles are held by people, whom a domain does not know: that a quorum is larger than the reviewers are many can't be seen here. */
export function approvalFindings(action: string, contract: Contract, roles: Roles): Finding[] {
  const { approval, risk, unapprovedBecause, permission, facts, entity } = contract
  const asksNobody = [
    ...((risk === 'high' || risk === 'critical') && !approval && !isSaid(unapprovedBecause) ? [finding('high_risk_unapproved', { action }, `${risk} risk needs an approval rule, or "unapprovedBecause" with the reason why not`)] : []),
    ...(isStateless(entity) && Object.keys(facts).length === 0 && approval?.always == null ? [finding('from_any_without_facts', { action }, `nothing is known of ${entity.name} but what the agent says`)] : []),
  ]
  if (!approval) return asksNobody
  const reviewers = rolesWith(approval.reviewers, roles)
  if (reviewers.length === 0) return [...asksNobody, finding('approval_unreachable', { action }, `no role holds ${approval.reviewers}, so nobody can approve it`)]
  const onlyReview = reviewers.filter((role) => !rolesWith(permission, roles).includes(role))
  return [
    ...asksNobody,
    ...(onlyReview.length > 0 ? [] : [finding('reviewer_is_requester', { action }, `whoever holds ${approval.reviewers} (${reviewers.join(', ')}) holds ${permission} too`)]),
    ...(approval.binds === 'state' && Object.keys(facts).length === 0 ? [finding('consent_binds_nothing', { action }, 'consent outlives every event that leaves the state as it is')] : []),
  ]
}

/** Somebody can say what became of it when nobody knows. What only emits is never in doubt. */
export function reconcilerFindings(action: string, contract: Contract, roles: Roles): Finding[] {
  if (contract.effect === 'none') return []
  if (reconcilersOf(contract) === null) return [finding('nobody_reconciles', { action }, 'it names no one who may say whether it happened')]
  const { reconciledBy } = contract
  return reconciledBy === undefined || rolesWith(reconciledBy, roles).length > 0 ? [] : [finding('nobody_reconciles', { action }, `no role holds ${reconciledBy}`)]
}

export const isSaid = (words: string | null | undefined): boolean => words != null && words.trim() !== ''
