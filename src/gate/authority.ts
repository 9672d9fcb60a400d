/** Whether an actor counts (I13): by the gate worker's configuration, or by a mandate for exactly this workflow. */
import type { Json } from '../core/canonical.ts'
import type { Step } from '../core/proposal.ts'
import type { MandateVerifier } from './mandate.ts'

/** What proves an actor. Whether it still does depends on the time: see `provenAt`. */
export interface Authority {
  /** Why it does not count at all; `null` when it does, in its time. */
  readonly problem: string | null
  readonly onBehalfOf: string | null
  /** When the mandate begins and runs out, RFC 3339; `null` without one. */
  readonly from: string | null
  readonly until: string | null
  /** The mandate as it is recorded. */
  readonly mandate: Json | undefined
}

export interface AuthorityRules {
  readonly actors: readonly string[]
  readonly verifyMandate: MandateVerifier
}

/** Judges who asks. A mandate that does not hold makes the request unproven even where the worker serves the actor: it claims to act for somebody. */
export async function authorityOf(rules: AuthorityRules, step: Step, asked: { readonly domain: string; readonly actor: string; readonly action: string | null; readonly mandate?: string | undefined }): Promise<Authority> {
  const { actor, domain, action } = asked
  if (asked.mandate === undefined) {
    return { problem: rules.actors.includes(actor) ? null : `this gate does not serve ${actor}`, ...withoutMandate }
  }
  const mandate = await rules.verifyMandate(asked.mandate)
  if (mandate === null) return { problem: `the mandate of ${actor} is not signed by an issuer this gate trusts`, ...withoutMandate }
  const problem =
    mandate.actor !== actor ? `the mandate is for ${mandate.actor}, not for ${actor}`
    : mandate.namespace !== step.namespace || mandate.workflowId !== step.workflowId ? 'the mandate is for another workflow'
    : mandate.domain !== null && mandate.domain !== domain ? `the mandate is for the domain ${mandate.domain}`
    : action !== null && mandate.actions !== null && !mandate.actions.includes(action) ? `the mandate does not name ${action}`
    : null
  return {
    problem,
    onBehalfOf: mandate.onBehalfOf,
    from: mandate.notBefore === null ? null : new Date(mandate.notBefore).toISOString(),
    until: new Date(mandate.expiresAt).toISOString(),
    mandate: { issuer: mandate.issuer, id: mandate.id, expires_at: new Date(mandate.expiresAt).toISOString(), sha256: mandate.sha256 },
  }
}

/** True when the actor counts at this time, by the database's clock; else why not. */
export function provenAt({ problem, from, until }: Authority, now: string): true | string {
  if (problem !== null) return problem
  if (until !== null && Date.parse(now) >= Date.parse(until)) return `the mandate ran out at ${until}`
  if (from !== null && Date.parse(now) < Date.parse(from)) return `the mandate begins at ${from}`
  return true
}

const withoutMandate = { onBehalfOf: null, from: null, until: null, mandate: undefined }
