import { describe, expect, test } from 'vitest'
import { judgeConsent, whyNotUsed, type ApprovalFacts, type ApprovalRequest, type ApprovalStatus, type Binding, type Consent, type ReviewFacts } from '../../src/core/approval.ts'

const binding: Binding = {
  namespace: 'default', workflow_id: 'ticket-1', first_execution_run_id: 'run-1', domain: 'refunds', contract: 'c0ffee', entity_type: 'Order', entity_id: 'order-1',
  state: 'PAID', state_version: 2, action: 'REFUND_ORDER', params: { amountCents: 99_900, reason: 'late' }, actor: 'support-agent-1', on_behalf_of: 'customer-7',
  facts: { refundedCents: 0 }, binds: 'version',
}

const request: ApprovalRequest = {
  ...binding, format: 1, quorum: 1, approval_id: 'a-1', round: 1, nonce: 'n', requested_at: '', answer_by: '', use_by: '', reviewers: 'orders.review',
  summary: 'Refund', risk: 'high', rule: 'above the limit', changed: null, claim: null,
}

const review = { jws: 'j.w.s', verdict: 'granted', reviewer: 'maria', reason: 'fine', permitted: true } as const

const granted: ApprovalFacts = {
  approvalId: 'a-1', proposalDigest: 'd', request: '', status: 'granted', closed: false, answerRemainingMs: 1_000, useRemainingMs: 2_000, reviews: [review],
}

interface Judged {
  readonly approval?: Partial<ApprovalFacts>
  readonly now?: Partial<Binding>
  readonly asked?: Partial<ApprovalRequest>
  /** Of the reviews recorded, those that are signed by a trusted key, and came by signal too; all of them unless told. */
  readonly genuine?: readonly ReviewFacts[]
}

function judge({ approval = {}, now = {}, asked = {}, genuine }: Judged = {}): Consent {
  const facts = { ...granted, ...approval }
  return judgeConsent(facts, { ...request, ...asked }, { ...binding, ...now }, genuine ?? facts.reviews)
}

test('a review that is recorded, signed, delivered, permitted and in time is consent', () => {
  expect(judge()).toEqual({ status: 'granted', reviewers: ['maria'] })
})

test('a grant counts although the time to answer is over, as long as it may be used', () => {
  expect(judge({ approval: { answerRemainingMs: -1 } }).status).toBe('granted')
})

