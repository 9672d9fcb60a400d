import { describe, expect, test } from 'vitest'
import { NotCanonical } from '../../src/core/canonical.ts'
import { providerKey } from '../../src/core/execution.ts'
import { eventIdOf, executionKey, proposalDigest } from '../../src/core/keys.ts'
import type { Parent, ProposalRequest, Step } from '../../src/core/proposal.ts'

const step: Step = { namespace: 'default', workflowId: 'ticket-1', firstExecutionRunId: 'run-1', runId: 'run-1', activityId: '3' }
const subject = { domain: 'refunds', entityType: 'Order', entityId: 'order-1', action: 'REFUND_ORDER', params: { amountCents: 4200 } }
const chain: ProposalRequest['chain'] = { firstExecutionRunId: 'run-1', generation: 0, occurrence: 0 }

interface Varied {
  readonly step?: Partial<Step>
  readonly chain?: Partial<ProposalRequest['chain']>
  readonly subject?: Partial<typeof subject>
  readonly key?: string
  readonly callerKey?: string
  readonly actor?: string
}

function keyOf({ subject: its, key, callerKey, actor = 'bot', ...over }: Varied = {}): string {
  const { domain, action, ...rest } = { ...subject, ...its }
  const digest = proposalDigest({ domain, action, ...rest })
  const own = { ...(key === undefined ? {} : { key }), ...(callerKey === undefined ? {} : { callerKey }) }
  return executionKey({ ...step, ...over.step }, { actor, chain: { ...chain, ...over.chain }, ...own }, { domain, action, digest })
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

describe("an API caller's key", () => {
  test('replaces the run chain as well: any workflow, any parameters', () => {
    const elsewhere = { step: { workflowId: 'ticket-2', firstExecutionRunId: 'run-2', runId: 'run-3' }, chain: { generation: 1, occurrence: 2 } }
    expect(keyOf({ callerKey: 'order-77', subject: { entityId: 'order-2', params: { amountCents: 1 } }, ...elsewhere })).toBe(keyOf({ callerKey: 'order-77' }))
  })

  test.each<[string, Varied]>([
    ['namespace', { step: { namespace: 'other' } }],
    ['domain', { subject: { domain: 'payouts' } }],
    ['action', { subject: { action: 'CLOSE_ORDER' } }],
    ['actor', { actor: 'another-bot' }],
    ['key', { callerKey: 'order-78' }],
  ])('is another for another %s', (_, varied) => {
    expect(keyOf({ callerKey: 'order-77', ...varied })).not.toBe(keyOf({ callerKey: 'order-77' }))
  })

  test('is never that of a key within a workflow', () => {
    expect(keyOf({ callerKey: 'k' })).not.toBe(keyOf({ key: 'k' }))
  })
})

const childOf = (...parents: Parent[]): Varied => ({ chain: { parents } })

describe('in a child workflow', () => {
  const parent: Parent = { workflowId: 'batch-1', firstExecutionRunId: 'run-of-batch', generation: 0, child: 'a'.repeat(64), occurrence: 0 }
  const startedAnew: Varied = { ...childOf(parent), step: { workflowId: 'child-8', firstExecutionRunId: 'run-8', runId: 'run-8' } }

  test('the key is the same when its parent was reset, and has started it anew', () => {
    expect(keyOf(startedAnew)).toBe(keyOf(childOf(parent)))
    expect(keyOf({ ...startedAnew, key: 'call-1' })).toBe(keyOf({ ...childOf(parent), key: 'call-1' }))
  })

  test('so is the id of an event it reports', () => {
    const event = { event: 'ORDER_PAID', entityId: 'order-1', payload: {} }
    expect(eventIdOf({ ...step, ...startedAnew.step }, { ...event, chain: { ...chain, ...startedAnew.chain } })).toBe(eventIdOf(step, { ...event, chain: { ...chain, parents: [parent] } }))
  })

  test.each<[string, Partial<Parent>]>([
    ['parent', { workflowId: 'batch-2' }],
    ['run chain of the parent', { firstExecutionRunId: 'another' }],
    ['continue-as-new of the parent', { generation: 1 }],
    ['child', { child: 'b'.repeat(64) }],
    ['equal child', { occurrence: 1 }],
  ])('the key is another for another %s', (_, varied) => {
    expect(keyOf(childOf({ ...parent, ...varied }))).not.toBe(keyOf(childOf(parent)))
  })

  test('a grandchild counts from the outermost parent: that the one between was started anew changes nothing', () => {
    const between: Parent = { ...parent, workflowId: 'child-1', firstExecutionRunId: 'run-1' }
    expect(keyOf(childOf(parent, { ...between, workflowId: 'child-8', firstExecutionRunId: 'run-8' }))).toBe(keyOf(childOf(parent, between)))
    expect(keyOf(childOf(parent, between))).not.toBe(keyOf(childOf(parent)))
  })

  test('without parents it has a run chain of its own', () => {
    expect(keyOf(childOf(parent))).not.toBe(keyOf())
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
