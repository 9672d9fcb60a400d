/** An execution that ended by what a person had found out ↔ what they have signed. */
import { sha256 } from '../core/digest.ts'
import { difference } from './difference.ts'
import { claimsIn } from './jws-claims.ts'
import { placeOf, type RunRow } from './run-ledger.ts'
import type { StepContext, Verdict } from './step-context.ts'

/**
 * Where nobody knew, only a recorded reconciliation says that it did not happen, or mends a completion that was rejected; and every
 * row that names one as its cause says what its signer has said.
 */
export function checkReconciled(context: StepContext): Verdict {
  let verdict: Verdict
  for (const row of context.own) {
    if (row.body.kind !== 'executed' && row.body.kind !== 'failed') continue
    const place = placeOf(row.body.causation_id)
    const cause = place && context.ledger.at(place)
    if (cause?.body.kind !== 'reconciled') {
      if (needsOne(context, row)) return `row ${row.chain}#${row.seq} ends what nobody knew the end of, but names no reconciliation as its cause`
      continue
    }
    verdict = null
    const problem = problemWith(context, row, cause)
    if (problem !== null) return `row ${row.chain}#${row.seq}: ${problem}`
  }
  return verdict
}

/** Kinds by which an execution stands as it does until it ends. */
const stands = ['opened', 'resumed', 'in_doubt', 'completion_rejected', 'contradicted']

/** A late success may end what is in doubt; that it did not happen, nobody but a person can say, nor what came back instead. */
function needsOne({ own }: StepContext, { chain, seq, body }: RunRow): boolean {
  const before = own.findLast((row) => row.chain === chain && row.seq < seq && row.body.execution_key === body.execution_key && stands.includes(row.body.kind))
  return before?.body.kind === 'completion_rejected' || (before?.body.kind === 'in_doubt' && body.kind === 'failed')
}

function problemWith({ ledger, signatures }: StepContext, { body }: RunRow, cause: RunRow): string | null {
  const kept = ledger.reconciliation(cause)
  if (kept === undefined) return `the reconciliation by ${cause.body.actor} is not kept`
  const verdict = body.kind === 'executed' ? 'happened' : 'not_happened'
  const expected = {
    purpose: 'reconcile', execution_key: body.execution_key, ordinal: kept.ordinal, digest: sha256(kept.request), verdict, reviewer: cause.body.actor,
    output: verdict === 'happened' ? body.output : undefined,
  }
  const pick = (from: unknown): object => Object.fromEntries(Object.keys(expected).map((name): [string, unknown] => [name, Reflect.get(Object(from), name)]))
  const different = difference(expected, pick(cause.body.review)) ?? difference(expected, pick(claimsIn(kept.jws)))
  if (different !== null) return `what was signed is something else: ${different}`
  if (cause.body.actor === body.actor || cause.body.actor === body.on_behalf_of) return 'whoever proposed it has signed it'
  return signatures?.get(kept.jws) === false ? `the reconciliation by ${cause.body.actor} is not signed by any of the review keys` : null
}
