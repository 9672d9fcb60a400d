/** Input ↔ replay, and input ↔ ledger row: who asked for what, and under which key. */
import { sha256 } from '../core/digest.ts'
import type { Claim } from '../core/claim.ts'
import { printable, recordable } from '../core/ledger-row.ts'
import type { EventRequest } from '../core/proposal.ts'
import { asJson, difference } from './difference.ts'
import { actionOf } from './governed-step.ts'
import { claimsIn } from './jws-claims.ts'
import type { LedgerBody } from './ledger-body.ts'
import type { RunRow } from './run-ledger.ts'
import { isOwn, keysOf, reportedIdOf, type StepContext, type Verdict } from './step-context.ts'

/** The workflow code, run again, proposes exactly what the history has recorded. */
export function checkInput({ step, replayedActivity, replayed, history }: StepContext): Verdict {
  const { activity, asked } = step
  if (typeof activity.input === 'string') return `the recorded input ${activity.input}`
  if (replayedActivity === undefined) return replayed.nondeterminism === null ? 'the workflow code does not schedule this step' : undefined
  if (replayedActivity.type !== activity.type) return `the workflow code schedules ${replayedActivity.type} here`
  const different = difference(replayedActivity.args, asJson(activity.input), 'input')
  if (different !== null) return `the recorded input is not what the workflow code proposes: ${different}`
  if (asked.kind === 'unreadable') return null
  const { firstExecutionRunId, parents } = asked.request.chain
  if (firstExecutionRunId !== history.firstExecutionRunId) return 'the input claims another run chain than the history is of'
  if (parents !== undefined && parents.at(-1)?.workflowId !== history.parentWorkflowId) return 'the input claims another parent than the history has'
  return null
}

/** The rows of this call say the same as its input; and a step that history has completed has a row. */
export function checkRow(context: StepContext): Verdict {
  const { step, own, recorded } = context
  for (const row of own) {
    const problem = mismatch(context, row.body) ?? envelopeMismatch(context, row.body)
    if (problem !== null) return `row ${row.chain}#${row.seq}: ${problem}`
  }
  if (recorded !== undefined && !isOwn(context, recorded)) {
    if (!answersOtherCall(context, recorded)) return `its record, ${recorded.chain}#${recorded.seq}, is that of another step (${recorded.body.workflow_id}, activity ${recorded.body.activity_id})`
    return step.asked.kind === 'report' ? eventMismatch(step.asked.request, recorded.body) : mismatch(context, recorded.body)
  }
  if (own.length > 0) return null
  if (step.activity.end?.status !== 'completed' || step.asked.kind === 'question') return undefined
  if (step.asked.kind === 'withdraw') return withdrawnOtherwise(context, step.asked.request.approvalId)
  return 'history has completed it, but the gate has written no row'
}

/** The digest and the keys in the rows are those that the input leads to. */
export function checkKey(context: StepContext): Verdict {
  const { own, recorded } = context
  const rows = recorded === undefined || isOwn(context, recorded) ? own : [...own, recorded]
  let verdict: Verdict
  for (const { chain, seq, body } of rows.filter((row) => isKnown(row.body))) {
    const keys = keysOf(context, body.entity_type ?? '')
    const id = reportedIdOf(context)
    if (keys === null && id === null) continue
    verdict = null
    if (keys !== null && body.proposal_digest !== keys.digest) return `row ${chain}#${seq} has the digest of another proposal`
    if (keys !== null && body.execution_key !== keys.key) return `row ${chain}#${seq} has another execution key than its input leads to`
    if (id !== null && reportedEvent(body)?.id !== id) return `row ${chain}#${seq} has another event id than its input leads to`
  }
  return verdict
}

/** Another attempt under the same key may have been the one to end it; a known event is answered with its first row. */
function answersOtherCall(context: StepContext, { body }: RunRow): boolean {
  const key = keysOf(context, body.entity_type ?? '')?.key
  const id = reportedIdOf(context)
  return (key !== undefined && body.execution_key === key && body.kind === 'executed') || (id !== null && body.kind === 'event' && body.events?.[0]?.id === id)
}

