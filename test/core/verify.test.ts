import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { accountsPayable } from '../../domains/accounts-payable/domain.ts'
import { refunds } from '../../domains/refunds/domain.ts'
import { supportOps } from '../../domains/support-ops/domain.ts'
import type { ApprovalSpec } from '../../src/core/contract.ts'
import { defineDomain } from '../../src/core/domain.ts'
import { entity } from '../../src/core/entity.ts'
import { factFromLoader } from '../../src/core/fact.ts'
import { DomainError, FINDINGS, isError, type Finding, type FindingCode } from '../../src/core/findings.ts'
import { executorFindings } from '../../src/core/verify-executors.ts'
import { verifyDomain, type DomainSpec } from '../../src/core/verify.ts'
import { aDomain, anAction, anEntity, cents, nothing, opened, Payee, roles } from './a-small-domain.ts'

const codes = (findings: readonly Finding[]): FindingCode[] => findings.map(({ code }) => code)
const of = (action: DomainSpec['actions'][string], more: Partial<DomainSpec> = {}): DomainSpec => aDomain({ actions: { DO: action }, ...more })

const approval: ApprovalSpec<unknown> = { when: () => false, reviewers: 'tickets.review', expiresIn: '1 day' }
const consent: ApprovalSpec<unknown> = { ...approval, always: 'always', binds: 'state' }
const known = { known: factFromLoader(z.boolean()) }
const unread = anAction(nothing, { facts: known })
const read = anAction(nothing, { facts: known, forbid: ({ facts }) => facts['known'] === true && 'known' })
const note = z.strictObject({ note: z.string() })
const { reconciledBy: _, ...unreconciled } = anAction(nothing)
const outside = { effect: 'external' } as const
const refund = z.strictObject({ amountCents: cents(10_000) })
const moves = { effect: 'none', emits: { MOVED: () => ({}) } } as const
const guarded = anAction(refund, { ...moves, risk: 'high', approval: { ...approval, always: 'always' } })
const withEvent = (MOVED: { from: string | readonly string[] | null; to: string; reportedBy?: `${string}.${string}` }, states = ['OPEN']): DomainSpec =>
  of(anAction(nothing, {}, anEntity('Ticket', states, { OPENED: opened, MOVED })))
const desk = { reportedBy: 'tickets.report' } as const

const fraud = z.strictObject({ fraud: z.boolean() })
const Case = entity('Case', { states: ['OPEN'], events: { OPENED: { ...opened, payload: nothing }, ASSESSED: { from: 'OPEN', to: 'OPEN', payload: fraud } } })
const onCase = { description: 'x', from: ['OPEN'], output: nothing, permission: 'tickets.work', risk: 'low', describe: () => 'x' } as const
/** An agent says whether it is fraud; another action believes it, once it is recorded. */
const laundered = (asserted: { fraud?: string }): DomainSpec => aDomain({ actions: {
  ASSESS: Case.action({ ...onCase, params: fraud, effect: 'none', asserted, emits: { ASSESSED: ({ params }) => params } }),
  PAY: Case.action({
    ...onCase, params: nothing, effect: 'external',
    facts: { fraud: Case.factFromEvents(['ASSESSED'], z.boolean(), (events) => events.at(-1)?.payload.fraud ?? true) }, forbid: ({ facts }) => facts.fraud && 'fraud',
  }),
} })

