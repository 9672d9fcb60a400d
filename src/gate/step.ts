/** Which step of which workflow asks: from the activity task the server handed out, never from arguments. */
import { ApplicationFailure, type Context } from '@temporalio/activity'
import type { Client } from '@temporalio/client'
import type { Step } from '../core/proposal.ts'
import { failures } from '../temporal/names.ts'

export type StepReader = (context: Context, claimedFirstRunId: string) => Promise<Step>

/** Remembered run chains; the oldest are forgotten. */
const maxRemembered = 10_000

/**
 * Reads the step from the task. A claimed first execution run id that differs from the run id is confirmed with the server,
 * once a run. @throws ApplicationFailure `kiff.ChainUnproven`, not retryable, when the server says otherwise
 */
export function createStepReader(client: () => Client): StepReader {
  const confirmed = new Map<string, string>()
  return async ({ info }, claimed) => {
    const execution = info.workflowExecution
    const namespace = info.workflowNamespace ?? info.namespace
    if (execution === undefined || namespace === undefined) throw unproven('a governed activity runs only inside a workflow')
    const { workflowId, runId } = execution
    if (/\p{Cc}/u.test(workflowId)) throw unproven('a workflow id with control characters cannot be recorded')
    if (claimed !== runId) {
      const first = confirmed.get(runId) ?? (await firstRunId(client(), workflowId, runId))
      if (first !== claimed) throw unproven(`run ${runId} does not belong to the run chain it claims`)
      if (confirmed.size >= maxRemembered) confirmed.delete(confirmed.keys().next().value ?? '')
      confirmed.set(runId, first)
    }
    return { namespace, workflowId, firstExecutionRunId: claimed, runId, activityId: info.activityId }
  }
}

async function firstRunId(client: Client, workflowId: string, runId: string): Promise<string> {
  const { raw } = await client.workflow.getHandle(workflowId, runId).describe()
  return raw.workflowExecutionInfo?.firstRunId ?? ''
}

function unproven(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: failures.chainUnproven, nonRetryable: true, message })
}
