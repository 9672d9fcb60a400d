/** The two stores on a database of their own, and what a test needs to go through them as the gate and the human-facing service do. */
import { randomUUID } from 'node:crypto'
import { inject } from 'vitest'
import { createDesk } from '../../src/approvals/review.ts'
import type { ReviewOutcome } from '../../src/approvals/desk.ts'
import { createReviewSigner, generateDevReviewKey } from '../../src/approvals/signing.ts'
import type { ApprovalRequest, Verdict } from '../../src/core/approval.ts'
import type { AuditEntry, RecordedEvent } from '../../src/core/ledger-row.ts'
import { ledgerBody } from '../../src/core/ledger-row.ts'
import type { ActionResult } from '../../src/core/outcome.ts'
import { evaluate } from '../../src/core/gate.ts'
import type { ProposalRequest, Step } from '../../src/core/proposal.ts'
import type { Committed, Facts, GateAnswer, GateStore, Lease, Unrecorded } from '../../src/core/store.ts'
import { ask, type NeedsApproval } from '../../src/gate/ask.ts'
import { guardOf, rowOf, toProposal, toQuery, type GovernedProposal } from '../../src/gate/proposal.ts'
import { createGateStore } from '../../src/postgres/gate-store.ts'
import { createReviewStore, type ReviewStore } from '../../src/postgres/review-store.ts'
import { changeMembership } from '../../src/postgres/registry.ts'
import { aDatabase, type TestDatabase } from '../a-database.ts'
import { ledgers } from './a-domain.ts'

/** Who holds which role in `ledgers`; olga and otto may both review. */
const members = { 'bot-1': 'bot', 'bot-2': 'bot', olga: 'reviewer', otto: 'reviewer', shop: 'reporter' }

/** A lease's token that nobody was given. */
export const noToken = '00000000-0000-4000-8000-000000000000'

export interface TestStore {
  readonly db: TestDatabase
  readonly store: GateStore
  readonly reviews: ReviewStore
  /** An account in state OPEN, as its reporter told. */
  readonly anAccount: (entityId?: string) => Promise<string>
  readonly facts: (proposal: GovernedProposal) => Promise<Facts>
  /** Commits of the gate, each from the facts it is given or else reads. */
  readonly refuse: (proposal: GovernedProposal, facts?: Facts) => Promise<Committed>
  readonly open: (proposal: GovernedProposal, how?: { readonly facts?: Facts; readonly leaseMs?: number; readonly idempotentForMs?: number | null; readonly approvalId?: string }) => Promise<Committed<Lease>>
  /** Takes up an open execution; `executionKey`: another than the proposal's own. */
  readonly resume: (proposal: GovernedProposal, executionKey?: string) => Promise<Committed<Lease>>
  readonly doubt: (proposal: GovernedProposal, token?: string) => Promise<Committed>
  readonly pure: (proposal: GovernedProposal, how?: { readonly facts?: Facts; readonly approvalId?: string; readonly events?: readonly RecordedEvent[] }) => Promise<Committed>
  readonly complete: (proposal: GovernedProposal, end?: Parameters<GateStore['completeExecution']>[0]['end'], events?: readonly RecordedEvent[]) => Promise<Committed>
  readonly report: (event: Partial<RecordedEvent>, entityId: string, how?: { readonly facts?: Facts; readonly step?: Step; readonly actor?: string; readonly entityType?: string; readonly action?: string; readonly more?: readonly RecordedEvent[] }) => ReturnType<GateStore['reportEvent']>
  /** Asks for approval. @returns its id, or what the store answered instead */
  readonly ask: (proposal: GovernedProposal, how?: { readonly facts?: Facts; readonly round?: number; readonly voids?: string }) => Promise<GateAnswer | 'stale'>
  readonly asked: (proposal: GovernedProposal) => Promise<string>
  readonly review: (approvalId: string, verdict: Verdict, reviewer: string) => Promise<ReviewOutcome>
  readonly granted: (proposal: GovernedProposal) => Promise<string>
  /** Lets time pass for one approval, or one execution, in the database's eyes. */
  readonly later: (what: { readonly approval: string } | { readonly lease: string } | { readonly idempotence: string }) => Promise<void>
  readonly revoke: (actor: string, role: string) => Promise<boolean>
  readonly grant: (actor: string, role: string) => Promise<boolean>
  /** Read as auditor. */
  readonly look: <Row extends object>(sql: string, values?: readonly unknown[]) => Promise<Row[]>
  /** Rows in the whole ledger. */
  readonly ledgerLength: () => Promise<number>
  readonly close: () => Promise<void>
}

