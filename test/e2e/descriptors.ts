/** Descriptors of domains, as KIFF's `scaffold` takes them. */
import { fromDescriptor, type Generated } from '../../src/cli/new/generate.ts'
import { parseDescriptor } from '../../src/cli/new/parse-descriptor.ts'

interface Action {
  name?: string
  allowed_states: string[]
  required_parameters: string[]
  required_permissions: string[]
  risk?: string
  approval?: string
  follow_up_events: string[]
}

export interface Fields {
  domain: string
  entity?: string
  adapter?: string
  events: string[]
  states: string[]
  transitions: { on: string; from: string; to: string }[]
  actions: Action[]
  roles?: Record<string, string[]>
}

/** The refund descriptor, changed. The tests change what is there. */
type Changed = Fields & { transitions: [Fields['transitions'][number], Fields['transitions'][number], Fields['transitions'][number], ...Fields['transitions']]; actions: [Action, Action, ...Action[]] }

export function a(change: (fields: Changed) => void): Fields {
  const fields = structuredClone(refund) as Changed
  delete fields.adapter
  change(fields)
  return fields
}

export const starter: Fields = {
  domain: 'tasks',
  entity: 'Task',
  events: ['TASK_CREATED', 'TASK_STARTED', 'TASK_COMPLETED'],
  states: ['OPEN', 'IN_PROGRESS', 'DONE'],
  transitions: [{ on: 'TASK_CREATED', from: '', to: 'OPEN' }, { on: 'TASK_STARTED', from: 'OPEN', to: 'IN_PROGRESS' }, { on: 'TASK_COMPLETED', from: 'IN_PROGRESS', to: 'DONE' }],
  actions: [
    { name: 'START_TASK', allowed_states: ['OPEN'], required_parameters: ['assignee'], required_permissions: ['task.start'], risk: 'low', approval: 'never', follow_up_events: ['TASK_STARTED'] },
    { name: 'COMPLETE_TASK', allowed_states: ['IN_PROGRESS'], required_parameters: ['summary'], required_permissions: ['task.complete'], risk: 'high', approval: 'required', follow_up_events: ['TASK_COMPLETED'] },
  ],
  roles: { worker: ['task.start', 'task.complete'], lead: ['task.approve'] },
}

export const refund: Fields = {
  domain: 'refund',
  entity: 'Order',
  adapter: 'refund',
  events: ['ORDER_PLACED', 'ORDER_PAID', 'ORDER_REFUNDED'],
  states: ['CREATED', 'PAID', 'REFUNDED'],
  transitions: [{ on: 'ORDER_PLACED', from: '', to: 'CREATED' }, { on: 'ORDER_PAID', from: 'CREATED', to: 'PAID' }, { on: 'ORDER_REFUNDED', from: 'PAID', to: 'REFUNDED' }],
  actions: [
    { name: 'MARK_PAID', allowed_states: ['CREATED'], required_parameters: ['payment_id'], required_permissions: ['refund.mark_paid'], risk: 'low', approval: 'never', follow_up_events: ['ORDER_PAID'] },
    { name: 'REFUND_ORDER', allowed_states: ['PAID'], required_parameters: ['amount', 'reason'], required_permissions: ['refund.execute'], risk: 'high', approval: 'required', follow_up_events: ['ORDER_REFUNDED'] },
  ],
  roles: { agent: ['refund.mark_paid', 'refund.execute'], operator: ['refund.approve'] },
}

const breakingOut = ["'", '"', '`${process.exit(7)}`', '*/ process.exit(7) /*', '// x', '\\', "\\'", '${process.exit(7)}', '</script>', '%s $& $1 $` $\'', ']: z, [', "'; process.exit(7); '", 'then', 'é日本', 'proposer']
const around = (before: string): string[] => breakingOut.map((text) => `${before}${text}`)
const [events, states, permissions] = [around(''), around(''), around('p.').map((permission) => permission.replace(/\.$/, '.x'))]

/** Every name that may be any text is text that would end a string, a template, a comment or a line, if it could. */
export const hostile: Fields = {
  domain: 'hostile',
  entity: 'Hostile',
  events, states,
  transitions: events.map((on, index) => ({ on, from: states[index - 1] ?? '', to: states[index] ?? '' })),
  actions: states.slice(1).map((_, index) => ({
    name: `ACTION_${index}`, allowed_states: [states[index] ?? ''], required_parameters: breakingOut, required_permissions: [permissions[index] ?? ''],
    risk: ['low', 'medium', 'high', 'critical'][index % 4] ?? '', approval: index % 2 === 0 ? 'never' : 'required', follow_up_events: index % 3 === 0 ? [] : [events[index + 1] ?? ''],
  })),
  roles: Object.fromEntries(breakingOut.map((role, index) => [role, [permissions[index] ?? '']])),
}

/** A domain that is sound by the way it is made: the same number always gives the same. */
export function randomDescriptor(seed: number): Fields {
  let next = seed * 7_919 + 1
  const below = (limit: number): number => {
    next = (Math.imul(next, 1_103_515_245) + 12_345) >>> 0
    return (next >>> 8) % limit
  }
  const some = <Item>(items: readonly Item[]): Item[] => items.filter(() => below(2) === 0)
  const states = Array.from({ length: 2 + below(4) }, (_, index) => `S${index}`)
  const tree = states.map((to, index) => ({ on: `E${index}`, from: index === 0 ? '' : `S${below(index)}`, to }))
  const more = tree.flatMap(({ on, from, to }) => (from === '' ? [] : some(states).filter((state) => state !== from).map((state) => ({ on, from: state, to }))))
  const transitions = [...tree, ...more]
  const sourcesOf = (event: string): string[] => transitions.flatMap(({ on, from }) => (on === event ? [from] : []))
  const parameters = ['amount', 'reason', 'who', 'a b']
  const actions = Array.from({ length: 1 + below(4) }, (_, index): Action => {
    const event = below(3) === 0 ? undefined : `E${1 + below(states.length - 1)}`
    const possible = event === undefined ? states : sourcesOf(event)
    const chosen = some(possible)
    return {
      name: `A${index}`, allowed_states: chosen.length === 0 ? possible.slice(0, 1) : chosen, required_parameters: some(parameters), required_permissions: below(4) === 0 ? [] : [`x.p${below(3)}`],
      risk: ['low', 'medium', 'high', 'critical'][below(4)] ?? '', approval: ['never', 'required'][below(2)] ?? '', follow_up_events: event === undefined ? [] : [event],
    }
  })
  const roles = below(3) === 0 ? {} : { agent: ['x.p0', 'x.p1', 'x.p2'], ...(below(2) === 0 ? { reviewer: ['x.approve'] } : {}), ...(below(2) === 0 ? { desk: ['x.report', 'y.report'] } : {}) }
  return { domain: `random-${seed}`, entity: 'Thing', events: states.map((_, index) => `E${index}`), states, transitions, actions, roles }
}

/** @throws Error with what is wrong with it */
export function generatedFrom(fields: Fields): Generated {
  const parsed = parseDescriptor(JSON.stringify(fields))
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return fromDescriptor(parsed.descriptor)
}
