/** What became of an approval, in words. */
import { html } from 'hono/html'
import type { ApprovalRow } from './desk.ts'
import { moment, said, type Html } from './layout.ts'

/** One sentence without its full stop, as in "Granted by lena, 21 Nov 2025, 12:13 UTC". */
export function statusWords({ status, revoked, request, reviews }: ApprovalRow): Html {
  const review = reviews.length > 0
  const deciding = reviews.filter(({ verdict }) => status !== 'denied' || verdict === 'denied')
  const by = deciding.map(({ reviewer, at }, index) => html`${index === 0 ? ' by' : ' and'} ${said(reviewer, 80)}, ${moment(at)}`)
  switch (status) {
    case 'pending':
      return review ? html`Granted${by}; ${request.quorum - reviews.length} more must agree` : html`Waiting for ${request.quorum === 1 ? 'a person' : `${request.quorum} people`}`
    case 'granted':
      return html`Granted${by}; not yet used`
    case 'consumed':
      return html`Granted${by}; used`
    case 'denied':
      return html`Denied${by}`
    case 'expired':
      return review ? html`Granted${by}; expired before it was used` : html`Expired: nobody answered in time`
    case 'revoked':
      return html`Revoked${revoked && html` by ${said(revoked.reviewer, 80)}, ${moment(revoked.at)}`}${review && html`; it had been granted${by}`}`
    case 'withdrawn':
      return html`Withdrawn: whoever asked no longer waits${review && html`; it had been granted${by}`}`
    case 'void':
      return html`Void: what was asked about has changed since${review && html`; it had been granted${by}`}`
    default:
      return said(status satisfies never, 40)
  }
}