/** A step of a workflow run of its own. */
export function aStep(over: Partial<Step> = {}): Step {
  const runId = over.runId ?? randomUUID()
  return { namespace: 'default', workflowId: `ticket-${runId}`, firstExecutionRunId: runId, activityId: '1', ...over, runId }
}

/** The same run's next activity. */
export function nextActivity(step: Step): Step {
  return { ...step, activityId: String(Number(step.activityId) + 1) }
}

/** A gate that is configured to serve whoever asks. */
const serves = { problem: null, onBehalfOf: null, from: null, until: null, mandate: undefined }

export type Action = keyof typeof ledgers.actions

export function aProposal(entityId: string, over: { readonly action?: Action; readonly step?: Step; readonly note?: string; readonly actor?: string; readonly occurrence?: number } = {}): GovernedProposal {
  const action = over.action ?? 'CALL'
  const step = over.step ?? aStep()
  const request: ProposalRequest = {
    entityId, params: { note: over.note ?? 'hello' }, actor: over.actor ?? 'bot-1',
    chain: { firstExecutionRunId: step.firstExecutionRunId, generation: 0, occurrence: over.occurrence ?? 0 },
  }
  return toProposal(step, 'ledgers', action, ledgers.actions[action], request, serves)
}

/** The same proposal, asked again by the run's next activity. */
export function again(proposal: GovernedProposal): GovernedProposal {
  return { ...proposal, step: nextActivity(proposal.step) }
}

export function noted(proposal: GovernedProposal, over: Partial<RecordedEvent> = {}): RecordedEvent {
  return { id: `${proposal.executionKey}-0`, type: 'NOTED', payload: { note: 'hello' }, from: 'OPEN', to: 'OPEN', ...over }
}

const entry = (kind: AuditEntry['kind']): AuditEntry[] => [{ kind, message: kind.replaceAll('_', ' '), data: {} }]
const allowed: Unrecorded<ActionResult> = { outcome: 'allowed', output: {}, summary: 'done' }
export const blocked: Unrecorded<ActionResult> = { outcome: 'blocked', reason: 'state_not_allowed', message: 'no', nextStep: 'do_not_retry' }

