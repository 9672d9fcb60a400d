/** What the records refuse, in the words of a table. */

/** A reason that is none of the table's withholds as well: `closed`. */
export function refusedAs<Reason extends string>(table: Readonly<Record<Reason | 'closed', string>>, reason: string): { readonly outcome: 'refused'; readonly reason: Reason | 'closed'; readonly message: string } {
  const known = isIn(table, reason) ? reason : 'closed'
  return { outcome: 'refused', reason: known, message: table[known] }
}

function isIn<Reason extends string>(table: Readonly<Record<Reason, string>>, reason: string): reason is Reason {
  return Object.hasOwn(table, reason)
}
