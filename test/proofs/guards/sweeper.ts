/** Executions that nobody will take up again. */
import { guardsIn, type Guard } from '../guard.ts'

export const sweeper: readonly Guard[] = [
  ...guardsIn('src/gate/sweeper.ts', 'test/store/conformance/sweeper.test.ts', [
    ['sweep-namespace', 'a sweeper judges executions of another namespace', 'if (overdue.namespace !== client.options.namespace) continue', '', 'by a sweeper of another namespace'],
    ['sweep-taken-up', 'an execution that will be taken up is called in doubt', 'if (await willBeTakenUp(client, overdue)) continue', '', 'while its activity will come again'],
    ['sweep-pending', 'an execution that nobody will take up again is left open', '.some((pending) => pending.activityId === activityId)', '.length >= 0', 'it comes to be in doubt > when its run goes on without its activity'],
    ['sweep-running', 'a run that goes on is taken for one that is gone', "if (run?.status.name === 'RUNNING') return", 'if (false) return', 'when its run goes on without its activity, though the current one is of its chain'],
    ['sweep-patience', 'an execution is left for ever to a run that never proposes it again', 'if (leaseRemainingMs < -patienceMs) return false', '', 'is left to it for a minute only', 'test/workflows/leases.test.ts'],
    ['sweep-reset', 'an execution is called in doubt that a reset run takes up', "return current?.status.name === 'RUNNING' && current", 'return false && current', 'for the current run of its chain'],
    ['sweep-same-chain', 'an execution is left to another workflow that has taken the id', '&& current.raw.workflowExecutionInfo?.firstRunId === firstExecutionRunId', '', 'when another run chain has taken its workflow id'],
    ['sweep-not-found', 'an execution of a workflow that is gone stays open', 'if (error instanceof WorkflowNotFoundError) return null', '', 'when its workflow is gone'],
  ]),
]
