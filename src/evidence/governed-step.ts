/** A governed activity of a history: what was asked of the gate, read from its recorded input, and what the gate answered. */
import { z } from 'zod'
import {
  allowedActionsRequest, evaluateRequest, eventRequest, proposalRequest, withdrawRequest,
  type AllowedActionsRequest, type EvaluateRequest, type EventRequest, type ProposalRequest, type WithdrawRequest,
} from '../core/proposal.ts'
import { allowedActionsActivity, evaluateActivity, reportActivity, unnamed, withdrawActivity } from '../temporal/names.ts'
import type { ScheduledActivity } from './history.ts'

export type Asked =
  | { readonly kind: 'action'; readonly request: ProposalRequest }
  | { readonly kind: 'report'; readonly request: EventRequest }
  | { readonly kind: 'withdraw'; readonly request: WithdrawRequest }
  /** What would happen, or what could: the gate answers, and records nothing. */
  | { readonly kind: 'question'; readonly request: EvaluateRequest | (AllowedActionsRequest & { readonly action?: never }) }
  /** Input that the gate could not read either; it is refused as it stands. */
  | { readonly kind: 'unreadable' }

const answer = z.object({
  outcome: z.string(),
  reason: z.string().optional(),
  message: z.string().optional(),
  output: z.unknown().optional(),
  approvalId: z.string().optional(),
  record: z.object({ chain: z.string(), seq: z.number(), hash: z.string() }),
})

/** The gate's answer as it stands in history. */
export type RecordedAnswer = z.infer<typeof answer>

export interface GovernedStep {
  readonly activity: ScheduledActivity
  /** The one argument. */
  readonly input: unknown
  readonly domain: string
  readonly asked: Asked
  /** `null`: none yet, none is due, or it is not an answer of a gate (see `answered`). */
  readonly answer: RecordedAnswer | null
  /** The activity was completed in history, and should carry an answer with its record. */
  readonly answered: boolean
}

/** Reads an activity as a step of this domain's gate. */
export function toStep(activity: ScheduledActivity, domain: string): GovernedStep {
  const input = Array.isArray(activity.input) ? activity.input[0] : undefined
  const asked = askedBy(activity.type, domain, input)
  const completed = activity.end?.status === 'completed'
  const parsed = answer.safeParse(completed ? activity.end.result : undefined)
  return { activity, input, domain, asked, answer: parsed.success ? parsed.data : null, answered: completed && asked.kind !== 'withdraw' && asked.kind !== 'question' }
}

/** The domain whose gate an activity type names, if it is one of these. */
export function domainOfType(type: string, domains: readonly string[]): string | undefined {
  return domains.find((domain) => type.startsWith(`${domain}.`))
}

/** The action's name in a domain: the part of the type after it, unless the input names one. */
export function actionOf({ activity, asked }: GovernedStep, domain: string): string {
  if (asked.kind === 'report') return asked.request.event
  if (asked.kind === 'withdraw') return asked.request.action
  const type = activity.type.startsWith(`${domain}.`) ? activity.type.slice(domain.length + 1) : activity.type
  // As the gate reads it: the input names an action only where no activity type could.
  const named = asked.kind === 'question' || (asked.kind === 'action' && type === unnamed) ? asked.request.action : undefined
  return named ?? type
}

export function entityOf({ asked, input }: GovernedStep): string | null {
  if (asked.kind !== 'unreadable') return asked.request.entityId
  const id: unknown = typeof input === 'object' && input !== null ? Reflect.get(input, 'entityId') : undefined
  return typeof id === 'string' ? id : null
}

function askedBy(type: string, domain: string, input: unknown): Asked {
  if (type === reportActivity(domain)) return read('report', eventRequest, input)
  if (type === withdrawActivity(domain)) return read('withdraw', withdrawRequest, input)
  if (type === evaluateActivity(domain)) return read('question', evaluateRequest, input)
  if (type === allowedActionsActivity(domain)) return read('question', allowedActionsRequest, input)
  return read('action', proposalRequest, input)
}

function read<Kind extends Exclude<Asked['kind'], 'unreadable'>>(kind: Kind, schema: z.ZodType<Extract<Asked, { kind: Kind }>['request']>, input: unknown): Asked {
  const parsed = schema.safeParse(input)
  return parsed.success ? ({ kind, request: parsed.data } as Asked) : { kind: 'unreadable' }
}
