import { describe, expect, test } from 'vitest'
import type { AuditRecord } from '../../src/core/audit-record.ts'
import { awaitingApproval, denied, dispositionOf, executed, failed, hasStage, lifecycleOf, type Lifecycle } from '../../src/core/lifecycle.ts'

type Entry = readonly [kind: string, data?: Readonly<Record<string, unknown>>]

/** The records that these commits leave behind, each a list of entries; a second apart, on one chain. */
function records(...commits: readonly (readonly Entry[])[]): readonly AuditRecord[] {
  return commits.flatMap((entries, index) => entries.map(([kind, data = {}], position) => aRecord({ kind, data, seq: index + 1, position: position + 1 })))
}

function aRecord(over: Partial<AuditRecord>): AuditRecord {
  const { seq = 1, position = 1, chain = '7' } = over
  return {
    id: `audit-${chain}-${seq}-${position}`, kind: 'decision_proposed', entity_type: 'Order', entity_id: 'order-1', actor_id: 'bot', message: '', data: {},
    trace_id: 'run-1', correlation_id: 'ticket-1', causation_id: null, created_at: `2026-01-01T00:00:${String(seq).padStart(2, '0')}.000000Z`, chain, seq, position, ...over,
  }
}

const at = (seconds: string): string => `2026-01-01T00:00:${seconds}.000000Z`
const lifecycle = (...commits: readonly (readonly Entry[])[]): Lifecycle => lifecycleOf(records(...commits))
/** What has become of each proposal, in turn. */
const dispositions = (...commits: readonly (readonly Entry[])[]): string[] => lifecycle(...commits).proposals.map(({ disposition }) => disposition)

const proposed = (key = 'k1'): Entry => ['decision_proposed', { decision_id: key, proposed_action: 'REFUND' }]
const validated = (approval: string | null = null): Entry => ['action_validated', { action: 'REFUND', approval_id: approval }]
const done = (key = 'k1', approval: string | null = null): Entry => ['action_executed', { action: 'REFUND', status: 'succeeded', idempotency_key: key, approval_id: approval }]
const notDone = (key = 'k1'): Entry => ['action_failed', { action: 'REFUND', status: 'failed', error: 'declined', idempotency_key: key }]
const skipped = (key = 'k1'): Entry => ['action_failed', { action: 'REFUND', status: 'skipped', error: 'no', idempotency_key: key }]
const inDoubt = (key = 'k1'): Entry => ['action_in_doubt', { action: 'REFUND', error: 'lost', idempotency_key: key }]
const asked = (approval = 'a1'): readonly Entry[] => [['approval_required', { action: 'REFUND', approval_id: approval, error: 'above the limit' }], ['approval_recorded', { approval_id: approval, action: 'REFUND', status: 'pending', reason: 'above the limit' }]]
const about = (kind: string, approval = 'a1', reviewer = 'maria'): Entry => [kind, { approval_id: approval, action: 'REFUND', reviewed_by: reviewer, reason: 'because' }]
const twoMustAgree: readonly Entry[] = [proposed(), ['approval_required', { approval_id: 'a1', quorum: 2 }], ['approval_recorded', { approval_id: 'a1', status: 'pending', quorum: 2 }]]
const held = [proposed(), ...asked()]

