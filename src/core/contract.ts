/** Action contracts: when an action is allowed, who may propose it, when a person must agree, what it does and emits. */
import type { z } from 'zod'
import { canonical, NotCanonical, printable } from './canonical.ts'
import { durationMs, type Duration } from './duration.ts'
import type { EntityType, EventSpecs } from './entity.ts'
import type { Permission } from './permission.ts'
import { firstChange, firstIssue, jsonSchemaOf } from './schema.ts'

export type Risk = 'low' | 'medium' | 'high' | 'critical'

/**
 * What executing means. `none`: it only emits events, in one commit. `external`: an effect that must not be repeated
 * blindly. `idempotentFor`: an effect whose receiver honours our idempotency key for that long.
 */
export type Effect = 'none' | 'external' | { readonly idempotentFor: Duration }

export interface ActionContext<Params> {
  readonly entityId: string
  readonly params: Params
}

export interface ActionSpec<
  State extends string,
  Events extends EventSpecs,
  Params extends z.ZodType,
  Output extends z.ZodType,
  ItsEffect extends Effect,
> {
  /** What it does, in a sentence for people and models. */
  readonly description: string
  readonly from: readonly State[]
  readonly params: Params
  readonly output: Output
  readonly permission: Permission
  readonly risk: Risk
  readonly approval?: {
    /** The rule's words when a person must agree, `false` when not. Pure; a throw refuses the proposal. */
    readonly when: (context: ActionContext<z.output<Params>>) => string | false
    /** The permission reviewers need. The one who asks never counts. */
    readonly reviewers: Permission
    /** How long a person may take to answer. */
    readonly expiresIn: Duration
    /** How long a grant may wait for its use after `expiresIn`; one hour unless told. */
    readonly useWithin?: Duration
  }
  /** Required for a high-risk action without an approval rule: why none is needed. */
  readonly unapprovedBecause?: string
  readonly effect: ItsEffect
  /** What exactly will happen, in words for the person who is asked. Pure. */
  readonly describe: (context: ActionContext<z.output<Params>>) => string
  readonly emits?: {
    readonly [Event in keyof Events]?: (
      context: ActionContext<z.output<Params>> & { readonly output: z.output<Output> },
    ) => z.input<Events[Event]['payload']>
  }
  /** Raise it when code that no schema shows (a rule, a description) changes; consent given to the old number is void. */
  readonly version?: number
}

/** An event that an accepted output leads to. */
export interface EmittedEvent {
  readonly type: string
  readonly payload: unknown
}

/** One proposal's parameters, parsed once and frozen: rule, words, digest, and executor all see this same value. */
export interface ParsedAction {
  readonly params: unknown
  /** What will happen, in words; told once, the same ever after. @throws whatever the author's function throws, the first time */
  readonly describe: () => string
  /** The approval rule's words, or `false`. @throws whatever the rule throws, and TypeError when it gives neither */
  readonly approvalRule: () => string | false
  /** Parses what the executor returned and derives the events from it. Never throws: money may have moved. */
  readonly accept: (
    output: unknown,
  ) => { readonly ok: true; readonly output: unknown; readonly events: readonly EmittedEvent[] } | { readonly ok: false; readonly message: string }
}

export type Inspection =
  | { readonly ok: true; readonly action: ParsedAction }
  | { readonly ok: false; readonly reason: 'missing_parameter' | 'invalid_parameter'; readonly message: string }

declare const types: unique symbol

/** A contract as the gate uses it: types kept for callers and executors, values behind functions that take `unknown`. */
export interface Contract<Input = unknown, Params = unknown, Output = unknown, ItsEffect extends Effect = Effect> {
  readonly entity: EntityType
  readonly description: string
  readonly from: readonly string[]
  readonly permission: Permission
  readonly risk: Risk
  readonly approval: { readonly reviewers: Permission; readonly answerWithinMs: number; readonly useWithinMs: number } | null
  readonly unapprovedBecause: string | null
  readonly effect: ItsEffect
  readonly emits: readonly string[]
  readonly version: number
  readonly paramsSchema: unknown
  readonly outputSchema: unknown
  readonly inspect: (entityId: string, params: unknown) => Inspection
  readonly [types]?: { readonly input: Input; readonly params: Params; readonly output: Output }
}

