/**
 * A workflow module for replay bundles only, after all others: hands every activity that the workflow code schedules to a sink,
 * with its arguments as they reach Temporal. Replay itself compares types and order, never arguments.
 */
import { proxySinks, type Sinks, type WorkflowInterceptorsFactory } from '@temporalio/workflow'

export interface ReplaySinks extends Sinks {
  kiffReplay: {
    /** `args`: JSON text of the argument list. */
    scheduled(activityId: string, type: string, args: string): void
  }
}

export const interceptors: WorkflowInterceptorsFactory = () => {
  const { kiffReplay } = proxySinks<ReplaySinks>()
  return {
    outbound: [
      {
        async scheduleActivity(input, next) {
          kiffReplay.scheduled(input.options.activityId ?? String(input.seq), input.activityType, JSON.stringify(input.args))
          return next(input)
        },
      },
    ],
  }
}
