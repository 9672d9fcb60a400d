import { describe, expect, test } from 'vitest'
import { canonical, isCanonical } from '../../src/core/canonical.ts'
import { sha256 } from '../../src/core/digest.ts'
import { ledgerBody, recordable, type LedgerRow } from '../../src/core/ledger-row.ts'

const row: LedgerRow = {
  kind: 'refused',
  step: { namespace: 'default', workflowId: 'ticket-1', firstExecutionRunId: 'run-1', runId: 'run-2', activityId: '3' },
  domain: 'refunds', entityType: 'Order', entityId: 'order-1', action: 'REFUND_ORDER', actor: 'support-agent-1',
  audit: [{ kind: 'action_failed', message: 'action validation failed', data: { status: 'skipped' } }],
}

function body(over: Partial<LedgerRow> = {}): Record<string, unknown> {
  return JSON.parse(ledgerBody({ ...row, ...over })) as Record<string, unknown>
}

test('a body is canonical text: read and written again it is the same', () => {
  const text = ledgerBody({ ...row, params: { b: 1, a: [2] }, state: { value: 'PAID', version: 2 } })
  expect(canonical(JSON.parse(text))).toBe(text)
})

test('the trace is the run chain, the correlation its workflow', () => {
  expect(body()).toMatchObject({ format: 1, trace_id: 'run-1', correlation_id: 'ticket-1', run_id: 'run-2', activity_id: '3', causation_id: null })
})

test('what a row does not speak of is left out', () => {
  expect(Object.keys(body())).not.toContain('params')
  expect(Object.keys(body({ params: null, state: null }))).toEqual(expect.arrayContaining(['params', 'state']))
})

describe('hostile input can be recorded', () => {
  const cycle: unknown[] = []
  cycle.push(cycle)
  const hostile: readonly (readonly [string, unknown])[] = [
    ['U+0000', { reason: 'a\u0000b' }],
    ['a lone surrogate', { reason: '\ud83d' }],
    ['a member named __proto__', JSON.parse('{"__proto__": {"approved": true}}')],
    ['a member name with U+0000', { 'a\u0000': 1 }],
    ['a number beyond 2^53', { amountCents: 2 ** 60 }],
    ['negative zero', -0],
    ['NaN', Number.NaN],
    ['deep nesting', JSON.parse('['.repeat(500) + ']'.repeat(500))],
    ['markup that is 100 000 characters long and ends badly', `<script>${'x'.repeat(100_000)}\u0000`],
    ['a bigint', { amount: 10n }],
    ['a cycle', cycle],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['an object that throws when it is read', { get a(): never { throw new Error('no') } }],
    ['an object that refuses to become JSON', { toJSON: () => { throw new Error('no') } }],
  ]

  test.each(hostile)('%s as a parameter, as an output, and as a claim', (_, value) => {
    const recorded = body({ params: value, output: value, claim: { why: 'x', evidence: [value as string] } })
    expect(isCanonical(recorded)).toBe(true)
    expect(JSON.stringify(recorded).length).toBeLessThan(4_000)
  })

  test.each(hostile)('%s: kept as its hash and an excerpt', (_, value) => {
    expect(recordable(value)).toEqual({ not_canonical: { sha256: expect.stringMatching(/^[\da-f]{64}$/), excerpt: expect.any(String) } })
  })

  test('the hash is that of its JSON, by which the whole can be recognised', () => {
    expect(recordable({ reason: 'a\u0000' })).toEqual({ not_canonical: { sha256: sha256('{"reason":"a\\u0000"}'), excerpt: '{"reason":"a\\u0000"}' } })
  })

  test('in messages', () => {
    expect(body({ audit: [{ kind: 'action_failed', message: 'a\u0000\udc00', data: null }], decision: { outcome: 'blocked', reason: null, message: '\u0000' } })).toMatchObject({
      audit: [{ message: 'a\u2400\ufffd' }], decision: { message: '\u2400' },
    })
  })

  test('an excerpt that ends within a character stays well-formed', () => {
    expect(isCanonical(recordable(`\u0000${'😀'.repeat(200)}`))).toBe(true)
  })
})

test('what has a canonical form is recorded as it is', () => {
  expect(body({ params: { amountCents: 4200 }, output: { refundId: 'r' } })).toMatchObject({ params: { amountCents: 4200 }, output: { refundId: 'r' } })
})

test('an audit entry names another actor than the row only where it has one', () => {
  const entries = body({ audit: [{ kind: 'approval_granted', message: 'm', data: null, actor_id: 'maria' }, { kind: 'approval_granted', message: 'm', data: null }] }).audit as object[]
  expect(entries.map((entry) => Reflect.get(entry, 'actor_id'))).toEqual(['maria', undefined])
})
