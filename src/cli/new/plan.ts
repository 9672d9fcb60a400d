/** What a descriptor says, in this project's terms, with what it leaves open decided: carefully, and marked wherever it is written. */
import type { Actions, Events, Plan, PlannedRole } from './planned.ts'
import type { DescribedAction, Descriptor } from './descriptor.ts'
import { constantOf, freeName } from './names.ts'

/** A permission that nobody but its role holds, where the descriptor has none that is evidently meant. */
interface Chosen {
  readonly permission: string
  readonly added: readonly PlannedRole[]
}

/** @param descriptor one that `parseDescriptor` has found nothing against */
export function planOf(descriptor: Descriptor): Plan {
  const { domain, entity, states } = descriptor
  const actions = actionsOf(descriptor)
  const described = Object.entries(descriptor.roles).map(([name, permissions]): PlannedRole => ({ name, permissions, because: null }))
  const held = new Set(described.flatMap(({ permissions }) => permissions))
  const unheld = [...new Set(actions.map(({ permission }) => permission).filter((permission) => !held.has(permission)))]
  const roles = [...described, ...(unheld.length === 0 ? [] : [{ name: freeName('agent', Object.keys(descriptor.roles)), permissions: unheld, because: 'say who may propose: the descriptor gives this to no role' }])]
  const review = chosen(domain, 'review', /\.(approve|review)$/, 'reviewer', 'say who reviews: they must not be those who propose', roles, actions)
  const report = chosen(domain, 'report', /\.report$/, 'reporter', 'say who knows of these events', [...roles, ...review.added], actions)
  return {
    domain, entity, states, actions,
    constant: constantOf(domain),
    events: eventsOf(descriptor, actions, report.permission),
    reviewers: review.permission,
    reporters: report.permission,
    roles: [...roles, ...review.added, ...report.added],
  }
}

function actionsOf({ domain, actions }: Descriptor): Actions {
  return actions.map((action) => {
    const [required] = action.required_permissions
    return {
      name: action.name,
      from: action.allowed_states,
      params: action.required_parameters,
      permission: required ?? `${domain}.${action.name.toLowerCase()}`,
      isPermissionAdded: required === undefined,
      risk: action.risk,
      approval: approvalOf(action),
      emits: action.follow_up_events,
    }
  })
}

/** High risk asks somebody, whatever the descriptor says: who wants it otherwise has to write down why. */
function approvalOf({ approval, risk }: DescribedAction): Actions[number]['approval'] {
  if (approval === 'required') return { words: 'a person has to agree, every time', todo: 'say in words why a person has to agree, or draw the line with "when"; who reviews, and how long they may take' }
  if (risk === 'low' || risk === 'medium') return null
  return { words: `its risk is ${risk}`, todo: `the descriptor asks nobody for an action of ${risk} risk: keep this, draw a line with "when", or say in "unapprovedBecause" why none is needed` }
}

/** An event that an action emits only that action can make happen; all others are reported. */
function eventsOf({ events, transitions }: Descriptor, actions: Actions, reporters: string): Events {
  return events.map((name) => {
    const its = transitions.filter(({ on }) => on === name)
    const emitting = actions.filter(({ emits }) => emits.includes(name))
    const [first, ...others] = emitting
    const payload = first?.params.filter((param) => others.every(({ params }) => params.includes(param))) ?? []
    const makesIt = its.some(({ from }) => from === '')
    return { name, from: makesIt ? null : [...new Set(its.map(({ from }) => from))], to: its[0]?.to ?? '', payload, reportedBy: first === undefined ? reporters : null }
  })
}

/** The only permission of that kind which some role holds and no action takes; else a new one, for a role of its own. */
function chosen(domain: string, verb: string, kind: RegExp, role: string, because: string, roles: readonly PlannedRole[], actions: Actions): Chosen {
  const held = [...new Set(roles.flatMap(({ permissions }) => permissions))]
  const taken = new Set(actions.map(({ permission }) => permission))
  const [meant, ...others] = held.filter((permission) => kind.test(permission) && !taken.has(permission))
  if (meant !== undefined && others.length === 0) return { permission: meant, added: [] }
  const permission = freeName(`${domain}.${verb}`, [...held, ...taken])
  return { permission, added: [{ name: freeName(role, roles.map(({ name }) => name)), permissions: [permission], because }] }
}
