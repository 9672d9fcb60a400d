/** Open → run → complete: at most one effect, and none without its record (I7, I8). */
import { ApplicationFailure } from '@temporalio/activity'
import { canonical } from '../core/canonical.ts'
import { durationMs } from '../core/duration.ts'
import type { ParsedAction } from '../core/contract.ts'
import { NotDone, providerKey } from '../core/execution.ts'
import { recordable, type AuditEntry, type RecordedEvent } from '../core/ledger-row.ts'
import { refuse, type ActionResult } from '../core/outcome.ts'
import { foldEvent } from '../core/state.ts'
import type { Committed, Facts, GateStore, Lease, Unrecorded } from '../core/store.ts'
import { failures } from '../temporal/names.ts'
import type { Executor } from './binding.ts'
import { guardOf, proposed, rowOf, type GovernedProposal } from './proposal.ts'

/** Largest output an executor may return, as canonical JSON in UTF-16 units. */
export const maxOutput = 16_384

/** How long the executor may take, and how long the lease then lasts; milliseconds. */
export interface Timing {
  readonly executorMs: number
  readonly leaseMs: number
  /** `Date.now()` after which nothing may be started any more in this activity attempt. */
  readonly until: number
}

/** The grant to be used, and what was found out with it. */
export interface Granted {
  readonly approvalId: string
  readonly before: readonly AuditEntry[]
}

type Done = ActionResult | 'stale'

/** Opens the execution (consuming the grant), runs it, completes it. `stale`: nothing was written, read again. */
export async function execute(store: GateStore, proposal: GovernedProposal, facts: Facts, action: ParsedAction, executor: Executor | undefined, granted: Granted | null, timing: Timing): Promise<Done> {
  const { effect } = proposal.contract
  const approvalId = granted?.approvalId ?? null
  const approval = approvalId === null ? {} : { approvalId, causation: approvalId }
  const validated: AuditEntry[] = [
    ...(granted === null ? [proposed(proposal)] : granted.before),
    { kind: 'action_validated', message: 'action validated', data: { action: proposal.action, approval_id: approvalId, requires_approval: approvalId !== null } },
  ]
  if (effect === 'none') {
    const accepted = acceptOutput(proposal, facts, action, {})
    if (!accepted.ok) throw ApplicationFailure.nonRetryable(`${proposal.action} emits what its entity cannot take: ${accepted.why}`)
    const answer = allowed(action, accepted.output)
    const body = rowOf(proposal, facts, 'executed', [...validated, ...executed(proposal, answer, accepted.events, approvalId)], {
      ...approval, decision: allowedDecision, events: accepted.events, output: accepted.output,
    })
    return answered(await store.executePure({ body, guard: guardOf(facts), approvalId, answer }), answer)
  }
  if (executor === undefined) throw ApplicationFailure.nonRetryable(`no executor is bound for ${proposal.action}`)
  const opened = await store.openExecution({
    body: rowOf(proposal, facts, 'opened', validated, { ...approval, decision: allowedDecision }),
    guard: guardOf(facts),
    leaseMs: timing.leaseMs,
    idempotentForMs: effect === 'external' ? null : durationMs(effect.idempotentFor),
    approvalId,
  })
  if (opened.status === 'stale') return 'stale'
  if (opened.status === 'repeat') return opened.answer.outcome === 'approval_required' ? 'stale' : opened.answer
  return runAndComplete(store, proposal, facts, action, executor, opened, timing)
}

/** Takes an execution up again after its lease, with the same key, and completes it. */
export async function resume(store: GateStore, proposal: GovernedProposal, facts: Facts, action: ParsedAction, executor: Executor, timing: Timing): Promise<Done> {
  const body = rowOf(proposal, facts, 'resumed', [{ kind: 'action_resumed', message: 'action resumed with the same key', data: { action: proposal.action, idempotency_key: proposal.executionKey } }])
  const resumed = await store.resumeExecution({ body, executionKey: proposal.executionKey, leaseMs: timing.leaseMs })
  if (resumed.status !== 'committed') return 'stale'
  return runAndComplete(store, proposal, facts, action, executor, resumed, timing)
}

