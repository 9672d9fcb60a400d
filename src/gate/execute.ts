/** Open → run → complete: at most one effect, and none without its record (I7, I8). */
import { ApplicationFailure } from '@temporalio/activity'
import { canonical } from '../core/canonical.ts'
import { durationMs } from '../core/duration.ts'
import type { ActionOnFacts } from '../core/contract.ts'
import { maxOutput, NotDone, providerKey } from '../core/execution.ts'
import { recordable, type AuditEntry } from '../core/ledger-row.ts'
import { refuse, type ActionResult, type RecordRef } from '../core/outcome.ts'
import type { Committed, Facts, GateStore, Lease, Unrecorded } from '../core/store.ts'
import { inShort, wordsOfThrown } from '../core/thrown.ts'
import { failures } from '../temporal/names.ts'
import { acceptOutput, type Accepted } from './accept-output.ts'
import type { Executor } from './binding.ts'
import { executed, failed, proposed } from './audit-entries.ts'
import { guardOf, rowOf, type GovernedProposal } from './proposal.ts'

/** How long the executor may take, and how long the lease then lasts; milliseconds. */
export interface Timing {
  readonly executorMs: number
  readonly leaseMs: number
  /** `Date.now()` after which nothing may be started any more in this activity attempt. */
  readonly until: number
}

/** The same, shortened so that its lease is over by then; `null` when that leaves no time for the executor. */
export function overWithin(timing: Timing, ms: number): Timing | null {
  const over = Math.max(0, timing.leaseMs - ms)
  const executorMs = Math.floor(timing.executorMs - over)
  return executorMs < 1 ? null : { ...timing, executorMs, leaseMs: timing.leaseMs - over }
}

/** The round of approval before it: its grant is used, or nobody has to answer it any more; and what was found out with it. */
export interface RoundBefore {
  readonly approvalId: string
  readonly is: 'used' | 'void'
  readonly before: readonly AuditEntry[]
}

type Done = ActionResult | 'stale'

/** One execution on its way: what is proposed, what was read, and the grant that is used for it. */
interface Attempt {
  readonly store: GateStore
  readonly proposal: GovernedProposal
  readonly facts: Facts
  readonly action: ActionOnFacts
  readonly timing: Timing
  readonly approvalId: string | null
  readonly voids: string | null
}

/** An attempt that holds the lease; `cause` is the row that opened it, or took it up. */
interface Opened extends Attempt {
  readonly lease: Lease
  readonly cause: string
  /** `performance.now()` before the lease began. The executor's time counts from there, so that it is over before the lease is. */
  readonly since: number
}

/** Opens the execution (consuming the grant, or ending the round), runs it, completes it. `stale`: nothing was written, read again. */
export async function execute(store: GateStore, proposal: GovernedProposal, facts: Facts, action: ActionOnFacts, executor: Executor | undefined, round: RoundBefore | null, given: Timing): Promise<Done> {
  const { effect } = proposal.contract
  const honouredMs = typeof effect === 'object' ? durationMs(effect.idempotentFor) : null
  // The first attempt, too, ends while its receiver honours the key.
  const timing = (honouredMs === null ? null : overWithin(given, honouredMs)) ?? given
  const approvalId = round?.is === 'used' ? round.approvalId : null
  const voids = round?.is === 'void' ? round.approvalId : null
  const attempt: Attempt = { store, proposal, facts, action, timing, approvalId, voids }
  const validated: AuditEntry[] = [
    ...(round === null ? [proposed(proposal)] : round.before),
    { kind: 'action_validated', message: 'action validated', data: { action: proposal.action, approval_id: approvalId, requires_approval: approvalId !== null } },
  ]
  if (effect === 'none') return executePure(attempt, validated)
  if (executor === undefined) throw ApplicationFailure.nonRetryable(`no executor is bound for ${proposal.action}`)
  const since = performance.now()
  const opened = await store.openExecution({
    body: rowOf(proposal, facts, 'opened', validated, { ...causedBy(approvalId), facts: action.facts, decision: allowedDecision }),
    guard: guardOf(facts, proposal.authority),
    leaseMs: timing.leaseMs,
    idempotentForMs: honouredMs,
    approvalId,
    voids,
  })
  if (opened.status === 'stale') return 'stale'
  if (opened.status === 'repeat') return opened.answer.outcome === 'approval_required' ? 'stale' : opened.answer
  return runAndComplete({ ...attempt, lease: opened, cause: refOf(opened.record), since }, executor)
}