/** The types a contract carries, for callers (`input`), executors (`params`) and results (`output`). */
export type TypesOf<C> = C extends Contract<infer Input, infer Params, infer Output>
  ? { input: Input; params: Params; output: Output }
  : never

/** Builds a contract; `Order.action(...)` is how authors call it. @throws TypeError when a schema does not yield JSON, RangeError for a duration that is none */
export function defineAction<
  State extends string,
  Events extends EventSpecs,
  Params extends z.ZodType,
  Output extends z.ZodType,
  ItsEffect extends Effect,
>(
  entity: EntityType,
  spec: ActionSpec<State, Events, Params, Output, ItsEffect>,
): Contract<z.input<Params>, z.output<Params>, z.output<Output>, ItsEffect> {
  const emits = Object.entries(spec.emits ?? {})
  if (typeof spec.effect === 'object') durationMs(spec.effect.idempotentFor) // throws here, not when first used

  function parsed(entityId: string, params: z.output<Params>): ParsedAction {
    const context = Object.freeze({ entityId, params })
    let words: string | undefined
    return {
      params,
      describe: () => (words ??= printable(spec.describe(context))),
      approvalRule() {
        if (spec.approval === undefined) return false
        const rule: unknown = spec.approval.when(context)
        if (rule === false) return false
        // Whatever else it gives (a promise, nothing) must not read as "no approval needed".
        if (typeof rule !== 'string') throw new TypeError(`it gave ${typeof rule}, neither words nor false`)
        return printable(rule)
      },
      accept(raw) {
        try {
          return accepted(context, raw)
        } catch (error) {
          return { ok: false, message: error instanceof Error ? error.message : String(error) }
        }
      },
    }
  }

  function accepted(context: ActionContext<z.output<Params>>, raw: unknown): ReturnType<ParsedAction['accept']> {
    const output = spec.output.safeParse(raw)
    if (!output.success) return { ok: false, message: firstIssue(output.error, raw, 'output').message }
    canonical(output.data, 'output')
    const events: EmittedEvent[] = []
    for (const [type, payloadOf] of emits) {
      const emitted = payloadOf?.({ ...context, output: output.data })
      const payload = entity.events[type]?.payload.safeParse(emitted)
      if (payload === undefined) return { ok: false, message: `event ${type} is not declared` }
      if (!payload.success) return { ok: false, message: `event ${type}: ${firstIssue(payload.error, emitted, 'payload').message}` }
      canonical(payload.data, `event ${type}`)
      events.push({ type, payload: payload.data })
    }
    return { ok: true, output: output.data, events }
  }

  function inspect(entityId: string, params: unknown): Inspection {
    try {
      canonical(params, 'params')
      const result = spec.params.safeParse(params)
      if (!result.success) return { ok: false, ...firstIssue(result.error, params, 'params') }
      const changed = firstChange(params, result.data, 'params')
      if (changed !== undefined) return { ok: false, reason: 'invalid_parameter', message: `${changed}: not as the schema would have it, and nothing is changed silently` }
      return { ok: true, action: parsed(entityId, deepFreeze(result.data)) }
    } catch (error) {
      const problem = error instanceof NotCanonical ? error.message : `params: could not be checked (${error instanceof Error ? error.message : String(error)})`
      return { ok: false, reason: 'invalid_parameter', message: problem }
    }
  }

  return Object.freeze({
    entity,
    description: spec.description,
    from: spec.from,
    permission: spec.permission,
    risk: spec.risk,
    approval: spec.approval
      ? {
          reviewers: spec.approval.reviewers,
          answerWithinMs: durationMs(spec.approval.expiresIn),
          useWithinMs: durationMs(spec.approval.useWithin ?? '1 hour'),
        }
      : null,
    unapprovedBecause: spec.unapprovedBecause ?? null,
    effect: spec.effect,
    emits: emits.map(([type]) => type),
    version: spec.version ?? 1,
    paramsSchema: jsonSchemaOf(spec.params, 'params'),
    outputSchema: jsonSchemaOf(spec.output, 'output'),
    inspect,
  })
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member)
    Object.freeze(value)
  }
  return value
}
