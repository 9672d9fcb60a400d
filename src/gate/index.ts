/** `kiff-temporal/worker`: what a gate worker, and an agent worker, are made from. */
export { executors, type BoundDomain, type Executor, type ExecutorContext, type ExecutorsOf, type Loader, type LoaderContext, type LoadersOf } from './binding.ts'
export type { MandateIssuer } from './mandate.ts'
export type { GateObservation, GateObserver } from './observe.ts'
export { NotDone } from '../core/execution.ts'
export { KiffPlugin, type KiffGateOptions } from './plugin.ts'
