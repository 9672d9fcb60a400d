/** Delivering reviews, and closing rounds that nobody waits for. */
import { guardsIn, type Guard } from '../guard.ts'

export const relay: readonly Guard[] = [
  ...guardsIn('src/approvals/relay.ts', 'test/store/conformance/relay.test.ts', [
    ['relay-open-run', 'a review is sent to a workflow that has ended', "status.name === 'RUNNING' && raw", 'raw', 'is not sent to a workflow that has ended'],
    ['relay-first-run', 'a review is sent to another run chain that has taken the workflow id', '&& raw.workflowExecutionInfo?.firstRunId === chain.firstExecutionRunId', '', 'is not sent to another run chain under the same id'],
    ['relay-current-run', 'a signal meets whichever run has the id by now', 'workflow.getHandle(chain.workflowId, runId) : null', 'workflow.getHandle(chain.workflowId) : null', 'is sent to the very run that was looked up'],
    ['relay-namespace', "a review is sent into the service's own namespace instead of the asker's", 'chain.namespace === namespace ? client.workflow :', 'true ? client.workflow :', 'a service for another namespace withdraws none of ours', 'test/workflows/waits.test.ts'],
    ['relay-not-found', "an orphan's request stays open", 'if (error instanceof WorkflowNotFoundError) return null', '', 'is withdrawn when its workflow is gone'],
    ['relay-fault-is-no-end', 'a server that does not answer closes requests', 'throw error\n  }\n}', 'return null\n  }\n}', 'is left open when the server does not answer'],
    ['relay-orphans', 'requests of workflows that have ended stay open', 'if (round % orphansEvery === 0) await withdrawOrphans(options)', '', 'that is over, or an orphan, is closed by the relay'],
    ['relay-expires', 'rounds past their time stay open', 'await expireDue(options)', '', 'that is over, or an orphan, is closed by the relay'],
    ['relay-again', 'a review that was sent once is never sent again', 'await store.deliveryAttempted(delivery.approvalId, backoffMs, null)', 'await store.deliveryAttempted(delivery.approvalId, 1e9, null)', 'that was tried 0 times before'],
    ['relay-one-fault', 'one delivery that fails holds up all others', 'onFault?.(fault)\n    }', 'throw fault\n    }', 'is not sent to a server that does not answer'],
    ['relay-backoff-bounded', 'a review is sent again later and later, without bound', 'Math.min(1_000 * 2 ** delivery.attempts, maxBackoffMs)', '1_000 * 2 ** delivery.attempts', 'that was tried 30 times before'],
  ]),
  ...guardsIn('src/approvals/wake-reset.ts', 'test/store/conformance/wake-reset.test.ts', [
    ['wake-in-order', 'every run that waits is woken, again and again', 'if (asked.length >= waitsOf(run)) inOrder.add(run.runId)\n    else await', 'await', 'for a request that is open is left alone'],
    ['wake-counts-waits', 'a run of which one call waits for nobody sleeps on', 'asked.length >= waitsOf(run)', 'asked.length > 0', 'in more calls than it has requests'],
    ['wake-of-chain', "another run chain's request counts as this one's", '&& request.first_execution_run_id === firstRunId', '', 'under an id whose request is of another run chain'],
    ['wake-full-page', 'runs whose requests are not on the page are woken again and again', 'if (open.length >= fullPage) return', '', 'is left alone where the store has more requests'],
    ['wake-remembers', 'each run is looked up again at each look', 'if (!inOrder.has(run.runId)) unknown.push(run)', 'unknown.push(run)', 'is looked at once when it is in order'],
  ]),
]
