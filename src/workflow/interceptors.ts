/** What KiffPlugin adds to the workflow bundle: the signal's handler, the run chain's header, and a guard against poison signals. */
import { condition, defaultPayloadConverter, defineSignal, setHandler, type WorkflowInterceptorsFactory } from '@temporalio/workflow'
import { reviewSignal, signalPrefix } from '../temporal/names.ts'
import { enterChain, handover, nothingRuns, openCalls, placeChild } from './chain.ts'
import { countDropped, receive } from './reviews.ts'
import { attributesOfNext } from './wait.ts'

const review = defineSignal<[unknown]>(reviewSignal)

export const interceptors: WorkflowInterceptorsFactory = () => ({
  inbound: [
    {
      async execute(input, next) {
        enterChain(input.headers)
        setHandler(review, receive, { description: 'A signed review, sent by the human-facing service. Anything else is recorded as rejected.' })
        return next(input)
      },
    },
  ],
  outbound: [
    {
      async startChildWorkflowExecution(input, next) {
        return next({ ...input, headers: placeChild(input.headers, input.workflowType, input.options.args) })
      },
      async continueAsNew(input, next) {
        // Those that end while we wait for them count as open: nobody is left in this run to take their answer.
        const open = openCalls()
        await condition(nothingRuns)
        return next({ ...input, headers: handover(input.headers, open), options: { ...input.options, ...attributesOfNext(input.options) } })
      },
    },
  ],
  internals: [
    {
      // One signal that cannot be decoded would fail the workflow task, and be retried for ever (sdk-typescript#1139).
      activate(input, next) {
        const jobs = input.activation.jobs ?? []
        const readable = jobs.filter(({ signalWorkflow: signal }) => !signal?.signalName?.startsWith(signalPrefix) || (signal.input ?? []).every(isDecodable))
        countDropped(jobs.length - readable.length)
        return next({ ...input, activation: { ...input.activation, jobs: readable } })
      },
    },
  ],
})

function isDecodable(payload: Parameters<typeof defaultPayloadConverter.fromPayload>[0]): boolean {
  try {
    defaultPayloadConverter.fromPayload(payload)
    return true
  } catch {
    return false
  }
}
