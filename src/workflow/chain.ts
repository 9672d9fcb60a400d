/**
 * A run's place in its run chain: continue-as-new generations and counts of equal proposals, from which the execution key is
 * made, so that an inserted or reordered step shifts nobody else's key. Module state is per workflow in the sandbox.
 */
import { ApplicationFailure, defaultPayloadConverter, workflowInfo, type Headers } from '@temporalio/workflow'
import { canonical, NotCanonical } from '../core/canonical.ts'
import { chainHeader, failures } from '../temporal/names.ts'

export interface ChainStep {
  readonly firstExecutionRunId: string
  readonly generation: number
  readonly occurrence: number
}

export interface OpenCall {
  readonly proposal: string
  readonly generation: number
  readonly occurrence: number
}

let generation = 0
let reattachable: OpenCall[] = []
let running = 0
const counts = new Map<string, number>()
const open = new Set<OpenCall>()

/** Reads where this run stands, once, before the workflow function starts. */
export function enterChain(headers: Headers): void {
  const payload = headers[chainHeader]
  if (payload == null) return
  const carried = defaultPayloadConverter.fromPayload<{ generation: number; open: OpenCall[] }>(payload)
  generation = carried.generation
  reattachable = carried.open
}

/**
 * The step for one proposal or event: an equal call that the run before left open is taken up again, any other counts on.
 * @throws ApplicationFailure `kiff.ChainUnproven` for a run whose place nobody can tell: cron, or continued without our header
 */
export function openStep(subject: unknown): { readonly step: ChainStep; readonly close: () => void } {
  const info = workflowInfo()
  if (info.cronSchedule) throw unproven('a workflow with a cronSchedule shares one first run id over all its runs; use a Schedule')
  const continued = info.continuedFromExecutionRunId !== undefined && info.attempt === 1
  if (continued && generation === 0) throw unproven('this run was continued without the kiff-chain header; the workflow worker needs KiffPlugin')
  const proposal = textOf(subject)
  const call = takeReattachable(proposal) ?? { proposal, generation, occurrence: count(proposal) }
  open.add(call)
  return {
    step: { firstExecutionRunId: info.firstExecutionRunId, generation: call.generation, occurrence: call.occurrence },
    close: () => open.delete(call),
  }
}

/** The step for a question, which counts as no proposal. */
export function standing(): ChainStep {
  return { firstExecutionRunId: workflowInfo().firstExecutionRunId, generation, occurrence: 0 }
}

/** The calls that have no answer yet. */
export const openCalls = (): readonly OpenCall[] => [...open, ...reattachable]

/** What the next run is told: its generation, and the calls left open, now or at the time it was asked for. */
export function handover(headers: Headers, before: readonly OpenCall[]): Headers {
  const calls = [...new Set([...before, ...openCalls()])]
  return { ...headers, [chainHeader]: defaultPayloadConverter.toPayload({ generation: generation + 1, open: calls }) }
}

/** Counts a gate activity under way, so that continue-as-new waits for it. */
export async function whileRunning<T>(work: () => Promise<T>): Promise<T> {
  running += 1
  try {
    return await work()
  } finally {
    running -= 1
  }
}

export const nothingRuns = (): boolean => running === 0

function count(proposal: string): number {
  const seen = counts.get(proposal) ?? 0
  counts.set(proposal, seen + 1)
  return seen
}

function takeReattachable(proposal: string): OpenCall | undefined {
  const index = reattachable.findIndex((call) => call.proposal === proposal)
  return index < 0 ? undefined : reattachable.splice(index, 1)[0]
}

/** Only equality counts here; the gate makes the digest. What has no canonical form is refused there. */
function textOf(subject: unknown): string {
  try {
    return canonical(subject)
  } catch (error) {
    if (error instanceof NotCanonical) return JSON.stringify(subject)
    throw error
  }
}

function unproven(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: failures.chainUnproven, nonRetryable: true, message })
}
