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
    ['relay-one-orphan', 'one request that cannot be looked up keeps all others open', "'approval withdrawn: its workflow has ended')\n  }, onFault)", "'approval withdrawn: its workflow has ended')\n  }, (fault) => { throw fault })", 'whose workflow is in a namespace that is gone is left open'],
    ['relay-one-expiry', 'one round that cannot be closed keeps all others open', 'expiryOf(status)), onFault)', 'expiryOf(status)), (fault) => { throw fault })', 'that is over is closed, also where another one cannot be'],
    ['relay-expires', 'rounds past their time stay open', 'await expireDue(options)', '', 'that is over, or an orphan, is closed by the relay'],
    ['relay-again', 'a review that was sent once is never sent again', 'await store.deliveryAttempted(delivery.approvalId, backoffMs, null)', 'await store.deliveryAttempted(delivery.approvalId, 1e9, null)', 'that was tried 0 times before'],
    ['relay-one-fault', 'one delivery that fails holds up all others', 'onFault?.(fault)\n    }', 'throw fault\n    }', 'is not sent to a server that does not answer'],
    ['relay-backoff-bounded', 'a review is sent again later and later, without bound', 'Math.min(1_000 * 2 ** delivery.attempts, maxBackoffMs)', '1_000 * 2 ** delivery.attempts', 'that was tried 30 times before'],
  ]),
  ...guardsIn('src/approvals/wake-reset.ts', 'test/store/conformance/wake-reset.test.ts', [
    ['wake-in-order', 'every run that waits is woken', 'if (!(await isInOrder(store, client, run))) await', 'await', 'for a request that is open is left alone'],
    ['wake-counts-waits', 'a run of which one call waits for nobody sleeps on', 'open >= waitsOf(run)', 'open > 0', 'in more calls than it has requests'],
    ['wake-of-chain', "another run chain's request counts as this one's", "firstExecutionRunId: raw.workflowExecutionInfo?.firstRunId ?? ''", 'firstExecutionRunId: run.runId', 'and has no request any more is told to look again'],
    ['wake-of-others', 'runs that wait for the people of another database are woken again and again', 'return all === 0 || open', 'return open', 'and has never asked here is left alone'],
    ['wake-has-ended', 'a run that has ended is told as a fault', 'if (!(error instanceof WorkflowNotFoundError)) throw error', 'throw error', 'and has ended since it was listed keeps no other'],
    ['wake-remembers', 'a run is woken every few seconds until the server ends it for its many signals', 'if (known.get(run.runId) !== waitsOf(run)) unknown.push(run)', 'unknown.push(run)', 'is looked at once, and told once'],
    ['wake-more-calls', 'a run that was reset sleeps on in the calls that it has not made yet when it is looked at', 'known.get(run.runId) !== waitsOf(run)', '!known.has(run.runId)', 'is looked at once more when another number of its calls waits'],
    ['wake-forgets', 'a memory that grows for ever', 'if (!listed.has(runId)) known.delete(runId)', '', 'is forgotten when it waits no more'],
    ['wake-one-fault', 'one run that cannot be signalled keeps all others asleep', '  }, onFault)', '  }, (fault) => { throw fault })', 'and cannot be told holds up no other'],
    ['wake-tries-again', 'a run that could not be told is never told', '    await wake(store, client, run)\n    known.set(run.runId, waitsOf(run))', '    known.set(run.runId, waitsOf(run))\n    await wake(store, client, run)', 'and cannot be told holds up no other'],
  ]),
  ...guardsIn('src/temporal/one-by-one.ts', 'test/core/one-by-one.test.ts', [
    ['one-by-one', 'one that fails holds up all others', 'if (isAway(fault)) throw fault', 'throw fault', 'one that fails is told, and holds up no other: an answer of the server'],
    ['one-by-one-away', 'a server that is away is asked for each of hundreds, twenty seconds each', 'if (isAway(fault)) throw fault', '', 'none is tried any more when the server is away'],
  ]),
]
