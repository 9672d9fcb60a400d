/** What the owner writes: the rules of each domain, and who holds which role. */
import { contractHash } from '../core/contract-hash.ts'
import type { Domain } from '../core/domain.ts'
import type { ActorType } from '../core/permission.ts'
import { isStateless } from '../core/entity.ts'
import { canonical } from '../core/canonical.ts'
import { sources } from '../core/state.ts'
import { callFunction, type Pool } from './connect.ts'

/** Registers a domain's contracts, transitions and roles as the code declares them now. Contracts registered before stay known. */
export async function registerDomain(owner: Pool, domain: Domain): Promise<void> {
  const contracts = Object.entries(domain.actions).map(([action, contract]) => ({
    action,
    hash: contractHash(domain.name, action, contract),
    entity_type: contract.entity.name,
    permission: contract.permission,
    from_states: contract.from === 'any' ? null : contract.from,
    emits: contract.emits,
    reviewers: contract.approval?.reviewers ?? null,
    quorum: contract.approval?.quorum ?? null,
    always_asks: contract.approval !== null && contract.approval.always !== null,
  }))
  const stateless = Object.values(domain.entities).filter(isStateless).map(({ name }) => name)
  const transitions = Object.values(domain.entities).flatMap((entity) =>
    Object.entries(entity.events).flatMap(([event, spec]) =>
      sources(spec.from).map((from) => ({ entity_type: entity.name, event_type: event, from_state: from, to_state: spec.to, reported_by: spec.reportedBy ?? null })),
    ),
  )
  const roles = Object.entries(domain.roles).flatMap(([role, permissions]) => permissions.map((permission) => ({ role, permission })))
  await callFunction(owner, 'kiff.register_domain', [domain.name, JSON.stringify({ contracts, stateless, transitions, roles })])
}

/** One audited change of who holds a role. @returns false when it was so already */
export async function changeMembership(
  owner: Pool,
  change: {
    readonly kind: 'role_granted' | 'role_revoked'
    readonly domain: string
    readonly actor: string
    readonly role: string
    readonly by: string
    /** Who the actor is; kept, and audited, with the grant. An actor known to be no person can never review. */
    readonly actorType?: ActorType | undefined
    readonly displayName?: string | undefined
  },
): Promise<boolean> {
  const { kind, domain, actor, role, by, actorType, displayName } = change
  const who = actorType === undefined ? {} : { actor_type: actorType, display_name: displayName ?? null }
  const audit = [{ kind, message: kind === 'role_granted' ? 'role granted' : 'role revoked', data: { actor, role, ...who }, actor_id: by }]
  return (await callFunction(owner, 'kiff.change_membership', [canonical({ format: 1, ...who, kind, domain, actor, role, by, audit })])) === true
}