describe('what has become of a proposal', () => {
  test.each<readonly [string, readonly (readonly Entry[])[], string]>([
    ['executed at once', [[proposed(), validated()], [done()]], 'executed'],
    ['begun, and not heard of since', [[proposed(), validated()]], 'executing'],
    ['refused', [[proposed(), skipped()]], 'refused'],
    ['refused, then executed when it came again', [[proposed(), skipped()], [proposed(), validated()], [done()]], 'executed'],
    ['begun, and nothing was done', [[proposed(), validated()], [notDone()]], 'failed'],
    ['failed, then executed when it was tried again', [[proposed(), validated()], [notDone()], [proposed(), validated()], [done()]], 'executed'],
    ['failed, and refused when it came again', [[proposed(), validated()], [notDone()], [proposed(), skipped()]], 'refused'],
    ['validated and refused in one commit', [[proposed(), validated(), skipped()]], 'refused'],
    ['held', [held], 'awaiting_approval'],
    ['held, while a review was rejected', [held, [about('approval_review_rejected')]], 'awaiting_approval'],
    ['granted, and not yet used', [held, [about('approval_granted')]], 'granted'],
    ['granted and executed', [held, [about('approval_granted')], [validated('a1')], [done('k1', 'a1')]], 'executed'],
    ['denied', [held, [about('approval_denied')]], 'denied'],
    ['denied, and the workflow told', [held, [about('approval_denied')], [skipped()]], 'denied'],
    ['denied, and its workflow ended', [held, [about('approval_denied')], [about('approval_withdrawn')]], 'denied'],
    ['expired, in the commit that tells the workflow', [held, [about('approval_expired'), skipped()]], 'expired'],
    ['granted, and expired before it was used', [held, [about('approval_granted')], [about('approval_expired')], [skipped()]], 'expired'],
    ['withdrawn', [held, [about('approval_withdrawn')]], 'withdrawn'],
    ['withdrawn, and asked again', [held, [about('approval_withdrawn')], [['decision_proposed', { decision_id: 'k1' }], ...asked('a2')]], 'awaiting_approval'],
    ['granted and revoked', [held, [about('approval_granted')], [about('approval_revoked')], [skipped()]], 'revoked'],
    ['revoked, and its workflow ended', [held, [about('approval_granted')], [about('approval_revoked')], [about('approval_withdrawn')]], 'revoked'],
    ['granted by one of two', [twoMustAgree, [about('approval_granted')]], 'awaiting_approval'],
    ['granted twice by the same of two', [twoMustAgree, [about('approval_granted')], [about('approval_granted')]], 'awaiting_approval'],
    ['granted by both of two', [twoMustAgree, [about('approval_granted')], [about('approval_granted', 'a1', 'rita')]], 'granted'],
    ['granted by one of two, and by the other in a later round', [twoMustAgree, [about('approval_granted')], [about('approval_void'), ['approval_recorded', { approval_id: 'a2', quorum: 2 }]], [about('approval_granted', 'a2', 'rita')]], 'awaiting_approval'],
    ['granted by one, denied by the other of two', [twoMustAgree, [about('approval_granted')], [about('approval_denied', 'a1', 'rita')]], 'denied'],
    ['granted, gone stale, and asked again', [held, [about('approval_granted')], [about('approval_void'), ...asked('a2')]], 'awaiting_approval'],
    ['gone stale, and refused', [held, [about('approval_void'), skipped()]], 'refused'],
    ['in doubt', [[proposed(), validated()], [inDoubt()]], 'in_doubt'],
    ['in doubt, and refused when it came again', [[proposed(), validated()], [inDoubt()], [skipped()]], 'in_doubt'],
    ['in doubt, while a person is asked what happened', [[proposed(), validated()], [inDoubt()], [['approval_recorded', { approval_id: 'a9', idempotency_key: 'k1' }]]], 'in_doubt'],
    ['in doubt, and then heard of', [[proposed(), validated()], [inDoubt()], [done()]], 'executed'],
    ['in doubt, and it had not happened', [[proposed(), validated()], [inDoubt()], [notDone()]], 'failed'],
    ['taken up again', [[proposed(), validated()], [['action_resumed', { idempotency_key: 'k1' }]], [done()]], 'executed'],
    ['happened, with a result that cannot be accepted', [[proposed(), validated()], [['action_completion_rejected', { action: 'REFUND', error: 'no id', idempotency_key: 'k1' }]], [skipped()]], 'completion_rejected'],
    ['asked for once more after it was executed', [[proposed(), validated()], [done()], [['action_deduplicated', { action: 'REFUND', idempotency_key: 'k1' }]]], 'executed'],
    ['its key used for another proposal after it was executed', [[proposed(), validated()], [done()], [proposed(), skipped()]], 'executed'],
    ['executed, whatever is said of it later', [held, [about('approval_granted')], [validated('a1')], [done()], [inDoubt()], [notDone()], [about('approval_expired')]], 'executed'],
    ['begun, and its round closed late', [held, [about('approval_granted')], [validated('a1')], [about('approval_expired')]], 'executing'],
    ['happened without an acceptable result, while a person is asked about it', [[proposed(), validated()], [['action_completion_rejected', { idempotency_key: 'k1' }]], [['approval_recorded', { approval_id: 'a9', idempotency_key: 'k1' }]]], 'completion_rejected'],
    ['its key used for another proposal while it runs', [[proposed(), validated()], [proposed(), skipped()]], 'executing'],
    ['its key used for another proposal while it is held', [held, [skipped()]], 'awaiting_approval'],
  ])('%s', (_, commits, disposition) => {
    expect(dispositions(...commits)).toEqual([disposition])
  })

  test('a failed effect never reads as executed, whatever the kind of its entry says', () => {
    const odd = lifecycle([proposed(), validated()], [['action_executed', { action: 'REFUND', status: 'failed', idempotency_key: 'k1' }]])
    expect(executed(odd)).toEqual([])
    expect(failed(odd)).toHaveLength(1)
    expect(executed(lifecycle([proposed(), ['action_executed', { idempotency_key: 'k1' }]]))).toEqual([])
  })

  test('what is recorded after it was held does not end the wait', () => {
    expect(awaitingApproval(lifecycle(held))).toMatchObject([{ executionKey: 'k1', action: 'REFUND', actor: 'bot', approvalIds: ['a1'], reason: 'above the limit', correlationId: 'ticket-1' }])
  })

  test('a kind that nobody knows moves nothing', () => {
    expect(dispositions(held, [['toString', { approval_id: 'a1' }], ['action_teleported', { approval_id: 'a1' }]])).toEqual(['awaiting_approval'])
  })
})

