/** A domain: a closed vocabulary of entities, actions, and roles. Data and small pure functions; effects are bound elsewhere. */
import type { Contract } from './contract.ts'
import type { EntityType } from './entity.ts'
import { DomainError, isError } from './findings.ts'
import type { Roles } from './permission.ts'
import { entitiesOf, verifyDomain } from './verify.ts'

export interface Domain<Name extends string = string, Actions extends Readonly<Record<string, Contract>> = Readonly<Record<string, Contract>>> {
  readonly name: Name
  readonly actions: Actions
  readonly entities: Readonly<Record<string, EntityType>>
  readonly roles: Roles
}

/**
 * Declares a domain and refuses one that `verifyDomain` has an error against: a vocabulary that does not close, an approval nobody
 * can give, high risk without an approval rule or a written reason, an amount without a maximum, a claim that a rule relies on.
 * @throws DomainError (a TypeError) with every finding
 */
export function defineDomain<const Name extends string, const Actions extends Readonly<Record<string, Contract>>>(spec: {
  readonly name: Name
  readonly actions: Actions
  readonly roles: Roles
}): Domain<Name, Actions> {
  const findings = verifyDomain(spec)
  if (findings.some(isError)) throw new DomainError(spec.name, findings)
  const entities = Object.fromEntries(entitiesOf(spec).map((entity) => [entity.name, entity]))
  return Object.freeze({ name: spec.name, actions: spec.actions, entities, roles: spec.roles })
}

/** The entity type that declares an event, or `undefined`. */
export function entityOfEvent(domain: Domain, event: string): EntityType | undefined {
  return Object.values(domain.entities).find((entity) => Object.hasOwn(entity.events, event))
}
