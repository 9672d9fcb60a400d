/**
 * Open executions that nobody will take up again (their workflow was terminated) come to be in doubt, and ask a person; and what a
 * person has then found out is applied.
 */
import { WorkflowNotFoundError, type Client, type WorkflowExecutionDescription } from '@temporalio/client'
import { ledgerBody } from '../core/ledger-row.ts'
import type { GateStore, OverdueExecution } from '../core/store.ts'
import { repeat, type Repeated } from '../temporal/repeat.ts'
import { applyReconciliations, type Reconciling } from './reconcile.ts'

const everyMs = 2_000
/** How long after its lease a run chain that goes on may take to propose the same again; nobody can tell whether it will. */
const patienceMs = 60_000

/** Looks every two seconds; a fault (a database or server that is down) only delays it. */
export function startSweeper(store: GateStore, client: Client, reconciling: Reconciling): Repeated {
  return repeat(everyMs, async () => {
    // Neither holds the other up.
    await Promise.allSettled([sweep(store, client), applyReconciliations(store, reconciling)])
  })
}

/** Marks every execution past its lease whose activity is no longer there to take it up; other namespaces have sweepers of their own. */
export async function sweep(store: GateStore, client: Client): Promise<void> {
  for (const overdue of await store.overdueExecutions()) {
    if (overdue.namespace !== client.options.namespace) continue
    if (await willBeTakenUp(client, overdue)) continue
    const { domain, entityType, entityId, action, actor, executionKey } = overdue
    const error = 'its workflow run is over, and it was not heard of again'
    const body = ledgerBody({
      kind: 'in_doubt', step: overdue, domain, entityType, entityId, action, actor, executionKey,
      audit: [{ kind: 'action_in_doubt', message: 'outcome unknown', data: { action, error, idempotency_key: executionKey } }],
    })
    await store.markInDoubt({ body, executionKey, token: null })
  }
}

/** Its activity still comes again; or its run is over, but the run chain goes on (a reset, a retry), and has had little time yet. */
async function willBeTakenUp(client: Client, { workflowId, runId, activityId, firstExecutionRunId, leaseRemainingMs }: OverdueExecution): Promise<boolean> {
  const run = await describe(client, workflowId, runId)
  if (run?.status.name === 'RUNNING') return (run.raw.pendingActivities ?? []).some((pending) => pending.activityId === activityId)
  if (leaseRemainingMs < -patienceMs) return false
  const current = await describe(client, workflowId)
  return current?.status.name === 'RUNNING' && current.raw.workflowExecutionInfo?.firstRunId === firstExecutionRunId
}

async function describe(client: Client, workflowId: string, runId?: string): Promise<WorkflowExecutionDescription | null> {
  try {
    return await client.workflow.getHandle(workflowId, runId).describe()
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null
    throw error
  }
}
