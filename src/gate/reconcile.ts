/**
 * Applying what people have found out about executions whose outcome nobody knew. Row and signature, both, as for a review: the row
 * as the human-facing service recorded it, the signature by a key from this worker's configuration.
 */
import { canonical, isCanonical } from '../core/canonical.ts'
import { contractHash } from '../core/contract-hash.ts'
import type { Contract } from '../core/contract.ts'
import { sha256 } from '../core/digest.ts'
import { printable, type AuditEntry } from '../core/ledger-row.ts'
import { refuse, type ActionResult } from '../core/outcome.ts'
import { openedFields, type ReconciliationRequest, type SignedReconciliation } from '../core/reconciliation.ts'
import type { DueReconciliation, GateStore, Unrecorded } from '../core/store.ts'
import { inShort, wordsOfThrown } from '../core/thrown.ts'
import { oneByOne } from '../temporal/one-by-one.ts'
import type { ReconciliationVerifier } from '../temporal/verify-review.ts'
import { acceptOutput } from './accept-output.ts'
import { eventEntries } from './audit-entries.ts'
import type { BoundDomain } from './binding.ts'
import { isRefusedByRule } from './execute.ts'
import { openedText, rowOfOpened } from './opened-row.ts'

export interface Reconciling {
  readonly bound: BoundDomain
  readonly verify: ReconciliationVerifier
}

/** How an execution ends by it; `why`: it cannot be applied; `null`: another worker has to, which has the contract to judge it by. */
type Ending = { readonly body: string; readonly answer: Unrecorded<ActionResult> } | { readonly why: string } | null

/**
 * Ends every execution of this domain about which somebody has said what became of it; or records why it cannot be ended so. One that
 * fails is told to `onFault`, and holds up no other.
 */
export async function applyReconciliations(store: GateStore, { bound, verify }: Reconciling, onFault?: (fault: unknown, of: DueReconciliation) => void): Promise<void> {
  await oneByOne(await store.dueReconciliations(bound.domain.name), async (due) => {
    const ending = endingOf(bound, due, await verify(due.jws))
    if (ending === null) return
    const why = 'why' in ending ? ending.why : await apply(store, due, ending)
    if (why === null) return
    const entry: AuditEntry = { kind: 'action_reconciliation_rejected', message: 'reconciliation rejected', data: { action: openedText(due, 'action'), reason: printable(why), idempotency_key: due.executionKey } }
    await store.rejectReconciliation({ ...placeOf(due), body: rowOfOpened(due, 'reconciliation_rejected', [entry]), why: printable(why) })
  }, onFault)
}

/** @returns why not, in words; `null` when it is done, or another has done it */
async function apply(store: GateStore, due: DueReconciliation, { body, answer }: Extract<Ending, { answer: unknown }>): Promise<string | null> {
  try {
    const commit = await store.applyReconciliation({ ...placeOf(due), body, answer })
    return commit.status === 'refused' ? commit.reason : null
  } catch (error) {
    if (isRefusedByRule(error)) return 'the database refused the events'
    throw error
  }
}

/** Total: a function of an author's that throws is a reason like others, and holds no other answer up. */
function endingOf(bound: BoundDomain, due: DueReconciliation, signed: SignedReconciliation | null): Ending {
  try {
    const problem = problemWith(due, signed)
    if (signed === null || problem !== null) return { why: problem ?? 'not signed' }
    return signed.verdict === 'happened' ? happened(bound, due, signed) : notHappened(due, signed)
  } catch (error) {
    return { why: `it cannot be judged: ${wordsOfThrown(error)}` }
  }
}

