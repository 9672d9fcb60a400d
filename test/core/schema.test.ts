import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineAction } from '../../src/core/define-action.ts'
import { entity } from '../../src/core/entity.ts'
import { jsonSchemaOf } from '../../src/core/schema.ts'
import { Account } from './an-account.ts'

/** A person must see the very value that runs, and everything must be recordable as JSON. */
const refused: readonly (readonly [string, () => z.ZodType])[] = [
  ['transform', () => z.string().transform((text) => text.length)],
  ['pipe', () => z.string().pipe(z.string())],
  ['coerce to a number', () => z.coerce.number()],
  ['coerce to text', () => z.coerce.string()],
  ['coerce to a boolean', () => z.coerce.boolean()],
  ['coerce to a date', () => z.coerce.date()],
  ['preprocess', () => z.preprocess((raw) => raw, z.string())],
  ['codec', () => z.codec(z.iso.datetime(), z.date(), { decode: (text) => new Date(text), encode: (date) => date.toISOString() })],
  ['stringbool', () => z.stringbool()],
  ['catch', () => z.string().catch('anything goes')],
  ['success', () => z.success(z.string())],
  ['promise', () => z.promise(z.string())],
  ['date', () => z.date()],
  ['bigint', () => z.bigint()],
  ['map', () => z.map(z.string(), z.string())],
  ['set', () => z.set(z.string())],
  ['symbol', () => z.symbol()],
  ['undefined', () => z.undefined()],
  ['file', () => z.file()],
  ['custom', () => z.custom(() => true)],
  ['instanceof', () => z.instanceof(Date)],
  ['a bound that no canonical JSON can tell', () => z.float64()],
]

describe('a schema that does not yield the JSON that came in is refused when the module is loaded', () => {
  test.each(refused)('%s', (_, schema) => {
    expect(() => jsonSchemaOf(schema(), 'params')).toThrow(/^params: the schema must yield plain JSON/)
  })

  test.each<[string, (schema: z.ZodType) => z.ZodType]>([
    ['in an object', (schema) => z.strictObject({ a: schema })],
    ['optional', (schema) => z.strictObject({ a: schema.optional() })],
    ['in an array', (schema) => z.array(schema)],
    ['in a union', (schema) => z.union([z.string(), schema])],
    ['in a record', (schema) => z.record(z.string(), schema)],
    ['in a tuple', (schema) => z.tuple([z.string(), schema])],
    ['behind lazy', (schema) => z.lazy(() => schema)],
    ['read only', (schema) => schema.readonly()],
    ['with a default', (schema) => schema.default('x')],
    ['in an intersection', (schema) => z.intersection(z.strictObject({}), z.strictObject({ a: schema }))],
  ])('%s', (_, around) => {
    expect(() => jsonSchemaOf(around(z.string().transform((text) => text)), 'params')).toThrow(TypeError)
    expect(() => jsonSchemaOf(around(z.coerce.number()), 'params')).toThrow(TypeError)
    expect(() => jsonSchemaOf(around(z.string().catch('x')), 'params')).toThrow(TypeError)
  })
})

describe('a pattern has to say what the whole text may be', () => {
  test.each([/[a-z]+/, /^[a-z]+/, /[a-z]+$/, /^a|b$/, /^[a-z]+\$/, /^(a)|(b)$/, /^a\|b|c$/])('%s matches a part: refused', (pattern) => {
    expect(() => jsonSchemaOf(z.strictObject({ a: z.string().regex(pattern) }), 'params')).toThrow('matches a part of the text')
  })

  test.each([/^[a-z]+$/i, /^[a-z]+$/m, /^.$/s, /^a$/g])('%s has a flag that no schema tells: refused', (pattern) => {
    expect(() => jsonSchemaOf(z.string().regex(pattern), 'params')).toThrow('a JSON Schema cannot tell the flag')
  })

  test.each([/^[a-z]+$/, /^(?:a|b)$/, /^[a|b]$/, /^a\|b$/, /^\p{L}+$/u, /^[\]|]$/])('%s is taken', (pattern) => {
    expect(jsonSchemaOf(z.string().regex(pattern), 'params')).toMatchObject({ pattern: pattern.source })
  })

  test('a part can be asked for by name, and named formats are taken', () => {
    expect(() => jsonSchemaOf(z.strictObject({ a: z.string().startsWith('x').endsWith('y').includes('z'), b: z.email(), c: z.uuid() }), 'params')).not.toThrow()
  })
})

test('schemas that do are told as JSON Schema, defaults, checks and recursion included', () => {
  const tree: z.ZodType = z.lazy(() => z.strictObject({ children: z.array(tree) }))
  const schema = z.strictObject({ cents: z.int().positive(), kind: z.enum(['a', 'b']).default('a'), tree: tree.optional(), at: z.iso.datetime(), rest: z.unknown() })
  expect(jsonSchemaOf(schema, 'params')).toMatchObject({ type: 'object', properties: { cents: { type: 'integer' }, kind: { default: 'a' } }, additionalProperties: false })
})

const action = (schemas: { params?: z.ZodType; output?: z.ZodType }) =>
  defineAction(Account, { description: 'x', from: ['OPEN'], params: z.strictObject({}), output: z.strictObject({}), permission: 'a.b', risk: 'low', effect: 'external', describe: () => 'x', ...schemas })

describe('the rule holds wherever a schema is declared', () => {
  test('in the parameters of an action', () => {
    expect(() => action({ params: z.date() })).toThrow(/^params:/)
  })

  test('in the output of an action', () => {
    expect(() => action({ output: z.date() })).toThrow(/^output:/)
  })

  test('in the payload of an event', () => {
    expect(() => entity('Order', { states: ['A'], events: { MADE: { from: null, to: 'A', payload: z.strictObject({ at: z.date() }) } } })).toThrow(/^Order\.MADE:/)
  })
})

test('a duration that is none is refused when the module is loaded', () => {
  const spec = { description: 'x', from: ['OPEN'], params: z.strictObject({}), output: z.strictObject({}), permission: 'a.b', risk: 'low', describe: () => 'x' } as const
  expect(() => defineAction(Account, { ...spec, effect: { idempotentFor: '0 hours' } })).toThrow(RangeError)
  expect(() => defineAction(Account, { ...spec, effect: 'external', approval: { when: () => false, reviewers: 'a.b', expiresIn: '0 days' } })).toThrow(RangeError)
  expect(() => defineAction(Account, { ...spec, effect: 'external', approval: { when: () => false, reviewers: 'a.b', expiresIn: '1 day', useWithin: '-1 days' } })).toThrow(RangeError)
})
