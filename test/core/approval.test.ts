import { describe, expect, test } from 'vitest'
import { judgeConsent, type ApprovalFacts, type ApprovalRequest, type ApprovalStatus, type Binding, type Consent } from '../../src/core/approval.ts'

const binding: Binding = {
  namespace: 'default', workflow_id: 'ticket-1', first_execution_run_id: 'run-1', domain: 'refunds', contract: 'c0ffee', entity_type: 'Order', entity_id: 'order-1',
  state_version: 2, action: 'REFUND_ORDER', params: { amountCents: 99_900, reason: 'late' }, actor: 'support-agent-1', on_behalf_of: 'customer-7',
}

const request: ApprovalRequest = {
  ...binding, format: 1, state: 'PAID', approval_id: 'a-1', round: 1, nonce: 'n', requested_at: '', answer_by: '', use_by: '', reviewers: 'orders.review',
  summary: 'Refund', risk: 'high', rule: 'above the limit', changed: null, claim: null,
}

const review = { jws: 'j.w.s', verdict: 'granted', reviewer: 'maria', reason: 'fine', permitted: true } as const

const granted: ApprovalFacts = {
  approvalId: 'a-1', proposalDigest: 'd', request: '', status: 'granted', closed: false, answerRemainingMs: 1_000, useRemainingMs: 2_000, review,
}

interface Judged {
  readonly approval?: Partial<ApprovalFacts>
  readonly now?: Partial<Binding>
  readonly verified?: boolean
  readonly delivered?: boolean
}

function judge({ approval = {}, now = {}, verified = true, delivered = true }: Judged = {}): Consent {
  return judgeConsent({ ...granted, ...approval }, request, { ...binding, ...now }, { verified, delivered })
}

test('a review that is recorded, signed, delivered, permitted and in time is consent', () => {
  expect(judge()).toEqual({ status: 'granted', reviewer: 'maria', reason: 'fine' })
})

test('a grant counts although the time to answer is over, as long as it may be used', () => {
  expect(judge({ approval: { answerRemainingMs: -1 } }).status).toBe('granted')
})

describe('consent is for exactly one action: each bound field, changed alone, voids it', () => {
  const changes: { readonly [Field in keyof Binding]: Binding[Field] } = {
    namespace: 'other', workflow_id: 'ticket-2', first_execution_run_id: 'run-2', domain: 'payouts', contract: 'c0ffef', entity_type: 'Invoice', entity_id: 'order-2',
    state_version: 3, action: 'CLOSE_ORDER', params: { amountCents: 99_901, reason: 'late' }, actor: 'support-agent-2', on_behalf_of: null,
  }

  test.each(Object.keys(changes) as (keyof Binding)[])('%s', (field) => {
    expect(judge({ now: { [field]: changes[field] } })).toEqual({ status: 'void', changed: expect.any(String) })
  })

  test.each(Object.keys(changes) as (keyof Binding)[])('%s, also before a person has answered', (field) => {
    expect(judge({ now: { [field]: changes[field] }, approval: { status: 'pending', review: null } }).status).toBe('void')
  })

  test('every field that a request binds is compared', () => {
    expect(Object.keys(changes).sort()).toEqual(Object.keys(binding).sort())
  })

  test.each<[string, unknown]>([
    ['a parameter of another type', { amountCents: '99900', reason: 'late' }],
    ['a parameter more', { amountCents: 99_900, reason: 'late', express: true }],
    ['a parameter less', { amountCents: 99_900 }],
  ])('%s', (_, params) => {
    expect(judge({ now: { params } }).status).toBe('void')
  })

  test('the order of parameters is no change', () => {
    expect(judge({ now: { params: { reason: 'late', amountCents: 99_900 } } }).status).toBe('granted')
  })

  test('a state that moved is told with both versions', () => {
    expect(judge({ now: { state_version: 5 } })).toEqual({ status: 'void', changed: 'Order order-1 has moved since: it was at version 2, now it is at 5' })
  })

  test('changed rules are told', () => {
    expect(judge({ now: { contract: 'other' } })).toEqual({ status: 'void', changed: 'the rules of REFUND_ORDER have changed since' })
  })
})

describe('what is missing, one thing at a time', () => {
  test('no signature that verifies: it waits', () => {
    expect(judge({ verified: false })).toEqual({ status: 'waiting' })
  })

  test('the signal has not come: it waits', () => {
    expect(judge({ delivered: false })).toEqual({ status: 'waiting' })
  })

  test('no review is recorded: it waits, whatever a signal says', () => {
    expect(judge({ approval: { review: null } })).toEqual({ status: 'waiting' })
  })

  test('the row denies while the status grants: it waits', () => {
    expect(judge({ approval: { review: { ...review, verdict: 'denied' } } })).toEqual({ status: 'waiting' })
  })

  test('pending, though a review lies there: it waits', () => {
    expect(judge({ approval: { status: 'pending' } })).toEqual({ status: 'waiting' })
  })

  test('who asks has reviewed: it waits', () => {
    expect(judge({ approval: { review: { ...review, reviewer: 'support-agent-1' } } })).toEqual({ status: 'waiting' })
  })

  test('for whom it is asked has reviewed: it waits', () => {
    expect(judge({ approval: { review: { ...review, reviewer: 'customer-7' } } })).toEqual({ status: 'waiting' })
  })

  test('the reviewer has lost the role since: void, and it says who', () => {
    expect(judge({ approval: { review: { ...review, permitted: false } } })).toEqual({ status: 'void', changed: expect.stringContaining('maria') })
  })
})

describe('time', () => {
  test.each([0, -1])('a grant not used in time has expired (%d ms left)', (useRemainingMs) => {
    expect(judge({ approval: { useRemainingMs } })).toEqual({ status: 'expired', message: 'the grant was not used in time' })
  })

  test.each([0, -1])('a request not answered in time has expired (%d ms left)', (answerRemainingMs) => {
    expect(judge({ approval: { status: 'pending', review: null, answerRemainingMs } })).toEqual({ status: 'expired', message: 'nobody answered in time' })
  })

  test('expired comes before changed: no new round after the deadline', () => {
    expect(judge({ approval: { useRemainingMs: 0 }, now: { state_version: 9 } }).status).toBe('expired')
  })
})

describe('each status', () => {
  const expected: { readonly [Status in ApprovalStatus]: Consent } = {
    pending: { status: 'waiting' },
    granted: { status: 'granted', reviewer: 'maria', reason: 'fine' },
    denied: { status: 'denied', reviewer: 'maria', reason: 'fine' },
    expired: { status: 'closed', by: 'expired' },
    revoked: { status: 'closed', by: 'revoked' },
    withdrawn: { status: 'closed', by: 'withdrawn' },
    void: { status: 'closed', by: 'void' },
    consumed: { status: 'closed', by: 'consumed' },
  }

  test.each(Object.keys(expected) as ApprovalStatus[])('%s, with everything else in order', (status) => {
    expect(judge({ approval: { status } })).toEqual(expected[status])
  })

  test('a denial needs neither signature nor delivery, nor that the action is still the same', () => {
    expect(judge({ approval: { status: 'denied', useRemainingMs: -1 }, verified: false, delivered: false, now: { state_version: 9 } }).status).toBe('denied')
  })

  test('a denial without its row stays one', () => {
    expect(judge({ approval: { status: 'denied', review: null } })).toEqual({ status: 'denied', reviewer: 'unknown', reason: '' })
  })
})
