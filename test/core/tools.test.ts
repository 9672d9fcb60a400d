import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { accountsPayable } from '../../domains/accounts-payable/domain.ts'
import { refunds } from '../../domains/refunds/domain.ts'
import { supportOps } from '../../domains/support-ops/domain.ts'
import { defineDomain, type Domain } from '../../src/core/domain.ts'
import { entity } from '../../src/core/entity.ts'
import { toolsOf, type Tool } from '../../src/core/tools.ts'

const domains: readonly Domain[] = [refunds, supportOps, accountsPayable]

/** Whether an independent reader of the tool's schema accepts this input. */
function accepts(tool: Tool | undefined, input: unknown): boolean {
  return tool !== undefined && new Ajv2020({ strict: false, validateFormats: false }).validate(JSON.parse(JSON.stringify(tool.inputSchema)), input)
}
const withParams = (params: unknown) => ({ entityId: 'x-1', params, why: 'because' })
const named = (tools: readonly Tool[], name: string): Tool | undefined => tools.find((tool) => tool.name === name)
const told = (domain: Domain, name: string) => named(toolsOf(domain), name)?.description

/** A domain whose one action has these parameters. */
function taking(params: z.ZodType): Domain {
  const Thing = entity('Thing')
  return defineDomain({
    name: 'things',
    actions: { TOUCH: Thing.action({ description: 'Touch it', from: 'any', params, output: z.strictObject({}), permission: 'things.touch', risk: 'low', effect: 'external', describe: () => 'a touch' }) },
    roles: { toucher: ['things.touch'] },
  })
}

describe('the tools of a domain', () => {
  test.each(domains)('$name: one for each action, under a name that every model API takes', (domain) => {
    const tools = toolsOf(domain)
    expect(tools.map(({ name }) => name)).toEqual(Object.keys(domain.actions))
    for (const { name, inputSchema } of tools) {
      expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
      expect(inputSchema).toMatchObject({ type: 'object', required: ['entityId', 'params', 'why'], additionalProperties: false })
    }
  })

  test('can be those of one entity, or the ones named', () => {
    expect(toolsOf(accountsPayable, { entity: 'Vendor' }).map(({ name }) => name)).toEqual(['REQUEST_VENDOR_STATEMENT'])
    expect(toolsOf(supportOps, { actions: ['CLOSE_TICKET', 'ISSUE_REFUND'] }).map(({ name }) => name)).toEqual(['ISSUE_REFUND', 'CLOSE_TICKET'])
  })

  test('are asked for by names that there are', () => {
    expect(() => toolsOf(refunds, { actions: ['AUTO_REFUND'] })).toThrow('refunds has no action AUTO_REFUND')
    expect(() => toolsOf(refunds, { entity: 'Ticket' })).toThrow('refunds has no entity Ticket')
    expect(() => toolsOf(refunds, { entity: 'toString' })).toThrow('refunds has no entity toString')
  })

  test('tell what is done, on what, at which risk, and when a person is asked', () => {
    expect(told(refunds, 'REFUND_ORDER')).toBe('Give the customer of a paid order the money back. On: Order, in state PAID. Risk: high. Depending on the case, a person has to agree first; that can take days.')
    expect(told(supportOps, 'WAIVE_FEE')).toContain("Always asked first: a person has to agree (a waived fee is always a person's decision)")
    expect(told(supportOps, 'TRIAGE_TICKET')).toContain('Risk: low. Nobody is asked first.')
    expect(told(accountsPayable, 'RELEASE_LARGE_PAYMENT')).toContain('Always asked first: 2 people have to agree')
    expect(told(accountsPayable, 'REQUEST_VENDOR_STATEMENT')).toContain('On: Vendor. Risk: low.')
  })
})

