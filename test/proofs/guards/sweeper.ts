/** Executions that nobody will take up again. */
import { guardsIn, type Guard } from '../guard.ts'

export const sweeper: readonly Guard[] = [
  ...guardsIn('src/gate/sweeper.ts', 'test/store/conformance/sweeper.test.ts', [
    ['sweep-namespace', 'a sweeper judges executions of another namespace', 'if (overdue.namespace !== client.options.namespace) continue', '', 'by a sweeper of another namespace'],
    ['sweep-taken-up', 'an execution that will be taken up is called in doubt', 'if (await willBeTakenUp(client, overdue)) continue', '', 'while its activity will come again'],
    ['sweep-pending', 'an execution that nobody will take up again is left open', '.some((pending) => pending.activityId === activityId)', '.length >= 0', 'it comes to be in doubt > when its run goes on without its activity'],
    ['sweep-comes-again', 'an execution is called in doubt whose activity has waited for a worker for more than a minute', '=== activityId)) return true', '=== activityId)) return leaseRemainingMs >= -patienceMs', 'while its activity will come again'],
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
]
