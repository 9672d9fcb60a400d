/**
 * Values made from a JSON Schema, so that a rule can be watched at work: lowest, highest and round numbers, every word of an
 * enumeration, both truths, absent members. The same schema always gives the same values.
 */
import { maxDepth, shapesOf, type Member, type Shape } from './verify-schema.ts'

/** An optional member left out. */
const absent = Symbol('absent')

/**
 * At most `limit` values of this schema. Every value of every member is met at least once beside the first and the last of all
 * others, as far as the limit goes. Texts have the schema's length, but not its pattern.
 */
export function samplesOf(schema: unknown, limit: number): readonly unknown[] {
  return samplesIn(schema, schema, limit, 0)
}

function samplesIn(schema: unknown, root: unknown, limit: number, depth: number): readonly unknown[] {
  if (depth > maxDepth) return []
  return shapesOf(schema, root).flatMap((shape) => samplesOfShape(shape, root, limit, depth)).slice(0, limit)
}

function samplesOfShape(shape: Shape, root: unknown, limit: number, depth: number): readonly unknown[] {
  switch (shape.kind) {
    case 'boolean': return [false, true]
    case 'null': return [null]
    case 'any': return ['text']
    case 'fixed': return shape.values
    case 'number': return numbers(shape)
    case 'string': return texts(shape)
    case 'array': return arrays(shape, root, limit, depth)
    case 'object': return objects(shape, root, limit, depth)
  }
}

function numbers({ integer, min, max }: Shape & { kind: 'number' }): readonly number[] {
  const [lowest, highest] = [min ?? -1_000_000_000, max ?? 1_000_000_000]
  const between = [0, ...integer ? [] : [0.5], 1, 7, 12, 20, 100, 1_000, 10_000, 100_000, 1_000_000].filter((number) => number > lowest && number < highest)
  return [...new Set([lowest, ...between, highest])]
}

const examples: Readonly<Record<string, readonly string[]>> = {
  'date-time': ['2020-01-01T00:00:00Z', '2030-01-01T00:00:00Z'],
  date: ['2020-01-01', '2030-01-01'],
  time: ['02:14:00', '12:00:00'],
  uuid: ['00000000-0000-4000-8000-000000000000', '10000000-0000-4000-8000-000000000000'],
  email: ['a@example.com', 'b@example.com'],
  uri: ['https://a.example', 'https://b.example'],
}

function texts({ minLength, maxLength, format }: Shape & { kind: 'string' }): readonly string[] {
  const known = examples[format ?? '']
  if (known !== undefined) return known
  const short = Math.max(minLength, 1)
  const long = Math.min(maxLength ?? 100, Math.max(short, 100))
  return [...new Set(['a'.repeat(short), 'b'.repeat(long), ...(minLength === 0 ? [''] : [])])]
}

function arrays({ first, rest, minItems, maxItems }: Shape & { kind: 'array' }, root: unknown, limit: number, depth: number): readonly unknown[] {
  if (first.length > 0) return combinations(first.map((schema) => samplesIn(schema, root, inside(limit), depth + 1)), limit)
  const items = samplesIn(rest, root, inside(limit), depth + 1)
  const pair = [items[0], items.at(-1)].filter((item) => item !== undefined)
  return [[], pair, ...items.map((item) => Array.from({ length: Math.max(1, minItems) }, () => item))]
    .filter((array) => array.length >= minItems && array.length <= (maxItems ?? Infinity))
}

function objects({ members, others }: Shape & { kind: 'object' }, root: unknown, limit: number, depth: number): readonly unknown[] {
  const all: readonly Member[] = typeof others === 'object' ? [...members, { name: '*', schema: others, required: true }] : members
  const possible = all.map(({ schema, required }) => [...samplesIn(schema, root, inside(limit), depth + 1), ...(required ? [] : [absent])])
  return combinations(possible, limit).map((values) =>
    Object.fromEntries(all.map(({ name }, index): [string, unknown] => [name, values[index]]).filter(([, value]) => value !== absent)))
}

/** Fewer for what is inside another, so that its siblings have their turn. */
const inside = (limit: number): number => Math.max(16, limit >> 3)

/** All ways to take one of each, or as many as the limit allows: each beside the first and the last of the others, then a mix. */
function combinations(possible: readonly (readonly unknown[])[], limit: number): readonly (readonly unknown[])[] {
  if (possible.some((values) => values.length === 0)) return []
  if (possible.reduce((product, { length }) => product * length, 1) <= limit) {
    return possible.reduce<readonly (readonly unknown[])[]>((taken, values) => taken.flatMap((before) => values.map((value) => [...before, value])), [[]])
  }
  const bases = [possible.map(([value]) => value), possible.map((values) => values.at(-1))]
  const beside = possible.flatMap((values, place) => values.flatMap((value) => bases.map((base) => base.with(place, value))))
  let seed = 1
  const next = (): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 1)
  const mixed = Array.from({ length: Math.max(0, limit - beside.length) }, () => possible.map((values) => values[(next() >>> 8) % values.length]))
  return [...beside, ...mixed].slice(0, limit)
}