/** For every code, the smallest domain that has it, and its neighbour that does not. */
const cases: Record<Exclude<FindingCode, 'not_a_domain' | 'executor_missing' | 'executor_stub'>, readonly [has: DomainSpec, hasNot: DomainSpec]> = {
  no_actions: [aDomain({ actions: {} }), aDomain()],
  invalid_name: [aDomain({ name: 'Tickets' }), aDomain({ name: 'tickets-2' })],
  no_transitions: [of(anAction(nothing, {}, anEntity('Ticket', ['OPEN'], {}))), of(anAction(nothing, { from: 'any' }, Payee))],
  no_bootstrap: [of(anAction(nothing, {}, anEntity('Ticket', ['OPEN'], { MOVED: { from: 'OPEN', to: 'OPEN', ...desk } }))), of(anAction(nothing, {}, anEntity('Ticket', ['OPEN'], { OPENED: opened })))],
  unreachable_state: [withEvent({ from: 'LOST', to: 'LOST', ...desk }, ['OPEN', 'LOST']), withEvent({ from: ['OPEN', 'LOST'], to: 'LOST', ...desk }, ['OPEN', 'LOST'])],
  undeclared_state: [of(anAction(nothing, { from: ['OPEN', 'LOST'] })), of(anAction(nothing, { from: ['OPEN'] }))],
  undeclared_event: [of(anAction(nothing, { emits: { LOST: () => ({}) } })), of(anAction(nothing, { emits: { MOVED: () => ({}) } }))],
  dead_event: [withEvent({ from: [], to: 'OPEN', ...desk }), withEvent({ from: ['OPEN'], to: 'OPEN', ...desk })],
  uncaused_event: [withEvent({ from: 'OPEN', to: 'OPEN' }), withEvent({ from: 'OPEN', to: 'OPEN', ...desk })],
  ambiguous_event: [
    aDomain({ actions: { DO: anAction(nothing, {}, anEntity('Ticket', ['OPEN'], { OPENED: opened })), BE: anAction(nothing, {}, anEntity('Case', ['OPEN'], { OPENED: opened })) } }),
    aDomain({ actions: { DO: anAction(nothing, {}, anEntity('Ticket', ['OPEN'], { OPENED: opened })), BE: anAction(nothing, {}, anEntity('Case', ['OPEN'], { CASE_OPENED: opened })) } }),
  ],
  duplicate_entity: [aDomain({ actions: { DO: anAction(nothing, {}, anEntity('Ticket', ['OPEN'], { OPENED: opened })), BE: anAction(nothing) } }), aDomain({ actions: { DO: anAction(nothing), BE: anAction(nothing) } })],
  stateless_entity: [of(anAction(nothing, { from: ['OPEN'] }, Payee)), of(anAction(nothing, { from: 'any' }, Payee))],
  no_allowed_states: [of(anAction(nothing, { from: [] })), of(anAction(nothing, { from: 'any' }))],
  impossible_event: [of(anAction(nothing, { emits: { CLOSED: () => ({}), MOVED: () => ({}) } })), of(anAction(nothing, { emits: { MOVED: () => ({}), CLOSED: () => ({}) } }))],
  no_effect: [of(anAction(nothing, { effect: 'none' })), of(anAction(nothing, moves))],
  permission_unheld: [of(anAction(nothing, { permission: 'tickets.burn' })), of(anAction(nothing, { permission: 'tickets.work' }))],
  missing_risk: [of({ ...anAction(nothing), risk: undefined as unknown as 'low' }), of(anAction(nothing))],
  invalid_risk: [of({ ...anAction(nothing), risk: 'huge' as 'low' }), of(anAction(nothing, { risk: 'medium' }))],
  high_risk_unapproved: [of(anAction(nothing, { risk: 'high', unapprovedBecause: ' ' })), of(anAction(nothing, { risk: 'high', unapprovedBecause: 'it can be undone' }))],
  approval_unreachable: [of(anAction(nothing, { approval: { ...approval, reviewers: 'tickets.burn' } })), of(anAction(nothing, { approval }))],
  low_risk_twin: [
    aDomain({ actions: { REFUND: guarded, AUTO_REFUND: anAction(refund, moves) } }),
    aDomain({ actions: { REFUND: guarded, AUTO_REFUND: anAction(refund, { ...moves, unapprovedBecause: 'only for what was paid twice' }) } }),
  ],
  unbounded_amount: [of(anAction(z.strictObject({ amountCents: z.int().positive() }), outside)), of(anAction(z.strictObject({ amountCents: z.int().positive().max(100) }), outside))],
  asserted_fact: [
    of(anAction(z.strictObject({ trusted: z.boolean() }), { forbid: ({ params }) => !params.trusted && 'not trusted' })),
    of(anAction(z.strictObject({ trusted: z.boolean() }), { forbid: ({ params }) => !params.trusted && 'not trusted', asserted: { trusted: 'the register signs it' } })),
  ],
  dead_action: [of(anAction(nothing, { from: ['LOST'] }, anEntity('Ticket', ['OPEN', 'LOST'], { OPENED: opened }))), of(anAction(nothing, { from: ['LOST', 'OPEN'] }, anEntity('Ticket', ['OPEN', 'LOST'], { OPENED: opened })))],
  possible_twin: [
    aDomain({ actions: { REFUND: guarded, AUTO_REFUND: anAction(z.strictObject({ amountCents: cents(9_999) }), moves) } }),
    aDomain({ actions: { REFUND: guarded, AUTO_REFUND: anAction(z.strictObject({ amountCents: cents(9_999) }), { ...moves, unapprovedBecause: 'once a day' }) } }),
  ],
  laundered_claim: [
    laundered({}),
    laundered({ fraud: 'the fraud desk' }),
  ],
  reviewer_is_requester: [
    of(anAction(nothing, { approval }), { roles: { ...roles, lead: ['tickets.review', 'tickets.work'] } }),
    of(anAction(nothing, { approval }), { roles: { ...roles, manager: ['tickets.review', 'tickets.work'] } }),
  ],
  consent_binds_nothing: [of(anAction(nothing, { approval: consent })), of(anAction(nothing, { approval: consent, facts: known }))],
  nobody_reconciles: [of(unreconciled), of({ ...unreconciled, reconciledBy: 'tickets.review' })],
  from_any_without_facts: [of(anAction(nothing, { from: 'any', approval }, Payee)), of(anAction(nothing, { from: 'any', approval: { ...approval, always: 'always' } }, Payee))],
  fact_unused: [of(unread), of(read)],
  unbounded_text: [of(anAction(note, outside)), of(anAction(z.strictObject({ note: z.string().max(100) }), outside))],
  unbounded_list: [of(anAction(z.strictObject({ ids: z.array(cents(5)) }), outside)), of(anAction(z.strictObject({ ids: z.array(cents(5)).max(9) }), outside))],
  role_without_permission: [aDomain({ roles: { ...roles, guest: [] } }), aDomain()],
  permission_unused: [aDomain({ roles: { ...roles, guest: ['tickets.look'] } }), aDomain({ roles: { ...roles, guest: ['tickets.work'] } })],
}

