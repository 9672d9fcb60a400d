/** Which entity is meant: an id alone, where it names only one. */
import type { Command } from 'commander'
import { entitiesNamed } from '../evidence/audit-records.ts'
import type { Snapshot } from '../evidence/read-ledger.ts'
import { exit, Failure } from './exit.ts'

export interface EntityFlags {
  readonly type?: string
  readonly domain?: string
  readonly database?: string
}

export interface NamedEntity {
  readonly domain: string
  readonly entityType: string
  readonly entityId: string
  /** As `refunds/Order/order-2`. */
  readonly key: string
}

/** The argument and the options by which a command that reads names an entity. */
export function aboutEntity(command: Command): Command {
  return command
    .argument('<entityId>', 'as order-2')
    .option('--type <type>', 'its kind, as Order, where the id alone could mean several')
    .option('--domain <domain>', 'its domain, as refunds, where the id alone could mean several')
    .option('--database <url>', 'Postgres, as the kiff_auditor login')
}

/** @throws Failure when nothing is recorded about such an entity, or the flags leave several */
export async function entityNamed(snapshot: Snapshot, entityId: string, { type, domain }: EntityFlags): Promise<NamedEntity> {
  const recorded = await entitiesNamed(snapshot, entityId)
  const meant = recorded.filter((each) => (type === undefined || each.entityType === type) && (domain === undefined || each.domain === domain))
  const [entity, another] = meant
  const keyOf = (each: { readonly domain: string; readonly entityType: string }): string => `${each.domain}/${each.entityType}/${entityId}`
  if (entity === undefined) {
    const known = recorded.length === 0 ? '' : `; there is ${recorded.map(keyOf).join(', ')}`
    throw new Failure(`nothing is recorded about ${[domain, type, entityId].filter((part) => part !== undefined).join('/')}${known}`)
  }
  if (another !== undefined) throw new Failure(`${entityId} could be ${meant.map(keyOf).join(' or ')}; say which with --domain or --type`, exit.usage)
  return { ...entity, entityId, key: keyOf(entity) }
}
