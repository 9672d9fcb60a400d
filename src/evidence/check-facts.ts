/** The facts that a row was judged on ↔ the events that its chain holds before it. */
import { contractHash } from '../core/contract-hash.ts'
import type { Contract } from '../core/contract.ts'
import { asJson, difference } from './difference.ts'
import { actionOf } from './governed-step.ts'
import type { RunRow } from './run-ledger.ts'
import { contractOf, type StepContext, type Verdict } from './step-context.ts'

/**
 * Facts that the contract derives from events are what the events before the row lead to: whoever wrote the row cannot have
 * judged by a past of their own making. Loaded facts are the world's, and cannot be read again; they are taken as recorded.
 */
export function checkFacts(context: StepContext): Verdict {
  const { step, own } = context
  const contract = contractOf(context)
  if (contract === undefined || step.asked.kind !== 'action') return undefined
  const derived = Object.entries(contract.facts).flatMap(([name, { from }]) => (from === 'events' ? [name] : []))
  if (derived.length === 0) return undefined
  const hash = contractHash(step.domain, actionOf(step, step.domain), contract)
  let verdict: Verdict
  for (const row of own.filter(({ body }) => body.contract === hash && isJudged(contract, body))) {
    verdict = null
    const problem = problemOf(context, contract, derived, row)
    if (problem !== null) return `row ${row.chain}#${row.seq}: ${problem}`
  }
  return verdict
}

/** Rows that rest on facts read for them: what asked a person, what let it run, and refusals that got as far as reading any. */
function isJudged({ effect }: Contract, { kind, facts }: RunRow['body']): boolean {
  return kind === 'opened' || kind === 'approval_requested' || (kind === 'executed' && effect === 'none') || (kind === 'refused' && facts != null)
}

function problemOf({ ledger }: StepContext, contract: Contract, derived: readonly string[], row: RunRow): string | null {
  const recorded = row.body.facts ?? {}
  try {
    const read = contract.factsFrom(ledger.eventsBefore(row), recorded)
    const of = (facts: Readonly<Record<string, unknown>>): unknown => Object.fromEntries(derived.map((name) => [name, facts[name]]))
    const different = difference(asJson(of(read)), asJson(of(recorded)), 'facts')
    return different === null ? null : `the events before it lead to other facts: ${different}`
  } catch (error) {
    return `its facts cannot be derived anew: ${error instanceof Error ? error.message : String(error)}`
  }
}
