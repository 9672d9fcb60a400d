/** What the owner writes: the rules of each domain, and who holds which role. */
import { contractHash } from '../core/contract-hash.ts'
import type { Domain } from '../core/domain.ts'
import { canonical } from '../core/canonical.ts'
import { sources } from '../core/state.ts'
import { callFunction, type Pool } from './connect.ts'

/** Registers a domain's contracts, transitions and roles as the code declares them now. Contracts registered before stay known. */
export async function registerDomain(owner: Pool, domain: Domain): Promise<void> {
  const contracts = Object.entries(domain.actions).map(([action, contract]) => ({ action, hash: contractHash(domain.name, action, contract), emits: contract.emits }))
  const transitions = Object.values(domain.entities).flatMap((entity) =>
    Object.entries(entity.events).flatMap(([event, spec]) =>
      sources(spec.from).map((from) => ({ entity_type: entity.name, event_type: event, from_state: from, to_state: spec.to, reported_by: spec.reportedBy ?? null })),
    ),
  )
  const roles = Object.entries(domain.roles).flatMap(([role, permissions]) => permissions.map((permission) => ({ role, permission })))
  await callFunction(owner, 'kiff.register_domain', [domain.name, JSON.stringify({ contracts, transitions, roles })])
}

/** One audited change of who holds a role. @returns false when it was so already */
export async function changeMembership(
  owner: Pool,
  change: { readonly kind: 'role_granted' | 'role_revoked'; readonly domain: string; readonly actor: string; readonly role: string; readonly by: string },
): Promise<boolean> {
  const message = change.kind === 'role_granted' ? 'role granted' : 'role revoked'
  const audit = [{ kind: change.kind, message, data: { actor: change.actor, role: change.role }, actor_id: change.by }]
  return (await callFunction(owner, 'kiff.change_membership', [canonical({ format: 1, ...change, audit })])) === true
}
