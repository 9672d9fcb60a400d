/** Telling an observer (metrics, logs) of every commit of the gate, without ever standing in its way. */
import { z } from 'zod'
import type { GateStore } from '../core/store.ts'

/** What was to be committed, and how that went. Names that the domain declares, never text of agents: fit for a metric's labels. */
export interface GateObservation {
  /** The ledger row's kind, as `executed` or `refused`. */
  readonly kind: string | null
  readonly domain: string | null
  /** `null` for a reported event, and for an action that the domain does not have. */
  readonly action: string | null
  readonly entityType: string | null
  /** The decision that the row records, where it records one. */
  readonly outcome: string | null
  readonly reason: string | null
  /** `committed`; or what the store answered instead (`stale`, `repeat`, `busy`, …), or `fault` when it threw: nothing was written. */
  readonly status: string
}

/** What it returns is not waited for. */
export type GateObserver = (observation: GateObservation) => unknown

/**
 * The same store, whose commits are told to `observer` after they are through, off the gate's path. What an observer throws, or
 * rejects with, becomes a warning of the process, once; the gate goes on.
 */
export function observed(store: GateStore, observer: GateObserver): GateStore {
  const tell = telling(observer)
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...args: readonly unknown[]): unknown => {
        const body = bodyIn(args[0])
        const answer: unknown = Reflect.apply(member, target, args)
        if (body === null || !(answer instanceof Promise)) return answer
        answer.then(
          (committed: unknown) => tell(body, statusOf(committed)),
          () => tell(body, 'fault'),
        )
        return answer
      }
    },
  })
}

function telling(observer: GateObserver): (body: string, status: string) => void {
  let warned = false
  const warn = (error: unknown): void => {
    if (!warned) process.emitWarning(`the gate's observer failed: ${error instanceof Error ? error.message : String(error)}`, 'KiffObserver')
    warned = true
  }
  return (body, status) => {
    setImmediate(() => {
      void (async () => observer(toObservation(body, status)))().catch(warn)
    })
  }
}

const text = z.string().nullish().catch(null)
const observable = z
  .object({ kind: text, domain: text, action: text, entity_type: text, decision: z.object({ outcome: text, reason: text }).nullish().catch(null) })
  .catch({ kind: null, domain: null, action: null, entity_type: null, decision: null })

function toObservation(body: string, status: string): GateObservation {
  const { kind, domain, action, entity_type: entityType, decision } = observable.parse(JSON.parse(body))
  return {
    kind: kind ?? null,
    domain: domain ?? null,
    // A row about no kind of entity is about an unknown action, whose name is whatever was asked for.
    action: entityType === undefined || entityType === null ? null : (action ?? null),
    entityType: entityType ?? null,
    outcome: decision?.outcome ?? null,
    reason: decision?.reason ?? null,
    status,
  }
}

function bodyIn(commit: unknown): string | null {
  const body: unknown = typeof commit === 'object' && commit !== null ? Reflect.get(commit, 'body') : null
  return typeof body === 'string' ? body : null
}

function statusOf(committed: unknown): string {
  const status: unknown = typeof committed === 'object' && committed !== null ? Reflect.get(committed, 'status') : null
  return typeof status === 'string' ? status : 'unknown'
}