async function runAndComplete(store: GateStore, proposal: GovernedProposal, facts: Facts, action: ParsedAction, executor: Executor, lease: Lease, timing: Timing): Promise<Done> {
  const end = await run(executor, proposal, action, lease, timing)
  switch (end.end) {
    case 'returned':
      return completed(store, proposal, facts, action, end.output, timing)
    case 'not_done': {
      const answer = refuse('execution_failed', end.message)
      const body = rowOf(proposal, facts, 'failed', [failed(proposal, answer.message, 'failed')], { decision: answer })
      const commit = await untilCommitted(timing, () => store.completeExecution({ body, executionKey: proposal.executionKey, answer, end: { status: 'failed', token: lease.token } }))
      return commit === 'refused' ? 'stale' : answered(commit, answer)
    }
    case 'unknown': {
      // It may still end well: a late success is accepted from any attempt.
      end.late?.then((output) => completed(store, proposal, facts, action, output, { ...timing, until: Date.now() + 30_000 })).catch(() => {})
      if (proposal.contract.effect === 'external') {
        await store.markInDoubt({ body: inDoubt(proposal, facts, end.message), executionKey: proposal.executionKey, token: lease.token })
        return 'stale' // read again: the execution now is in doubt, and that is the answer
      }
      if (end.late === undefined) await store.yieldLease(proposal.executionKey, lease.token)
      throw ApplicationFailure.create({ type: failures.effectUnknown, message: `${proposal.action}: ${end.message}; trying again with the same key` })
    }
  }
}

type End =
  | { readonly end: 'returned'; readonly output: unknown }
  | { readonly end: 'not_done'; readonly message: string }
  | { readonly end: 'unknown'; readonly message: string; readonly late?: Promise<unknown> }

async function run(executor: Executor, proposal: GovernedProposal, action: ParsedAction, lease: Lease, timing: Timing): Promise<End> {
  const deadline = AbortSignal.timeout(timing.executorMs)
  const context = {
    entityId: proposal.request.entityId,
    params: action.params,
    idempotencyKey: providerKey({ executionKey: proposal.executionKey, ordinal: lease.ordinal }),
    signal: deadline,
  }
  const running = (async () => executor(context))()
  const overdue = new Promise<'overdue'>((resolve) => {
    deadline.addEventListener('abort', () => resolve('overdue'), { once: true })
  })
  try {
    const first = await Promise.race([running.then((output) => ({ output })), overdue])
    if (first !== 'overdue') return { end: 'returned', output: first.output }
    return { end: 'unknown', message: `no answer within ${timing.executorMs} ms`, late: running }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return error instanceof NotDone ? { end: 'not_done', message } : { end: 'unknown', message }
  }
}

/** Records what an executor returned. Money has moved: this is tried until the attempt's time is over. */
async function completed(store: GateStore, proposal: GovernedProposal, facts: Facts, action: ParsedAction, output: unknown, timing: Timing): Promise<Done> {
  const accepted = acceptOutput(proposal, facts, action, output)
  if (!accepted.ok) return rejected(store, proposal, facts, accepted.why, output, timing)
  const answer = allowed(action, accepted.output)
  const body = rowOf(proposal, facts, 'executed', executed(proposal, answer, accepted.events, null), { decision: allowedDecision, events: accepted.events, output: accepted.output })
  const commit = await untilCommitted(timing, () => store.completeExecution({ body, executionKey: proposal.executionKey, answer, end: { status: 'succeeded' } }))
  if (commit === 'refused') return rejected(store, proposal, facts, 'the database refused the events', output, timing)
  return answered(commit, answer)
}

/** It happened, but what came back cannot be accepted: the entity is held for a person. */
async function rejected(store: GateStore, proposal: GovernedProposal, facts: Facts, why: string, output: unknown, timing: Timing): Promise<Done> {
  const answer = refuse('outcome_unknown', `${proposal.action} was carried out, but its result cannot be accepted (${why}); a person must look`)
  const entry: AuditEntry = { kind: 'action_completion_rejected', message: 'completion rejected', data: { action: proposal.action, error: why } }
  const body = rowOf(proposal, facts, 'completion_rejected', [entry], { decision: answer, output: cappedOutput(output) })
  const commit = await untilCommitted(timing, () => store.completeExecution({ body, executionKey: proposal.executionKey, answer, end: { status: 'rejected', why } }))
  return commit === 'refused' ? 'stale' : answered(commit, answer)
}

