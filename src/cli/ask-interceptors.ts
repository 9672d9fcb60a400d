/** A workflow module of the worker that `propose` starts: hands on the gate's word that a person is asked, as it comes. */
import { proxySinks, type Sinks, type WorkflowInterceptorsFactory } from '@temporalio/workflow'
import type { Waiting } from '../core/store.ts'

export interface AskSinks extends Sinks {
  kiffAsk: { waiting(answer: Waiting): void }
}

export const interceptors: WorkflowInterceptorsFactory = () => {
  const { kiffAsk } = proxySinks<AskSinks>()
  return {
    outbound: [
      {
        async scheduleActivity(input, next) {
          const answer: unknown = await next(input)
          if (isWaiting(answer)) kiffAsk.waiting(answer)
          return answer
        },
      },
    ],
  }
}

/** An evaluation's `approval_required` has no approval. */
function isWaiting(answer: unknown): answer is Waiting {
  return typeof answer === 'object' && answer !== null && 'outcome' in answer && answer.outcome === 'approval_required' && 'approvalId' in answer
}
