/** Verifying entities: every state is reached, every event can happen and somebody can cause it. */
import type { EntityType, EventSpec } from './entity.ts'
import { finding, type Finding } from './findings.ts'
import { sources } from './state.ts'
import { rolesWith } from './verify-roles.ts'
import type { DomainSpec } from './verify.ts'

/** The states that some chain of events leads to, from nothing. */
export function reachableStates({ events }: EntityType): ReadonlySet<string> {
  const reached = new Set<string | null>([null])
  for (let before = 0; before !== reached.size; ) {
    before = reached.size
    for (const { from, to } of Object.values(events)) if (sources(from).some((state) => reached.has(state))) reached.add(to)
  }
  return new Set([...reached].filter((state) => state !== null))
}

export function entityFindings(entity: EntityType, domain: DomainSpec, reachable: ReadonlySet<string> = new Set()): Finding[] {
  const at = { entity: entity.name }
  return [
    ...(/^[A-Z][A-Za-z0-9]{0,63}$/.test(entity.name) ? [] : [finding('invalid_name', at, `entity names are in PascalCase, as Order; not "${entity.name}"`)]),
    ...Object.entries(entity.events).flatMap(([name, event]) => eventFindings(name, event, entity, domain)),
    ...stateFindings(entity, reachable),
  ]
}

/** One finding where there is one cause: without a beginning, that no state is reached says nothing more. */
function stateFindings({ name, states, events }: EntityType, reachable: ReadonlySet<string>): Finding[] {
  const at = { entity: name }
  const all = Object.values(events)
  if (states.length > 0 && all.length === 0) return [finding('no_transitions', at, 'it has states, but no event')]
  if (all.length > 0 && !all.some(({ from }) => sources(from).includes(null))) return [finding('no_bootstrap', at, 'no event makes it')]
  return states.filter((state) => !reachable.has(state)).map((state) => finding('unreachable_state', { ...at, state }, `state ${state} cannot be reached`))
}

function eventFindings(name: string, event: EventSpec, entity: EntityType, { actions, roles }: DomainSpec): Finding[] {
  const at = { entity: entity.name }
  const emitted = Object.values(actions).some((contract) => contract.entity.name === entity.name && contract.emits.includes(name))
  return [
    ...[...sources(event.from), event.to].filter((state) => state !== null && !entity.states.includes(state))
      .map((state) => finding('undeclared_state', { ...at, state }, `${name} names the undeclared state ${state}`)),
    ...(sources(event.from).length > 0 ? [] : [finding('dead_event', at, `${name}: "from" names no state`)]),
    ...(event.reportedBy !== undefined || emitted ? [] : [finding('uncaused_event', at, `nobody can cause ${name} (no reporter, no action emits it)`)]),
    ...(event.reportedBy === undefined || rolesWith(event.reportedBy, roles).length > 0 ? [] : [finding('permission_unheld', at, `no role holds ${event.reportedBy}, so nobody can report ${name}`)]),
  ]
}

/** Events that two entities declare: a reported event must name one. */
export function eventNameFindings(entities: readonly EntityType[]): Finding[] {
  const owners = entities.flatMap((entity) => Object.keys(entity.events).map((event) => ({ event, entity: entity.name })))
  return owners.flatMap(({ event, entity }, index) => {
    const other = owners.slice(0, index).find((before) => before.event === event)
    return other === undefined ? [] : [finding('ambiguous_event', { entity }, `event ${event} is declared by ${other.entity} too`)]
  })
}
