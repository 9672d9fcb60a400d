/** Temporal's history of a workflow: from a server or a file, and what it says about governed activities. */
import type { Client } from '@temporalio/client'
import type { DataConverter } from '@temporalio/common'
import { decodeArrayFromPayloads, loadDataConverter } from '@temporalio/common/lib/internal-non-workflow/index.js'
import { historyFromJSON, type History } from '@temporalio/common/lib/proto-utils.js'

export type { History }

type HistoryEvent = NonNullable<History['events']>[number]
type Payloads = { payloads?: Parameters<typeof decodeArrayFromPayloads>[1] } | null | undefined

/** One activity, as the history tells it. */
export interface ScheduledActivity {
  /** The event that scheduled it. */
  readonly eventId: number
  readonly activityId: string
  readonly type: string
  /** Its argument list, decoded; a string that says why where that cannot be done. */
  readonly input: readonly unknown[] | string
  /** `null` while it is under way. */
  readonly end: { readonly status: 'completed'; readonly eventId: number; readonly result: unknown } | { readonly status: 'failed' | 'timed out' | 'cancelled'; readonly eventId: number } | null
  /** The runs in which it may have run: more than one only after a reset. */
  readonly runIds: readonly string[]
}

/** A history, read. */
export interface ReadHistory {
  readonly workflowId: string | null
  readonly workflowType: string
  readonly firstExecutionRunId: string
  /** Of a child workflow, the id of its parent. */
  readonly parentWorkflowId: string | null
  /** The run that the history ends in. */
  readonly runId: string
  /** The workflow goes on: events may have come since. */
  readonly open: boolean
  /** All activities, governed or not, in the order in which they were scheduled. */
  readonly activities: readonly ScheduledActivity[]
}

/** The history of a run, the latest unless told. @throws ServiceError, NOT_FOUND, when there is no such workflow */
export async function fetchHistory(client: Client, workflowId: string, runId?: string): Promise<History> {
  return client.workflow.getHandle(workflowId, runId).fetchHistory()
}

/**
 * A history as JSON: of `temporal workflow show --output json`, or downloaded in the Temporal UI (not decoded there).
 * @throws TypeError when it is not one
 */
export function parseHistory(text: string): History {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new TypeError('the file is not JSON')
  }
  try {
    return historyFromJSON(Array.isArray(value) ? { events: value } : value)
  } catch (cause) {
    throw new TypeError(`the file is not a workflow history: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

/** @throws TypeError for a history without its first event */
export async function readHistory(history: History, dataConverter?: DataConverter): Promise<ReadHistory> {
  const events = history.events ?? []
  const started = events[0]?.workflowExecutionStartedEventAttributes
  if (started == null) throw new TypeError('the history does not start at its first event')
  const converter = loadDataConverter(dataConverter)
  const decode = async (payloads: Payloads): Promise<unknown[] | string> => {
    try {
      return await decodeArrayFromPayloads(converter, payloads?.payloads)
    } catch (error) {
      return `cannot be decoded: ${error instanceof Error ? error.message : String(error)}`
    }
  }
  const runs = runsOf(started.originalExecutionRunId ?? '', events)
  const ends = endsOf(events)
  const activities = await Promise.all(events.flatMap((event) => {
    const scheduled = event.activityTaskScheduledEventAttributes
    return scheduled == null ? [] : [async (): Promise<ScheduledActivity> => {
      const eventId = idOf(event)
      const end = ends.get(eventId)
      return {
        eventId,
        activityId: scheduled.activityId ?? '',
        type: scheduled.activityType?.name ?? '',
        input: await decode(scheduled.input),
        end: end === undefined ? null : await endOf(end, decode),
        runIds: runs.between(eventId, end === undefined ? Number.POSITIVE_INFINITY : idOf(end)),
      }
    }]
  }).map((read) => read()))
  return {
    workflowId: started.workflowId || null,
    workflowType: started.workflowType?.name ?? '',
    firstExecutionRunId: started.firstExecutionRunId ?? '',
    parentWorkflowId: started.parentWorkflowExecution?.workflowId || null,
    runId: runs.last,
    open: !events.some(isClosing),
    activities,
  }
}

async function endOf(event: HistoryEvent, decode: (payloads: Payloads) => Promise<unknown[] | string>): Promise<NonNullable<ScheduledActivity['end']>> {
  const eventId = idOf(event)
  const completed = event.activityTaskCompletedEventAttributes
  if (completed != null) {
    const result = await decode(completed.result)
    return { status: 'completed', eventId, result: typeof result === 'string' ? result : result[0] }
  }
  return { status: event.activityTaskTimedOutEventAttributes != null ? 'timed out' : event.activityTaskCanceledEventAttributes != null ? 'cancelled' : 'failed', eventId }
}

/** The event that ended each activity, by the event that scheduled it. */
function endsOf(events: readonly HistoryEvent[]): ReadonlyMap<number, HistoryEvent> {
  return new Map(events.flatMap((event): [number, HistoryEvent][] => {
    const end = event.activityTaskCompletedEventAttributes ?? event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes ?? event.activityTaskCanceledEventAttributes
    return end == null ? [] : [[Number(String(end.scheduledEventId)), event]]
  }))
}

/**
 * A reset starts a new run with a copy of the history so far. Which run an event first belonged to, the events that tell of
 * resets say: the run before is the one that was reset, or, for a copy of a copy, the one that the reset before had started.
 */
function runsOf(original: string, events: readonly HistoryEvent[]): { readonly last: string; readonly between: (from: number, to: number) => readonly string[] } {
  const resets = events.flatMap((event) => {
    const { baseRunId, newRunId } = event.workflowTaskFailedEventAttributes ?? {}
    return baseRunId && newRunId ? [{ at: idOf(event), baseRunId, newRunId }] : []
  })
  const sections = [...resets, undefined].map((reset, index) => ({
    from: resets[index - 1]?.at ?? 0,
    to: reset?.at ?? Number.POSITIVE_INFINITY,
    runIds: [resets[index - 1]?.newRunId ?? original, ...(reset === undefined ? [] : [reset.baseRunId])],
  }))
  return {
    last: resets.at(-1)?.newRunId ?? original,
    between: (from, to) => [...new Set(sections.filter((section) => section.from <= to && section.to >= from).flatMap(({ runIds }) => runIds))],
  }
}

function isClosing(event: HistoryEvent): boolean {
  return [
    event.workflowExecutionCompletedEventAttributes, event.workflowExecutionFailedEventAttributes, event.workflowExecutionTimedOutEventAttributes,
    event.workflowExecutionCanceledEventAttributes, event.workflowExecutionTerminatedEventAttributes, event.workflowExecutionContinuedAsNewEventAttributes,
  ].some((attributes) => attributes != null)
}

/** Event ids are 64-bit in the protocol, and small in fact. */
function idOf({ eventId }: HistoryEvent): number {
  return Number(String(eventId))
}
