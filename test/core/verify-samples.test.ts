import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { jsonSchemaOf } from '../../src/core/schema.ts'
import { samplesOf } from '../../src/core/samples.ts'

const samples = (schema: z.ZodType, limit = 256): readonly unknown[] => samplesOf(jsonSchemaOf(schema, 'sample'), limit)

describe('samples of a schema', () => {
  test.each<[string, z.ZodType]>([
    ['numbers', z.strictObject({ a: z.int().min(-5).max(50), b: z.number().gt(0).lt(1), c: z.int(), d: z.int().positive(), e: z.intersection(z.int().min(3).max(9), z.int()) })],
    ['texts', z.strictObject({ a: z.string().min(3).max(5), b: z.uuid(), c: z.iso.date(), d: z.iso.datetime(), e: z.email(), f: z.url(), g: z.string() })],
    ['words', z.strictObject({ a: z.enum(['x', 'y']), b: z.literal([1, 'z']), c: z.union([z.literal('p'), z.literal('q')]) })],
    ['lists', z.strictObject({ a: z.array(z.int().max(3)).min(1).max(2), b: z.tuple([z.string(), z.boolean()]), c: z.array(z.string()).length(3) })],
    ['what may be absent or null', z.strictObject({ a: z.string().optional(), b: z.boolean().nullable(), c: z.string().default('x') })],
    ['unions and intersections', z.union([z.discriminatedUnion('kind', [z.strictObject({ kind: z.literal('a') }), z.strictObject({ kind: z.literal('b'), n: z.int() })]), z.intersection(z.object({ x: z.int() }), z.object({ y: z.boolean() })), z.intersection(z.union([z.object({ a: z.int() }), z.object({ b: z.int() })]), z.object({ c: z.int() }))])],
    ['intersections of unions', z.intersection(z.union([z.object({ a: z.int() }), z.object({ b: z.int() })]), z.union([z.object({ c: z.boolean() }), z.object({ d: z.int() })]))],
    ['what can be nothing', z.strictObject({ a: z.boolean(), b: z.never().optional() })],
    ['records', z.record(z.string(), z.strictObject({ n: z.boolean() }))],
    ['anything', z.strictObject({ a: z.unknown() })],
  ])('%s: fit the schema', (_, schema) => {
    const made = samples(schema)
    expect(made.length).toBeGreaterThan(0)
    for (const sample of made) expect(schema.safeParse(sample)).toMatchObject({ success: true })
  })

  test('are all there are, where they are few', () => {
    expect(samples(z.strictObject({ a: z.boolean(), b: z.enum(['x', 'y']) }))).toEqual([{ a: false, b: 'x' }, { a: false, b: 'y' }, { a: true, b: 'x' }, { a: true, b: 'y' }])
  })

  test('are the same each time, and no more than the limit', () => {
    const schema = z.strictObject({ a: z.int(), b: z.int(), c: z.string(), d: z.boolean() })
    expect(samples(schema)).toEqual(samples(schema))
    expect(samples(schema, 50)).toHaveLength(50)
  })

  test('have every word and both truths, the ends of every number, and each member absent', () => {
    const made = samples(z.strictObject({ word: z.enum(['a', 'b', 'c', 'd']), truth: z.boolean(), number: z.int().min(3).max(777), maybe: z.string().optional() })) as { [key: string]: unknown }[]
    const all = (name: string): unknown[] => [...new Set(made.map((sample) => sample[name]))]
    expect(all('word')).toEqual(['a', 'b', 'c', 'd'])
    expect(all('truth')).toEqual([false, true])
    expect(all('number')).toEqual(expect.arrayContaining([3, 100, 777]))
    expect(all('maybe')).toContain(undefined)
  })

  test('that cannot all be had: each value still comes beside both ends of all others', () => {
    const many = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`n${index}`, z.int().min(0).max(1_000_000_000)]))
    const made = samples(z.strictObject(many), 256) as { [key: string]: number }[]
    expect(new Set(made.map((sample) => JSON.stringify(sample))).size).toBeGreaterThan(128)
    for (const name of Object.keys(many)) {
      for (const end of [0, 1_000_000_000]) expect(made.some((sample) => sample[name] === 1_000_000_000 - end && Object.entries(sample).every(([key, value]) => key === name || value === end))).toBe(true)
    }
  })

  test('of a schema that contains itself come to an end', () => {
    const node = z.object({ n: z.boolean(), get next() { return node.optional() } })
    expect(samples(node).length).toBeGreaterThan(2)
  })
})
