/** Which step of which workflow asks: from the activity task the server handed out, never from arguments. */
import { ApplicationFailure, type Context } from '@temporalio/activity'
import { WorkflowNotFoundError, type Client } from '@temporalio/client'
import { canonical } from '../core/canonical.ts'
import type { ChainClaim, Parent, Step } from '../core/proposal.ts'
import { failures } from '../temporal/names.ts'

/** What a request claims of its run chain; `null` where it claims nothing that can be read. */
export type StepReader = (context: Context, claimed: Pick<ChainClaim, 'firstExecutionRunId' | 'parents'> | null) => Promise<Step>

/** Remembered runs; the oldest are forgotten. */
const maxRemembered = 10_000

/**
 * Reads the step from the task. A claimed first execution run id that differs from the run id, and claimed parents, are confirmed
 * with the server, once a run. @throws ApplicationFailure `kiff.ChainUnproven`, not retryable, when the server says otherwise
 */
export function createStepReader(client: () => Client): StepReader {
  const confirmed = new Map<string, string>()
  return async ({ info }, claimed) => {
    const execution = info.workflowExecution
    const namespace = info.workflowNamespace ?? info.namespace
    if (execution === undefined || namespace === undefined) throw unproven('a governed activity runs only inside a workflow')
    const { workflowId, runId } = execution
    if (/\p{Cc}/u.test(workflowId)) throw unproven('a workflow id with control characters cannot be recorded')
    const { firstExecutionRunId, parents = [] } = claimed ?? { firstExecutionRunId: runId }
    if (firstExecutionRunId !== runId || parents.length > 0) {
      const claim = canonical([firstExecutionRunId, parents.map((parent) => [parent.workflowId, parent.firstExecutionRunId])])
      if (confirmed.get(runId) !== claim) await confirm(client(), { workflowId, runId }, { firstExecutionRunId, parents })
      if (confirmed.size >= maxRemembered) confirmed.delete(confirmed.keys().next().value ?? '')
      confirmed.set(runId, claim)
    }
    return { namespace, workflowId, firstExecutionRunId, runId, activityId: info.activityId }
  }
}

interface Run {
  readonly workflowId: string
  readonly runId: string
}

/** The server has the run in this chain, its parent's run in that of the innermost parent claimed, and so on outwards. */
async function confirm(client: Client, run: Run, claimed: { readonly firstExecutionRunId: string; readonly parents: readonly Pick<Parent, 'workflowId' | 'firstExecutionRunId'>[] }): Promise<void> {
  const { firstRunId, parent } = await chainOf(client, run)
  if (firstRunId !== claimed.firstExecutionRunId) throw unproven(`run ${run.runId} does not belong to the run chain it claims`)
  let started = parent
  for (const link of claimed.parents.toReversed()) {
    if (started === null || started.workflowId !== link.workflowId) throw unproven(`run ${run.runId} is not of the parents it claims`)
    const known = await chainOf(client, started).catch(unlessGone)
    // Closed, and past the server's retention: it can be reset no more, and has no chain to be mistaken for.
    if (known === null) return
    if (known.firstRunId !== link.firstExecutionRunId) throw unproven(`run ${run.runId} is not of the parents it claims`)
    started = known.parent
  }
}

async function chainOf(client: Client, { workflowId, runId }: Run): Promise<{ readonly firstRunId: string; readonly parent: Run | null }> {
  const { raw: { workflowExecutionInfo: info } } = await client.workflow.getHandle(workflowId, runId).describe()
  const parent = info?.parentExecution
  return {
    firstRunId: info?.firstRunId ?? '',
    parent: parent?.workflowId == null || parent.runId == null ? null : { workflowId: parent.workflowId, runId: parent.runId },
  }
}

function unlessGone(error: unknown): null {
  if (error instanceof WorkflowNotFoundError) return null
  throw error
}

function unproven(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: failures.chainUnproven, nonRetryable: true, message })
}
