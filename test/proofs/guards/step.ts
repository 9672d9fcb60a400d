/** Which step of which run chain asks. */
import { guardsIn, type Guard } from '../guard.ts'

export const step: readonly Guard[] = [
  ...guardsIn('src/gate/step.ts', 'test/core/step.test.ts', [
    ['chain-confirmed', "a workflow claims another workflow's run chain", 'if (firstRunId !== claimed.firstExecutionRunId) throw', 'if (false) throw', 'a step that claims the run chain of another workflow', 'test/attack/activities.test.ts'],
    ['chain-claimed', 'a claim is believed unasked', 'if (firstExecutionRunId !== runId || parents.length > 0) {', 'if (false) {', 'is not believed to be another unasked: {"firstExecutionRunId":"run-0"}'],
    ['parents-claimed', 'claimed parents are believed unasked', 'if (firstExecutionRunId !== runId || parents.length > 0) {', 'if (firstExecutionRunId !== runId) {', 'is not believed to be another unasked: {"firstExecutionRunId":"run-1","parents"'],
    ['parent-is-there', 'a run claims parents and has none, or another workflow', 'if (started === null || started.workflowId !== link.workflowId) throw', 'if (started === null) return; if (false) throw', 'a run that claims parents and has none', 'test/workflows/children.test.ts'],
    ['parent-chain', 'a child claims another run chain of its parent', 'if (known.firstRunId !== link.firstExecutionRunId) throw', 'if (false) throw', 'a child that claims another run chain', 'test/workflows/children.test.ts'],
    ['workflow-id-printable', 'a workflow id that cannot be recorded', String.raw`if (/\p{Cc}/u.test(workflowId)) throw`, 'if (false) throw', 'of a workflow whose id cannot be recorded'],
  ]),
]