/** What is wrong with the signature, or with what it is over; `null` when it is for exactly this execution. */
function problemWith(due: DueReconciliation, signed: SignedReconciliation | null): string | null {
  if (signed === null) return 'it is not signed by a key that this gate trusts'
  const { opened } = due
  const request = JSON.parse(due.request) as ReconciliationRequest
  const isOfThis =
    signed.verdict === due.verdict && signed.reviewer === due.reviewer &&
    signed.digest === sha256(due.request) &&
    signed.execution_key === due.executionKey && signed.ordinal === due.ordinal &&
    request.execution_key === due.executionKey && request.ordinal === due.ordinal &&
    openedFields.every((field) => canonical(request[field] ?? null) === canonical(opened[field] ?? null)) &&
    canonical(request.facts) === canonical(opened['facts'] ?? {})
  if (!isOfThis) return 'it is signed for something else'
  return signed.reviewer === opened['actor'] || signed.reviewer === opened['on_behalf_of'] ? 'whoever proposed it has signed it' : null
}

function happened(bound: BoundDomain, due: DueReconciliation, signed: Extract<SignedReconciliation, { verdict: 'happened' }>): Ending {
  const { opened } = due
  const request = JSON.parse(due.request) as ReconciliationRequest
  const contract = contractFor(bound, due, request)
  if (contract === undefined) return due.newest === null ? { why: `${request.action} is no action of ${bound.domain.name} any more; answer anew once it is one again` } : null
  const inspection = contract.inspect(request.entity_id, request.params)
  if (!inspection.ok) return { why: `its parameters cannot be read: ${inspection.message}` }
  const action = inspection.action.on(Object(request.facts))
  const accepted = acceptOutput({ action, entity: contract.entity, state: request.state, executionKey: due.executionKey }, signed.output)
  if (!accepted.ok) return { why: accepted.why }
  // What is recorded is what was signed, to the letter.
  if (!isCanonical(signed.output) || canonical(accepted.output) !== canonical(signed.output)) return { why: 'output: not as the schema would have it, and nothing is changed silently' }
  const { output, events } = accepted
  const summary = inShort(action.describe())
  const audit: AuditEntry[] = [
    {
      kind: 'action_executed', message: 'action executed, as a person has found out',
      data: {
        action: request.action, status: 'succeeded', executed: true, output: signed.output, parameters: jsonOf(opened['params']), approval_id: jsonOf(opened['approval_id']),
        idempotency_key: due.executionKey, follow_up_events: events.length, reconciled_by: signed.reviewer,
      },
    },
    ...eventEntries(events),
  ]
  const decision = { outcome: 'allowed', reason: null, message: 'allowed' }
  const answer: Unrecorded<ActionResult> = { outcome: 'allowed', output, summary }
  return { answer, body: rowOfOpened(due, 'executed', audit, { decision, output, ...(events.length === 0 ? {} : { events }) }) }
}

/**
 * What it is judged by: the contract that opened it; or the one registered last, since after a deploy no worker has the older one. The
 * row goes on naming that one, and the database holds the events to what it emits. `undefined`: this worker has neither.
 */
function contractFor({ domain }: BoundDomain, { newest }: DueReconciliation, { action, contract: opened }: ReconciliationRequest): Contract | undefined {
  const contract: Contract | undefined = Object.hasOwn(domain.actions, action) ? domain.actions[action] : undefined
  if (contract === undefined) return undefined
  const hash = contractHash(domain.name, action, contract)
  return hash === opened || hash === newest ? contract : undefined
}

function notHappened(due: DueReconciliation, signed: SignedReconciliation): Ending {
  const { opened } = due
  const answer = refuse('execution_failed', `${openedText(due, 'action')} did not happen: ${signed.reviewer} has found out (${signed.reason})`)
  const audit: AuditEntry[] = [{
    kind: 'action_failed', message: 'action did not happen, as a person has found out',
    data: { action: openedText(due, 'action'), status: 'failed', error: answer.message, idempotency_key: due.executionKey, parameters: jsonOf(opened['params']), reconciled_by: signed.reviewer },
  }]
  return { answer, body: rowOfOpened(due, 'failed', audit, { decision: answer }) }
}

function placeOf({ executionKey, ordinal, round }: DueReconciliation): { readonly executionKey: string; readonly ordinal: number; readonly round: number } {
  return { executionKey, ordinal, round }
}

function jsonOf(value: unknown): AuditEntry['data'] {
  return isCanonical(value) ? value : null
}
