/** A domain: a closed vocabulary of entities, actions, and roles. Data and small pure functions; effects are bound elsewhere. */
import type { Contract } from './contract.ts'
import { isStateless, type EntityType, type EventSpec } from './entity.ts'
import type { Permission, Roles } from './permission.ts'
import { sources } from './state.ts'

export interface Domain<Name extends string = string, Actions extends Readonly<Record<string, Contract>> = Readonly<Record<string, Contract>>> {
  readonly name: Name
  readonly actions: Actions
  readonly entities: Readonly<Record<string, EntityType>>
  readonly roles: Roles
}

/**
 * Declares a domain and refuses a vocabulary that does not close: unreachable or undeclared states, actions nobody can
 * take, events nobody can cause, an approval nobody can give, high risk without an approval rule or a written reason.
 * @throws TypeError listing every finding
 */
export function defineDomain<const Name extends string, const Actions extends Readonly<Record<string, Contract>>>(spec: {
  readonly name: Name
  readonly actions: Actions
  readonly roles: Roles
}): Domain<Name, Actions> {
  const entities: Record<string, EntityType> = {}
  const findings: string[] = []
  if (!/^[a-z][a-z0-9-]{0,39}$/.test(spec.name)) findings.push(`name "${spec.name}" must be lower case letters, digits and dashes`)
  for (const [action, contract] of Object.entries<Contract>(spec.actions)) {
    const { entity } = contract
    const known = entities[entity.name]
    if (known !== undefined && known.events !== entity.events) findings.push(`${entity.name}: declared twice`)
    entities[entity.name] = entity
    findings.push(...findingsOfAction(action, contract, spec.roles))
  }
  if (Object.keys(spec.actions).length === 0) findings.push('a domain needs an action')
  for (const entity of Object.values(entities)) findings.push(...findingsOfEntity(entity, spec))
  const names = Object.values(entities).flatMap((entity) => Object.keys(entity.events))
  for (const name of names.filter((event, index) => names.indexOf(event) !== index)) {
    findings.push(`event ${name} is declared by two entities; a reported event must name one`)
  }
  if (findings.length > 0) throw new TypeError(`domain ${spec.name}:\n${findings.map((finding) => `  - ${finding}`).join('\n')}`)
  return Object.freeze({ name: spec.name, actions: spec.actions, entities, roles: spec.roles })
}

/** The entity type that declares an event, or `undefined`. */
export function entityOfEvent(domain: Domain, event: string): EntityType | undefined {
  return Object.values(domain.entities).find((entity) => Object.hasOwn(entity.events, event))
}

function findingsOfAction(action: string, contract: Contract, roles: Roles): string[] {
  const findings: string[] = []
  if (!/^[A-Z][A-Z0-9_]{0,63}$/.test(action)) findings.push(`${action}: action names are upper case, as REFUND_ORDER`)
  findings.push(...findingsOfFrom(action, contract))
  if (!isHeld(contract.permission, roles)) findings.push(`${action}: no role holds ${contract.permission}, so nobody can take it`)
  if (contract.approval && !isHeld(contract.approval.reviewers, roles)) {
    findings.push(`${action}: no role holds ${contract.approval.reviewers}, so nobody can approve it`)
  }
  if ((contract.risk === 'high' || contract.risk === 'critical') && !contract.approval && !contract.unapprovedBecause) {
    findings.push(`${action}: ${contract.risk} risk needs an approval rule, or "unapprovedBecause" with the reason why not`)
  }
  findings.push(...findingsOfEmits(action, contract))
  if (contract.effect === 'none' && contract.emits.length === 0) findings.push(`${action}: has no effect and emits nothing`)
  return findings
}

function findingsOfFrom(action: string, { entity, from, emits }: Contract): string[] {
  if (isStateless(entity)) {
    return [
      ...(from === 'any' ? [] : [`${action}: ${entity.name} has no states, so "from" can only be 'any'`]),
      ...(emits.length === 0 ? [] : [`${action}: ${entity.name} has no events it could emit`]),
    ]
  }
  if (from === 'any') return []
  if (from.length === 0) return [`${action}: "from" names no state`]
  return from.filter((state) => !entity.states.includes(state)).map((state) => `${action}: from undeclared state ${state}`)
}

/** Everything an action emits happens, in the order written: what could not be folded would be found after the effect. */
function findingsOfEmits(action: string, { entity, from, emits }: Contract): string[] {
  const findings: string[] = []
  for (const start of from === 'any' ? entity.states : from) {
    let state = start
    for (const name of emits) {
      const event = Object.hasOwn(entity.events, name) ? entity.events[name] : undefined
      if (event === undefined) {
        findings.push(`${action}: emits undeclared event ${name}`)
        break
      }
      if (!sources(event.from).includes(state)) {
        findings.push(`${action}: allowed in state ${start}, but ${name}, which it emits, cannot happen in ${state}`)
        break
      }
      state = event.to
    }
  }
  return findings
}

function findingsOfEntity(entity: EntityType, spec: { readonly actions: Readonly<Record<string, Contract>>; readonly roles: Roles }): string[] {
  const findings: string[] = []
  if (!/^[A-Z][A-Za-z0-9]{0,63}$/.test(entity.name)) findings.push(`entity names are in PascalCase, as Order; not "${entity.name}"`)
  const emitted = new Set(Object.values<Contract>(spec.actions).filter((contract) => contract.entity === entity || contract.entity.name === entity.name).flatMap((contract) => contract.emits))
  const events = Object.entries<EventSpec>(entity.events)
  for (const [name, event] of events) {
    for (const state of [...sources(event.from), event.to]) {
      if (state !== null && !entity.states.includes(state)) findings.push(`${entity.name}.${name}: undeclared state ${state}`)
    }
    if (sources(event.from).length === 0) findings.push(`${entity.name}.${name}: "from" names no state`)
    if (event.reportedBy === undefined && !emitted.has(name)) findings.push(`${entity.name}.${name}: nobody can cause it (no reporter, no action emits it)`)
    if (event.reportedBy !== undefined && !isHeld(event.reportedBy, spec.roles)) findings.push(`${entity.name}.${name}: no role holds ${event.reportedBy}`)
  }
  const reachable = new Set<string | null>([null])
  for (let before = 0; before !== reachable.size; ) {
    before = reachable.size
    for (const [, event] of events) if (sources(event.from).some((state) => reachable.has(state))) reachable.add(event.to)
  }
  for (const state of entity.states) if (!reachable.has(state)) findings.push(`${entity.name}: state ${state} cannot be reached`)
  return findings
}

function isHeld(permission: Permission, roles: Roles): boolean {
  return Object.values(roles).some((permissions) => permissions.includes(permission))
}
