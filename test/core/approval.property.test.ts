import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judgeConsent, type ApprovalFacts, type ApprovalRequest, type Binding, type ReviewFacts } from '../../src/core/approval.ts'
import { canonical, type Json } from '../../src/core/canonical.ts'
import { digestOf } from '../../src/core/digest.ts'
import { json, text } from './json.ts'

const facts = fc.dictionary(fc.constantFrom('refundedCents', 'vendor', 'limit'), json)

const binding: fc.Arbitrary<Binding> = fc.record({
  namespace: text, workflow_id: text, first_execution_run_id: text, domain: text, contract: text, entity_type: text, entity_id: text,
  state: fc.option(text), state_version: fc.nat(), action: text, params: json, actor: text, on_behalf_of: fc.option(text), facts, binds: fc.constantFrom('version', 'state'),
})

const rest = fc.record({
  format: fc.constant(1 as const), approval_id: fc.uuid(), round: fc.integer({ min: 1, max: 3 }), nonce: text, requested_at: text, answer_by: text, use_by: text,
  reviewers: text, quorum: fc.integer({ min: 1, max: 5 }), summary: text, risk: text, rule: text, changed: fc.option(text), claim: fc.constant(null),
})

/** What is asked, and what would be done now: the same. */
const asked: fc.Arbitrary<{ readonly request: ApprovalRequest; readonly now: Binding }> = fc.tuple(binding, rest).map(([now, others]) => ({ now, request: { ...others, ...now } }))

/** Another value of the same kind. */
function otherThan(field: string, value: unknown): fc.Arbitrary<unknown> {
  const kind: fc.Arbitrary<unknown> = field === 'facts' ? facts : typeof value === 'string' || value === null ? fc.oneof(text, fc.constant(null)) : typeof value === 'number' ? fc.nat() : json
  return kind.filter((other) => canonical(other) !== canonical(value))
}

const changedIn = <T extends object>(of: T): fc.Arbitrary<{ readonly field: string; readonly changed: T }> =>
  fc.constantFrom(...Object.keys(of)).chain((field) => otherThan(field, Reflect.get(of, field)).map((value) => ({ field, changed: { ...of, [field]: value } })))

const review = (reviewer: string): ReviewFacts => ({ jws: `signed by ${reviewer}`, verdict: 'granted', reviewer, reason: 'fine', permitted: true })

function granted(quorum: number): ApprovalFacts {
  return { approvalId: 'a', proposalDigest: 'd', request: '', status: 'granted', closed: false, answerRemainingMs: 1_000, useRemainingMs: 2_000, reviews: Array.from({ length: quorum }, (_, index) => review(`person ${index}`)) }
}

describe('consent to exactly one action', () => {
  test('whatever one field is changed to, the digest that was signed is another', () => {
    fc.assert(fc.property(asked.chain(({ request }) => fc.tuple(fc.constant(request), changedIn(request))), ([request, { changed }]) => {
      expect(digestOf(changed)).not.toBe(digestOf(request))
    }))
  })

  test('it is consent where everything is as it was asked', () => {
    fc.assert(fc.property(asked, ({ request, now }) => {
      const approval = granted(request.quorum)
      const others = approval.reviews.filter(({ reviewer }) => reviewer !== now.actor && reviewer !== now.on_behalf_of)
      expect(judgeConsent(approval, request, now, others).status).toBe(others.length >= request.quorum ? 'granted' : 'waiting')
    }))
  })

  test('whatever one bound field is by now, it is none; but for the version, where it binds to the state', () => {
    fc.assert(fc.property(asked.chain(({ request, now }) => fc.tuple(fc.constant(request), changedIn(now))), ([request, { field, changed }]) => {
      const { status } = judgeConsent(granted(request.quorum), request, changed, granted(request.quorum).reviews)
      expect(status).toBe(field === 'state_version' && request.binds === 'state' ? 'granted' : 'void')
    }))
  })

  test('fewer people than asked for are never enough, nor is whoever asks, or is acted for', () => {
    fc.assert(fc.property(asked, fc.nat({ max: 4 }), ({ request, now }, missing) => {
      const few = granted(Math.max(0, request.quorum - 1 - missing)).reviews
      const own = [now.actor, ...(now.on_behalf_of === null ? [] : [now.on_behalf_of])].map(review)
      expect(judgeConsent(granted(request.quorum), request, now, [...few.filter(({ reviewer }) => reviewer !== now.actor), ...own]).status).toBe('waiting')
    }))
  })

  test('a denial is a denial, and what is over is over, whatever else there is', () => {
    fc.assert(fc.property(asked, fc.constantFrom('denied' as const, 'expired' as const, 'revoked' as const, 'withdrawn' as const, 'void' as const, 'consumed' as const), ({ request, now }, status) => {
      expect(judgeConsent({ ...granted(request.quorum), status }, request, now, granted(request.quorum).reviews).status).toBe(status === 'denied' ? 'denied' : 'closed')
    }))
  })
})

const deep = (value: Json): Json => ({ lines: [{ payee: 'p', cents: 1 }, { payee: 'q', more: [value] }] })

test('a change deep in the parameters is another digest', () => {
  fc.assert(fc.property(json, json, (a, b) => {
    fc.pre(canonical(a) !== canonical(b))
    expect(digestOf(deep(a))).not.toBe(digestOf(deep(b)))
  }))
})