describe('every code', () => {
  test.each(Object.entries(cases))('%s: found where it is, and only there', (code, [has, hasNot]) => {
    expect(codes(verifyDomain(has))).toContain(code)
    expect(codes(verifyDomain(hasNot))).not.toContain(code)
  })

  test.each(Object.entries(cases))('%s: defineDomain throws it if it is an error, and loads the domain if not', (_, [has]) => {
    const findings = verifyDomain(has)
    if (!findings.some(isError)) expect(defineDomain(has).name).toBe(has.name)
    else expect(() => defineDomain(has)).toThrow(expect.objectContaining({ name: 'DomainError', findings }))
  })

  test('says what is wrong and what to do, with the severity of its code', () => {
    const [found] = verifyDomain(cases.unreachable_state[0])
    expect(found).toEqual({
      severity: 'error', code: 'unreachable_state', action: null, entity: 'Ticket', state: 'LOST',
      message: 'state LOST cannot be reached; declare the event that leads there, or remove the state',
    })
    for (const [has] of Object.values(cases)) for (const { code, severity, message } of verifyDomain(has)) expect({ severity, message }).toEqual({ severity: FINDINGS[code].severity, message: expect.stringContaining(`; ${FINDINGS[code].fix}`) })
  })

  test('of an action comes with the action and its entity', () => {
    expect(verifyDomain(cases.no_effect[0])).toEqual([expect.objectContaining({ code: 'no_effect', action: 'DO', entity: 'Ticket' })])
  })
})

test('an entity without states has no events that an action could emit', () => {
  expect(codes(verifyDomain(of(anAction(nothing, { from: 'any', emits: { MOVED: () => ({}) } }, Payee))).filter(isError))).toEqual(['stateless_entity'])
})

const unsettled = (action: Parameters<typeof of>[0]): boolean => codes(verifyDomain(of(action))).includes('nobody_reconciles')

test('what nobody may settle: without a name in the contract, reviewers may; a name that no role holds is none; what only emits is never in doubt', () => {
  expect(unsettled({ ...unreconciled, approval: anAction(nothing, { approval }).approval })).toBe(false)
  expect(unsettled(anAction(nothing, { reconciledBy: 'tickets.burn' }))).toBe(true)
  expect(unsettled(anAction(nothing, { ...moves, reconciledBy: 'tickets.burn' }))).toBe(false)
})

test('a sound domain has no finding', () => {
  expect(verifyDomain(aDomain())).toEqual([])
})

test('one cause is one finding: without a beginning, it is not said of every state that it cannot be reached', () => {
  expect(codes(verifyDomain(cases.no_bootstrap[0]))).not.toContain('unreachable_state')
})

test('a refused domain names its errors, not its warnings, and carries both', () => {
  const both = aDomain({ name: 'Tickets', roles: { ...roles, guest: [] } })
  try {
    defineDomain(both)
    expect.unreachable()
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError)
    expect(error instanceof DomainError ? codes(error.findings) : []).toEqual(['invalid_name', 'role_without_permission'])
    expect(String(error)).toContain('(invalid_name)')
    expect(String(error)).not.toContain('guest')
  }
})

