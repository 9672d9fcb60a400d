/** Spy executors, and loaders, from what a test gives: a value, or a function of what the gate hands over. */
import type { Contract } from '../core/contract.ts'
import type { Domain } from '../core/domain.ts'
import type { BoundDomain, Executor, ExecutorContext, ExecutorsOf, Loader, LoaderContext, LoadersOf } from '../gate/binding.ts'

/** An executor as a test gives it: what it returns, or what it does. It may throw: `NotDone`, or anything else. */
export type GivenExecutor<E> = E extends Executor<infer Params, infer Output, infer Facts> ? Output | ((context: ExecutorContext<Params, Facts>) => Output | Promise<Output>) : never
/** A loader as a test gives it: what it loads, or how. */
export type GivenLoader<L> = L extends Loader<infer Params, infer Value, infer Facts> ? Value | ((context: LoaderContext<Params, Facts>) => Value | Promise<Value>) : never

export type GivenExecutors<D extends Domain> = { readonly [Action in keyof ExecutorsOf<D>]?: GivenExecutor<ExecutorsOf<D>[Action]> }
export type GivenLoaders<D extends Domain> = { readonly [Name in keyof LoadersOf<D>]?: GivenLoader<LoadersOf<D>[Name]> }

/** One call of an executor: an effect that was begun, however it ended. */
export interface SpiedEffect extends Omit<ExecutorContext<unknown>, 'signal'> {
  readonly action: string
}

export interface Spies {
  readonly bound: BoundDomain
  /** In the order in which they were begun. */
  readonly effects: readonly SpiedEffect[]
  /** Another executor from now on. @throws TypeError for a name that is not there */
  readonly execute: (action: string, given: unknown) => void
  /** Another loader from now on. @throws TypeError for a name that is not there */
  readonly load: (fact: string, given: unknown) => void
}

/** An action whose executor a test does not give is refused by the gate (`executor_missing`); so is a fact that is not given. */
export function createSpies<D extends Domain>(domain: D, executors: GivenExecutors<D> = {}, loaders: GivenLoaders<D> = {}): Spies {
  const effects: SpiedEffect[] = []
  const byAction = new Map<string, Executor>()
  const byFact = new Map<string, Loader>()
  const execute: Spies['execute'] = (action, given) => {
    if (!Object.hasOwn(domain.actions, action)) throw new TypeError(`${domain.name} has no action ${action}`)
    byAction.set(action, async (context) => {
      const { signal: _, ...call } = context
      effects.push({ action, ...call })
      return asked(given, context)
    })
  }
  const load: Spies['load'] = (fact, given) => {
    const loaded = Object.values<Contract>(domain.actions).some(({ facts }) => facts[fact]?.from === 'loader')
    if (!loaded) throw new TypeError(`${domain.name} has no fact ${fact} that is loaded`)
    byFact.set(fact, async (context) => asked(given, context))
  }
  for (const [action, given] of Object.entries(executors)) execute(action, given)
  for (const [fact, given] of Object.entries(loaders)) load(fact, given)
  return { effects, execute, load, bound: { domain, executorOf: (action) => byAction.get(action), loaderOf: (fact) => byFact.get(fact) } }
}

/** Neither outputs nor facts are ever functions: they are JSON. */
function asked(given: unknown, context: unknown): unknown {
  return typeof given === 'function' ? (given as (context: unknown) => unknown)(context) : given
}
