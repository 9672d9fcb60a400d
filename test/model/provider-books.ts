/** The provider's books, as paying and refusing change them. */
import type { Rules } from './rules.ts'
import { withProposal, type Db } from './state.ts'

/** What paying comes to under this key, and whether the provider may still refuse it. */
export function pay(db: Db, p: number, ordinal: number): { readonly paid: Db | null; readonly refusable: boolean } {
  const { effects, refused } = db.proposals[p]?.books[ordinal - 1] ?? { effects: 0, refused: false }
  const idem = db.proposals[p]?.executions[ordinal - 1]?.idem ?? 'never'
  const honoured = effects > 0 && (idem === 'ample' || idem === 'short')
  const books = { effects: honoured ? effects : effects + 1, refused }
  // A key that was never opened has no books yet.
  const paid = withProposal(db, p, (proposal) => ({ ...proposal, books: proposal.books.length < ordinal ? [...proposal.books, books] : proposal.books.map((each, at) => (at === ordinal - 1 ? books : each)) }))
  return { paid: refused || effects > 1 ? null : paid, refusable: effects === 0 }
}

export function refuse(db: Db, p: number, ordinal: number, { receiversKeepRefusals }: Rules): Db {
  return withProposal(db, p, (proposal) => ({ ...proposal, books: proposal.books.map((each, at) => (at === ordinal - 1 ? { ...each, refused: receiversKeepRefusals } : each)) }))
}
