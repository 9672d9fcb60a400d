/** Refusals about input that names nothing we know: recorded on the run chain's own ledger, with no entity made for it. */
import { ledgerBody, printable, recordable } from '../core/ledger-row.ts'
import type { ActionResult, Refusal } from '../core/outcome.ts'
import type { Step } from '../core/proposal.ts'
import type { GateStore } from '../core/store.ts'

/** Records the refusal of an unknown action, or of input that could not be read at all. */
export async function recordUnknown(
  store: GateStore,
  step: Step,
  domain: string,
  asked: { readonly action: string; readonly actor: string; readonly input: unknown },
  refusal: Refusal,
): Promise<ActionResult> {
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
  if (commit.status === 'committed') return { ...refusal, record: commit.record }
  if (commit.answer.outcome === 'approval_required') throw new Error('this call has asked for an approval before')
  return commit.answer
}

/** Input of any size is recorded at most this long. */
const maxRecorded = 16_384

function excerpt(input: unknown): unknown {
  const text = JSON.stringify(input) ?? 'undefined'
  return text.length > maxRecorded ? { too_large: text.length, excerpt: printable(text.slice(0, 200)) } : recordable(input ?? null)
}
