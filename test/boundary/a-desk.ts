/** A desk in memory, at the inbox's port, and requests as an agent would cause them. */
import { createHash } from 'node:crypto'
import type { ApprovalRequest, ApprovalRow, Desk, InDoubt, InDoubtRow, ReconciliationRequest, ReviewOutcome } from '../../src/approvals/desk.ts'
import { canonical } from '../../src/core/canonical.ts'

export function aRequest(over: Partial<ApprovalRequest> = {}): ApprovalRequest {
  return {
    format: 1,
    namespace: 'default',
    workflow_id: 'ticket-2',
    first_execution_run_id: '0199f2c4-1111-7000-8000-000000000001',
    domain: 'refunds',
    contract: '5b1f7c0a'.repeat(8),
    entity_type: 'Order',
    entity_id: 'order-2',
    state: 'PAID',
    state_version: 2,
    action: 'REFUND_ORDER',
    params: { amountCents: 99_900, reason: 'arrived three weeks late' },
    actor: 'support-agent-1',
    on_behalf_of: null,
    facts: {},
    binds: 'version',
    quorum: 1,
    approval_id: 'approval-2',
    round: 1,
    nonce: 'c2VjcmV0',
    requested_at: '2025-11-21T10:00:00.000Z',
    answer_by: '2025-11-24T10:00:00.000Z',
    use_by: '2025-11-24T11:00:00.000Z',
    reviewers: 'orders.review',
    summary: 'Refund €999.00 on order-2',
    risk: 'high',
    rule: 'above the autonomous limit',
    changed: null,
    claim: {
      why: 'The parcel arrived three weeks late and the customer sent photographs.',
      evidence: ['ticket 4711', 'carrier scan of 14 November'],
      confidence: 0.87,
    },
    ...over,
  }
}

export const anInDoubt: InDoubt = {
  execution_key: '9'.repeat(64),
  ordinal: 1,
  waiting: false,
  domain: 'refunds',
  entity_type: 'Order',
  entity_id: 'order-9',
  action: 'REFUND_ORDER',
  workflow_id: 'ticket-9',
  since: '2025-11-21T09:30:00.000Z',
  status: 'in_doubt',
}

export function aReconciliationRequest(over: Partial<ReconciliationRequest> = {}): ReconciliationRequest {
  return {
    format: 1, namespace: 'default', workflow_id: 'ticket-9', first_execution_run_id: '0199f2c4-1111-7000-8000-000000000009', domain: 'refunds', contract: '5b1f7c0a'.repeat(8),
    entity_type: 'Order', entity_id: 'order-9', state: { value: 'PAID', version: 2 }, action: 'REFUND_ORDER', params: { amountCents: 99_900, reason: 'late' }, facts: {},
    actor: 'support-agent-1', on_behalf_of: null, execution_key: '9'.repeat(64), ordinal: 1, opened: 'refunds/Order/order-9#3', opened_at: '2025-11-21T09:29:00.000Z',
    doubt: 'in_doubt', why: 'no answer within 60000 ms', since: '2025-11-21T09:30:00.000Z', returned: null, reconcilers: 'orders.review', summary: null,
    ...over,
  }
}

export interface TestDesk extends Desk {
  readonly putInDoubt: (request: ReconciliationRequest, over?: Partial<InDoubtRow>) => InDoubtRow
  /** Every answer that reached the desk, also the refused ones. */
  readonly reconciled: Parameters<Desk['reconcile']>[0][]
  readonly put: (request: ApprovalRequest, over?: Partial<ApprovalRow>) => ApprovalRow
  /** Every review that reached the desk, also the refused ones. */
  readonly asked: Parameters<Desk['review']>[0][]
  /** Every revocation that reached the desk. */
  readonly revoked: Parameters<Desk['revoke']>[0][]
  /** Makes every call throw, as when the database is away. */
  failing: boolean
  inDoubtNow: readonly InDoubt[]
}

