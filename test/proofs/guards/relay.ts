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
    ['relay-orphans', 'requests of workflows that have ended stay open', 'if (round % orphansEvery === 0) looked = await withdrawOrphans(options, looked)', '', 'that is over, or an orphan, is closed by the relay'],
    ['relay-pages', 'an orphan is never found behind so many others', 'return page.length < orphansAtOnce ? null : (page.at(-1)?.request.approval_id ?? null)', 'return null', 'is looked for page by page'],
    ['relay-from-start', 'what was looked at once is never looked at again', 'return page.length < orphansAtOnce ? null :', 'return', 'is looked for page by page'],
    ['relay-expires', 'rounds past their time stay open', 'await expireDue(options)', '', 'that is over, or an orphan, is closed by the relay'],
    ['relay-again', 'a review that was sent once is never sent again', 'await store.deliveryAttempted(delivery.approvalId, backoffMs, null)', 'await store.deliveryAttempted(delivery.approvalId, 1e9, null)', 'that was tried 0 times before'],
    ['relay-one-fault', 'one delivery that fails holds up all others', 'onFault?.(fault)\n    }', 'throw fault\n    }', 'is not sent to a server that does not answer'],
    ['relay-backoff-bounded', 'a review is sent again later and later, without bound', 'Math.min(1_000 * 2 ** delivery.attempts, maxBackoffMs)', '1_000 * 2 ** delivery.attempts', 'that was tried 30 times before'],
  ]),
  ...guardsIn('src/approvals/wake-reset.ts', 'test/store/conformance/wake-reset.test.ts', [
    ['wake-in-order', 'every run that waits is woken, again and again', 'if (await isInOrder(store, client, run)) inOrder.add(run.runId)\n      else await', 'await', 'for a request that is open is left alone'],
    ['wake-counts-waits', 'a run of which one call waits for nobody sleeps on', 'open >= Number(known[searchAttributes.pending]?.[0] ?? 0)', 'open > 0', 'in more calls than it has requests'],
    ['wake-of-chain', "another run chain's request counts as this one's", "firstExecutionRunId: raw.workflowExecutionInfo?.firstRunId ?? ''", 'firstExecutionRunId: runId', 'and has no request any more is told to look again'],
    ['wake-of-others', 'runs that wait for the people of another database are woken again and again', 'return all === 0 || open', 'return open', 'and has never asked here is left alone'],
    ['wake-has-ended', 'a run that has ended keeps others asleep', 'if (!(error instanceof WorkflowNotFoundError)) throw error', 'throw error', 'and has ended since it was listed keeps no other'],
    ['wake-remembers', 'each run is looked up again at each look', 'if (!inOrder.has(run.runId)) unknown.push(run)', 'unknown.push(run)', 'is looked at once when it is in order'],
  ]),
]