describe('consent is for exactly one action: each bound field, changed alone, voids it', () => {
  const changes: { readonly [Field in keyof Binding]: Binding[Field] } = {
    namespace: 'other', workflow_id: 'ticket-2', first_execution_run_id: 'run-2', domain: 'payouts', contract: 'c0ffef', entity_type: 'Invoice', entity_id: 'order-2',
    state: 'DISPUTED', state_version: 3, action: 'CLOSE_ORDER', params: { amountCents: 99_901, reason: 'late' }, actor: 'support-agent-2', on_behalf_of: null,
    facts: { refundedCents: 1 }, binds: 'state',
  }

  test.each(Object.keys(changes) as (keyof Binding)[])('%s', (field) => {
    expect(judge({ now: { [field]: changes[field] } })).toEqual({ status: 'void', changed: expect.any(String) })
  })

  test.each(Object.keys(changes) as (keyof Binding)[])('%s, also before a person has answered', (field) => {
    expect(judge({ now: { [field]: changes[field] }, approval: { status: 'pending', reviews: [] } }).status).toBe('void')
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

  test('a state that moved is told with both states, where consent is bound to the state alone', () => {
    expect(judge({ asked: { binds: 'state' }, now: { state: 'DISPUTED', state_version: 3 } })).toEqual({ status: 'void', changed: 'Order order-1 has moved since: it was PAID, now it is DISPUTED' })
  })

  test('changed rules are told', () => {
    expect(judge({ now: { contract: 'other' } })).toEqual({ status: 'void', changed: 'the rules of REFUND_ORDER have changed since' })
  })
})

describe('what is missing, one thing at a time', () => {
  test('no review whose signature verifies and whose signal has come: it waits', () => {
    expect(judge({ genuine: [] })).toEqual({ status: 'waiting' })
  })

  test('no review is recorded: it waits, whatever a signal says', () => {
    expect(judge({ approval: { reviews: [] } })).toEqual({ status: 'waiting' })
  })

  test('the row denies while the status grants: it waits', () => {
    expect(judge({ approval: { reviews: [{ ...review, verdict: 'denied' }] } })).toEqual({ status: 'waiting' })
  })

  test('pending, though a review lies there: it waits', () => {
    expect(judge({ approval: { status: 'pending' } })).toEqual({ status: 'waiting' })
  })

  test('who asks has reviewed: it waits', () => {
    expect(judge({ approval: { reviews: [{ ...review, reviewer: 'support-agent-1' }] } })).toEqual({ status: 'waiting' })
  })

  test('for whom it is asked has reviewed: it waits', () => {
    expect(judge({ approval: { reviews: [{ ...review, reviewer: 'customer-7' }] } })).toEqual({ status: 'waiting' })
  })

  test('the reviewer has lost the role since: void, and it says who', () => {
    expect(judge({ approval: { reviews: [{ ...review, permitted: false }] } })).toEqual({ status: 'void', changed: expect.stringContaining('maria') })
  })
})

describe('what consent binds', () => {
  test('a fact that has changed voids it, and it says from what to what', () => {
    expect(judge({ now: { facts: { refundedCents: 500 } } })).toEqual({ status: 'void', changed: 'refundedCents has changed since: it was 0, now it is 500' })
  })

  test('a contract that binds the state is not voided by an event that leaves the state and the facts alone', () => {
    expect(judge({ asked: { binds: 'state' }, now: { binds: 'state', state_version: 9 } }).status).toBe('granted')
  })

  test.each<[string, Partial<Binding>]>([
    ['another state', { state: 'DISPUTED', state_version: 3 }],
    ['another fact', { facts: { refundedCents: 1 }, state_version: 3 }],
    ['a fact more', { facts: { refundedCents: 0, vendor: 'x' } }],
    ['other parameters', { params: { amountCents: 1, reason: 'late' } }],
  ])('but by %s', (_, now) => {
    expect(judge({ asked: { binds: 'state' }, now }).status).toBe('void')
  })
})

describe('a quorum of two', () => {
  const second = { ...review, reviewer: 'omar', jws: 'k.w.s' }
  const two = { quorum: 2 }

  test('two people have granted it', () => {
    expect(judge({ asked: two, approval: { reviews: [review, second] } })).toEqual({ status: 'granted', reviewers: ['maria', 'omar'] })
  })

  test.each<[string, readonly ReviewFacts[]]>([
    ['one person', [review]],
    ['one person twice', [review, { ...review, jws: 'other' }]],
    ['one person, and the one who asks', [review, { ...second, reviewer: 'support-agent-1' }]],
    ['one person, and the one it is asked for', [review, { ...second, reviewer: 'customer-7' }]],
    ['one person, and one who denied', [review, { ...second, verdict: 'denied' }]],
  ])('%s: it waits', (_, reviews) => {
    expect(judge({ asked: two, approval: { reviews } })).toEqual({ status: 'waiting' })
  })

  test('only one of the two is genuine: it waits', () => {
    expect(judge({ asked: two, approval: { reviews: [review, second] }, genuine: [second] })).toEqual({ status: 'waiting' })
  })

  test('one of the two has lost the role since: void', () => {
    expect(judge({ asked: two, approval: { reviews: [review, { ...second, permitted: false }] } })).toEqual({ status: 'void', changed: expect.stringContaining('omar') })
  })

  test('a request that asks for nobody is granted by nobody', () => {
    expect(judge({ asked: { quorum: 0 }, approval: { reviews: [] } })).toEqual({ status: 'waiting' })
  })
})

describe('time', () => {
  test.each([0, -1])('a grant not used in time has expired (%d ms left)', (useRemainingMs) => {
    expect(judge({ approval: { useRemainingMs } })).toEqual({ status: 'expired', message: 'the grant was not used in time' })
  })

  test.each([0, -1])('a request not answered in time has expired (%d ms left)', (answerRemainingMs) => {
    expect(judge({ approval: { status: 'pending', reviews: [], answerRemainingMs } })).toEqual({ status: 'expired', message: 'nobody answered in time' })
  })

  test('expired comes before changed: no new round after the deadline', () => {
    expect(judge({ approval: { useRemainingMs: 0 }, now: { state_version: 9 } }).status).toBe('expired')
  })
})

describe('each status', () => {
  const expected: { readonly [Status in ApprovalStatus]: Consent } = {
    pending: { status: 'waiting' },
    granted: { status: 'granted', reviewers: ['maria'] },
    denied: { status: 'denied', reviewer: 'unknown', reason: '' },
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
    expect(judge({ approval: { status: 'denied', useRemainingMs: -1 }, genuine: [], now: { state_version: 9 } }).status).toBe('denied')
  })

  test('a denial names who said no, and why', () => {
    expect(judge({ approval: { status: 'denied', reviews: [{ ...review, reviewer: 'omar' }, { ...review, verdict: 'denied' }] } })).toEqual({ status: 'denied', reviewer: 'maria', reason: 'fine' })
  })

  test('a denial without its row stays one', () => {
    expect(judge({ approval: { status: 'denied', reviews: [] } })).toEqual({ status: 'denied', reviewer: 'unknown', reason: '' })
  })
})

describe('a grant that was used stands for running the same again', () => {
  const why = (now: Partial<Binding> = {}, genuine: readonly ReviewFacts[] = [review], asked: Partial<ApprovalRequest> = {}): string | null => whyNotUsed({ ...request, ...asked }, { ...binding, ...now }, genuine)

  test('by whatever contract, and in whichever run chain the key comes back', () => {
    expect(why()).toBeNull()
    expect(why({ contract: 'c0ffef', namespace: 'other', workflow_id: 'ticket-2', first_execution_run_id: 'run-2' })).toBeNull()
  })

  test.each<Partial<Binding>>([
    { params: { amountCents: 1 } }, { facts: { refundedCents: 1 } }, { state_version: 3 }, { state: 'DISPUTED' }, { action: 'CLOSE_ORDER' }, { actor: 'support-agent-2' }, { on_behalf_of: null }, { entity_id: 'order-2' },
  ])('and for nothing else: %j', (now) => {
    expect(why(now)).not.toBeNull()
  })

  test.each<[string, readonly ReviewFacts[], number]>([
    ['nobody', [], 1], ['one of two', [review], 2], ['one person twice', [review, review], 2], ['whoever proposed it', [{ ...review, reviewer: 'support-agent-1' }], 1],
    ['the one for whom it was proposed', [{ ...review, reviewer: 'customer-7' }], 1], ['somebody who said no', [{ ...review, verdict: 'denied' }], 1],
  ])('not when it is signed by %s', (_, genuine, quorum) => {
    expect(why({}, genuine, { quorum })).toBe('too few have agreed to it')
  })

  test('also when whoever signed it may review no more: it was used while they might', () => {
    expect(why({}, [{ ...review, permitted: false }])).toBeNull()
  })
})
