/** When a refund on a ticket needs a person: the two ceilings, which stand in the contract and nowhere else. */
import { euros } from '../money.ts'

/** Above this, a single refund needs a person. */
export const singleCeilingCents = 5_000
/** Above this, so do all refunds of one ticket together. */
export const totalCeilingCents = 20_000

export function refundNeedsPerson({ params, facts }: { readonly params: { readonly amountCents: number }; readonly facts: { readonly refundedCents: number } }): string | false {
  const total = facts.refundedCents + params.amountCents
  const above = [
    ...(params.amountCents > singleCeilingCents ? [`${euros(params.amountCents)} is above the single-refund ceiling of ${euros(singleCeilingCents)}`] : []),
    ...(total > totalCeilingCents ? [`it brings the refunds on this ticket to ${euros(total)}, above the ceiling of ${euros(totalCeilingCents)}`] : []),
  ]
  return above.length > 0 && above.join('; ')
}
