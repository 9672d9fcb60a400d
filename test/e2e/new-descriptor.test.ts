/** A descriptor of KIFF's: what is made of what it leaves open, and everything that is said against one that will not do. */
import { describe, expect, test } from 'vitest'
import { literal } from '../../src/cli/new/literal.ts'
import { parseDescriptor } from '../../src/cli/new/parse-descriptor.ts'
import { a, generatedFrom, refund, type Fields } from './descriptors.ts'

const domainOf = (fields: Fields): string => generatedFrom(fields).files[0]?.text ?? ''

const problemsOf = (text: string): readonly string[] => {
  const parsed = parseDescriptor(text)
  return parsed.ok ? [] : parsed.problems.map(({ place, message }) => `${place}: ${message}`)
}

describe('what a descriptor leaves open', () => {
  test('is decided carefully, with a TODO above each', () => {
    const text = domainOf(refund)
    expect(text).toContain("const text = z.string().min(1).max(200)\n")
    for (const line of [
      'params: z.strictObject({ amount: text, reason: text }),',
      'output: z.strictObject({}),',
      "effect: 'external',",
      "approval: { always: 'a person has to agree, every time', reviewers: 'refund.approve', expiresIn: '3 days' },",
      "reconciledBy: 'refund.approve',",
      "ORDER_PLACED: { from: null, to: 'CREATED', payload: z.strictObject({}), reportedBy: 'refund.report' },",
      "reporter: ['refund.report'],",
    ]) {
      const [before] = text.split(line)
      expect(before).toMatch(/\/\/ TODO: [^\n]+\n {4,6}$/)
      expect(text).toContain(line)
    }
    expect(text).toContain("ORDER_PAID: { from: 'CREATED', to: 'PAID', payload: z.strictObject({ payment_id: text }) },")
  })

  test('high risk without an approval asks a person all the same', () => {
    const text = domainOf(a((fields) => { fields.actions[1].approval = 'never' }))
    expect(text).toContain("approval: { always: 'its risk is high', reviewers: 'refund.approve', expiresIn: '3 days' },")
    expect(text).not.toContain('unapprovedBecause:')
  })

  test('without roles, or permissions, there is one of each: nobody holds more than is needed', () => {
    const text = domainOf(a((fields) => {
      delete fields.roles
      fields.actions[0].required_permissions = []
    }))
    expect(text).toContain("permission: 'refund.mark_paid',")
    expect(text).toContain("agent: ['refund.mark_paid', 'refund.execute'],")
    expect(text).toContain("reviewer: ['refund.review'],")
  })

  test('a name that is taken is not used for something else', () => {
    const text = domainOf(a((fields) => {
      fields.actions[0].required_permissions = ['refund.report']
      fields.roles = { agent: ['refund.report', 'refund.execute'], reporter: ['refund.execute'], reviewer: ['refund.execute'] }
    }))
    expect(text).toContain("reportedBy: 'refund.report-2' }")
    expect(text).toContain("'reporter-2': ['refund.report-2'],")
    expect(text).toContain("'reviewer-2': ['refund.review'],")
  })

  test('of two permissions that could be meant, neither is taken', () => {
    const text = domainOf(a((fields) => { fields.roles = { ...fields.roles, clerk: ['refund.approve', 'invoice.approve'] } }))
    expect(text).toContain("reviewers: 'refund.review', expiresIn")
    expect(text).toContain("reviewer: ['refund.review'],")
  })

  test('risk and approval are read as KIFF reads them', () => {
    const text = domainOf(a((fields) => {
      fields.actions[1].risk = ' Critical '
      fields.actions[1].approval = 'REQUIRED'
      fields.actions[0].risk = ''
      delete fields.actions[0].approval
    }))
    expect(text).toContain("risk: 'critical',")
    expect(text).toContain("risk: 'low',")
  })
})