/** What an executor returned, as it is recorded. */
function cappedOutput(output: unknown): unknown {
  const returned = recordable(output ?? null)
  const size = canonical(returned).length
  return size > maxOutput ? { too_large: size } : returned
}

async function untilCommitted(timing: Timing, commit: () => Promise<Committed>): Promise<Committed | 'refused'> {
  for (let waitMs = 200; ; waitMs = Math.min(waitMs * 2, 2_000)) {
    try {
      return await commit()
    } catch (error) {
      if (isRefusedByRule(error)) return 'refused'
      if (Date.now() + waitMs > timing.until) throw error
      await new Promise((resolve) => { setTimeout(resolve, waitMs) })
    }
  }
}

/** The registry refused the events (SQLSTATE class 23): trying again changes nothing. */
function isRefusedByRule(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('23')
}

type Accepted = { readonly ok: true; readonly output: unknown; readonly events: readonly RecordedEvent[] } | { readonly ok: false; readonly why: string }

function acceptOutput(proposal: GovernedProposal, facts: Facts, action: ParsedAction, output: unknown): Accepted {
  const accepted = action.accept(output)
  if (!accepted.ok) return { ok: false, why: accepted.message }
  const size = canonical(accepted.output, 'output').length
  if (size > maxOutput) return { ok: false, why: `output of ${size} characters, more than ${maxOutput}` }
  const events: RecordedEvent[] = []
  let { state } = facts
  for (const [index, event] of accepted.events.entries()) {
    const folded = foldEvent(proposal.contract.entity, state, event)
    if (!folded.ok) return { ok: false, why: folded.message }
    events.push({ id: `${proposal.executionKey}-${index}`, type: event.type, payload: event.payload, from: folded.from, to: folded.state.value })
    state = folded.state
  }
  return { ok: true, output: accepted.output, events }
}

/** The row by which an execution comes to be in doubt. */
export function inDoubt(proposal: GovernedProposal, facts: Facts, why: string): string {
  return rowOf(proposal, facts, 'in_doubt', [{ kind: 'action_in_doubt', message: 'outcome unknown', data: { action: proposal.action, error: why, idempotency_key: proposal.executionKey } }])
}

const allowedDecision = { outcome: 'allowed', reason: null, message: 'allowed' }

function allowed(action: ParsedAction, output: unknown): Unrecorded<ActionResult> {
  return { outcome: 'allowed', output, summary: action.describe() }
}

function executed(proposal: GovernedProposal, answer: Unrecorded<ActionResult>, events: readonly RecordedEvent[], approvalId: string | null): AuditEntry[] {
  const output = 'output' in answer ? recordable(answer.output) : null
  return [
    {
      kind: 'action_executed',
      message: 'action executed',
      data: { action: proposal.action, status: 'succeeded', executed: true, output, parameters: recordable(proposal.request.params ?? null), approval_id: approvalId, idempotency_key: proposal.executionKey, follow_up_events: events.length },
    },
    ...eventEntries(events),
  ]
}

/** KIFF's two records for each event that was folded. */
export function eventEntries(events: readonly RecordedEvent[]): AuditEntry[] {
  return events.flatMap((event): AuditEntry[] => [
    { kind: 'event_ingested', message: 'event ingested', data: { event_id: event.id, event_type: event.type } },
    { kind: 'state_changed', message: 'state changed', data: { event_id: event.id, event_type: event.type, from: event.from, to: event.to } },
  ])
}

/** KIFF's record of an action that did not happen. */
export function failed(proposal: GovernedProposal, error: string, status: 'failed' | 'skipped'): AuditEntry {
  return { kind: 'action_failed', message: status === 'failed' ? 'action execution failed' : 'action validation failed', data: { action: proposal.action, status, error: recordable(error), parameters: recordable(proposal.request.params ?? null) } }
}

function answered(commit: Committed, answer: Unrecorded<ActionResult>): Done {
  if (commit.status === 'stale') return 'stale'
  if (commit.status === 'repeat') return commit.answer.outcome === 'approval_required' ? 'stale' : commit.answer
  return { ...answer, record: commit.record }
}
