/** What a workflow may hand to the gate: bounded, printable, and nothing by which it would speak of states, roles, or approvals. */
import { describe, expect, test } from 'vitest'
import { eventRequest, proposalRequest } from '../../src/core/proposal.ts'

const chain = { firstExecutionRunId: 'run-1', generation: 0, occurrence: 0 }
const parent = { workflowId: 'parent', firstExecutionRunId: 'run-0', generation: 0, child: 'a'.repeat(64), occurrence: 0 }
const proposal = { entityId: 'order-1', params: { any: ['thing'] }, actor: 'bot-1', chain }
const report = { event: 'ORDER_PAID', entityId: 'order-1', payload: {}, actor: 'shop', chain }
const words = (count: number): readonly string[] => Array.from({ length: count }, () => 'word')

test.each<[string, object]>([
  ['a plain one', {}],
  ['the longest id', { entityId: 'o'.repeat(200) }],
  ['the key of a caller', { callerKey: 'k' }],
  ['a claim', { claim: { why: 'x'.repeat(4_000), evidence: words(20), confidence: 1 } }],
  ['as many reviews as are judged at once', { reviews: Array.from({ length: 20 }, () => 'x'.repeat(8_192)) }],
  ['twenty tags', { trace: { tags: Object.fromEntries(words(20).map((word, at) => [`${word}-${at}`, word])) } }],
  ['a parent', { chain: { ...chain, parents: [parent] } }],
])('a proposal is read: %s', (_, over) => {
  expect(proposalRequest.safeParse({ ...proposal, ...over }).success).toBe(true)
})

describe('a proposal is not read', () => {
  test.each<[string, object]>([
    ['with a state', { state: 'PAID' }],
    ['with roles', { roles: ['finance'] }],
    ['with an approval', { approved: true }],
    ['with an empty id', { entityId: '' }],
    ['with an id that is too long', { entityId: 'o'.repeat(201) }],
    ['with a control character in its id', { entityId: 'order\u0001' }],
    ['with a lone surrogate in its id', { entityId: 'order\uD800' }],
    ['with two keys', { key: 'a', callerKey: 'b' }],
    ['with more reviews than are judged at once', { reviews: words(21) }],
    ['with a review that is too long', { reviews: ['x'.repeat(8_193)] }],
    ['with a mandate that is too long', { mandate: 'x'.repeat(4_097) }],
    ['with too many tags', { trace: { tags: Object.fromEntries(words(21).map((word, at) => [`${word}-${at}`, word])) } }],
    ['with a parent that names its child by no digest', { chain: { ...chain, parents: [{ ...parent, child: 'me' }] } }],
    ['with a claim that is too long', { claim: { why: 'x'.repeat(4_001) } }],
    ['with too much evidence', { claim: { why: '', evidence: words(21) } }],
    ['with more than certainty', { claim: { why: '', confidence: 1.1 } }],
  ])('%s', (_, over) => {
    expect(proposalRequest.safeParse({ ...proposal, ...over }).success).toBe(false)
  })
})

test('a report is read', () => {
  expect(eventRequest.safeParse(report).success).toBe(true)
})

test.each<[string, object]>([['with a state', { state: 'PAID' }], ['with an empty id', { entityId: '' }], ['at no time', { occurredAt: 'yesterday' }]])('a report is not read %s', (_, over) => {
  expect(eventRequest.safeParse({ ...report, ...over }).success).toBe(false)
})
