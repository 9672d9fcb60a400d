import { describe, expect, test } from 'vitest'
import { NotCanonical } from '../../src/core/canonical.ts'
import { providerKey } from '../../src/core/execution.ts'
import { eventIdOf, executionKey, proposalDigest } from '../../src/core/keys.ts'
import type { ProposalRequest, Step } from '../../src/core/proposal.ts'

const step: Step = { namespace: 'default', workflowId: 'ticket-1', firstExecutionRunId: 'run-1', runId: 'run-1', activityId: '3' }
const subject = { domain: 'refunds', entityType: 'Order', entityId: 'order-1', action: 'REFUND_ORDER', params: { amountCents: 4200 } }
const chain: ProposalRequest['chain'] = { firstExecutionRunId: 'run-1', generation: 0, occurrence: 0 }

interface Varied {
  readonly step?: Partial<Step>
  readonly chain?: Partial<ProposalRequest['chain']>
  readonly subject?: Partial<typeof subject>
  readonly key?: string
}

function keyOf(over: Varied = {}): string {
  const digest = proposalDigest({ ...subject, ...over.subject })
  return executionKey({ ...step, ...over.step }, { chain: { ...chain, ...over.chain }, ...(over.key === undefined ? {} : { key: over.key }) }, digest)
}

describe('the execution key', () => {
  test('is the same under retry and reset: another run and activity, the same first run', () => {
    expect(keyOf({ step: { runId: 'run-after-reset', activityId: '17' } })).toBe(keyOf())
  })

  test.each<[string, Varied]>([
    ['namespace', { step: { namespace: 'other' } }],
    ['workflow', { step: { workflowId: 'ticket-2' } }],
    ['first run', { step: { firstExecutionRunId: 'run-2' } }],
    ['generation', { chain: { generation: 1 } }],
    ['occurrence', { chain: { occurrence: 1 } }],
    ['domain', { subject: { domain: 'payouts' } }],
    ['entity type', { subject: { entityType: 'Invoice' } }],
    ['entity', { subject: { entityId: 'order-2' } }],
    ['action', { subject: { action: 'CLOSE_ORDER' } }],
    ['parameters', { subject: { params: { amountCents: 4201 } } }],
  ])('is another for another %s', (_, varied) => {
    expect(keyOf(varied)).not.toBe(keyOf())
  })

  test('generation and occurrence are not interchangeable', () => {
    expect(keyOf({ chain: { generation: 1 } })).not.toBe(keyOf({ chain: { occurrence: 1 } }))
  })

  test('comes from the step the server names: what the arguments claim as first run changes nothing', () => {
    expect(keyOf({ chain: { firstExecutionRunId: 'claimed' } })).toBe(keyOf())
  })
})

describe("a caller's own key", () => {
  test('replaces generation, occurrence and the proposal', () => {
    expect(keyOf({ key: 'call-1', chain: { generation: 2, occurrence: 5 }, subject: { params: { amountCents: 1 } } })).toBe(keyOf({ key: 'call-1' }))
  })

  test('is another than none, and than another', () => {
    expect(new Set([keyOf(), keyOf({ key: 'call-1' }), keyOf({ key: 'call-2' })]).size).toBe(3)
  })

  test('counts within its run chain only', () => {
    expect(keyOf({ key: 'call-1', step: { workflowId: 'ticket-2' } })).not.toBe(keyOf({ key: 'call-1' }))
  })
})

describe('the proposal digest', () => {
  test('takes parameters by value, not by the order of their members', () => {
    expect(proposalDigest({ ...subject, params: { a: 1, b: 2 } })).toBe(proposalDigest({ ...subject, params: { b: 2, a: 1 } }))
  })

  test('has no meeting of neighbouring fields', () => {
    expect(proposalDigest({ ...subject, entityType: 'Or', entityId: 'derorder-1' })).not.toBe(proposalDigest({ ...subject, entityType: 'Order', entityId: 'order-1' }))
  })

  test('needs parameters that have a canonical form', () => {
    expect(() => proposalDigest({ ...subject, params: { amountCents: Number.NaN } })).toThrow(NotCanonical)
  })
})

describe("a reported event's id, where its reporter gave none", () => {
  const event = { chain, event: 'ORDER_PAID', entityId: 'order-1', payload: { paymentId: 'p' } }

  test('is the same for the same step, also after a reset', () => {
    expect(eventIdOf({ ...step, runId: 'run-9', activityId: '9' }, event)).toBe(eventIdOf(step, event))
  })

  test.each([
    { event: 'ORDER_PLACED' }, { entityId: 'order-2' }, { payload: { paymentId: 'q' } }, { chain: { ...chain, occurrence: 1 } }, { chain: { ...chain, generation: 1 } },
  ])('is another with %j', (over) => {
    expect(eventIdOf(step, { ...event, ...over })).not.toBe(eventIdOf(step, event))
  })

  test.each([{ namespace: 'other' }, { workflowId: 'ticket-2' }, { firstExecutionRunId: 'run-2' }])('is another in %j', (over) => {
    expect(eventIdOf({ ...step, ...over }, event)).not.toBe(eventIdOf(step, event))
  })
})

test('a provider sees a new key only after a definitive failure', () => {
  expect(providerKey({ executionKey: 'k', ordinal: 1 })).toBe('k')
  expect(providerKey({ executionKey: 'k', ordinal: 2 })).toBe('k-2')
})
