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
export interface LoadedFact<Value = unknown> {
  readonly from: 'loader'
  readonly schema: z.ZodType<Value>
}

export type FactSpecs = Readonly<Record<string, EventFact | LoadedFact>>

/** The values that a contract's rules see. */
export type FactValues<Declared extends FactSpecs> = {
  readonly [Name in keyof Declared]: Declared[Name] extends EventFact<infer Value> | LoadedFact<infer Value> ? Value : never
}

/** The values of those that are derived from the entity's past: what a loader may rest on. */
export type EventFactValues<Declared extends FactSpecs> = {
  readonly [Name in keyof Declared as Declared[Name] extends EventFact ? Name : never]: Declared[Name] extends EventFact<infer Value> ? Value : never
}

/** The names of the facts that need a loader. */
export type LoadedNames<Declared extends FactSpecs> = {
  [Name in keyof Declared]: Declared[Name] extends LoadedFact ? Name : never
}[keyof Declared] & string

/** A fact that the gate worker loads, from wherever the truth is kept. @throws TypeError when the schema does not yield JSON */
export function factFromLoader<Value>(schema: z.ZodType<Value>): LoadedFact<Value> {
  jsonSchemaOf(schema, 'fact')
  return { from: 'loader', schema }
}

/** What a contract shows of a fact, and what its hash covers. */
export interface DeclaredFact {
  readonly from: 'events' | 'loader'
  readonly events: readonly string[]
  readonly schema: unknown
}

export const declaredFacts = (specs: FactSpecs): Readonly<Record<string, DeclaredFact>> =>
  Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, { from: spec.from, events: spec.from === 'events' ? spec.events : [], schema: jsonSchemaOf(spec.schema, `fact ${name}`) }]))

/** The values of the facts that are derived from the entity's past. @throws Error naming the first that is not what its schema says */
export function deriveFacts(specs: FactSpecs, events: readonly PastEvent[]): Readonly<Record<string, unknown>> {
  return parsed(specs, (spec) => (spec.from === 'events' ? { value: spec.derive(events.filter(({ type }) => spec.events.includes(type))) } : undefined))
}

/** The values of all declared facts. @throws Error naming the first that is not what its schema says: nothing is judged on half of the facts */
export function readFacts(specs: FactSpecs, events: readonly PastEvent[], loaded: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const values = parsed(specs, (spec, name) => (spec.from === 'loader' ? { value: loaded[name] } : undefined))
  return Object.freeze({ ...deriveFacts(specs, events), ...values })
}

function parsed(specs: FactSpecs, read: (spec: FactSpecs[string], name: string) => { readonly value: unknown } | undefined): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {}
  for (const [name, spec] of Object.entries(specs)) {
    const raw = read(spec, name)
    if (raw === undefined) continue
    const result = spec.schema.safeParse(raw.value)
    if (!result.success) throw new Error(`fact ${name}: ${firstIssue(result.error, raw.value, name).message}`)
    canonical(result.data, `fact ${name}`)
    values[name] = result.data
  }
  return Object.freeze(values)
}