/** Takes an execution up again after its lease, with the same key, and completes it. */
export async function resume(store: GateStore, proposal: GovernedProposal, facts: Facts, action: ActionOnFacts, executor: Executor, timing: Timing): Promise<Done> {
  const approvalId = facts.approval?.status === 'consumed' ? facts.approval.approvalId : null
  const entry: AuditEntry = { kind: 'action_resumed', message: 'action resumed with the same key', data: { action: proposal.action, approval_id: approvalId, idempotency_key: proposal.executionKey } }
  const body = rowOf(proposal, facts, 'resumed', [entry], { ...causedBy(approvalId), facts: action.facts })
  const since = performance.now()
  const resumed = await store.resumeExecution({ body, executionKey: proposal.executionKey, leaseMs: timing.leaseMs })
  if (resumed.status !== 'committed') return 'stale'
  return runAndComplete({ store, proposal, facts, action, timing, approvalId, voids: null, lease: resumed, cause: refOf(resumed.record), since }, executor)
}

/** An action that only emits: judged, the grant used up, folded and recorded in one commit. */
async function executePure(attempt: Attempt, validated: readonly AuditEntry[]): Promise<Done> {
  const { store, proposal, facts, action, approvalId, voids } = attempt
  const round = approvalId ?? voids
  const guard = guardOf(facts, proposal.authority)
  const accepted = accept(attempt, {})
  if (!accepted.ok) {
    const refusal = refuse('error', `${proposal.action} emits what ${proposal.contract.entity.name} cannot take: ${accepted.why}`)
    const voided: AuditEntry[] = approvalId === null ? [] : [{ kind: 'approval_void', message: 'approval void', data: { approval_id: approvalId, action: proposal.action, reason: recordable(refusal.message) } }]
    const body = rowOf(proposal, facts, 'refused', [...validated, ...voided, failed(proposal, refusal.message, 'skipped')], { ...causedBy(approvalId), facts: action.facts, decision: refusal })
    return answered(await store.recordAnswer({ body, answer: refusal, guard, ...(round === null ? {} : { closing: { approvalId: round, status: 'void' } }) }), refusal)
  }
  const answer = allowed(action.describe(), accepted.output)
  const body = rowOf(proposal, facts, 'executed', [...validated, ...executed(proposal, approvalId, accepted)], {
    ...causedBy(approvalId), facts: action.facts, decision: allowedDecision, events: accepted.events, output: accepted.output,
  })
  return answered(await store.executePure({ body, guard, approvalId, voids, answer }), answer)
}

async function runAndComplete(opened: Opened, executor: Executor): Promise<Done> {
  const { store, proposal, timing, lease } = opened
  const end = await run(opened, executor)
  switch (end.end) {
    case 'returned':
      return completed(opened, end.output)
    case 'not_done':
      return notDone(opened, end.message)
    case 'not_begun': {
      if (proposal.contract.effect === 'external') return notDone(opened, end.message)
      // An attempt before this one may have done it: the key tells the receiver.
      await store.yieldLease(proposal.executionKey, lease.token)
      throw ApplicationFailure.create({ type: failures.effectUnknown, message: `${proposal.action}: ${end.message}; trying again with the same key` })
    }
    case 'unknown': {
      // It may still end well: a late success is accepted from any attempt.
      end.late?.then((output) => completed({ ...opened, timing: { ...timing, until: Date.now() + 30_000 } }, output)).catch(() => {})
      if (proposal.contract.effect === 'external') {
        await store.markInDoubt({ body: inDoubt(proposal, opened.facts, end.message, opened.cause), executionKey: proposal.executionKey, token: lease.token })
        return 'stale' // read again: the execution now is in doubt, and that is the answer
      }
      if (end.late === undefined) await store.yieldLease(proposal.executionKey, lease.token)
      throw ApplicationFailure.create({ type: failures.effectUnknown, message: `${proposal.action}: ${end.message}; trying again with the same key` })
    }
  }
}

