/** Verifying a domain: everything that can be said against its rules without running anything but the rules. */
import type { Contract } from './contract.ts'
import type { EntityType } from './entity.ts'
import { finding, type Finding } from './findings.ts'
import type { Roles } from './permission.ts'
import { actionFindings } from './verify-actions.ts'
import { approvalFindings, reconcilerFindings } from './verify-approvals.ts'
import { boundFindings } from './verify-bounds.ts'
import { entityFindings, eventNameFindings, reachableStates } from './verify-entities.ts'
import { launderingFindings } from './verify-laundering.ts'
import { relianceFindings } from './verify-reliance.ts'
import { roleFindings } from './verify-roles.ts'
import { twinFindings } from './verify-twins.ts'

/** A domain as it is declared. */
export interface DomainSpec {
  readonly name: string
  readonly actions: Readonly<Record<string, Contract>>
  readonly roles: Roles
}

/**
 * All findings, errors and warnings, in the order: domain, actions, entities, roles. `defineDomain` refuses what has errors. The rules
 * (`check`, `forbid`, `approval.when`, `describe`, `emits`) are run on samples of their schemas to see what they read.
 */
export function verifyDomain(domain: DomainSpec): readonly Finding[] {
  const contracts = Object.entries<Contract>(domain.actions)
  const entities = entitiesOf(domain)
  const reachable = new Map(entities.map((entity) => [entity.name, reachableStates(entity)]))
  return [
    ...(/^[a-z][a-z0-9-]{0,39}$/.test(domain.name) ? [] : [finding('invalid_name', {}, `name "${domain.name}" must be lower case letters, digits and dashes`)]),
    ...(contracts.length === 0 ? [finding('no_actions', {}, 'a domain needs an action')] : []),
    ...duplicateFindings(domain),
    ...contracts.flatMap(([action, contract]) => [
      ...actionFindings(action, contract, domain.roles, reachable.get(contract.entity.name)),
      ...approvalFindings(action, contract, domain.roles),
      ...reconcilerFindings(action, contract, domain.roles),
      ...boundFindings(action, contract),
      ...relianceFindings(action, contract),
      ...launderingFindings(action, contract, domain.actions),
      ...twinFindings(action, contract, domain),
    ].map((found) => ({ ...found, entity: contract.entity.name }))),
    ...entities.flatMap((entity) => entityFindings(entity, domain, reachable.get(entity.name))),
    ...eventNameFindings(entities),
    ...roleFindings(domain, entities),
  ]
}

/** The entities that a domain's actions are on, each name once: the last of those that share it. */
export function entitiesOf({ actions }: Pick<DomainSpec, 'actions'>): readonly EntityType[] {
  return [...new Map(Object.values<Contract>(actions).map(({ entity }) => [entity.name, entity])).values()]
}

function duplicateFindings({ actions }: DomainSpec): Finding[] {
  const known = new Map<string, EntityType>()
  const findings: Finding[] = []
  for (const { entity } of Object.values<Contract>(actions)) {
    const before = known.get(entity.name)
    if (before !== undefined && before.events !== entity.events) findings.push(finding('duplicate_entity', { entity: entity.name }, 'declared twice'))
    known.set(entity.name, entity)
  }
  return findings
}