export function createTestDesk(): TestDesk {
  const rows = new Map<string, ApprovalRow>()
  const doubts = new Map<string, InDoubtRow>()
  const reconciled: TestDesk['reconciled'] = []
  const asked: TestDesk['asked'] = []
  const revoked: TestDesk['revoked'] = []
  const list = (pending: boolean) => [...rows.values()].filter((row) => (row.status === 'pending') === pending)
  const answer = <T>(value: T): Promise<T> => (desk.failing ? Promise.reject(new Error('the database is away')) : Promise.resolve(value))

  function record(review: TestDesk['asked'][number]): ReviewOutcome {
    const row = rows.get(review.approvalId)
    if (row === undefined) return { outcome: 'refused', reason: 'not_found', message: 'no such approval' }
    if (row.status !== 'pending') return { outcome: 'refused', reason: 'already_reviewed', message: 'Someone has already answered.' }
    if (row.request.actor === review.reviewer) return { outcome: 'refused', reason: 'self_review', message: 'Nobody reviews what they asked for.' }
    const { verdict, reviewer, reason } = review
    const reviews = [...row.reviews, { verdict, reviewer, reason, at: '2025-11-21T12:13:00.000Z' }]
    const status = verdict === 'denied' || reviews.length >= row.request.quorum ? verdict : row.status
    rows.set(review.approvalId, { ...row, status, reviews })
    return { outcome: 'recorded', verdict }
  }

  const desk: TestDesk = {
    asked, revoked, reconciled,
    putInDoubt(request, over = {}) {
      const digest = createHash('sha256').update(canonical(request)).digest('hex')
      const row: InDoubtRow = { request, digest, status: request.doubt, waiting: false, rejected: null, contradicted: false, reconciliations: [], ...over }
      doubts.set(`${request.execution_key}/${request.ordinal}`, row)
      return row
    },
    showInDoubt: (key, ordinal) => answer(doubts.get(`${key}/${ordinal}`)),
    async reconcile(reconciliation) {
      reconciled.push(reconciliation)
      await answer(null)
      const { executionKey, ordinal, verdict, reviewer, reason } = reconciliation
      const row = doubts.get(`${executionKey}/${ordinal}`)
      if (row === undefined) return { outcome: 'refused', reason: 'not_found', message: 'no such execution' }
      if (row.request.actor === reviewer) return { outcome: 'refused', reason: 'self_review', message: 'Nobody says what became of their own.' }
      const output = reconciliation.verdict === 'happened' ? reconciliation.output : null
      doubts.set(`${executionKey}/${ordinal}`, { ...row, waiting: true, reconciliations: [...row.reconciliations, { round: 1, verdict, output, reviewer, reason, at: '2025-11-21T12:13:00.000Z' }] })
      return { outcome: 'recorded', verdict }
    },
    failing: false,
    inDoubtNow: [],
    put(request, over = {}) {
      const digest = createHash('sha256').update(canonical(request)).digest('hex')
      const row: ApprovalRow = { request, digest, status: 'pending', reviews: [], revoked: null, ...over }
      rows.set(request.approval_id, row)
      return row
    },
    pending: () => answer(list(true)),
    recent: (limit) => answer(list(false).slice(0, limit)),
    show: (approvalId) => answer(rows.get(approvalId)),
    inDoubt: () => answer(desk.inDoubtNow),
    async review(review) {
      asked.push(review)
      await answer(null)
      return record(review)
    },
    async revoke(revocation) {
      revoked.push(revocation)
      await answer(null)
      const row = rows.get(revocation.approvalId)
      if (row?.request.actor === revocation.reviewer) return { outcome: 'refused', reason: 'self_review', message: 'Nobody revokes what they asked for.' }
      if (row?.status !== 'granted') return { outcome: 'refused', reason: 'closed', message: 'It is no grant that waits.' }
      rows.set(revocation.approvalId, { ...row, status: 'revoked', revoked: { reviewer: revocation.reviewer, reason: revocation.reason, at: '2025-11-21T12:14:00.000Z' } })
      return { outcome: 'revoked' }
    },
  }
  return desk
}
