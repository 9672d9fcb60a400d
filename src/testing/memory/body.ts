/** What the store reads of a ledger row's body; as in Postgres, whatever is left out is `null`. */
import { canonical } from '../../core/canonical.ts'
import { sha256 } from '../../core/digest.ts'
import { StoreError } from './tables.ts'

type Text = string | null | undefined

export interface BodyEvent {
  readonly id: string
  readonly type: string
  readonly payload?: unknown
  readonly from?: Text
  readonly to?: Text
  readonly source?: Text
  readonly occurred_at?: Text
}

export interface BodyEntry {
  readonly kind: string
  readonly message: string
  readonly data: unknown
  readonly actor_id?: Text
  readonly causation_id?: Text
}

export interface Body {
  readonly kind?: Text
  readonly namespace?: Text
  readonly workflow_id?: Text
  readonly first_execution_run_id?: Text
  readonly run_id?: Text
  readonly activity_id?: Text
  readonly trace_id?: Text
  readonly correlation_id?: Text
  readonly causation_id?: Text
  readonly domain?: Text
  readonly entity_type?: Text
  readonly entity_id?: Text
  readonly action?: Text
  readonly actor?: Text
  readonly on_behalf_of?: Text
  readonly contract?: Text
  readonly proposal_digest?: Text
  readonly execution_key?: Text
  readonly caller_key?: Text
  readonly approval_id?: Text
  readonly audit?: readonly BodyEntry[]
  readonly events?: readonly BodyEvent[] | null
  readonly params?: unknown
  readonly claim?: unknown
  readonly tags?: unknown
  readonly facts?: Readonly<Record<string, unknown>>
  readonly state?: { readonly value?: Text; readonly version?: number } | null
  readonly decision?: { readonly outcome?: Text; readonly reason?: Text } | null
  readonly review?: Readonly<Record<string, Text>> | null
  readonly output?: unknown
  // Of a change of who holds a role.
  readonly role?: Text
  readonly actor_type?: Text
  readonly display_name?: Text
}

/** @throws StoreError 22P02 for what is no JSON object */
export function parseBody(text: string): Body {
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body
  } catch {
    // told below
  }
  throw new StoreError('22P02', 'the body of a ledger row is a JSON object')
}

/** What makes two events with one id the same event. */
export function eventContent(event: { readonly type: string; readonly payload?: unknown }): string {
  return sha256(canonical([event.type, event.payload ?? null]))
}

/** Kept as text and parsed anew at each read: whoever got it before cannot change it. */
export function toText(value: unknown): string {
  return JSON.stringify(value)
}

/** A time as the ledger tells it: RFC 3339, UTC, microseconds. */
export function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}
