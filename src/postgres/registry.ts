/** What the owner writes: the rules of each domain, and who holds which role. */
import type { Domain } from '../core/domain.ts'
import { membershipBody, registrationOf, type MembershipChange } from '../core/registration.ts'
import { callFunction, type Pool } from './connect.ts'

/** Registers a domain's contracts, transitions and roles as the code declares them now. Contracts registered before stay known. */
export async function registerDomain(owner: Pool, domain: Domain): Promise<void> {
  await callFunction(owner, 'kiff.register_domain', [domain.name, JSON.stringify(registrationOf(domain))])
}

/** One audited change of who holds a role. @returns false when it was so already */
export async function changeMembership(owner: Pool, change: MembershipChange): Promise<boolean> {
  return (await callFunction(owner, 'kiff.change_membership', [membershipBody(change)])) === true
}
