/** Why there is no answer yet: nobody serves the gate's task queue, or the gate itself cannot answer. Told, never guessed. */
import type { Client, WorkflowHandle } from '@temporalio/client'
import { visible } from '../approvals/visible-text.ts'
import { Failure } from './exit.ts'

/** `TASK_QUEUE_TYPE_ACTIVITY`. */
const activities = 2
/** `PENDING_ACTIVITY_STATE_SCHEDULED`: nobody works on it now. */
const scheduled: number = 1

/** How long a gate worker may take to come up, how often to look, and how many looks in vain are worth a word. */
const graceMs = 5_000
const everyMs = 3_000
const looksInVain = 2

/** @throws Failure when no worker has polled the gate's task queue of late: a question would wait for ever */
export async function checkServed(client: Client, namespace: string, taskQueue: string): Promise<void> {
  for (const until = Date.now() + graceMs; ; await pause(500)) {
    // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the enum is in a package of Temporal's that is no peer of ours
    const { pollers } = await client.workflowService.describeTaskQueue({ namespace, taskQueue: { name: taskQueue }, taskQueueType: activities })
    if ((pollers ?? []).length > 0) return
    if (Date.now() >= until) throw new Failure(`nobody serves task queue ${taskQueue} in namespace ${namespace}; is the gate worker running?`)
  }
}

/** The gate's activity that nobody works on now. */
export interface Unanswered {
  readonly id: string
  /** Whether a worker ever took it. */
  readonly taken: boolean
  /** What the gate said at its last attempt. */
  readonly fault: string | null
}

export async function unanswered(handle: WorkflowHandle): Promise<Unanswered | undefined> {
  const { raw } = await handle.describe()
  const pending = (raw.pendingActivities ?? []).find(({ state }) => Number(state) === scheduled)
  if (pending === undefined) return undefined
  const { activityId, attempt, lastFailure } = pending
  return { id: activityId ?? '', taken: (attempt ?? 1) > 1, fault: lastFailure?.message ?? null }
}

/** Says what holds the answer up, once each. @returns what ends it */
export function tellProgress(handle: WorkflowHandle, { taskQueue, say }: { readonly taskQueue: string; readonly say: (line: string) => void }): () => void {
  const said = new Set<string>()
  const looks = new Map<string, number>()
  const once = (line: string): void => {
    if (!said.has(line)) say(line)
    said.add(line)
  }
  const look = async (): Promise<void> => {
    const open = await unanswered(handle)
    if (open === undefined) return
    const seen = (looks.get(open.id) ?? 0) + 1
    looks.set(open.id, seen)
    if (open.fault !== null) once(`the gate cannot answer yet: ${visible(open.fault)}; it is asked again until it can`)
    else if (!open.taken && seen > looksInVain) once(`nobody has taken it from task queue ${taskQueue} yet; is the gate worker running? Ctrl-C gives up`)
  }
  const timer = setInterval(() => { look().catch(() => {}) }, everyMs) // a server that does not answer is told of by the result
  return () => { clearInterval(timer) }
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => { setTimeout(resolve, ms) })
}
