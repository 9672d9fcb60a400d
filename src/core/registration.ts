/** What a deploy registers in a store: the rules of each domain, and who holds which role. Wire form, as the stores take it. */
import { canonical } from './canonical.ts'
import { reconcilersOf } from './contract.ts'
import { contractHash } from './contract-hash.ts'
import type { Domain } from './domain.ts'
import { isStateless } from './entity.ts'
import type { ActorType } from './permission.ts'
import { sources } from './state.ts'

export interface RegisteredContract {
  readonly action: string
  readonly hash: string
  readonly entity_type: string
  readonly permission: string
  /** `null`: any. */
  readonly from_states: readonly string[] | null
  readonly emits: readonly string[]
  /** `null`: it never asks. */
  readonly reviewers: string | null
  readonly quorum: number | null
  readonly always_asks: boolean
  /** `null`: nobody may say what became of it. */
  readonly reconcilers: string | null
}

export interface Registration {
  readonly contracts: readonly RegisteredContract[]
  /** Kinds of entity that we keep no state of. */
  readonly stateless: readonly string[]
  readonly transitions: readonly { readonly entity_type: string; readonly event_type: string; readonly from_state: string | null; readonly to_state: string; readonly reported_by: string | null }[]
  readonly roles: readonly { readonly role: string; readonly permission: string }[]
}

/** The rules of a domain, by which a store refuses what contradicts them. */
export function registrationOf(domain: Domain): Registration {
  const entities = Object.values(domain.entities)
  return {
    contracts: Object.entries(domain.actions).map(([action, contract]) => ({
      action,
      hash: contractHash(domain.name, action, contract),
      entity_type: contract.entity.name,
      permission: contract.permission,
      from_states: contract.from === 'any' ? null : contract.from,
      emits: contract.emits,
      reviewers: contract.approval?.reviewers ?? null,
      quorum: contract.approval?.quorum ?? null,
      always_asks: contract.approval !== null && contract.approval.always !== null,
      reconcilers: reconcilersOf(contract),
    })),
    stateless: entities.filter(isStateless).map(({ name }) => name),
    transitions: entities.flatMap((entity) =>
      Object.entries(entity.events).flatMap(([event_type, { from, to, reportedBy }]) =>
        [...new Set(sources(from))].map((from_state) => ({ entity_type: entity.name, event_type, from_state, to_state: to, reported_by: reportedBy ?? null })),
      ),
    ),
    roles: Object.entries(domain.roles).flatMap(([role, permissions]) => [...new Set(permissions)].map((permission) => ({ role, permission }))),
  }
}

export interface MembershipChange {
  readonly kind: 'role_granted' | 'role_revoked'
  readonly domain: string
  readonly actor: string
  readonly role: string
  /** Who changes it, by their own account. */
  readonly by: string
  /** Who the actor is; kept, and audited, with the grant. An actor known to be no person can never review. */
  readonly actorType?: ActorType | undefined
  readonly displayName?: string | undefined
}

/** The canonical text of the ledger row by which a role is granted or revoked. */
export function membershipBody({ kind, domain, actor, role, by, actorType, displayName }: MembershipChange): string {
  const who = actorType === undefined ? {} : { actor_type: actorType, display_name: displayName ?? null }
  const audit = [{ kind, message: kind === 'role_granted' ? 'role granted' : 'role revoked', data: { actor, role, ...who }, actor_id: by }]
  return canonical({ format: 1, ...who, kind, domain, actor, role, by, audit })
}
