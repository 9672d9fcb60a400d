/** Binding effects and facts to contracts. Only the gate calls an executor or a loader; neither is ever an activity (I1). */
import type { Contract, TypesOf } from '../core/contract.ts'
import type { Domain } from '../core/domain.ts'
import type { EventFactValues, FactSpecs, FactValues, LoadedNames, LoadedValue } from '../core/fact.ts'

/** What an executor is given. The same frozen parameters and facts that were judged and, where needed, approved. */
export interface ExecutorContext<Params, Facts = unknown> {
  readonly entityId: string
  readonly actor: string
  /** The person the actor acts for, by its mandate. */
  readonly onBehalfOf: string | null
  readonly params: Params
  /** What the gate has read itself. Where a fact says what to pay, to whom, take it from here: parameters are an agent's words. */
  readonly facts: Facts
  /** Pass it on: the receiver must do this at most once for this key. */
  readonly idempotencyKey: string
  /** Aborts at the deadline. Cancelling the workflow does not: an effect under way is finished. */
  readonly signal: AbortSignal
}

export type Executor<Params = unknown, Output = unknown, Facts = unknown> = (context: ExecutorContext<Params, Facts>) => Promise<Output>

/** What a loader is given. `params` are an agent's words: use them to look something up, never as the answer. */
export interface LoaderContext<Params, Facts = unknown> {
  readonly entityId: string
  readonly params: Params
  /** The declared facts that come from the entity's past: whom to look up, as it was recorded. */
  readonly facts: Facts
  readonly signal: AbortSignal
}

/** Loads one fact from wherever the truth is kept. A throw withholds the action until it can be loaded; `null` must be in the schema. */
export type Loader<Params = unknown, Value = unknown, Facts = unknown> = (context: LoaderContext<Params, Facts>) => Promise<Value>

/** The actions that need an executor: all but those whose effect is `none`. */
type Effectful<D extends Domain> = {
  [Action in keyof D['actions']]: D['actions'][Action] extends Contract<unknown, unknown, unknown, 'none'> ? never : Action
}[keyof D['actions']]

export type ExecutorsOf<D extends Domain> = {
  readonly [Action in Effectful<D>]: Executor<TypesOf<D['actions'][Action]>['params'], TypesOf<D['actions'][Action]>['output'], FactValues<DeclaredOf<D, Action>>>
}

type DeclaredOf<D extends Domain, Action extends keyof D['actions']> = TypesOf<D['actions'][Action]>['declared'] extends infer Declared extends FactSpecs ? Declared : never

/** Every fact of the domain that needs a loader, by name. */
type LoadedFacts<D extends Domain> = { [Action in keyof D['actions']]: LoadedNames<DeclaredOf<D, Action>> }[keyof D['actions']]

/** Over all actions that declare the fact `Name`. */
type LoaderFor<D extends Domain, Name extends string> = {
  [Action in keyof D['actions']]: Name extends LoadedNames<DeclaredOf<D, Action>>
    ? { params: TypesOf<D['actions'][Action]>['params']; value: LoadedValue<DeclaredOf<D, Action>[Name]>; facts: EventFactValues<DeclaredOf<D, Action>> }
    : never
}[keyof D['actions']]

export type LoadersOf<D extends Domain> = {
  readonly [Name in LoadedFacts<D>]: Loader<LoaderFor<D, Name>['params'], LoaderFor<D, Name>['value'], LoaderFor<D, Name>['facts']>
}

/** A domain with its effects and its facts' loaders, as the gate worker loads it. */
export interface BoundDomain {
  readonly domain: Domain
  readonly executorOf: (action: string) => Executor | undefined
  readonly loaderOf: (fact: string) => Loader | undefined
}

/**
 * Binds one executor to every action that has an effect, and one loader to every fact that is loaded; a missing or a wrongly typed
 * one does not type-check. @throws TypeError for a name that the domain does not have
 */
export function executors<D extends Domain>(domain: D, bound: ExecutorsOf<D>, ...[loaders]: [LoadedFacts<D>] extends [never] ? [] : [loaders: LoadersOf<D>]): BoundDomain {
  const byAction = new Map(Object.entries(bound) as [string, Executor][])
  const byFact = new Map(Object.entries(loaders ?? {}) as [string, Loader][])
  for (const action of byAction.keys()) {
    if (!Object.hasOwn(domain.actions, action)) throw new TypeError(`${domain.name} has no action ${action}`)
  }
  for (const fact of byFact.keys()) {
    const loaded = Object.values<Contract>(domain.actions).some(({ facts }) => facts[fact]?.from === 'loader')
    if (!loaded) throw new TypeError(`${domain.name} has no fact ${fact} that is loaded`)
  }
  return { domain, executorOf: (action) => byAction.get(action), loaderOf: (fact) => byFact.get(fact) }
}