/** What a row says that the input does not, in words. */
function mismatch(context: StepContext, body: LedgerBody): string | null {
  const { step, namespace, workflowId, history } = context
  const where = difference({ namespace, workflow_id: workflowId, first_execution_run_id: history.firstExecutionRunId },
    { namespace: body.namespace, workflow_id: body.workflow_id, first_execution_run_id: body.first_execution_run_id })
  if (where !== null) return where
  if (!isKnown(body)) return unknownMismatch(context, body)
  if (body.domain !== step.domain) return `it is of the domain ${body.domain}`
  const { asked } = step
  switch (asked.kind) {
    case 'unreadable':
      return 'its input cannot be read, so the gate should have refused it'
    case 'question':
      return 'a question was asked, of which nothing is recorded'
    case 'withdraw':
      return difference(
        { kind: 'approval_withdrawn', entity_id: asked.request.entityId, actor: asked.request.actor, action: asked.request.action, approval_id: asked.request.approvalId },
        { kind: body.kind, entity_id: body.entity_id, actor: body.actor, action: body.action, approval_id: body.approval_id })
    case 'report':
      return difference({ entity_id: asked.request.entityId, actor: asked.request.actor }, { entity_id: body.entity_id, actor: body.actor }) ?? eventMismatch(asked.request, body)
    case 'action': {
      const { request } = asked
      return (
        difference({ entity_id: request.entityId, actor: request.actor, action: actionOf(step, body.domain) }, { entity_id: body.entity_id, actor: body.actor, action: body.action }) ??
        difference(recordable(request.params ?? null), body.params, 'params') ??
        difference(request.callerKey, body.caller_key ?? undefined, 'caller_key') ??
        (request.claim === undefined ? null : difference(claimed(request.claim), body.claim, 'claim'))
      )
    }
  }
}

/** Trace and mandate of a row this call wrote: those that the input carries, or the run chain's own where it carries none. */
function envelopeMismatch({ step, workflowId, history }: StepContext, body: LedgerBody): string | null {
  const { asked } = step
  if (asked.kind === 'unreadable') return null
  const request = isKnown(body) && (asked.kind === 'action' || asked.kind === 'report') ? asked.request : undefined
  const { traceId, correlationId, tags } = request?.trace ?? {}
  return (
    difference(
      { trace_id: traceId ?? history.firstExecutionRunId, correlation_id: correlationId ?? workflowId, tags: tags && recordable(tags) },
      { trace_id: body.trace_id, correlation_id: body.correlation_id, tags: body.tags },
    ) ?? mandateMismatch(request?.mandate, body)
  )
}

/** Kinds by which a mandate that the gate could not read may have been refused. */
const refusals = ['refused', 'approval_denied', 'event_refused']

/** A row speaks for somebody only by the mandate that its input carries; by one that could not be read nothing is done, and nobody spoken for. */
function mandateMismatch(mandate: string | undefined, body: LedgerBody): string | null {
  const named = body.mandate?.sha256
  const speaksFor = body.on_behalf_of ?? null
  if (mandate === undefined || (named === undefined && refusals.includes(body.kind))) return difference({ mandate: undefined, on_behalf_of: null }, { mandate: named, on_behalf_of: speaksFor })
  return difference({ mandate: sha256(mandate), on_behalf_of: claimsIn(mandate)['on_behalf_of'] ?? null }, { mandate: named, on_behalf_of: speaksFor })
}

function eventMismatch({ event, payload }: EventRequest, body: LedgerBody): string | null {
  const told = reportedEvent(body)
  return difference(event, told?.type, 'event') ?? (body.kind === 'repeated' ? null : difference(recordable(payload ?? null), told?.payload, 'payload'))
}

/** A claim as rows keep it. */
function claimed({ why, evidence, confidence }: Claim): unknown {
  return recordable({ why, evidence: evidence ?? [], confidence: confidence ?? null })
}

/** Rows about a name that the domain does not have, or input it cannot read, hold the input itself. */
function unknownMismatch({ step }: StepContext, body: LedgerBody): string | null {
  const { asked } = step
  const actor = asked.kind === 'unreadable' ? 'unknown' : asked.request.actor
  return (
    difference({ kind: 'refused', action: printable(actionOf(step, body.domain)), actor: printable(actor) }, { kind: body.kind, action: body.action, actor: body.actor }) ??
    difference(excerpt(asked.kind === 'unreadable' ? step.input : asked.request), body.params, 'params')
  )
}

const maxRecorded = 16_384

/** As the gate records what names nothing it knows. */
function excerpt(input: unknown): unknown {
  const text = JSON.stringify(input) ?? 'undefined'
  return text.length > maxRecorded ? { too_large: text.length, excerpt: printable(text.slice(0, 200)) } : recordable(input ?? null)
}

/** A cancelled wait whose request was closed already writes nothing. */
function withdrawnOtherwise({ ledger }: StepContext, approvalId: string): Verdict {
  const approval = ledger.approval(approvalId)
  return approval !== undefined && !approval.closed && ['pending', 'granted'].includes(approval.status) ? 'history has withdrawn the request, but it is still open' : null
}

/** The event that a row about a report tells of, accepted or not. */
function reportedEvent(body: LedgerBody): { readonly id: unknown; readonly type: unknown; readonly payload: unknown } | undefined {
  const [event] = body.events ?? []
  if (event !== undefined) return event
  const entry: unknown = body.audit[0]?.data
  if (typeof entry !== 'object' || entry === null) return undefined
  return { id: Reflect.get(entry, 'event_id'), type: Reflect.get(entry, 'event_type'), payload: Reflect.get(entry, 'payload') }
}

/** The row is about an entity type of the domain; not so where the name asked for is unknown. */
function isKnown(body: LedgerBody): boolean {
  return typeof body.entity_type === 'string'
}
