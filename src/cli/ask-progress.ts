/** Why there is no answer yet: nobody serves the gate's task queue, it waits behind another, or the gate cannot answer. Told, never guessed. */
import type { Client, WorkflowHandle } from '@temporalio/client'
import { visible } from '../approvals/visible-text.ts'
import { unanswered, type Unanswered } from './ask-call.ts'
import { Failure } from './exit.ts'

/** `TASK_QUEUE_TYPE_ACTIVITY`. */
const activities = 2

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

/** Says what holds the answer up, once each; `onBehind` is told of each workflow that this one waits behind. @returns what ends it */
export function tellProgress(handle: WorkflowHandle, { taskQueue, say, onBehind }: {
  readonly taskQueue: string
  readonly say: (line: string) => void
  readonly onBehind: (workflowId: string) => void
}): () => void {
  const said = new Set<string>()
  const behind = new Set<string>()
  const looks = new Map<string, number>()
  const look = async (): Promise<void> => {
    const open = await unanswered(handle)
    if (open === undefined) return
    const seen = `${open.id} ${open.last?.is}`
    const times = (looks.get(seen) ?? 0) + 1
    looks.set(seen, times)
    const words = wordsFor(open, { times, taskQueue })
    if (words !== null && !said.has(words)) say(words)
    if (words !== null) said.add(words)
    if (open.last?.is !== 'asked' || behind.has(open.last.workflowId)) return
    behind.add(open.last.workflowId)
    onBehind(open.last.workflowId)
  }
  const timer = setInterval(() => { look().catch(() => {}) }, everyMs) // a server that does not answer is told of by the result
  return () => { clearInterval(timer) }
}

/** `times`: how often it was seen so. An action under way is mostly over by the second look. */
function wordsFor({ taken, last }: Unanswered, { times, taskQueue }: { readonly times: number; readonly taskQueue: string }): string | null {
  switch (last?.is) {
    case 'asked':
      return `workflow ${visible(last.workflowId)} asks a person for this already, by the same key; its end is waited for, and Ctrl-C here leaves it alone`
    case 'under_way':
      return times > 1 ? visible(last.message) : null
    case 'fault':
      return `the gate cannot answer yet: ${visible(last.message)}; it is asked again until it can`
    case undefined:
      return !taken && times > looksInVain ? `nobody has taken it from task queue ${taskQueue} yet; is the gate worker running? Ctrl-C gives up` : null
  }
}

export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => { setTimeout(resolve, ms) })
}
