/** Executions whose outcome nobody knows, and what is said of them, for tests of any store. */
import { ledgerBody } from '../../src/core/ledger-row.ts'
import type { DueReconciliation } from '../../src/core/store.ts'
import { rowOf, type GovernedProposal } from '../../src/gate/proposal.ts'
import { applyReconciliations } from '../../src/gate/reconcile.ts'
import { aProposal, bodyOf, type AnyStore } from './any-store.ts'

export const notHappened = { verdict: 'not_happened' } as const

export const chainOf = ({ request }: GovernedProposal): string => `ledgers/Account/${request.entityId}`

/** As a person is shown it. */
export const shown = (it: AnyStore, { executionKey }: GovernedProposal) => it.reviews.showInDoubt(executionKey, 1)

export async function kindsOf(it: AnyStore, proposal: GovernedProposal): Promise<readonly unknown[]> {
  return (await it.ledger()).filter(({ chain }) => chain === chainOf(proposal)).map((row) => bodyOf(row)['kind'])
}

/** What waits for the gate. @throws Error when nothing does */
export async function dueOf(it: AnyStore, { executionKey }: GovernedProposal): Promise<DueReconciliation> {
  const due = (await it.store.dueReconciliations('ledgers')).find((each) => each.executionKey === executionKey)
  if (due === undefined) throw new Error('nothing is due')
  return due
}

/** An execution whose completion was rejected. */
export async function aRejected(it: AnyStore): Promise<GovernedProposal> {
  const proposal = aProposal(await it.anAccount())
  await it.open(proposal)
  await it.complete(proposal, { status: 'rejected', why: 'not what it should be' })
  return proposal
}

/** The row by which olga's answer is recorded, whatever it says. */
export function aReconciled({ step, request, executionKey }: GovernedProposal, review: object): string {
  return ledgerBody({
    kind: 'reconciled', step, domain: 'ledgers', entityType: 'Account', entityId: request.entityId, action: 'CALL', actor: 'olga', executionKey,
    audit: [{ kind: 'action_reconciled', message: 'x', data: {} }], review: JSON.parse(JSON.stringify(review)),
  })
}

/** Its first attempt returned after all. */
export async function contradict(it: AnyStore, proposal: GovernedProposal): ReturnType<AnyStore['store']['recordContradiction']> {
  const body = rowOf(proposal, await it.facts(proposal), 'contradicted', [{ kind: 'action_contradicted', message: 'x', data: { error: 'it came back' } }])
  return it.store.recordContradiction({ body, executionKey: proposal.executionKey, ordinal: 1 })
}

/** Why the gate rejects what is due, where that is told otherwise than it was recorded; `undefined` where it does not. */
export async function rejectedAs(it: AnyStore, over: (due: DueReconciliation) => Promise<Partial<DueReconciliation>>): Promise<string | undefined> {
  const proposal = await it.inDoubt()
  await it.reconcile(proposal, 'olga')
  const due = await dueOf(it, proposal)
  const told = { ...due, ...(await over(due)) }
  let rejected: string | undefined
  await applyReconciliations({ ...it.store, dueReconciliations: async () => [told], async rejectReconciliation(commit) {
    rejected = commit.why
    return it.store.rejectReconciliation(commit)
  } }, it.reconciling)
  return rejected
}