/** Records a definitive failure: nothing was done. */
async function notDone(opened: Opened, why: string): Promise<Done> {
  const { store, proposal, timing, lease } = opened
  const answer = refuse('execution_failed', why)
  const body = completionRow(opened, 'failed', [failed(proposal, answer.message, 'failed')], { decision: answer })
  const commit = await untilCommitted(timing, () => store.completeExecution({ body, executionKey: proposal.executionKey, answer, end: { status: 'failed', token: lease.token, ordinal: lease.ordinal } }))
  return commit === 'refused' || commit.status === 'contradicted' ? 'stale' : answered(commit, answer)
}

type End =
  | { readonly end: 'returned'; readonly output: unknown }
  | { readonly end: 'not_done' | 'not_begun'; readonly message: string }
  | { readonly end: 'unknown'; readonly message: string; readonly late?: Promise<unknown> }

async function run({ proposal, action, lease, timing, since }: Opened, executor: Executor): Promise<End> {
  const executorMs = Math.floor(timing.executorMs - (performance.now() - since))
  // The one stands still while the machine is suspended, the other does not.
  if (executorMs < 1 || Date.now() > timing.until) return { end: 'not_begun', message: 'the gate was held up until its time was over, and has not begun' }
  const deadline = AbortSignal.timeout(executorMs)
  const context = {
    entityId: proposal.request.entityId,
    actor: proposal.request.actor,
    onBehalfOf: proposal.authority.onBehalfOf,
    params: action.params,
    facts: action.facts,
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
    return { end: 'unknown', message: `no answer within ${executorMs} ms`, late: running }
  } catch (error) {
    return { end: saysNotDone(error) ? 'not_done' : 'unknown', message: wordsOfThrown(error) }
  }
}

function saysNotDone(error: unknown): boolean {
  try {
    return error instanceof NotDone
  } catch {
    return false // what cannot even be looked at says nothing
  }
}

/** Records what an executor returned. Money has moved: this is tried until the attempt's time is over. */
async function completed(opened: Opened, output: unknown): Promise<Done> {
  const { store, proposal, timing, lease } = opened
  const accepted = accept(opened, output)
  if (!accepted.ok) return rejected(opened, inShort(accepted.why), output)
  const answer = allowed(attemptedWords(opened), accepted.output)
  const body = completionRow(opened, 'executed', executed(proposal, opened.approvalId, accepted), { decision: allowedDecision, events: accepted.events, output: accepted.output })
  const commit = await untilCommitted(timing, () => store.completeExecution({ body, executionKey: proposal.executionKey, answer, end: { status: 'succeeded', ordinal: lease.ordinal } }))
  if (commit === 'refused') return rejected(opened, 'the database refused the events', output)
  if (commit.status === 'contradicted') return contradicted(opened, output)
  return answered(commit, answer)
}

