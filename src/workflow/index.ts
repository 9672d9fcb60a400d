/** `kiff-temporal/workflow`: what workflow code imports. Safe for Temporal's sandbox. */
export { governed, type Governed, type GovernedOptions, type ProposeOptions, type ReportOptions } from './governed.ts'
export type { AllowedAction, Evaluation } from '../core/evaluation.ts'
export type { Trace } from '../core/proposal.ts'
export type { ActionResult, NextStep, Outcome, Reason, RecordRef } from '../core/outcome.ts'
