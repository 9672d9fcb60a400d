/**
 * Adapters: raw input from outside (a webhook, a queue, a file), told as an event of the domain. Pure; they run where the input
 * arrives, never in a workflow. An adapter gives nobody a right: who reports the event, and whether they may, the gate judges.
 */
import { z } from 'zod'
import { printable } from './canonical.ts'
import { entityOfEvent, type Domain } from './domain.ts'
import { eventRequest, type Trace } from './proposal.ts'
import { firstIssue } from './schema.ts'

const { event, entityId: identifier, eventId, source, occurredAt, trace } = eventRequest.shape

/** KIFF's wire form of raw input. `actor_id` is its sender's word: an adapter may read it, nothing rests on it. */
export const rawInput = z.strictObject({
  id: identifier,
  /** The name of the adapter that understands it. */
  adapter: z.string().min(1),
  type: z.string().min(1),
  source: identifier,
  entity_id: identifier.optional(),
  entity_type: z.string().min(1).optional(),
  actor_id: identifier.optional(),
  /** Not the zero time, by which some senders say that they have none. */
  received_at: z.iso.datetime({ offset: true }).refine((at) => !at.startsWith('0001-'), 'is not set'),
  metadata: z
    .strictObject({ trace_id: identifier.optional(), correlation_id: identifier.optional(), causation_id: identifier.optional(), tags: trace.unwrap().shape.tags })
    .default({}),
  payload: z.unknown().default({}),
})
export type RawInput = z.output<typeof rawInput>

/** What an adapter makes of raw input. Left out: id and source are the input's, and it happened when it was received. */
export interface NormalizedEvent {
  readonly event: string
  readonly entityId: string
  /** Given, it must be the type that the domain declares the event for. */
  readonly entityType?: string | undefined
  readonly payload: unknown
  readonly id?: string | undefined
  readonly source?: string | undefined
  /** RFC 3339. */
  readonly occurredAt?: string | undefined
}

export interface Adapter {
  readonly name: string
  /** Pure. May throw: the message says what is wrong with the input. */
  readonly normalize: (raw: RawInput) => NormalizedEvent
}

/** An event ready for `order.report(event, entityId, payload, options)`. */
export interface ReportedEvent {
  readonly event: string
  readonly entityId: string
  readonly payload: unknown
  readonly options: {
    readonly id: string
    readonly source: string
    readonly occurredAt: string
    /** The input's own words; absent where it has none, never guessed. */
    readonly trace?: Trace
  }
}

export type Adapted =
  | { readonly ok: true; readonly event: ReportedEvent }
  | { readonly ok: false; readonly reason: 'invalid_raw_input' | 'adapter_not_found' | 'invalid_event'; readonly message: string }

/** The adapters of one domain, by name. Made by `adapters`. */
export interface Adapters {
  readonly domain: Domain
  readonly byName: ReadonlyMap<string, Adapter>
}

/** An adapter that reads the input by a function of yours. @throws TypeError when it has no name, or no function */
export function mappingAdapter(name: string, normalize: Adapter['normalize']): Adapter {
  if (typeof name !== 'string' || name === '') throw new TypeError('an adapter needs a name')
  if (typeof normalize !== 'function') throw new TypeError(`adapter ${name}: a function has to read the input`)
  return Object.freeze({ name, normalize })
}

/** An adapter for input that is in the domain's words already: `type` is the event, the rest is taken as it stands. */
export function passthroughAdapter(name: string): Adapter {
  return mappingAdapter(name, ({ type, entity_id, entity_type, payload }) => {
    if (entity_id === undefined) throw new Error('input.entity_id: is required')
    return { event: type, entityId: entity_id, entityType: entity_type, payload }
  })
}

/** The adapters by which input becomes events of this domain. @throws TypeError when two have one name */
export function adapters(domain: Domain, those: readonly Adapter[]): Adapters {
  const byName = new Map<string, Adapter>()
  for (const adapter of those) {
    if (byName.has(adapter.name)) throw new TypeError(`two adapters are called ${adapter.name}`)
    byName.set(adapter.name, adapter)
  }
  return Object.freeze({ domain, byName })
}

/** Raw input, told as an event of the domain; or why not, in words for whoever sent it. Bad input is a value, never a throw. */
export function adapt({ domain, byName }: Adapters, raw: unknown): Adapted {
  const input = rawInput.safeParse(raw)
  if (!input.success) return failed('invalid_raw_input', firstIssue(input.error, raw, 'input').message)
  const { id, source: from, received_at, metadata } = input.data
  const adapter = byName.get(input.data.adapter)
  if (adapter === undefined) return failed('adapter_not_found', `there is no adapter ${input.data.adapter}; there is ${[...byName.keys()].join(', ') || 'none'}`)
  const carried = traceOf(metadata) // before the adapter, which could write into it
  let told: unknown
  try {
    told = adapter.normalize(input.data)
  } catch (error) {
    return failed('invalid_raw_input', `adapter ${adapter.name}: ${error instanceof Error ? error.message : String(error)}`)
  }
  const parsed = normalizedEvent.safeParse(told)
  if (!parsed.success) return failed('invalid_event', firstIssue(parsed.error, told, 'event').message)
  const its = parsed.data
  const entity = entityOfEvent(domain, its.event)
  if (entity === undefined) return failed('invalid_event', `${domain.name} has no event ${its.event}`)
  if (its.entityType !== undefined && its.entityType !== entity.name) return failed('invalid_event', `${its.event} is an event of ${entity.name}, not of ${its.entityType}`)
  return {
    ok: true,
    event: {
      event: its.event, entityId: its.entityId, payload: its.payload,
      options: { id: its.id ?? id, source: its.source ?? from, occurredAt: its.occurredAt ?? received_at, ...(carried === undefined ? {} : { trace: carried }) },
    },
  }
}

/** An adapter is code of others, perhaps untyped: what it gives is read like any input. */
const normalizedEvent = z.strictObject({ event, entityId: identifier, entityType: z.string().optional(), payload: z.unknown(), id: eventId, source, occurredAt })

function traceOf({ trace_id, correlation_id, causation_id, tags }: RawInput['metadata']): Trace | undefined {
  const carried = {
    ...(trace_id === undefined ? {} : { traceId: trace_id }),
    ...(correlation_id === undefined ? {} : { correlationId: correlation_id }),
    ...(causation_id === undefined ? {} : { causationId: causation_id }),
    ...(tags === undefined ? {} : { tags: { ...tags } }),
  }
  return Object.keys(carried).length === 0 ? undefined : carried
}

/** Longest message, in UTF-16 units: it may quote the input. */
const maxMessage = 1_000

function failed(reason: Extract<Adapted, { ok: false }>['reason'], message: string): Adapted {
  return { ok: false, reason, message: printable(message.slice(0, maxMessage)) }
}
