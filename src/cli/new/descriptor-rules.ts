/** What has to hold between the parts of a descriptor, so that the domain made from it is closed, and `verify` finds no error in it. */
import { visible } from '../../approvals/visible-text.ts'
import type { DescribedAction, Descriptor, Problem } from './descriptor.ts'
import { isActionName, isDomainName, isEntityName, isPermission } from './names.ts'

const maxLength = 100

/** All that is wrong, in the order of the descriptor's fields. Roles may be left out; where there are some, they have to suffice. */
export function problemsOf(descriptor: Descriptor): readonly Problem[] {
  const { domain, entity, states, events, actions, roles } = descriptor
  return [
    ...(isDomainName(domain) ? [] : [{ place: 'domain', message: `${quoted(domain)} is no name of a domain: lower case letters, digits and dashes, at most 40, as support-ops` }]),
    ...(isEntityName(entity) ? [] : [{ place: 'entity', message: `${quoted(entity)} is no name of an entity: letters and digits, at most 64, as VendorInvoice` }]),
    ...named('events', events),
    ...events.flatMap((event, index) => (descriptor.transitions.some(({ on }) => on === event) ? [] : [{ place: `events[${index}]`, message: `${quoted(event)} has no transition, so it can never happen` }])),
    ...named('states', states),
    ...transitionProblems(descriptor),
    ...actions.flatMap((action, index) => actionProblems(action, `actions[${index}]`, descriptor)),
    ...repeated('actions', actions.map(({ name }) => name), '.name'),
    ...Object.entries(roles).flatMap(([role, permissions]) => [...named('roles', [role], () => `roles.${visible(role)}`), ...permissionProblems(`roles.${visible(role)}`, permissions)]),
  ]
}

function transitionProblems({ events, states, transitions }: Descriptor): Problem[] {
  const problems = transitions.flatMap(({ on, from, to }, index): Problem[] => {
    const place = `transitions[${index}]`
    const first = transitions.findIndex((other) => other.on === on)
    const before = transitions[first]
    return [
      ...undeclared(`${place}.on`, [on], events, 'events'),
      ...(from === '' ? [] : undeclared(`${place}.from`, [from], states, 'states')),
      ...undeclared(`${place}.to`, [to], states, 'states'),
      ...(before === undefined || before.to === to ? [] : [{ place: `${place}.to`, message: `${quoted(on)} leads to ${quoted(before.to)} by transitions[${first}], and here an event leads to one state; make them two events` }]),
      ...(before === undefined || (before.from === '') === (from === '') ? [] : [{ place: `${place}.from`, message: `${quoted(on)} either makes the entity or moves it, but transitions[${first}] does the other; make them two events` }]),
    ]
  })
  if (!transitions.some(({ from }) => from === '')) return [...problems, { place: 'transitions', message: 'none has an empty "from", so nothing makes the entity' }]
  const reached = reachedBy(transitions)
  return [...problems, ...states.flatMap((state, index) => (reached.has(state) ? [] : [{ place: `states[${index}]`, message: `no chain of transitions leads to ${quoted(state)}` }]))]
}

function reachedBy(transitions: Descriptor['transitions']): ReadonlySet<string> {
  const reached = new Set([''])
  for (let before = 0; before !== reached.size; ) {
    before = reached.size
    for (const { from, to } of transitions) if (reached.has(from)) reached.add(to)
  }
  return reached
}

function actionProblems(action: DescribedAction, place: string, descriptor: Descriptor): Problem[] {
  const { name, allowed_states: allowed, required_parameters: parameters, required_permissions: permissions, follow_up_events: followUps } = action
  const roles = Object.entries(descriptor.roles)
  const holders = roles.filter(([, held]) => permissions.every((permission) => held.includes(permission))).map(([role]) => visible(role))
  const [only, ...more] = permissions
  return [
    ...(isActionName(name) ? [] : [{ place: `${place}.name`, message: `${quoted(name)} is no name of an action: upper case letters, digits and underscores, at most 64, as REFUND_ORDER` }]),
    ...undeclared((index) => `${place}.allowed_states[${index}]`, allowed, descriptor.states, 'states'),
    ...repeated(`${place}.allowed_states`, allowed),
    ...named(`${place}.required_parameters`, parameters),
    ...permissionProblems(`${place}.required_permissions`, permissions),
    ...(more.length === 0 ? [] : [{ place: `${place}.required_permissions`, message: `there are ${permissions.length}, and here an action takes one: name a single one, and give it only to roles that held all of them (${holders.join(', ') || 'now none does'})` }]),
    ...(only === undefined || more.length > 0 || roles.length === 0 || holders.length > 0 ? [] : [{ place: `${place}.required_permissions[0]`, message: `no role holds ${quoted(only)}, so nobody could take ${name}` }]),
    ...undeclared((index) => `${place}.follow_up_events[${index}]`, followUps, descriptor.events, 'events'),
    ...repeated(`${place}.follow_up_events`, followUps),
    ...impossible(action, place, descriptor),
  ]
}

/** All follow-ups happen, one after the other, wherever the action is allowed: what cannot would be found only after the effect. */
function impossible({ name, allowed_states: allowed, follow_up_events: followUps }: DescribedAction, place: string, { events, states, transitions }: Descriptor): Problem[] {
  for (const start of allowed.filter((state) => states.includes(state))) {
    let state = start
    for (const [index, event] of followUps.entries()) {
      if (!events.includes(event)) break
      const next = transitions.find(({ on, from }) => on === event && from === state)
      if (next === undefined) return [{ place: `${place}.follow_up_events[${index}]`, message: `${name} is allowed in ${quoted(start)}, but ${quoted(event)} cannot happen in ${quoted(state)}` }]
      state = next.to
    }
  }
  return []
}

const permissionProblems = (place: string, permissions: readonly string[]): Problem[] => [
  ...named(place, permissions),
  ...permissions.flatMap((permission, index) => (isPermission(permission) ? [] : [{ place: `${place}[${index}]`, message: `${quoted(permission)} is no permission: two parts or more with dots between, as orders.refund` }])),
]

/** Free names: any text that a person can read in a line; but none that every object has already, or that it would sort before the others. */
function named(place: string, names: readonly string[], at: (index: number) => string = (index) => `${place}[${index}]`): Problem[] {
  const problems = names.flatMap((name, index): Problem[] => {
    if (name.trim() !== name || name === '' || name.length > maxLength || visible(name) !== name) return [{ place: at(index), message: `${quoted(name)} is no name: at most ${maxLength} visible characters, and no space around them` }]
    return name in {} || /^\d+$/.test(name) ? [{ place: at(index), message: `${quoted(name)} means something else to an object than its other members; choose another name` }] : []
  })
  return [...problems, ...repeated(place, names)]
}

function repeated(place: string, names: readonly string[], field = ''): Problem[] {
  return names.flatMap((name, index) => (names.indexOf(name) === index ? [] : [{ place: `${place}[${index}]${field}`, message: `${quoted(name)} stands there already, at [${names.indexOf(name)}]` }]))
}

function undeclared(place: string | ((index: number) => string), names: readonly string[], declared: readonly string[], field: string): Problem[] {
  return names.flatMap((name, index) => (declared.includes(name) ? [] : [{ place: typeof place === 'string' ? place : place(index), message: `${quoted(name)} is not in "${field}"` }]))
}

const quoted = (name: string): string => `"${visible(name, { limit: maxLength })}"`
