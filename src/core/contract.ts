/** Action contracts: when an action is allowed, who may propose it, when a person must agree, what it does and emits. */
import type { z } from 'zod'
import type { Duration } from './duration.ts'
import type { EntityType, EventSpecs } from './entity.ts'
import type { DeclaredFact, FactSpecs, FactValues, PastEvent } from './fact.ts'
import type { Permission } from './permission.ts'
import type { PolicyReads } from './verify-reads.ts'

export type Risk = 'low' | 'medium' | 'high' | 'critical'

/**
 * What executing means. `none`: it only emits events, in one commit. `external`: an effect that must not be repeated
 * blindly. `idempotentFor`: an effect whose receiver honours our idempotency key for that long.
 */
export type Effect = 'none' | 'external' | { readonly idempotentFor: Duration }

/** What a contract's rules are given: the parsed parameters, and the facts that the contract declares. */
export interface ActionContext<Params, Facts = unknown> {
  readonly entityId: string
  readonly params: Params
  readonly facts: Facts
}

/** When a person has to agree, who, and to what exactly. */
export interface ApprovalSpec<Context> {
  /** A person must always agree; these are the words why. `when` may add to it, never take it away. */
  readonly always?: string
  /** The rule's words when a person must agree, `false` when not. Pure; a throw refuses the proposal. */
  readonly when?: (context: Context) => string | false
  /** The permission reviewers need. The one who asks, and whoever they act for, never counts. */
  readonly reviewers: Permission
  /** How many different people have to agree; one unless told. One denial is final. */
  readonly quorum?: number
  /** How long a person may take to answer. */
  readonly expiresIn: Duration
  /** How long a grant may wait for its use after `expiresIn`; one hour unless told. */
  readonly useWithin?: Duration
  /**
   * What consent is for, beside the declared facts, which it always binds: `version`, the entity exactly as it is now (any event
   * voids it); or `state`, as long as it is in this state.
   */
  readonly binds?: 'version' | 'state'
}

export interface ActionSpec<
  State extends string,
  Events extends EventSpecs,
  Params extends z.ZodType,
  Output extends z.ZodType,
  ItsEffect extends Effect,
  Declared extends FactSpecs,
> {
  /** What it does, in a sentence for people and models. */
  readonly description: string
  /** The states it is allowed in. `any`: every state, and the only choice for an entity without states. */
  readonly from: readonly State[] | 'any'
  readonly params: Params
  readonly output: Output
  readonly permission: Permission
  readonly risk: Risk
  /** What the rules rest on, beside the parameters: read by the gate, never asserted. */
  readonly facts?: Declared
  /** The domain's own check of the parameters, after their schema: why they are wrong, or `false`. Pure. */
  readonly check?: (context: ActionContext<z.output<Params>, FactValues<NoInfer<Declared>>>) => string | false
  /** Why this may not be done, whoever agrees; or `false`. Pure; a throw refuses the proposal. */
  readonly forbid?: (context: ActionContext<z.output<Params>, FactValues<NoInfer<Declared>>>) => string | false
  readonly approval?: ApprovalSpec<ActionContext<z.output<Params>, FactValues<NoInfer<Declared>>>>
  /** Required for a high-risk action without an approval rule: why none is needed. */
  readonly unapprovedBecause?: string
  /**
   * The permission of those who may say what became of it when nobody knows; unless told, that of the approval's reviewers. The one
   * who proposed it, and whoever they act for, never counts.
   */
  readonly reconciledBy?: Permission
  /** Parameters that a rule relies on though the agent asserts them: where each one really comes from, for whoever verifies the domain. */
  readonly asserted?: { readonly [Name in keyof z.output<Params> & string]?: string }
  readonly effect: ItsEffect
  /** What exactly will happen, in words for the person who is asked. Pure. */
  readonly describe: (context: ActionContext<z.output<Params>, FactValues<NoInfer<Declared>>>) => string
  readonly emits?: {
    readonly [Event in keyof Events]?: (
      context: ActionContext<z.output<Params>, FactValues<NoInfer<Declared>>> & { readonly output: z.output<Output> },
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
  /** The same action on these facts. */
  readonly on: (facts: Readonly<Record<string, unknown>>) => ActionOnFacts
}

/** An action as its rules see it: parameters and facts. */
export interface ActionOnFacts {
  readonly params: unknown
  readonly facts: Readonly<Record<string, unknown>>
  /** What will happen, in words; told once, the same ever after. @throws whatever the author's function throws, the first time */
  readonly describe: () => string
  /** The domain's own check of the parameters. @throws whatever it throws, and TypeError when it gives neither words nor false */
  readonly check: () => string | false
  /** Why it may not be done at all, or `false`. @throws as `check` */
  readonly forbid: () => string | false
  /** The approval rule's words, or `false`. @throws as `check` */
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
export interface Contract<Input = unknown, Params = unknown, Output = unknown, ItsEffect extends Effect = Effect, Declared extends FactSpecs = FactSpecs> {
  readonly entity: EntityType
  readonly description: string
  readonly from: readonly string[] | 'any'
  readonly permission: Permission
  readonly risk: Risk
  readonly approval: {
    readonly always: string | null
    readonly reviewers: Permission
    readonly quorum: number
    readonly binds: 'version' | 'state'
    readonly answerWithinMs: number
    readonly useWithinMs: number
  } | null
  readonly unapprovedBecause: string | null
  /** Left out where the author has said nothing; see `reconcilersOf`. */
  readonly reconciledBy?: Permission
  readonly asserted: Readonly<Record<string, string>>
  readonly effect: ItsEffect
  readonly emits: readonly string[]
  readonly version: number
  readonly paramsSchema: unknown
  readonly outputSchema: unknown
  readonly facts: Readonly<Record<string, DeclaredFact>>
  readonly inspect: (entityId: string, params: unknown) => Inspection
  /** The values of those facts that come from the entity's past; a loader may rest on them. @throws as `factsFrom` */
  readonly pastFacts: (events: readonly PastEvent[]) => Readonly<Record<string, unknown>>
  /** The declared facts' values. @throws Error naming the first that is not what its schema says */
  readonly factsFrom: (events: readonly PastEvent[], loaded: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>
  /** What the contract's functions read of these values, for whoever verifies the domain. Never throws, decides nothing. */
  readonly policyReads: (values: { readonly params: unknown; readonly facts: unknown; readonly output: unknown }) => PolicyReads
  readonly [types]?: { readonly input: Input; readonly params: Params; readonly output: Output; readonly declared: Declared }
}

/** The types a contract carries, for callers (`input`), executors (`params`), results (`output`), and loaders (`declared`). */
export type TypesOf<C> = C extends Contract<infer Input, infer Params, infer Output, Effect, infer Declared>
  ? { input: Input; params: Params; output: Output; declared: Declared }
  : never

/** The permission of those who may say what became of it when nobody knows; `null`: nobody may. */
export function reconcilersOf({ reconciledBy, approval }: Pick<Contract, 'reconciledBy' | 'approval'>): Permission | null {
  return reconciledBy ?? approval?.reviewers ?? null
}
