/** A domain's actions as tools for a model: names, descriptions and JSON Schemas, from the contracts themselves. Pure. */
import type { Contract } from './contract.ts'
import { maxIdLength } from './proposal.ts'
import type { Domain } from './domain.ts'
import { isStateless } from './entity.ts'

/** One tool, in the form that model APIs take. Its name is the action's, which fits all of them. */
export interface Tool {
  readonly name: string
  readonly description: string
  /** JSON Schema of `{ entityId, params, why, confidence? }`. What it accepts, the gate still judges. */
  readonly inputSchema: {
    readonly type: 'object'
    readonly properties: Readonly<Record<'entityId' | 'params' | 'why' | 'confidence', unknown>>
    readonly required: readonly ['entityId', 'params', 'why']
    readonly additionalProperties: false
  }
}

/**
 * The tools of a domain: of these actions only, or of one entity's. A tool is no permission; what a model calls is proposed, and
 * the gate decides. @throws TypeError for an action or an entity that the domain does not have
 */
export function toolsOf(domain: Domain, only: { readonly actions?: readonly string[]; readonly entity?: string } = {}): readonly Tool[] {
  const unknown = only.actions?.find((action) => !Object.hasOwn(domain.actions, action))
  if (unknown !== undefined) throw new TypeError(`${domain.name} has no action ${unknown}`)
  if (only.entity !== undefined && !Object.hasOwn(domain.entities, only.entity)) throw new TypeError(`${domain.name} has no entity ${only.entity}`)
  return Object.entries(domain.actions)
    .filter(([action, { entity }]) => (only.actions?.includes(action) ?? true) && (only.entity ?? entity.name) === entity.name)
    .map(([action, contract]) => toolOf(action, contract))
}

function toolOf(name: string, contract: Contract): Tool {
  return {
    name,
    description: descriptionOf(contract),
    inputSchema: {
      type: 'object',
      properties: {
        entityId: { type: 'string', minLength: 1, maxLength: maxIdLength, description: `The id of the ${contract.entity.name}` },
        params: asInput(contract.paramsSchema),
        why: { type: 'string', minLength: 1, maxLength: 4_000, description: 'Why it should be done, for the record and for the person who may be asked' },
        confidence: { type: 'number', minimum: 0, maximum: 1, description: 'How sure you are' },
      },
      required: ['entityId', 'params', 'why'],
      additionalProperties: false,
    },
  }
}

function descriptionOf({ description, entity, from, risk, approval }: Contract): string {
  const states = isStateless(entity) ? '' : from === 'any' ? ', in any state' : `, in state ${from.join(' or ')}`
  return `${description}. On: ${entity.name}${states}. Risk: ${risk}. ${whoIsAsked(approval)}`
}

function whoIsAsked(approval: Contract['approval']): string {
  if (approval === null) return 'Nobody is asked first.'
  const people = approval.quorum === 1 ? 'a person has' : `${approval.quorum} people have`
  if (approval.always !== null) return `Always asked first: ${people} to agree (${approval.always}); that can take days.`
  return `Depending on the case, ${people} to agree first; that can take days.`
}

/** The schema as a caller has to meet it: a member with a default may be left out, and references point to where it stands now. */
function asInput(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(asInput)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(Object.entries(schema).flatMap(([key, value]): [string, unknown][] => {
    if (key === '$schema' && typeof value === 'string') return []
    if (key === '$ref' && typeof value === 'string' && value.startsWith('#')) return [[key, `#/properties/params${value.slice(1)}`]]
    if (key === 'required' && Array.isArray(value)) return [[key, value.filter((name) => !hasDefault(schema, name))]]
    return [[key, asInput(value)]]
  }))
}

function hasDefault(schema: object, name: unknown): boolean {
  const properties: unknown = Reflect.get(schema, 'properties')
  const property: unknown = typeof properties === 'object' && properties !== null && typeof name === 'string' ? Reflect.get(properties, name) : undefined
  return typeof property === 'object' && property !== null && 'default' in property
}
