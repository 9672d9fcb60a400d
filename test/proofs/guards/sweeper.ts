/** Executions that nobody will take up again. */
import { guardsIn, type Guard } from '../guard.ts'

export const sweeper: readonly Guard[] = [
  ...guardsIn('src/gate/sweeper.ts', 'test/store/conformance/sweeper.test.ts', [
    ['sweep-namespace', 'a sweeper judges executions of another namespace', 'store.overdueExecutions(client.options.namespace)', "store.overdueExecutions('default')", 'by a sweeper of another namespace'],
    ['sweep-taken-up', 'an execution that will be taken up is called in doubt', 'if (await willBeTakenUp(client, overdue)) return', '', 'while its activity will come again within a minute'],
    ['sweep-one-fault', 'one execution that cannot be looked up keeps all others from coming to be in doubt', '  }, onFault)\n}', '  }, (fault) => { throw fault })\n}', 'when the server will not tell of its workflow, and holds up no other'],
    ['sweep-pending', 'an execution that nobody will take up again is left open', 'find((each) => each.activityId === activityId)', 'find(() => true)', 'it comes to be in doubt > when its run goes on without its activity'],
    ['sweep-comes-again', 'an execution is called in doubt whose activity has waited for a worker for more than a minute', 'if (pending !== undefined && comesSoon(pending)) return true', '', 'while its activity will come again within a minute'],
    ['sweep-paused', 'an execution is left for ever to an activity that somebody has paused', 'return paused !== true && ', 'return ', 'when its activity has been paused for a minute'],
    ['sweep-far-away', 'an execution is left for a year to an activity that comes again in a year', "<= Date.now() + patienceMs", '> 0 || true', 'when its activity has not come for a minute, and will not within another'],
    ['sweep-paused-has-time', 'an execution is called in doubt as soon as its activity is paused', 'if (pending !== undefined) return true', '', 'for a minute, while its activity is paused'],
    ['sweep-running', 'a run that goes on is taken for one that is gone', 'return (!isRunning && ', 'return (', 'when its run goes on without its activity, though the current one is of its chain'],
    ['sweep-patience', 'an execution is left for ever to those who never propose it again', 'if (leaseRemainingMs < -patienceMs) return false', '', 'when nobody has brought its API caller\'s key for a minute'],
    ['sweep-caller-key', 'an execution is called in doubt that another workflow takes up, with the same API caller\'s key', 'if (callerKey !== null) return true', '', 'for whoever brings the API caller\'s key'],
    ['sweep-reset', 'an execution is called in doubt that a reset run takes up', "return current?.status.name === 'RUNNING' && current", 'return false && current', 'for the current run of its chain'],
    ['sweep-goes-on', 'an execution is left to a parent that has ended', "return current?.status.name === 'RUNNING' && current", 'return current != null && current', 'when its parent has ended'],
    ['sweep-followed', 'an execution is left to a parent that was not reset', '&& current.runId !== runId', '', 'when its parent goes on as it was'],
    ['sweep-same-chain', 'an execution is left to another workflow that has taken the id', '&& current.raw.workflowExecutionInfo?.firstRunId === firstExecutionRunId', '', 'when another run chain has taken its workflow id'],
    ['sweep-parent', 'an execution is called in doubt that the child of a reset parent takes up', ' || hasFollowedParent(client, run)', '', 'for the child that a reset parent starts anew'],
    ['sweep-grandparent', 'an execution is called in doubt that the grandchild of a reset parent takes up', 'return hasFollowedParent(client, parent)', 'return false', 'for the grandchild of a reset parent'],
    ['sweep-not-found', 'an execution of a workflow that is gone stays open', 'if (error instanceof WorkflowNotFoundError) return null', '', 'when its workflow is gone'],
  ]),
  ...guardsIn('src/gate/sweeper.ts', 'test/core/sweeping.test.ts', [
    ['sweep-warns', 'an execution that nobody can look after, and nobody hears of', 'sweep(store, client, untold)', 'sweep(store, client)', 'is a warning of the process, once'],
    ['sweep-warns-once', 'a log that fills up with one execution', 'if (told.has(executionKey)) return', '', 'is a warning of the process, once'],
  ]),
]