describe('each proposal has a line of its own', () => {
  test('one that is held stays held while another is executed', () => {
    const both = lifecycle(held, [proposed('k2'), validated()], [done('k2')], [about('approval_review_rejected')])
    expect(both.proposals.map(({ executionKey, disposition }) => [executionKey, disposition])).toEqual([['k1', 'awaiting_approval'], ['k2', 'executed']])
    expect(executed(both)).toHaveLength(1)
    expect(awaitingApproval(both)).toHaveLength(1)
    expect([dispositionOf(both, 'k1'), dispositionOf(both, 'k2'), dispositionOf(both, 'k3')]).toEqual(['awaiting_approval', 'executed', null])
  })

  test('without a key, it is the one heard of last that counts', () => {
    expect(dispositionOf(lifecycle(held, [proposed('k2'), validated()], [about('approval_denied')]))).toBe('denied')
    expect(dispositionOf(lifecycle([['event_ingested', { event_type: 'ORDER_PAID' }]]))).toBeNull()
  })

  test('reviews are tied by the approval that was asked for, over every round', () => {
    const asking = lifecycle(held, [proposed('k2'), ...asked('b1')], [about('approval_void'), ...asked('a2')], [about('approval_denied', 'a2')])
    expect(asking.proposals).toMatchObject([
      { executionKey: 'k1', disposition: 'denied', approvalIds: ['a1', 'a2'], reviewedBy: ['maria'], reason: 'because' },
      { executionKey: 'k2', disposition: 'awaiting_approval', approvalIds: ['b1'], reviewedBy: [] },
    ])
    expect(lifecycle(twoMustAgree, [about('approval_granted')], [about('approval_granted', 'a1', 'rita')], [validated('a1')], [done('k1', 'a1')]).proposals).toMatchObject([{ disposition: 'executed', reviewedBy: ['maria', 'rita'], reason: null }])
    expect(denied(asking).map(({ executionKey }) => executionKey)).toEqual(['k1'])
  })

  test('an approval belongs to the proposal it was first asked for, whoever names it later', () => {
    expect(dispositions(held, [proposed('k2'), validated('a1')], [about('approval_denied')])).toEqual(['denied', 'executing'])
  })

  test('what no key ties to a proposal is counted to none, though its trace and its cause say so', () => {
    const [first] = records(held)
    const foreign = aRecord({ kind: 'action_failed', data: { action: 'REFUND', status: 'failed' }, seq: 2, causation_id: 'refunds/Order/order-1#1' })
    const another = aRecord({ kind: 'action_failed', data: { action: 'PAY', status: 'skipped' }, seq: 3 })
    expect(lifecycleOf([foreign, another]).proposals.map(({ action }) => action)).toEqual(['REFUND', 'PAY'])
    expect(lifecycleOf([...records(held), foreign]).proposals).toMatchObject([{ executionKey: 'k1', disposition: 'awaiting_approval' }, { executionKey: null, disposition: 'failed', correlationId: first?.correlation_id }])
  })
})

