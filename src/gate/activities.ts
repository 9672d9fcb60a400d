/** The gate's activities: one type for each contract, so that the Temporal UI's timeline reads as business actions. */
import { Context } from '@temporalio/activity'
import { z } from 'zod'
import { refuse } from '../core/outcome.ts'
import { allowedActionsRequest, chain, evaluateRequest, eventRequest, proposalRequest, withdrawRequest, type ChainClaim, type Step } from '../core/proposal.ts'
import { actionActivity, allowedActionsActivity, evaluateActivity, reportActivity, unnamed, withdrawActivity } from '../temporal/names.ts'
import { allowedActions, evaluateProposal } from './evaluate.ts'
import type { Timing } from './execute.ts'
import { propose, withdraw, type GateOptions } from './gate.ts'
import { recordUnknown } from './refuse-unknown.ts'
import { report } from './report.ts'
import type { StepReader } from './step.ts'

type Activity = (input: unknown) => Promise<unknown>

/**
 * The activities of one domain's gate, by type name. `default` records `unknown_action`: a type that nobody registers would
 * be retried for ever. Which step asks comes from the task, what it asks from the one argument; neither carries authority.
 */
export function gateActivities(gate: GateOptions, readStep: StepReader): Record<string, Activity> {
  const { domain } = gate.bound
  function governed<Input>(schema: z.ZodType<Input>, run: (step: Step, input: Input, type: string, timing: () => Timing) => Promise<unknown>): Activity {
    return async (raw) => {
      const startedAt = Date.now()
      const { info } = Context.current()
      const step = await readStep(Context.current(), claimedChain(raw))
      const type = info.activityType.startsWith(`${domain.name}.`) ? info.activityType.slice(domain.name.length + 1) : info.activityType
      const input = schema.safeParse(raw)
      if (input.success) return run(step, input.data, type, () => timingOf(startedAt, info.startToCloseTimeoutMs))
      const refusal = refuse('invalid_parameter', z.prettifyError(input.error).slice(0, 500))
      return recordUnknown(gate.store, step, domain.name, { action: type, actor: 'unknown', input: raw }, refusal)
    }
  }
  const proposal = governed(proposalRequest, (step, request, type, timing) => {
    // Only what no contract's activity type could say is taken from the input: the timeline shows what was proposed.
    const action = type === unnamed ? (request.action ?? type) : type
    return propose(gate, step, action, request, timing)
  })
  return {
    ...Object.fromEntries(Object.keys(domain.actions).map((action) => [actionActivity(domain.name, action), proposal])),
    [reportActivity(domain.name)]: governed(eventRequest, (step, request) => report(gate, step, request)),
    [withdrawActivity(domain.name)]: governed(withdrawRequest, (step, request) => withdraw(gate, step, request)),
    [evaluateActivity(domain.name)]: governed(evaluateRequest, (step, request) => evaluateProposal(gate, step, request)),
    [allowedActionsActivity(domain.name)]: governed(allowedActionsRequest, (step, request) => allowedActions(gate, step, request)),
    default: proposal,
  }
}

/** Whatever time-out an activity has: nothing holds an entity for longer than this without being looked at. */
const longestMs = 24 * 3_600_000

/**
 * An executor gets the attempt's own time minus a margin for the commit that follows; its lease ends in between, so that the
 * next attempt, which the server starts at the time-out, finds it over.
 */
function timingOf(startedAt: number, timeoutMs: number): Timing {
  const startToCloseMs = Math.min(timeoutMs, longestMs)
  const end = startedAt + startToCloseMs
  const marginMs = Math.min(2_000, startToCloseMs / 5)
  const executorMs = Math.max(1, Math.floor(end - marginMs - Date.now()))
  return { executorMs, leaseMs: executorMs + marginMs / 2, until: end - marginMs / 4 }
}

function claimedChain(input: unknown): ChainClaim | null {
  return chain.safeParse(typeof input === 'object' && input !== null ? Reflect.get(input, 'chain') : undefined).data ?? null
}