describe('executors', () => {
  const actions = { SEND: anAction(nothing, outside), NOTE: anAction(nothing, moves) }
  const say = (executor: unknown): FindingCode[] => codes(executorFindings(actions, (action) => (action === 'SEND' ? executor : undefined)))

  test('one that is missing, where there is an effect', () => {
    expect(say(undefined)).toEqual(['executor_missing'])
  })

  test('one that is still to be written', () => {
    expect(say(async () => { /* TODO: call the provider */ })).toEqual(['executor_stub'])
    expect(say(async () => Promise.resolve({}))).toEqual([])
  })
})

function amounts(params: z.ZodType, over: Parameters<typeof anAction>[1] = outside): string[] {
  return verifyDomain(of(anAction(params, over))).filter(({ code }) => code === 'unbounded_amount').map(({ message }) => /parameter (\S+)/.exec(message)?.[1] ?? '')
}

describe('bounds', () => {
  test.each<[string, z.ZodType, string[]]>([
    ['an integer whose only bound is that of integers', z.strictObject({ n: z.int() }), ['n']],
    ['a number', z.strictObject({ n: z.number() }), ['n']],
    ['a number below', z.strictObject({ n: z.number().lt(5) }), []],
    ['one inside another', z.strictObject({ line: z.strictObject({ n: z.int() }) }), ['line.n']],
    ['one of a list', z.strictObject({ lines: z.array(z.strictObject({ n: z.int() })).max(3) }), ['lines[].n']],
    ['one of a tuple', z.strictObject({ pair: z.tuple([z.int().max(5), z.int()]) }), ['pair[]']],
    ['one of a record', z.strictObject({ prices: z.record(z.string(), z.int()) }), ['prices.*']],
    ['one that may be absent, or null', z.strictObject({ a: z.int().optional(), b: z.int().nullable() }), ['a', 'b']],
    ['one of a union', z.strictObject({ n: z.union([z.int().max(5), z.int()]) }), ['n']],
    ['one of an intersection', z.intersection(z.object({ a: z.int().max(1) }), z.object({ b: z.int() })), ['b']],
    ['one of an intersection with a union', z.strictObject({ both: z.intersection(z.union([z.object({ a: z.int() }), z.object({ b: z.int() })]), z.object({ c: z.int() })) }), ['both.c', 'both.a', 'both.b']],
    ['one of an intersection of unions', z.strictObject({ both: z.intersection(z.union([z.object({ a: z.int() }), z.object({ b: z.int() })]), z.union([z.object({ c: z.int() }), z.object({ d: z.int() })])) }), ['both.a', 'both.c', 'both.d', 'both.b']],
    ['one that has to fit two schemas, of which one bounds it', z.strictObject({ n: z.intersection(z.int().max(5), z.int()), m: z.intersection(z.int(), z.number()) }), ['m']],
    ['one of a named schema', z.strictObject({ n: z.int().meta({ id: 'AnInteger' }) }), ['n']],
    ['one of a recursive schema', recursive(), ['n', 'next.n', 'next.next.n', 'next.next.next.n', 'next.next.next.next.n', 'next.next.next.next.next.n']],
    ['literals', z.strictObject({ n: z.literal([1, 5]) }), []],
  ])('%s', (_, params, found) => {
    expect(amounts(params)).toEqual(found)
  })

  test('are asked for where the action reaches outside or risks something, and only there', () => {
    const amount = z.strictObject({ n: z.int() })
    expect(amounts(amount, { ...moves, risk: 'low' })).toEqual([])
    expect(amounts(amount, { ...moves, risk: 'medium' })).toEqual(['n'])
    expect(amounts(amount, { effect: { idempotentFor: '1 hour' }, risk: 'low' })).toEqual(['n'])
  })

  test.each<[string, z.ZodType, boolean]>([
    ['of one length', z.string().length(3), true], ['a uuid', z.uuid(), true], ['a date', z.iso.date(), true], ['one of a few words', z.enum(['a', 'b']), true],
    ['a pattern of known length', z.string().regex(/^\d{4}-[+*]{2}$/), true], ['a pattern that repeats', z.string().regex(/^\d+$/), false],
    ['a pattern that repeats from a number on', z.string().regex(/^\d{2,}$/), false], ['one with a part that is known', z.string().includes('b'), false],
    ['one whose beginning is known', z.string().startsWith('a').includes('b'), false], ['an address', z.email(), false],
    ['a point in time', z.iso.datetime(), true],
  ])('a text that is %s', (_, schema, bounded) => {
    expect(codes(verifyDomain(of(anAction(z.strictObject({ text: schema }), outside)))).includes('unbounded_text')).toBe(!bounded)
  })
})

