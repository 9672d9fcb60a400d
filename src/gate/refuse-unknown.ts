/** Refusals about input that names nothing we know: recorded on the run chain's own ledger, with no entity made for it. */
import { ApplicationFailure } from '@temporalio/activity'
import { ledgerBody, printable, recordable } from '../core/ledger-row.ts'
import type { ActionResult, Refusal } from '../core/outcome.ts'
import type { Step } from '../core/proposal.ts'
import type { GateAnswer, GateStore } from '../core/store.ts'

/** Records the refusal of an unknown action, or of input that could not be read at all. A call that was answered before is answered so again. */
export async function recordUnknown(
  store: GateStore,
  step: Step,
  domain: string,
  asked: { readonly action: string; readonly actor: string; readonly input: unknown },
  refusal: Refusal,
): Promise<GateAnswer> {
  const action = printable(asked.action)
  const body = ledgerBody({
    kind: 'refused', step, domain, action,
    entityType: null,
    entityId: null,
    actor: printable(asked.actor),
    params: excerpt(asked.input),
    decision: refusal,
    audit: [{ kind: 'action_failed', message: 'action validation failed', data: { action, status: 'skipped', error: printable(refusal.message) } }],
  })
  const commit = await store.recordAnswer({ body, answer: refusal, guard: null })
  if (commit.status === 'stale') throw new Error('an unguarded commit cannot be stale')
  return commit.status === 'committed' ? { ...refusal, record: commit.record } : commit.answer
}

/** The answer of a call that only reports. @throws ApplicationFailure, not retryable, where its activity id has asked a person before */
export function ofReport(answer: GateAnswer): ActionResult {
  if (answer.outcome === 'approval_required') throw ApplicationFailure.nonRetryable('an event is reported under an activity id by which a person was asked')
  return answer
}

/** Input of any size is recorded at most this long. */
const maxRecorded = 16_384

function excerpt(input: unknown): unknown {
  const text = JSON.stringify(input) ?? 'undefined'
  return text.length > maxRecorded ? { too_large: text.length, excerpt: printable(text.slice(0, 200)) } : recordable(input ?? null)
}
