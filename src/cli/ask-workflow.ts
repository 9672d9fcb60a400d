/** The workflows of the commands `evaluate`, `propose`, `event` and `allowed`: an agent's calls of the gate, and no more than those. */
import { CancellationScope, CancelledFailure } from '@temporalio/workflow'
import { governed, type ActionResult, type AllowedAction, type Evaluation, type Governed, type GovernedOptions, type ProposeOptions, type ReportOptions } from '../workflow/index.ts'

// oxlint-disable-next-line typescript/no-generated-empty-object-type -- no action is known here
type AnyDomain = { readonly name: string; readonly actions: Record<never, never> }

/** Who asks which domain's gate, as what part of. */
export interface Asking extends GovernedOptions {
  readonly domain: string
}

/** A gate that has no such question (it is another domain's) refuses it. */
type OrRefused<Answer> = Answer | Exclude<ActionResult, { outcome: 'allowed' }>

/** A person would have to agree, and so it was not proposed. */
export type NotProposed = Evaluation & { readonly outcome: 'approval_required' }

export async function evaluateAction(asking: Asking, action: string, entityId: string, params: unknown): Promise<OrRefused<Evaluation>> {
  return gateOf(asking).evaluate(action, entityId, params)
}

export async function listAllowedActions(asking: Asking, entityId: string): Promise<OrRefused<readonly AllowedAction[]>> {
  return gateOf(asking).allowedActions(entityId)
}

/** Waits while a person is asked; not `patient`, nobody is asked, as far as the gate can tell beforehand. */
export async function proposeAction(asking: Asking, action: string, entityId: string, params: unknown, beside: ProposeOptions, patient: boolean): Promise<ActionResult | NotProposed> {
  const gate = gateOf(asking)
  if (!patient) {
    const evaluation = await gate.evaluate(action, entityId, params)
    if (evaluation.outcome === 'approval_required') return { ...evaluation, outcome: evaluation.outcome }
  }
  await unlessCancelled()
  return gate.propose(action, entityId, params, beside)
}

export async function reportEvent(asking: Asking, event: string, entityId: string, payload: unknown, beside: ReportOptions): Promise<ActionResult> {
  await unlessCancelled()
  return gateOf(asking).report(event, entityId, payload, beside)
}

function gateOf({ domain, ...options }: Asking): Governed<AnyDomain> {
  return governed<AnyDomain>(domain, options)
}

/** What follows is not given up half-way: whoever has left by now must find nothing done. */
async function unlessCancelled(): Promise<void> {
  await Promise.resolve() // a cancellation that came before the first task counts as well
  if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('cancelled before the gate was asked')
}
