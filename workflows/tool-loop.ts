/**
 * The reference agent: a model, a conversation, and tools that are a domain's actions, for days. What the model calls is proposed;
 * the gate's answer, a refusal too, is the tool's result. While a person is asked the conversation goes on, also as a new run.
 */
import type { Duration } from '@temporalio/common'
import { continueAsNew, proxyActivities, workflowInfo } from '@temporalio/workflow'
import { governed, type ActionResult } from 'kiff-temporal/workflow'
import type { Tool } from 'kiff-temporal'
import type { Message, Model, ToolCall } from '../activities/model.ts'
import { Calls } from './calls.ts'

export interface Conversation {
  readonly domain: string
  readonly actor: string
  /** A JWT that proves the actor, to a gate that is not configured to serve it. */
  readonly mandate?: string
  /** `toolsOf(domain)`: what the model is shown. It grants nothing. */
  readonly tools: readonly Tool[]
  /** Begins with the task. It is carried from run to run whole: keep it well below Temporal's two megabytes. */
  readonly transcript: readonly Message[]
  /** Calls of the run before that have no answer yet; none at first. */
  readonly open?: readonly ToolCall[]
  /** How long a turn waits for its calls before the model is told that they are pending. */
  readonly patience?: Duration
  /** Turns after which the workflow continues as new, to keep its history short. */
  readonly turnsPerRun?: number
  /** The gate's task queue, where it is not the domain's own. */
  readonly taskQueue?: string
}

const model = proxyActivities<Model>({ startToCloseTimeout: '2 minutes', summary: 'think' })

/** Resolves with the whole conversation, once the model calls nothing more and every call is answered. */
export async function toolLoop(conversation: Conversation): Promise<readonly Message[]> {
  const { domain, actor, mandate, tools, open = [], patience = '10 seconds', turnsPerRun = 50, taskQueue } = conversation
  const gate = governed(domain, { actor, startToCloseTimeout: '1 minute', ...(mandate === undefined ? {} : { mandate }), ...(taskQueue === undefined ? {} : { taskQueue }) })
  const propose = async (call: ToolCall): Promise<ActionResult> => {
    const { entityId, params, ...claim } = read(call.input)
    return gate.propose(call.name, entityId, params, { ...claim, key: call.id })
  }
  const transcript = [...conversation.transcript]
  const calls = new Calls(propose)
  for (const call of open) calls.begin(call) // the same calls under the same keys: each meets its own request, or its result
  try {
    for (let turns = 0; ; turns += 1) {
      if (turns >= Math.max(turnsPerRun, 1) || workflowInfo().continueAsNewSuggested) await continueAsNew<typeof toolLoop>({ ...conversation, transcript, open: calls.open })
      const turn = await model.nextTurn({ tools, transcript })
      transcript.push({ role: 'model', ...turn })
      for (const call of turn.calls) calls.begin(call)
      if (calls.quiet) return transcript
      const results = turn.calls.length > 0 ? await calls.answersTo(turn.calls, patience) : await calls.next()
      transcript.push({ role: 'results', results })
    }
  } catch (error) {
    await calls.settle(error)
    throw error
  }
}

/** A model's input, as far as it can be read; the gate refuses what is missing or wrong. */
function read(input: unknown): { readonly entityId: string; readonly params: unknown; readonly why?: string; readonly confidence?: number } {
  const { entityId, params, why, confidence }: Readonly<Record<string, unknown>> = { ...Object(input) }
  return {
    entityId: typeof entityId === 'string' ? entityId : '',
    params: params ?? null,
    ...(typeof why === 'string' ? { why } : {}),
    ...(typeof confidence === 'number' ? { confidence } : {}),
  }
}
