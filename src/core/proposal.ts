/** What a workflow hands to the gate. It carries no state, role, or approved flag: those the gate reads itself (I2). */
import { z } from 'zod'
import { maxReviewLength, maxReviews } from './approval.ts'
import { claim } from './claim.ts'

/** Longest entity id, in UTF-16 units. */
export const maxIdLength = 200

/** One parent of a child workflow: its run chain, and which of the children it started this is. */
const parent = z.strictObject({
  workflowId: z.string().min(1).max(1_000),
  firstExecutionRunId: z.string().min(1).max(100),
  /** The parent's continue-as-new count when it started the child. */
  generation: z.int().nonnegative(),
  /** SHA-256 of the child's type and arguments, hex. */
  child: z.string().regex(/^[0-9a-f]{64}$/),
  /** How many equal children it had started before. */
  occurrence: z.int().nonnegative(),
})
export type Parent = z.infer<typeof parent>

/** Deepest nesting of child workflows. */
const maxParents = 16

/** Where an equal step of the same run chain is told from another: continue-as-new count, and count of equal proposals. */
export const chain = z.strictObject({
  firstExecutionRunId: z.string().min(1).max(100),
  generation: z.int().nonnegative(),
  occurrence: z.int().nonnegative(),
  /** Of a child workflow: its parents, outermost first. */
  parents: z.array(parent).min(1).max(maxParents).optional(),
})
export type ChainClaim = z.infer<typeof chain>

const identifier = z
  .string()
  .min(1)
  .max(maxIdLength)
  .refine((id) => id.isWellFormed() && !/\p{Cc}/u.test(id), 'contains a control character or a lone surrogate')

/** KIFF's envelope metadata: what a request is part of, and what caused it. Carried by whoever asks, never guessed. */
const trace = z.strictObject({
  traceId: identifier.optional(),
  correlationId: identifier.optional(),
  causationId: identifier.optional(),
  tags: z.record(z.string().max(100), z.string().max(200)).refine((tags) => Object.keys(tags).length <= 20, 'more than 20 tags').optional(),
})
/** Left out: the trace is the run chain's first run, the correlation its workflow id, and nothing is named as the cause. */
export type Trace = z.infer<typeof trace>

/** Longest mandate, in UTF-16 units. */
const mandate = z.string().min(1).max(4_096)

/** The one argument of a governed activity, as it stands in Temporal's history. */
export const proposalRequest = z.strictObject({
  entityId: identifier,
  params: z.unknown().optional(),
  actor: identifier,
  chain,
  /** A caller's own key, for a model the tool-call id; it replaces generation and occurrence. */
  key: identifier.optional(),
  /** The idempotency key of an API caller: it counts for the actor and the action, whichever workflow brings it. */
  callerKey: identifier.optional(),
  claim: claim.optional(),
  trace: trace.optional(),
  /** A JWS that names the actor and whom it acts for; without one, the gate worker must be configured to serve the actor. */
  mandate: mandate.optional(),
  /** The name a model asked for, where it cannot be an activity type. */
  action: z.string().max(200).optional(),
  /** Signed reviews that arrived by signal, unverified. */
  reviews: z.array(z.string().max(maxReviewLength)).max(maxReviews).optional(),
}).refine(({ key, callerKey }) => key === undefined || callerKey === undefined, 'has both a key and a callerKey')
export type ProposalRequest = z.infer<typeof proposalRequest>

/** The argument of the activity by which an event is reported. */
export const eventRequest = z.strictObject({
  event: z.string().min(1).max(100),
  entityId: identifier,
  payload: z.unknown().optional(),
  actor: identifier,
  chain,
  /** The reporter's own id: the same id is the same event. Left out, the step's own key is used. */
  eventId: identifier.optional(),
  /** Where it comes from, in the reporter's words; left out, the workflow. */
  source: identifier.optional(),
  /** When it happened, by the reporter's clock. The ledger's own time stands beside it. */
  occurredAt: z.iso.datetime({ offset: true }).optional(),
  trace: trace.optional(),
  mandate: mandate.optional(),
})
export type EventRequest = z.infer<typeof eventRequest>

/** The argument of the activity by which a cancelled wait takes its request back. */
export const withdrawRequest = z.strictObject({ approvalId: z.uuid(), action: z.string().max(100), entityId: identifier, actor: identifier, chain, mandate: mandate.optional() })
export type WithdrawRequest = z.infer<typeof withdrawRequest>

/** The argument of the read-only activity that asks what would happen. */
export const evaluateRequest = z.strictObject({
  action: z.string().max(200),
  entityId: identifier,
  params: z.unknown().optional(),
  actor: identifier,
  chain,
  mandate: mandate.optional(),
})
export type EvaluateRequest = z.infer<typeof evaluateRequest>

/** The argument of the read-only activity that asks what could be proposed now. */
export const allowedActionsRequest = evaluateRequest.omit({ action: true, params: true })
export type AllowedActionsRequest = z.infer<typeof allowedActionsRequest>

/** The workflow step that asks, as the server names it (never from arguments), and the run chain it belongs to. */
export interface Step extends RunChain {
  readonly runId: string
  readonly activityId: string
}

/** All runs of a workflow that follow on each other: by reset, retry, or continue-as-new. */
export interface RunChain {
  readonly namespace: string
  readonly workflowId: string
  readonly firstExecutionRunId: string
}
