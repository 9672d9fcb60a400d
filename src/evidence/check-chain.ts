/** The step's rows ↔ the chain they stand in ↔ the state of their entity. */
import type { ChainFinding } from './chain.ts'
import type { StepContext, Verdict } from './step-context.ts'

/** The step's rows verify, and so does what stands between them and the head of their chain. */
export function checkChain(context: StepContext): Verdict {
  const rows = rowsOf(context)
  if (rows.length === 0) return undefined
  const found = context.chainFindings.filter((finding) => !isAboutState(finding) && rows.some(({ chain }) => chain === finding.chain))
  const mine = found.find((finding) => rows.some(({ chain, seq }) => chain === finding.chain && seq === finding.seq))
  // A row that another step of this workflow wrote is that step's fault.
  const nobodys = found.find(({ chain, seq }) => !context.ledger.rows.some((row) => row.chain === chain && row.seq === seq))
  const finding = mine ?? nobodys
  return finding === undefined ? null : `row ${finding.chain}#${finding.seq}: ${finding.message}`
}

/** The entity's state is what its events lead to. */
export function checkState(context: StepContext): Verdict {
  const rows = rowsOf(context).filter(({ chain, body }) => chain === `${body.domain}/${body.entity_type}/${body.entity_id}`)
  if (rows.length === 0) return undefined
  const finding = context.chainFindings.find((each) => isAboutState(each) && rows.some(({ chain }) => chain === each.chain))
  return finding === undefined ? null : `${finding.chain}: ${finding.message}`
}

function rowsOf({ own, recorded }: StepContext): StepContext['own'] {
  return recorded === undefined ? own : [...own, recorded]
}

function isAboutState({ kind }: ChainFinding): boolean {
  return kind === 'state_mismatch' || kind === 'event_illegal'
}
