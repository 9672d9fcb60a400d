/** Who holds which role now, and every change that led there. */
import type { Snapshot } from './read-ledger.ts'

export interface HeldRole {
  readonly domain: string
  readonly role: string
  /** Empty: the domain no longer has this role, but somebody still holds it. */
  readonly permissions: readonly string[]
  readonly actors: readonly HeldBy[]
}

export interface HeldBy {
  readonly actor: string
  /** KIFF's kind of actor, where it was told; one known to be no person can never review. */
  readonly type: string | null
  readonly displayName: string | null
}

/** One row of a domain's roles chain. */
export interface RoleChange {
  readonly domain: string
  readonly seq: number
  /** RFC 3339, UTC. */
  readonly at: string
  readonly change: 'granted' | 'revoked'
  readonly actor: string
  readonly role: string
  /** Who did it, as the owner's login told. */
  readonly by: string
  /** The ledger row's, hex. */
  readonly hash: string
}

/** Every role of every domain, and those that are still held though the domain has them no longer. */
export async function listRoles(snapshot: Snapshot): Promise<readonly HeldRole[]> {
  const { rows } = await snapshot.query<HeldRole>(
    `select domain, role,
       array(select permission from kiff.role_permissions p where p.domain = r.domain and p.role = r.role order by permission) as permissions,
       coalesce((select jsonb_agg(jsonb_build_object('actor', m.actor, 'type', a.type, 'displayName', a.display_name) order by m.actor)
         from kiff.memberships m left join kiff.actors a using (actor) where m.domain = r.domain and m.role = r.role), '[]') as actors
     from (select domain, role from kiff.role_permissions union select domain, role from kiff.memberships) r order by domain, role`)
  return rows
}

/** Every grant and revocation, oldest first. */
export async function roleChanges(snapshot: Snapshot): Promise<readonly RoleChange[]> {
  const { rows } = await snapshot.query<RoleChange>(
    `select c.key as domain, l.seq::float8 as seq, to_char(l.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
       case l.kind when 'role_granted' then 'granted' else 'revoked' end as change,
       l.body::jsonb ->> 'actor' as actor, l.body::jsonb ->> 'role' as role, l.body::jsonb ->> 'by' as by, encode(l.hash, 'hex') as hash
     from kiff.ledger l join kiff.chains c using (chain)
     where c.kind = 'roles' and l.kind in ('role_granted', 'role_revoked') order by l.at, l.chain, l.seq`)
  return rows
}