describe('a descriptor that will not do: every problem, with its place', () => {
  test.each<[string, Parameters<typeof a>[0], readonly string[]]>([
    ['unknown fields', (d) => { Object.assign(d, { version: 1 }); Object.assign(d.actions[0], { note: '' }); Object.assign(d.transitions[2], { when: '' }) }, ['transitions[2]: unknown field "when"', 'actions[0]: unknown field "note"', ': unknown field "version"']],
    ['a missing field', (d) => { delete d.entity; delete d.actions[1].name }, ['entity: it is missing', 'actions[1].name: it is missing']],
    ['a field of another type', (d) => { d.events[1] = 7 as never }, ['events[1]: Invalid input: expected string, received number']],
    ['no events', (d) => { d.events = [] }, ['events: there is none']],
    ['no states', (d) => { d.states = [] }, ['states: there is none']],
    ['no actions', (d) => { d.actions = [] as never }, ['actions: there is none']],
    ['an action allowed nowhere', (d) => { d.actions[0].allowed_states = [] }, ['actions[0].allowed_states: there is none']],
    ['an unknown risk', (d) => { d.actions[0].risk = 'hihg' }, ['actions[0].risk: "hihg" is none of low, medium, high, critical']],
    ['an unknown approval', (d) => { d.actions[0].approval = 'maybe' }, ['actions[0].approval: "maybe" is none of never, required']],
    ['a domain that is no name', (d) => { d.domain = '../refund' }, ['domain: "../refund" is no name of a domain: lower case letters, digits and dashes, at most 40, as support-ops']],
    ['an entity that is no name', (d) => { d.entity = 'an order' }, ['entity: "an order" is no name of an entity: letters and digits, at most 64, as VendorInvoice']],
    ['an action that is no name', (d) => { d.actions[0].name = 'mark-paid' }, ['actions[0].name: "mark-paid" is no name of an action: upper case letters, digits and underscores, at most 64, as REFUND_ORDER']],
    ['an event without a transition', (d) => { d.events.push('LOST') }, ['events[3]: "LOST" has no transition, so it can never happen']],
    ['an undeclared event', (d) => { d.transitions[1].on = 'ORDER_PAYED' }, ['events[1]: "ORDER_PAID" has no transition, so it can never happen', 'transitions[1].on: "ORDER_PAYED" is not in "events"', 'actions[0].follow_up_events[0]: MARK_PAID is allowed in "CREATED", but "ORDER_PAID" cannot happen in "CREATED"']],
    ['an undeclared state', (d) => { d.transitions.push({ on: 'ORDER_PAID', from: 'LOST', to: 'PAID' }) }, ['transitions[3].from: "LOST" is not in "states"']],
    ['an undeclared target', (d) => { d.transitions[2].to = 'GONE' }, ['transitions[2].to: "GONE" is not in "states"', 'states[2]: no chain of transitions leads to "REFUNDED"']],
    ['no beginning', (d) => { d.transitions[0].from = 'PAID' }, ['transitions: none has an empty "from", so nothing makes the entity']],
    ['an unreachable state', (d) => { d.states.push('LOST') }, ['states[3]: no chain of transitions leads to "LOST"']],
    ['an event that leads to two states', (d) => { d.transitions.push({ on: 'ORDER_PAID', from: 'PAID', to: 'REFUNDED' }) }, ['transitions[3].to: "ORDER_PAID" leads to "PAID" by transitions[1], and here an event leads to one state; make them two events']],
    ['an event that makes and moves', (d) => { d.transitions.push({ on: 'ORDER_PLACED', from: 'PAID', to: 'CREATED' }) }, ['transitions[3].from: "ORDER_PLACED" either makes the entity or moves it, but transitions[0] does the other; make them two events']],
    ['an undeclared allowed state', (d) => { d.actions[0].allowed_states = ['CREATED', 'PAYED'] }, ['actions[0].allowed_states[1]: "PAYED" is not in "states"']],
    ['an undeclared follow-up', (d) => { d.actions[0].follow_up_events = ['PAYED'] }, ['actions[0].follow_up_events[0]: "PAYED" is not in "events"']],
    ['a follow-up that cannot happen', (d) => { d.actions[1].allowed_states = ['PAID', 'CREATED'] }, ['actions[1].follow_up_events[0]: REFUND_ORDER is allowed in "CREATED", but "ORDER_REFUNDED" cannot happen in "CREATED"']],
    ['follow-ups that cannot follow each other', (d) => { d.actions[1].follow_up_events.push('ORDER_PAID') }, ['actions[1].follow_up_events[1]: REFUND_ORDER is allowed in "PAID", but "ORDER_PAID" cannot happen in "REFUNDED"']],
    ['an action that makes the entity', (d) => { d.actions[0].follow_up_events = ['ORDER_PLACED'] }, ['actions[0].follow_up_events[0]: MARK_PAID is allowed in "CREATED", but "ORDER_PLACED" cannot happen in "CREATED"']],
    ['two permissions', (d) => { d.actions[0].required_permissions.push('refund.execute') }, ['actions[0].required_permissions: there are 2, and here an action takes one: name a single one, and give it only to roles that held all of them (agent)']],
    ['two permissions that no role holds together', (d) => { d.actions[0].required_permissions.push('refund.approve') }, ['actions[0].required_permissions: there are 2, and here an action takes one: name a single one, and give it only to roles that held all of them (now none does)']],
    ['a permission that no role holds', (d) => { d.actions[0].required_permissions = ['refund.pay'] }, ['actions[0].required_permissions[0]: no role holds "refund.pay", so nobody could take MARK_PAID']],
    ['a permission of one part', (d) => { d.roles = { agent: ['pay', 'refund.mark_paid', 'refund.execute'] } }, ['roles.agent[0]: "pay" is no permission: two parts or more with dots between, as orders.refund']],
    ['the same name twice', (d) => { d.states.push('PAID'); d.events.push('ORDER_PAID'); d.actions[1].required_parameters.push('amount'); d.roles = { agent: ['refund.execute', 'refund.execute', 'refund.mark_paid'] } }, ['events[3]: "ORDER_PAID" stands there already, at [1]', 'states[3]: "PAID" stands there already, at [1]', 'actions[1].required_parameters[2]: "amount" stands there already, at [0]', 'roles.agent[1]: "refund.execute" stands there already, at [0]']],
    ['an action twice', (d) => { d.actions.push(structuredClone(d.actions[0])) }, ['actions[2].name: "MARK_PAID" stands there already, at [0]']],
    ['names that cannot be seen', (d) => { d.actions[1].required_parameters = ['a\nb', '', ' a', 'a\u202Eb', 'x'.repeat(101), 'a\u2028b'] }, [
      'actions[1].required_parameters[0]: "a⟦U+000A⟧b" is no name: at most 100 visible characters, and no space around them',
      'actions[1].required_parameters[1]: "" is no name: at most 100 visible characters, and no space around them',
      'actions[1].required_parameters[2]: " a" is no name: at most 100 visible characters, and no space around them',
      'actions[1].required_parameters[3]: "a⟦U+202E⟧b" is no name: at most 100 visible characters, and no space around them',
      `actions[1].required_parameters[4]: "${'x'.repeat(100)} ⟦… 1 more characters⟧" is no name: at most 100 visible characters, and no space around them`,
      'actions[1].required_parameters[5]: "a⟦U+2028⟧b" is no name: at most 100 visible characters, and no space around them',
    ]],
    ['names that objects have of their own', (d) => { d.actions[1].required_parameters = ['constructor', '__proto__', '7'] }, ['constructor', '__proto__', '7'].map((name, index) => `actions[1].required_parameters[${index}]: "${name}" means something else to an object than its other members; choose another name`)],
  ])('%s', (_, change, expected) => {
    expect(problemsOf(JSON.stringify(a(change)))).toEqual(expected)
  })

  test('what is no JSON, or none that can be kept', () => {
    expect(problemsOf('{')).toEqual([expect.stringMatching(/^: it is not JSON: /)])
    expect(problemsOf('[]')).toEqual([': Invalid input: expected object, received array'])
    expect(problemsOf('{ "roles": { "__proto__": ["a.b"] } }')).toEqual(['roles: "__proto__" is not a member name'])
    expect(problemsOf('{ "domain": "a\\u0000" }')).toEqual(['domain: contains U+0000'])
    expect(problemsOf('{ "states": ["\\ud800"] }')).toEqual(['states[0]: contains a lone surrogate'])
  })

  test('what cannot be seen would not be as it is in the text either', () => {
    expect(literal("a'b\\c\n\u2028\u202E\u200B")).toBe(String.raw`'a\'b\\c\u{a}\u{2028}\u{202e}\u{200b}'`)
  })
})
