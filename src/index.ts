/** `kiff-temporal`: the vocabulary in which domains are written. */
export { entity, type EntityType, type EventSpec } from './core/entity.ts'
export { defineDomain, type Domain } from './core/domain.ts'
export type { ActionContext, ActionSpec, Contract, Effect, Risk } from './core/contract.ts'
export type { Duration } from './core/duration.ts'
export type { Permission, Roles } from './core/permission.ts'
export { REASONS, type ActionResult, type NextStep, type Outcome, type Reason, type RecordRef } from './core/outcome.ts'
export type { Claim } from './core/proposal.ts'
