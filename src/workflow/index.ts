/** `kiff-temporal/workflow`: what workflow code imports. Safe for Temporal's sandbox. */
export { governed, type Governed, type GovernedOptions, type ProposeOptions } from './governed.ts'
export type { ActionResult, NextStep, Outcome, Reason, RecordRef } from '../core/outcome.ts'