describe('stages', () => {
  const told = lifecycle(
    [['event_ingested', { event_type: 'ORDER_PAID' }], ['state_changed', { event_type: 'ORDER_PAID', from: null, to: 'PAID' }]],
    [proposed(), validated()],
    [done(), ['event_ingested', { event_type: 'ORDER_REFUNDED' }], ['state_changed', { event_type: 'ORDER_REFUNDED', from: 'PAID', to: 'REFUNDED' }]],
  )

  test('are in order, each with its proposal; a reported event has none', () => {
    expect(told.stages.map(({ kind, executionKey }) => [kind, executionKey])).toEqual([
      ['event_ingested', null], ['state_changed', null],
      ['decision_proposed', 'k1'], ['action_validated', 'k1'],
      ['action_executed', 'k1'], ['event_ingested', 'k1'], ['state_changed', 'k1'],
    ])
    expect(told.stages[2]).toEqual({ kind: 'decision_proposed', at: '2026-01-01T00:00:02.000000Z', actor: 'bot', message: '', action: 'REFUND', correlationId: 'ticket-1', data: { decision_id: 'k1', proposed_action: 'REFUND' }, executionKey: 'k1' })
    expect([hasStage(told, 'state_changed'), hasStage(told, 'action_failed')]).toEqual([true, false])
  })

  test('end in the current state, and events alone make no proposal', () => {
    expect(told).toMatchObject({ entityId: 'order-1', entityType: 'Order', currentState: 'REFUNDED' })
    expect(told.proposals).toHaveLength(1)
    expect(lifecycle([proposed(), skipped()]).currentState).toBeNull()
  })

  test('keep the order of their chain where the clock went back, and come by time from several chains', () => {
    const mixed = [
      aRecord({ seq: 3, kind: 'c', created_at: at('02') }),
      aRecord({ seq: 2, kind: 'b', created_at: at('05') }),
      aRecord({ chain: '9', seq: 9, kind: 'a', created_at: at('01') }),
      aRecord({ seq: 10, kind: 'd', created_at: at('06'), position: 2 }),
      aRecord({ seq: 10, kind: 'e', created_at: at('06'), position: 10 }),
    ]
    expect(lifecycleOf(mixed).stages.map(({ kind }) => kind)).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(lifecycleOf(mixed.toReversed()).stages.map(({ kind }) => kind)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('are of one entity', () => {
    expect(() => lifecycleOf([])).toThrow('a lifecycle needs records of an entity')
    expect(() => lifecycleOf([aRecord({}), aRecord({ entity_id: 'order-2' })])).toThrow('the records are of more than one entity')
    expect(() => lifecycleOf([aRecord({}), aRecord({ entity_type: 'Parcel' })])).toThrow('the records are of more than one entity')
  })
})
