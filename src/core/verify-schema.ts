/** A JSON Schema, read as what it lets in: the shapes a value may have, and every place in it where a value stands. */
import { z } from 'zod'

/** One of the shapes that a schema lets a value have. `null` for a bound: there is none. */
export type Shape =
  | { readonly kind: 'boolean' | 'null' | 'any' }
  | { readonly kind: 'fixed'; readonly values: readonly unknown[] }
  | { readonly kind: 'number'; readonly integer: boolean; readonly min: number | null; readonly max: number | null }
  | { readonly kind: 'string'; readonly minLength: number; readonly maxLength: number | null; readonly format: string | null; readonly pattern: string | null }
  | { readonly kind: 'array'; readonly first: readonly unknown[]; readonly rest: unknown; readonly minItems: number; readonly maxItems: number | null }
  | { readonly kind: 'object'; readonly members: readonly Member[]; readonly others: unknown }

export interface Member {
  readonly name: string
  readonly schema: unknown
  readonly required: boolean
}

/** A place in a value: `lines[].cents` for every line's, `prices.*` for a member of any name. */
export interface Place {
  readonly path: string
  readonly shape: Shape
}

const node = z.looseObject({
  $ref: z.string().optional(),
  $defs: z.record(z.string(), z.unknown()).optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  allOf: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  additionalProperties: z.unknown().optional(),
  prefixItems: z.array(z.unknown()).optional(),
  items: z.unknown().optional(),
  minItems: z.number().optional(),
  maxItems: z.number().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  format: z.string().optional(),
  pattern: z.string().optional(),
})
type Node = z.infer<typeof node>

/** How deep values are followed into one another; a schema that contains itself ends here. */
export const maxDepth = 6

/** The shapes that `schema`, a part of `root`, lets a value have; none for a schema that nothing fits. */
export function shapesOf(schema: unknown, root: unknown): readonly Shape[] {
  return nodesOf(schema, root, 0).flatMap(shapesOfNode)
}

/** Every place of a value of this schema, the value itself left out. */
export function placesOf(schema: unknown): readonly Place[] {
  const places: Place[] = []
  const visit = (part: unknown, path: string, depth: number): void => {
    for (const shape of shapesOf(part, schema)) {
      if (path !== '') places.push({ path, shape })
      if (depth >= maxDepth) continue
      if (shape.kind === 'array') for (const item of [...shape.first, shape.rest]) visit(item, `${path}[]`, depth + 1)
      if (shape.kind !== 'object') continue
      const inside = path === '' ? '' : `${path}.`
      for (const member of shape.members) visit(member.schema, `${inside}${member.name}`, depth + 1)
      visit(shape.others, `${inside}*`, depth + 1)
    }
  }
  visit(schema, '', 0)
  return places
}

/** Alternatives and references taken apart, what has to fit several schemas put together. */
function nodesOf(schema: unknown, root: unknown, depth: number): readonly Node[] {
  const parsed = node.safeParse(schema)
  if (!parsed.success || depth > maxDepth || 'not' in parsed.data) return []
  const { $ref, anyOf, oneOf, allOf = [], ...own } = parsed.data
  const within = (part: unknown): readonly Node[] => nodesOf(part, root, depth + 1)
  const alternatives = anyOf ?? oneOf
  const parts = [...($ref === undefined ? [] : [within(referred($ref, root))]), ...(alternatives === undefined ? [] : [alternatives.flatMap(within)]), ...allOf.map(within)]
  const types = Array.isArray(own.type) ? own.type.map((type) => ({ ...own, type })) : [own]
  return parts.reduce<readonly Node[]>((nodes, alternatives) => nodes.flatMap((one) => alternatives.map((two) => both(one, two))), types)
}

/** What fits both. */
function both(one: Node, two: Node): Node {
  const [highest, lowest] = [smaller(one.maximum, two.maximum), larger(one.minimum, two.minimum)]
  return {
    ...one, ...two,
    ...(highest !== undefined && { maximum: highest }),
    ...(lowest !== undefined && { minimum: lowest }),
    ...(one.properties && two.properties && { properties: { ...one.properties, ...two.properties } }),
    ...(one.required && two.required && { required: [...one.required, ...two.required] }),
  }
}

const smaller = (a: number | undefined, b: number | undefined): number | undefined => (a === undefined ? b : Math.min(a, b ?? a))
const larger = (a: number | undefined, b: number | undefined): number | undefined => (a === undefined ? b : Math.max(a, b ?? a))

/** `#`, or `#/$defs/Name`: the only references that zod writes. */
function referred($ref: string, root: unknown): unknown {
  const parsed = node.safeParse(root)
  if (!parsed.success) return {}
  const { $defs = {}, ...whole } = parsed.data
  return $ref === '#' ? whole : ($defs[$ref.replace('#/$defs/', '')] ?? {})
}

function shapesOfNode(own: Node): readonly Shape[] {
  if ('const' in own) return [{ kind: 'fixed', values: [own.const] }]
  if (own.enum !== undefined) return [{ kind: 'fixed', values: own.enum }]
  switch (own.type) {
    case 'boolean': case 'null': return [{ kind: own.type }]
    case 'integer': case 'number': return [numberOf(own)]
    case 'string': return [{ kind: 'string', minLength: own.minLength ?? 0, maxLength: own.maxLength ?? null, format: own.format ?? null, pattern: own.pattern ?? null }]
    case 'array': return [{ kind: 'array', first: own.prefixItems ?? [], rest: own.items, minItems: own.minItems ?? 0, maxItems: own.maxItems ?? null }]
    case 'object': return [objectOf(own)]
    case undefined: return own.properties === undefined ? [{ kind: 'any' }] : [objectOf(own)]
    default: return [{ kind: 'any' }]
  }
}

/** A bound as far out as JSON's integers go is the schema library's, not the author's. */
function numberOf({ type, minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Node): Shape {
  const integer = type === 'integer'
  const step = integer ? 1 : 0.01
  const lowest = Math.max(minimum ?? -Infinity, exclusiveMinimum === undefined ? -Infinity : exclusiveMinimum + step)
  const highest = Math.min(maximum ?? Infinity, exclusiveMaximum === undefined ? Infinity : exclusiveMaximum - step)
  return { kind: 'number', integer, min: boundOf(lowest), max: boundOf(highest) }
}

const boundOf = (number: number): number | null => (Math.abs(number) < Number.MAX_SAFE_INTEGER ? number : null)

function objectOf({ properties = {}, required = [], additionalProperties }: Node): Shape {
  const members = Object.entries(properties).map(([name, schema]) => ({ name, schema, required: required.includes(name) }))
  return { kind: 'object', members, others: additionalProperties }
}
