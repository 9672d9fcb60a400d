/** Building a contract from what its author declares: everything that can be wrong with it at load is found here. */
import type { z } from 'zod'
import { canonical, NotCanonical, printable } from './canonical.ts'
import type { ActionContext, ActionOnFacts, ActionSpec, ApprovalSpec, Contract, Effect, EmittedEvent, Inspection } from './contract.ts'
import { durationMs } from './duration.ts'
import type { EntityType, EventSpecs } from './entity.ts'
import { declaredFacts, deriveFacts, readFacts, type FactSpecs, type FactValues, type PastEvent } from './fact.ts'
import { firstChange, firstIssue, jsonSchemaOf } from './schema.ts'
import { wordsOfThrown } from './thrown.ts'
import { readsOf, type PolicyReads } from './verify-reads.ts'

/**
 * Builds a contract; `Order.action(...)` is how authors call it.
 * @throws TypeError when a schema does not yield JSON or an approval has no rule, RangeError for a duration or a quorum that is none
 */
export function defineAction<
  State extends string,
  Events extends EventSpecs,
  Params extends z.ZodType,
  Output extends z.ZodType,
  ItsEffect extends Effect,
  Declared extends FactSpecs,
>(
  entity: EntityType,
  spec: ActionSpec<State, Events, Params, Output, ItsEffect, Declared>,
): Contract<z.input<Params>, z.output<Params>, z.output<Output>, ItsEffect, Declared> {
  type Context = ActionContext<z.output<Params>, FactValues<Declared>>
  const emits = Object.entries(spec.emits ?? {})
  const declared: FactSpecs = spec.facts ?? {}
  if (typeof spec.effect === 'object') durationMs(spec.effect.idempotentFor) // throws here, not when first used

  function onFacts(context: Context): ActionOnFacts {
    let words: string | undefined
    return {
      params: context.params,
      facts: context.facts,
      describe: () => (words ??= printable(spec.describe(context))),
      check: () => (spec.check === undefined ? false : wordsOf(spec.check(context))),
      forbid: () => (spec.forbid === undefined ? false : wordsOf(spec.forbid(context))),
      approvalRule() {
        if (spec.approval === undefined) return false
        const { always, when } = spec.approval
        const added = when === undefined ? false : wordsOf(when(context))
        const rules = [always, added].filter((rule) => typeof rule === 'string')
        return rules.length > 0 ? printable(rules.join('; ')) : false
      },
      accept(raw) {
        try {
          return accepted(context, raw)
        } catch (error) {
          return { ok: false, message: wordsOfThrown(error) }
        }
      },
    }
  }

  function accepted(context: Context, raw: unknown): ReturnType<ActionOnFacts['accept']> {
    const output = spec.output.safeParse(raw)
    if (!output.success) return { ok: false, message: firstIssue(output.error, raw, 'output').message }
    // From here on as it reads now: the executor may keep what it has returned, and change it.
    const said = asItReads(output.data, 'output') as typeof output.data
    const events: EmittedEvent[] = []
    for (const [type, payloadOf] of emits) {
      const emitted = payloadOf?.({ ...context, output: said })
      const payload = entity.events[type]?.payload.safeParse(emitted)
      if (payload === undefined) return { ok: false, message: `event ${type} is not declared` }
      if (!payload.success) return { ok: false, message: `event ${type}: ${firstIssue(payload.error, emitted, 'payload').message}` }
      events.push({ type, payload: asItReads(payload.data, `event ${type}`) })
    }
    return { ok: true, output: said, events }
  }

  function inspect(entityId: string, raw: unknown): Inspection {
    try {
      canonical(raw, 'params')
      const result = spec.params.safeParse(raw)
      if (!result.success) return { ok: false, ...firstIssue(result.error, raw, 'params') }
      const changed = firstChange(raw, result.data, 'params')
      if (changed !== undefined) return { ok: false, reason: 'invalid_parameter', message: `${changed}: not as the schema would have it, and nothing is changed silently` }
      const params = deepFreeze(result.data)
      // The one cast from what `factsFrom` has parsed by the declared schemas to the types that these schemas have.
      return { ok: true, action: { params, on: (facts) => onFacts(Object.freeze({ entityId, params, facts: facts as FactValues<Declared> })) } }
    } catch (error) {
      const problem = error instanceof NotCanonical ? error.message : `params: could not be checked (${wordsOfThrown(error)})`
      return { ok: false, reason: 'invalid_parameter', message: problem }
    }
  }

  function policyReads(sample: { readonly params: unknown; readonly facts: unknown; readonly output: unknown }): PolicyReads {
    // Samples of the schemas that these types come from; what isn't one ends the rule, as any throw does.
    const watching = (rule: (context: Context & { readonly output: z.output<Output> }) => unknown) =>
      readsOf(sample, (watched) => rule({ entityId: 'an-id', ...(watched as Pick<Context, 'params' | 'facts'> & { output: z.output<Output> }) }))
    return {
      check: watching((context) => spec.check?.(context)),
      forbid: watching((context) => spec.forbid?.(context)),
      approval: watching((context) => spec.approval?.when?.(context)),
      describe: watching((context) => spec.describe(context)),
      // As text, so that what is passed on whole counts as read.
      emits: emits.flatMap(([, payloadOf]) => watching((context) => JSON.stringify(payloadOf?.(context)))),
    }
  }

  return Object.freeze({
    entity,
    description: spec.description,
    from: spec.from,
    permission: spec.permission,
    risk: spec.risk,
    approval: spec.approval === undefined ? null : approvalOf(spec.approval),
    unapprovedBecause: spec.unapprovedBecause ?? null,
    ...(spec.reconciledBy === undefined ? {} : { reconciledBy: spec.reconciledBy }),
    asserted: spec.asserted ?? {},
    effect: spec.effect,
    emits: emits.map(([type]) => type),
    version: spec.version ?? 1,
    paramsSchema: jsonSchemaOf(spec.params, 'params'),
    outputSchema: jsonSchemaOf(spec.output, 'output'),
    facts: declaredFacts(declared),
    inspect,
    pastFacts: (events: readonly PastEvent[]) => deepFreeze(deriveFacts(declared, events)),
    factsFrom: (events: readonly PastEvent[], loaded: Readonly<Record<string, unknown>>) => deepFreeze(readFacts(declared, events, loaded)),
    policyReads,
  })
}

function approvalOf<Context>({ always, when, reviewers, quorum = 1, binds = 'version', expiresIn, useWithin = '1 hour' }: ApprovalSpec<Context>): Contract['approval'] {
  if (always === undefined && when === undefined) throw new TypeError('approval: say "always" with the words why, or "when" with a rule')
  if (!Number.isInteger(quorum) || quorum < 1 || quorum > maxQuorum) throw new RangeError(`approval: a quorum is a whole number from 1 to ${maxQuorum}`)
  return { always: always ?? null, reviewers, quorum, binds, answerWithinMs: durationMs(expiresIn), useWithinMs: durationMs(useWithin) }
}

/** Most people that one approval can ask. */
const maxQuorum = 5

/** A rule's answer. Whatever else it gives (a promise, nothing) must not read as "no objection". @throws TypeError */
function wordsOf(rule: unknown): string | false {
  if (rule === false) return false
  if (typeof rule !== 'string') throw new TypeError(`it gave ${typeof rule}, neither words nor false`)
  return printable(rule)
}

/** A plain, frozen copy. @throws NotCanonical */
function asItReads(value: unknown, what: string): unknown {
  return deepFreeze(JSON.parse(canonical(value, what)))
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member)
    Object.freeze(value)
  }
  return value
}