/** It happened, but what came back cannot be accepted: the entity is held for a person. */
async function rejected(opened: Opened, why: string, output: unknown): Promise<Done> {
  const { store, proposal, timing, lease } = opened
  const answer = refuse('outcome_unknown', `${proposal.action} was carried out, but its result cannot be accepted (${why}); a person must look`)
  const entry: AuditEntry = { kind: 'action_completion_rejected', message: 'completion rejected', data: { action: proposal.action, error: why, idempotency_key: proposal.executionKey } }
  const body = completionRow(opened, 'completion_rejected', [entry], { decision: answer, output: cappedOutput(output) })
  const commit = await untilCommitted(timing, () => store.completeExecution({ body, executionKey: proposal.executionKey, answer, end: { status: 'rejected', why, ordinal: lease.ordinal } }))
  if (commit === 'refused') return 'stale'
  return commit.status === 'contradicted' ? contradicted(opened, output) : answered(commit, answer)
}

/** It happened, though it is on record that it had not. Read again: where nothing was done since, it is in doubt once more. */
async function contradicted(opened: Opened, output: unknown): Promise<Done> {
  const { store, proposal, timing, lease } = opened
  const error = 'it was on record that nothing was done, and then its executor returned'
  const entry: AuditEntry = { kind: 'action_contradicted', message: 'record contradicted', data: { action: proposal.action, error, idempotency_key: proposal.executionKey } }
  const body = completionRow(opened, 'contradicted', [entry], { output: cappedOutput(output) })
  await untilCommitted(timing, () => store.recordContradiction({ body, executionKey: proposal.executionKey, ordinal: lease.ordinal }))
  return 'stale'
}

/** A row that ends an execution names the grant that was used, and the row that opened it. */
function completionRow({ proposal, facts, action, approvalId, cause }: Opened, kind: 'executed' | 'failed' | 'completion_rejected' | 'contradicted', audit: readonly AuditEntry[], more: Parameters<typeof rowOf>[4]): string {
  return rowOf(proposal, facts, kind, audit, { ...more, ...causedBy(approvalId), facts: action.facts, causation: cause })
}

function causedBy(approvalId: string | null): { readonly approvalId?: string; readonly causation?: string } {
  return approvalId === null ? {} : { approvalId, causation: approvalId }
}

function refOf({ chain, seq }: RecordRef): string {
  return `${chain}#${seq}`
}

/** What an executor returned, as it is recorded. */
function cappedOutput(output: unknown): unknown {
  try {
    const text = canonical(recordable(output ?? null))
    return text.length > maxOutput ? { too_large: text.length } : JSON.parse(text)
  } catch {
    return { unreadable: typeof output } // it reads differently each time
  }
}

async function untilCommitted<Commit>(timing: Timing, commit: () => Promise<Commit>): Promise<Commit | 'refused'> {
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
export function isRefusedByRule(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('23')
}

function accept({ proposal, facts, action }: Attempt, output: unknown): Accepted {
  return acceptOutput({ action, entity: proposal.contract.entity, state: facts.state, executionKey: proposal.executionKey }, output)
}

/** The row by which an execution comes to be in doubt. */
export function inDoubt(proposal: GovernedProposal, facts: Facts, why: string, causation?: string): string {
  return rowOf(proposal, facts, 'in_doubt', [{ kind: 'action_in_doubt', message: 'outcome unknown', data: { action: proposal.action, error: why, idempotency_key: proposal.executionKey } }], causation === undefined ? {} : { causation })
}

const allowedDecision = { outcome: 'allowed', reason: null, message: 'allowed' }

/** Its words may quote parameters of any size; Temporal would fail the workflow for an answer that is too large. */
function allowed(summary: string, output: unknown): Unrecorded<ActionResult> {
  return { outcome: 'allowed', output, summary: inShort(summary) }
}

/** The contract's words; taken up again, they are asked for only now, when their failure must not matter any more. */
function attemptedWords({ proposal, action }: Attempt): string {
  try {
    return action.describe()
  } catch {
    return `${proposal.action} ${proposal.request.entityId}`
  }
}

function answered(commit: Committed, answer: Unrecorded<ActionResult>): Done {
  if (commit.status === 'stale') return 'stale'
  if (commit.status === 'repeat') return commit.answer.outcome === 'approval_required' ? 'stale' : commit.answer
  return { ...answer, record: commit.record }
}