describe('a tool accepts what the gate accepts', () => {
  const invoice = { vendorId: 'v-1', invoiceNumber: 'INV-1', amountCents: 1, currency: 'EUR', bankFingerprint: 'abcdef' }
  const cases: readonly (readonly [Domain, string, unknown])[] = [
    [refunds, 'REFUND_ORDER', { amountCents: 1, reason: 'x' }],
    [refunds, 'REFUND_ORDER', { amountCents: 10_000_000, reason: 'x'.repeat(500) }],
    [refunds, 'REFUND_ORDER', { amountCents: 10_000_001, reason: 'x' }],
    [refunds, 'REFUND_ORDER', { amountCents: 1, reason: 'x'.repeat(501) }],
    [refunds, 'REFUND_ORDER', { amountCents: 1, reason: '' }],
    [refunds, 'REFUND_ORDER', { amountCents: 0, reason: 'x' }],
    [refunds, 'REFUND_ORDER', { amountCents: 1.5, reason: 'x' }],
    [refunds, 'REFUND_ORDER', { amountCents: '1', reason: 'x' }],
    [refunds, 'REFUND_ORDER', { amountCents: 1 }],
    [refunds, 'REFUND_ORDER', { amountCents: 1, reason: 'x', approved: true }],
    [refunds, 'REFUND_ORDER', null],
    [refunds, 'REFUND_ORDER', []],
    [supportOps, 'TRIAGE_TICKET', { category: 'refund' }],
    [supportOps, 'TRIAGE_TICKET', { category: 'REFUND' }],
    [supportOps, 'CLOSE_TICKET', {}],
    [supportOps, 'CLOSE_TICKET', { force: true }],
    [accountsPayable, 'VERIFY_INVOICE', invoice],
    [accountsPayable, 'VERIFY_INVOICE', { ...invoice, amountCents: '12.34' }],
    [accountsPayable, 'VERIFY_INVOICE', { ...invoice, bankFingerprint: 'abcde' }],
    [accountsPayable, 'REQUEST_MISSING_INFO', { missingFields: ['vendorId'] }],
    [accountsPayable, 'REQUEST_MISSING_INFO', { missingFields: [] }],
    [accountsPayable, 'REQUEST_MISSING_INFO', { missingFields: ['price'] }],
    [accountsPayable, 'MARK_READY_FOR_PAYMENT', { dueDate: '2026-02-28' }],
    [accountsPayable, 'MARK_READY_FOR_PAYMENT', { dueDate: '2026-02-30' }],
    [accountsPayable, 'REQUEST_VENDOR_STATEMENT', { month: '2026-12' }],
    [accountsPayable, 'REQUEST_VENDOR_STATEMENT', { month: 'x2026-12' }],
    [taking(z.strictObject({ note: z.string().default('none') })), 'TOUCH', {}],
    [taking(z.strictObject({ note: z.string().default('none') })), 'TOUCH', { note: 'x' }],
    [taking(z.strictObject({ inner: z.strictObject({ note: z.string().default('none'), n: z.int().max(9) }) })), 'TOUCH', { inner: { n: 1 } }],
    [taking(z.strictObject({ inner: z.strictObject({ note: z.string().default('none'), n: z.int().max(9) }) })), 'TOUCH', { inner: {} }],
    [taking(z.object({ note: z.string() })), 'TOUCH', { note: 'x', more: 1 }],
    [taking(z.strictObject({ required: z.string(), $schema: z.string() })), 'TOUCH', { required: 'a', $schema: 'b' }],
    [taking(z.strictObject({ required: z.string(), $schema: z.string() })), 'TOUCH', { required: 'a' }],
    [taking(z.union([z.strictObject({ a: z.literal(1) }), z.strictObject({ b: z.null() })])), 'TOUCH', { b: null }],
    [taking(z.union([z.strictObject({ a: z.literal(1) }), z.strictObject({ b: z.null() })])), 'TOUCH', { a: 1, b: null }],
  ]

  test.each(cases)('%o %s %o', (domain, action, params) => {
    const inspection = domain.actions[action]?.inspect('x-1', params)
    expect(accepts(named(toolsOf(domain), action), withParams(params))).toBe(inspection?.ok)
  })

  test('both ways, so that the cases prove something', () => {
    const verdicts = cases.map(([domain, action, params]) => domain.actions[action]?.inspect('x-1', params).ok)
    expect(new Set(verdicts)).toEqual(new Set([true, false]))
  })

  test('schemas that refer to themselves or share a part still point to where they stand', () => {
    const tree = z.strictObject({ name: z.string(), get kids() { return z.array(tree).max(3) } })
    const part = z.strictObject({ n: z.int().max(9) }).meta({ id: 'part' })
    const [inTree] = toolsOf(taking(tree))
    expect(accepts(inTree, withParams({ name: 'a', kids: [{ name: 'b', kids: [] }] }))).toBe(true)
    expect(accepts(inTree, withParams({ name: 'a', kids: [{ name: 1, kids: [] }] }))).toBe(false)
    const [inPair] = toolsOf(taking(z.strictObject({ left: part, right: part })))
    expect(accepts(inPair, withParams({ left: { n: 1 }, right: { n: 2 } }))).toBe(true)
    expect(accepts(inPair, withParams({ left: { n: 1 }, right: { n: 'x' } }))).toBe(false)
  })

  test.each([
    [{ params: {}, why: 'x' }, false], [{ entityId: 't-1', why: 'x' }, false], [{ entityId: 't-1', params: {} }, false],
    [{ entityId: 'x'.repeat(200), params: {}, why: 'x'.repeat(4_000) }, true], [{ entityId: 'x'.repeat(201), params: {}, why: 'x' }, false], [{ entityId: 't-1', params: {}, why: 'x'.repeat(4_001) }, false],
    [{ entityId: '', params: {}, why: 'x' }, false], [{ entityId: 't-1', params: {}, why: 'x', confidence: 1.1 }, false],
    [{ entityId: 't-1', params: {}, why: 'x', state: 'RESOLVED' }, false], [{ entityId: 't-1', params: {}, why: 'x', confidence: 0.4 }, true],
  ])('around the parameters: %o → %s', (input, expected) => {
    expect(accepts(named(toolsOf(supportOps), 'CLOSE_TICKET'), input)).toBe(expected)
  })
})