export async function aStore(): Promise<TestStore> {
  const db = await aDatabase(inject('postgresAdminUrl'), [ledgers], members)
  const store = createGateStore(db.pool('gate'))
  const reviews = createReviewStore(db.pool('reviewer'))
  const desk = createDesk(reviews, await createReviewSigner((await generateDevReviewKey()).privateKey))
  const owner = db.pool('owner')
  const facts: TestStore['facts'] = (proposal) => store.readFacts(toQuery(proposal))
  const look: TestStore['look'] = async <Row extends object>(sql: string, values: readonly unknown[] = []) => (await db.pool('auditor').query<Row>(sql, [...values])).rows

  const report: TestStore['report'] = async (event, entityId, how = {}) => {
    const { step = aStep(), actor = 'shop', entityType = 'Account', action = null, more = [] } = how
    const id = event.id ?? randomUUID()
    const read = how.facts ?? (await store.readFacts({ step, domain: 'ledgers', entityType, entityId, actor, executionKey: id, proposalDigest: id }))
    const recorded: RecordedEvent = { id, type: 'TOUCHED', payload: {}, from: 'OPEN', to: 'OPEN', ...event }
    const body = ledgerBody({ kind: 'event', step, domain: 'ledgers', entityType, entityId, action, actor, state: read.state, events: [recorded, ...more], audit: entry('event_ingested') })
    return store.reportEvent({ body, answer: allowed, guard: guardOf(read) })
  }

  const askFor: TestStore['ask'] = async (proposal, how = {}) => {
    const read = how.facts ?? (await facts(proposal))
    const decision = evaluate(proposal.contract, { action: proposal.action, entityId: proposal.request.entityId, actor: proposal.request.actor, inspection: proposal.inspection }, { actorProven: true, state: read.state, permissions: read.permissions, declared: {} })
    if (decision.outcome !== 'approval_required') throw new Error(`nobody has to be asked: ${JSON.stringify(decision)}`)
    const needs: NeedsApproval = decision
    return ask(store, proposal, read, needs, {
      number: how.round ?? 1, changed: how.voids === undefined ? null : 'a test', before: [], link: () => null,
      ...(how.voids === undefined ? {} : { closing: { approvalId: how.voids, status: 'void' as const } }),
    })
  }
  const asked: TestStore['asked'] = async (proposal) => {
    const answer = await askFor(proposal)
    if (answer === 'stale' || answer.outcome !== 'approval_required') throw new Error(`not asked: ${JSON.stringify(answer)}`)
    return answer.approvalId
  }
  const review: TestStore['review'] = async (approvalId, verdict, reviewer) => {
    const row = await reviews.show(approvalId)
    return desk.review({ approvalId, digest: row?.digest ?? '', verdict, reviewer, reason: 'because' })
  }

  return {
    db, store, reviews, facts, look, report, asked, review,
    ask: askFor,
    async anAccount(entityId = `account-${randomUUID()}`) {
      const opened = await report({ type: 'OPENED', from: null, to: 'OPEN' }, entityId)
      if (opened.status !== 'committed') throw new Error(`not opened: ${opened.status}`)
      return entityId
    },
    async refuse(proposal, read) {
      const known = read ?? (await facts(proposal))
      return store.recordAnswer({ body: rowOf(proposal, known, 'refused', entry('action_failed'), { decision: blocked.outcome === 'allowed' ? undefined : blocked }), answer: blocked, guard: guardOf(known) })
    },
    async open(proposal, how = {}) {
      const known = how.facts ?? (await facts(proposal))
      const approval = how.approvalId === undefined ? {} : { approvalId: how.approvalId }
      return store.openExecution({
        body: rowOf(proposal, known, 'opened', entry('action_validated'), approval),
        guard: guardOf(known), leaseMs: how.leaseMs ?? 60_000, idempotentForMs: how.idempotentForMs === undefined ? null : how.idempotentForMs, approvalId: how.approvalId ?? null,
      })
    },
    async resume(proposal, executionKey = proposal.executionKey) {
      const body = rowOf(again(proposal), await facts(proposal), 'resumed', entry('action_resumed'))
      return store.resumeExecution({ body, executionKey, leaseMs: 60_000 })
    },
    async doubt(proposal, token) {
      const body = rowOf(proposal, await facts(proposal), 'in_doubt', entry('action_in_doubt'))
      return store.markInDoubt({ body, executionKey: proposal.executionKey, token: token ?? null })
    },
    async pure(proposal, how = {}) {
      const known = how.facts ?? (await facts(proposal))
      const approval = how.approvalId === undefined ? {} : { approvalId: how.approvalId }
      const body = rowOf(proposal, known, 'executed', entry('action_executed'), { ...approval, events: how.events ?? [noted(proposal)], output: {} })
      return store.executePure({ body, guard: guardOf(known), approvalId: how.approvalId ?? null, answer: allowed })
    },
    async complete(proposal, end = { status: 'succeeded' }, events = end.status === 'succeeded' ? [noted(proposal)] : []) {
      const kind = end.status === 'succeeded' ? 'executed' : end.status === 'failed' ? 'failed' : 'completion_rejected'
      const body = rowOf(proposal, await facts(proposal), kind, entry('action_executed'), { events })
      return store.completeExecution({ body, executionKey: proposal.executionKey, answer: end.status === 'succeeded' ? allowed : blocked, end })
    },
    async granted(proposal) {
      const approvalId = await asked(proposal)
      const outcome = await review(approvalId, 'granted', 'olga')
      if (outcome.outcome !== 'recorded') throw new Error(`not granted: ${outcome.reason}`)
      return approvalId
    },
    async later(what) {
      if ('approval' in what) await owner.query("update kiff.approvals set answer_by = answer_by - interval '1 year', use_by = use_by - interval '1 year' where approval_id = $1", [what.approval])
      if ('lease' in what) await owner.query("update kiff.executions set lease_until = lease_until - interval '1 year' where execution_key = $1", [what.lease])
      if ('idempotence' in what) await owner.query("update kiff.executions set idempotent_until = idempotent_until - interval '1 year' where execution_key = $1", [what.idempotence])
    },
    revoke: (actor, role) => changeMembership(owner, { kind: 'role_revoked', domain: 'ledgers', actor, role, by: 'test' }),
    grant: (actor, role) => changeMembership(owner, { kind: 'role_granted', domain: 'ledgers', actor, role, by: 'test' }),
    async ledgerLength() {
      const [row] = await look<{ rows: number }>('select count(*)::int as rows from kiff.ledger')
      return row?.rows ?? 0
    },
    close: () => db.close(),
  }
}

/** The lease of an execution just opened or resumed. @throws Error when it was not */
export function leaseOf(commit: Committed<Lease>): Lease {
  if (commit.status !== 'committed') throw new Error(`not opened: ${commit.status}`)
  return commit
}

/** The stored pre-image of an approval. */
export async function requestOf(test: TestStore, approvalId: string): Promise<ApprovalRequest> {
  const row = await test.reviews.show(approvalId)
  if (row === undefined) throw new Error('there is no such approval')
  return row.request
}
