/** What the owner registers, as `0002-registry.sql` has it: the rules of each domain, and who holds which role. */
import type { Domain } from '../../core/domain.ts'
import type { ActorType } from '../../core/permission.ts'
import { registrationOf } from '../../core/registration.ts'
import { append, lockChain } from './ledger.ts'
import { parseBody, type Body } from './body.ts'
import { StoreError, type Table, type Transaction } from './tables.ts'

/** Replaces a domain's registered rules with those that the code declares now. Contracts registered before stay known. */
export function registerDomain(tx: Transaction, domain: Domain): void {
  const { name } = domain
  const rules = registrationOf(domain)
  tx.roleEpochs.put({ domain: name, epoch: (tx.roleEpochs.get(name)?.epoch ?? 0) + 1 })
  for (const known of tx.contracts.all()) if (known.domain === name && known.newest) tx.contracts.put({ ...known, newest: false })
  for (const { action, hash, entity_type: entityType, permission, from_states: from, emits, reviewers, quorum, always_asks: alwaysAsks, reconcilers } of rules.contracts) {
    const registered = { domain: name, action, hash, entityType, permission, from, emits, reviewers, quorum, alwaysAsks, reconcilers }
    tx.contracts.put({ ...(tx.contracts.get(name, action, hash) ?? registered), newest: true })
  }
  removeOf(tx.stateless, name)
  removeOf(tx.transitions, name)
  removeOf(tx.rolePermissions, name)
  for (const entityType of rules.stateless) tx.stateless.put({ domain: name, entityType })
  for (const { entity_type: entityType, event_type: eventType, from_state: from, to_state: to, reported_by: reportedBy } of rules.transitions) {
    tx.transitions.put({ domain: name, entityType, eventType, from, to, reportedBy })
  }
  for (const held of rules.roles) tx.rolePermissions.put({ domain: name, ...held })
}

function removeOf<Row extends { readonly domain: string }>(table: Table<Row>, domain: string): void {
  for (const row of table.all()) if (row.domain === domain) table.remove(row)
}

/** Grants or revokes one role, audited on the domain's roles chain. @returns false when nothing changed */
export function changeMembership(tx: Transaction, text: string): boolean {
  const b = parseBody(text)
  const { domain, actor, role, kind } = named(b)
  const chain = lockChain(tx, 'roles', domain)
  if (kind !== 'role_granted' && kind !== 'role_revoked') throw new StoreError('P0001', `unknown kind ${kind}`)
  if (kind === 'role_granted' && !tx.rolePermissions.all().some((held) => held.domain === domain && held.role === role)) {
    throw new StoreError('P0002', `domain ${domain} has no role ${role}`)
  }
  const membership = { domain, actor, role }
  const changes = (tx.memberships.get(domain, actor, role) === undefined) === (kind === 'role_granted')
  if (changes && kind === 'role_granted') tx.memberships.insert(membership)
  if (changes && kind === 'role_revoked') tx.memberships.remove(membership)
  const known = describeActor(tx, b)
  if (!changes && !known) return false
  const epoch = tx.roleEpochs.get(domain)
  if (epoch !== undefined) tx.roleEpochs.put({ domain, epoch: epoch.epoch + 1 })
  append(tx, chain, text, ['role_granted', 'role_revoked'])
  return true
}

function named(b: Body): { readonly kind: string; readonly domain: string; readonly actor: string; readonly role: string } {
  return { kind: b.kind ?? 'null', domain: b.domain ?? '', actor: b.actor ?? '', role: b.role ?? '' }
}

/** Keeps who an actor is, where the change says so. @returns whether that is new */
function describeActor(tx: Transaction, b: Body): boolean {
  if (b.actor_type === null || b.actor_type === undefined) return false
  const actor = b.actor ?? ''
  const known = tx.actors.get(actor)
  const displayName = b.display_name ?? null
  if (known?.type === b.actor_type && known.displayName === displayName) return false
  if (!actorTypes.has(b.actor_type)) throw new StoreError('23514', `${b.actor_type} is no kind of actor`)
  tx.actors.put({ actor, type: b.actor_type as ActorType, displayName })
  return true
}

const actorTypes: ReadonlySet<string> = new Set<ActorType>(['human', 'agent', 'service', 'system', 'external'])

/** What an actor may do through its roles, now. */
export function permissionsOf(tx: Transaction, domain: string, actor: string): readonly string[] {
  const roles = new Set(tx.memberships.all().filter((held) => held.domain === domain && held.actor === actor).map(({ role }) => role))
  return [...new Set(tx.rolePermissions.all().filter((held) => held.domain === domain && roles.has(held.role)).map(({ permission }) => permission))]
}

export function holds(tx: Transaction, domain: string | null | undefined, actor: string | null | undefined, permission: string | null): boolean {
  return permission !== null && permissionsOf(tx, domain ?? '', actor ?? '').includes(permission)
}

/** Holds the permission, and is not known to be something else than a person. */
export function mayReview(tx: Transaction, domain: string, actor: string | null | undefined, permission: string): boolean {
  const type = tx.actors.get(actor)?.type
  return holds(tx, domain, actor, permission) && (type === undefined || type === 'human')
}
