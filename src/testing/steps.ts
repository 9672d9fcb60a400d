/** The steps of workflows that are only imagined: each with a run of its own, and activities that count up. */
import { randomUUID } from 'node:crypto'
import type { Step } from '../core/proposal.ts'

export interface Workflows {
  /** The next step of this workflow, a new one unless named, and how often the same was proposed in it before. */
  readonly next: (workflow: string | undefined, proposed: string) => { readonly step: Step; readonly occurrence: number }
  readonly nextActivity: (step: Step) => Step
}

export function createWorkflows(): Workflows {
  const runs = new Map<string, string>()
  const activities = new Map<string, number>()
  const proposals = new Map<string, number>()
  const nextActivity: Workflows['nextActivity'] = (step) => ({ ...step, activityId: String(count(activities, step.runId) + 1) })
  return {
    nextActivity,
    next(workflow, proposed) {
      const runId = (workflow === undefined ? undefined : runs.get(workflow)) ?? randomUUID()
      const workflowId = workflow ?? `workflow-${runId}`
      runs.set(workflowId, runId)
      const step = nextActivity({ namespace: 'testing', workflowId, firstExecutionRunId: runId, runId, activityId: '' })
      return { step, occurrence: count(proposals, `${runId} ${proposed}`) }
    },
  }
}

function count(counts: Map<string, number>, key: string): number {
  const before = counts.get(key) ?? 0
  counts.set(key, before + 1)
  return before
}
