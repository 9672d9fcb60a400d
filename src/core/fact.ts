/**
 * Declared facts: what a contract's rules rest on beside the parameters. The gate reads them itself, at each judgement and so
 * at the moment of effect, and records them; what an agent asserts is never one of them.
 */
import type { z } from 'zod'
import { firstIssue, jsonSchemaOf } from './schema.ts'
import { canonical } from './canonical.ts'

/** A recorded event, as a fact is derived from it. `at` is the ledger's time, RFC 3339 UTC. */
export interface PastEvent<Type extends string = string, Payload = unknown> {
  readonly type: Type
  readonly payload: Payload
  readonly at: string
}

/** Derived from the entity's own recorded events; the state version guards it, so it still holds in the commit. */
export interface EventFact<Value = unknown> {
  readonly from: 'events'
  readonly events: readonly string[]
  readonly schema: z.ZodType<Value>
  readonly derive: (events: readonly PastEvent[]) => Value
}

/** Loaded by a function that the gate worker binds; read anew before every effect. */
export interface LoadedFact<Value = unknown, Loaded = unknown> {
  readonly from: 'loader'
  /** What the loader gives. */
  readonly loads: z.ZodType<Loaded>
  readonly schema: z.ZodType<Value>
  /** A method, since only the fact itself knows what it takes: `loads` has parsed it. */
  derive(loaded: Loaded): Value
}

/** What a loader of the fact gives. */
export type LoadedValue<Fact> = Fact extends { readonly from: 'loader'; readonly loads: z.ZodType<infer Loaded> } ? Loaded : never

export type FactSpecs = Readonly<Record<string, EventFact | LoadedFact>>

/** The values that a contract's rules see. */
export type FactValues<Declared extends FactSpecs> = {
  readonly [Name in keyof Declared]: Declared[Name] extends { readonly schema: z.ZodType<infer Value> } ? Value : never
}

/** The values of those that are derived from the entity's past: what a loader may rest on. */
export type EventFactValues<Declared extends FactSpecs> = {
  readonly [Name in keyof Declared as Declared[Name] extends EventFact ? Name : never]: Declared[Name] extends EventFact<infer Value> ? Value : never
}

/** The names of the facts that need a loader. */
export type LoadedNames<Declared extends FactSpecs> = {
  [Name in keyof Declared]: Declared[Name] extends { readonly from: 'loader' } ? Name : never
}[keyof Declared] & string

/**
 * A fact that the gate worker loads, from wherever the truth is kept. With `derive`, what is loaded is not the fact, but what it is
 * made from: consent binds every fact, so that one which moves by itself (the hour, a balance) could never be granted; whether it is
 * day, or the balance suffices, can. `derive` is pure, and part of the rules. @throws TypeError when a schema does not yield JSON
 */
export function factFromLoader<Value>(schema: z.ZodType<Value>): LoadedFact<Value, Value>
export function factFromLoader<Loaded, Value>(loads: z.ZodType<Loaded>, schema: z.ZodType<Value>, derive: (loaded: NoInfer<Loaded>) => NoInfer<Value>): LoadedFact<Value, Loaded>
export function factFromLoader(loads: z.ZodType, schema: z.ZodType = loads, derive: (loaded: unknown) => unknown = (loaded) => loaded): LoadedFact {
  jsonSchemaOf(loads, 'what is loaded')
  jsonSchemaOf(schema, 'fact')
  return { from: 'loader', loads, schema, derive }
}

/** What a contract shows of a fact, and what its hash covers. */
export interface DeclaredFact {
  readonly from: 'events' | 'loader'
  readonly events: readonly string[]
  readonly schema: unknown
  /** What is loaded, where that is not the fact itself. */
  readonly loads?: unknown
}

export const declaredFacts = (specs: FactSpecs): Readonly<Record<string, DeclaredFact>> =>
  Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, { from: spec.from, events: spec.from === 'events' ? spec.events : [], schema: jsonSchemaOf(spec.schema, `fact ${name}`), ...(spec.from === 'loader' && spec.loads !== spec.schema ? { loads: jsonSchemaOf(spec.loads, `fact ${name}`) } : {}) }]))

/** The values of the facts that are derived from the entity's past. @throws Error naming the first that is not what its schema says */
export function deriveFacts(specs: FactSpecs, events: readonly PastEvent[]): Readonly<Record<string, unknown>> {
  return parsed(specs, (spec) => (spec.from === 'events' ? { value: spec.derive(events.filter(({ type }) => spec.events.includes(type))) } : undefined))
}

/** The values of all declared facts. @throws Error naming the first that is not what its schema says: nothing is judged on half of the facts */
export function readFacts(specs: FactSpecs, events: readonly PastEvent[], loaded: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const values = parsed(specs, (spec, name) => (spec.from === 'loader' ? { value: spec.derive(accepted(spec.loads, loaded[name], name)) } : undefined))
  return Object.freeze({ ...deriveFacts(specs, events), ...values })
}

function parsed(specs: FactSpecs, read: (spec: FactSpecs[string], name: string) => { readonly value: unknown } | undefined): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {}
  for (const [name, spec] of Object.entries(specs)) {
    const raw = read(spec, name)
    if (raw === undefined) continue
    values[name] = accepted(spec.schema, raw.value, name)
  }
  return Object.freeze(values)
}

function accepted(schema: z.ZodType, value: unknown, name: string): unknown {
  const result = schema.safeParse(value)
  if (!result.success) throw new Error(`fact ${name}: ${firstIssue(result.error, value, name).message}`)
  canonical(result.data, `fact ${name}`)
  return result.data
}
