/** Binding effects to contracts. Only the gate calls an executor; it is never an activity (I1). */
import type { Contract, TypesOf } from '../core/contract.ts'
import type { Domain } from '../core/domain.ts'

/** What an executor is given. The same frozen parameters that were judged and, where needed, approved. */
export interface ExecutorContext<Params> {
  readonly entityId: string
  readonly params: Params
  /** Pass it on: the receiver must do this at most once for this key. */
  readonly idempotencyKey: string
  /** Aborts at the deadline. Cancelling the workflow does not: an effect under way is finished. */
  readonly signal: AbortSignal
}

export type Executor<Params = unknown, Output = unknown> = (context: ExecutorContext<Params>) => Promise<Output>

/** The actions that need an executor: all but those whose effect is `none`. */
type Effectful<D extends Domain> = {
  [Action in keyof D['actions']]: D['actions'][Action] extends Contract<unknown, unknown, unknown, 'none'> ? never : Action
}[keyof D['actions']]

export type ExecutorsOf<D extends Domain> = {
  readonly [Action in Effectful<D>]: Executor<TypesOf<D['actions'][Action]>['params'], TypesOf<D['actions'][Action]>['output']>
}

/** A domain with its effects, as the gate worker loads it. */
export interface BoundDomain {
  readonly domain: Domain
  readonly executorOf: (action: string) => Executor | undefined
}

/** Binds one executor to every action that has an effect; a missing or a wrongly typed one does not type-check. */
export function executors<D extends Domain>(domain: D, bound: ExecutorsOf<D>): BoundDomain {
  const byName = new Map(Object.entries(bound) as [string, Executor][])
  for (const action of byName.keys()) {
    if (!Object.hasOwn(domain.actions, action)) throw new TypeError(`${domain.name} has no action ${action}`)
  }
  return { domain, executorOf: (action) => byName.get(action) }
}