/** What is said of AUTO_REFUND, the possible twin, beside REFUND. */
function found(twin: DomainSpec['actions'][string], other = guarded, more: Partial<DomainSpec> = {}): Finding[] {
  return verifyDomain(aDomain({ actions: { REFUND: other, AUTO_REFUND: twin }, ...more })).filter(({ code, action }) => code.endsWith('_twin') && action === 'AUTO_REFUND')
}

describe('twins', () => {
  test('KIFF\'s AUTO_REFUND beside ISSUE_REFUND: no ceiling, and nobody asked', () => {
    const amount = z.strictObject({ amountCents: z.int().positive(), reason: z.string().max(500) })
    const issue = anAction(amount, { ...outside, risk: 'high', approval: { ...approval, always: 'always' }, emits: moves.emits })
    expect(found(anAction(amount, { ...outside, risk: 'medium', emits: moves.emits }), issue)).toEqual([
      expect.objectContaining({ code: 'low_risk_twin', action: 'AUTO_REFUND', message: expect.stringContaining('it emits what REFUND emits (MOVED), but asks nobody') }),
    ])
  })

  const gates: [string, Parameters<typeof anAction>[1], Parameters<typeof anAction>[1], string | undefined][] = [
    ['asks never instead of sometimes', { approval }, {}, 'low_risk_twin'],
    ['asks sometimes instead of always', { approval: { ...approval, always: 'x' } }, { approval }, 'low_risk_twin'],
    ['asks one person instead of two', { approval: { ...approval, quorum: 2 } }, { approval }, 'low_risk_twin'],
    ['calls its risk low, where neither asks', { risk: 'high', unapprovedBecause: 'x' }, { risk: 'low' }, 'low_risk_twin'],
    ['calls its risk low, and asks where the other does not', { risk: 'high', unapprovedBecause: 'x' }, { risk: 'low', approval }, undefined],
    ['asks as the other does', { approval }, { approval }, undefined],
    ['asks always one person, where the other sometimes asks two', { approval: { ...approval, quorum: 2 } }, { approval: { ...approval, always: 'x' } }, 'low_risk_twin'],
    ['asks more than the other', { approval }, { approval: { ...approval, always: 'x' } }, undefined],
    ['calls its risk low, where the other asks nobody and has little risk', { risk: 'medium' }, { risk: 'low' }, undefined],
    ['has a guarded one beside it that emits nothing', { effect: 'external', approval, emits: {} }, {}, undefined],
    ['is as unguarded as the other', {}, {}, undefined],
    ['emits more than the other as well', { approval }, { emits: { MOVED: () => ({}), CLOSED: () => ({}) } }, 'low_risk_twin'],
    ['emits less than the other', { approval, emits: { MOVED: () => ({}), CLOSED: () => ({}) } }, {}, undefined],
    ['is allowed elsewhere', { approval, from: ['OPEN'], emits: { CLOSED: () => ({}) } }, { from: ['WAITING'], emits: { CLOSED: () => ({}) } }, undefined],
  ]
  test.each(gates)('one that %s', (_, other, twin, code) => {
    expect(found(anAction(refund, { ...moves, ...twin }), anAction(refund, { ...moves, ...other })).map((each) => each.code)).toEqual(code === undefined ? [] : [code])
  })

  test('are none for whoever may not take both', () => {
    const forDesk = anAction(refund, { ...moves, permission: 'tickets.report' })
    expect(found(forDesk)).toEqual([])
    expect(found(forDesk, guarded, { roles: { ...roles, all: ['tickets.work', 'tickets.report'] } })).toHaveLength(1)
  })

  test('as large is what is as large in any form', () => {
    const either = z.strictObject({ amountCents: z.union([cents(10_000), z.int().min(0).max(5)]) })
    expect(found(anAction(either, moves)).map(({ code }) => code)).toEqual(['low_risk_twin'])
  })

  test('only look alike where there is no number to compare', () => {
    expect(found(anAction(nothing, moves)).map(({ code }) => code)).toEqual(['possible_twin'])
  })
})

test.each([refunds, supportOps, accountsPayable])('$name, a domain of the application, has no finding', (domain) => {
  expect(verifyDomain(domain)).toEqual([])
})

function recursive(): z.ZodType {
  const node = z.object({ n: z.int(), get next() { return node.optional() } })
  return node
}
