/**
 * A model as the tool loop sees it: one activity, which is given the conversation and the tools and answers with words and calls.
 * The shapes are those that model APIs have in common; a real one maps them to its own.
 */
import type { Tool } from 'kiff-temporal'
import type { ActionResult } from 'kiff-temporal/workflow'

/** What a model asks for: a name and values that nobody has checked. */
export interface ToolCall {
  /** The model's own id of the call; the gate takes it as the key under which the action happens at most once. */
  readonly id: string
  readonly name: string
  readonly input: unknown
}

/** The gate's answer to a call; `pending` as long as there is none, since a person is asked. */
export interface CallResult {
  readonly id: string
  readonly result: ActionResult | { readonly outcome: 'pending'; readonly message: string }
}

export type Message =
  | { readonly role: 'user'; readonly text: string }
  | { readonly role: 'model'; readonly text: string; readonly calls: readonly ToolCall[] }
  | { readonly role: 'results'; readonly results: readonly CallResult[] }

/** `calls` empty: nothing to do now. The conversation then ends, or goes on when an open call is answered. */
export interface Turn {
  readonly text: string
  readonly calls: readonly ToolCall[]
}

/** Activities of an agent worker. */
export type Model = {
  /** Called again after a fault; it decides nothing, so that another answer the second time does no harm. */
  readonly nextTurn: (conversation: { readonly tools: readonly Tool[]; readonly transcript: readonly Message[] }) => Promise<Turn>
}
