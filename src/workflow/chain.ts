/**
 * A run's place in its run chain, and below its parents: continue-as-new generations and counts of equal steps, from which the
 * execution key is made, so that an inserted or reordered step shifts nobody else's key. Module state is per workflow in the sandbox.
 */
import { ApplicationFailure, defaultPayloadConverter, workflowInfo, type Headers } from '@temporalio/workflow'
import type { ChainClaim, Parent } from '../core/proposal.ts'
import { chainHeader, failures } from '../temporal/names.ts'
import { childDigest, textOf } from './equal.ts'

export interface OpenCall {
  readonly proposal: string
  readonly generation: number
  readonly occurrence: number
}

/** What our header carries: to the next run of the chain, and to a child. */
interface Carried {
  readonly generation: number
  readonly open: readonly OpenCall[]
  readonly parents?: readonly Parent[]
  /** Why nobody can tell the parent's place, and so not the child's. */
  readonly unproven?: string
}

let generation = 0
let parents: readonly Parent[] = []
let unplaced: string | undefined
let reattachable: OpenCall[] = []
let running = 0
const counts = new Map<string, number>()
const open = new Set<OpenCall>()

/** Reads where this run stands, once, before the workflow function starts. */
export function enterChain(headers: Headers): void {
  const payload = headers[chainHeader]
  if (payload == null) return
  const carried = defaultPayloadConverter.fromPayload<Carried>(payload)
  generation = carried.generation
  parents = carried.parents ?? []
  unplaced = carried.unproven
  reattachable = [...carried.open]
}

/**
 * The step for one proposal or event: an equal call that the run before left open is taken up again, any other counts on.
 * @throws ApplicationFailure `kiff.ChainUnproven` for a run whose place nobody can tell: cron, or continued without our header
 */
export function openStep(subject: unknown): { readonly step: ChainClaim; readonly close: () => void } {
  const problem = unprovenPlace()
  if (problem !== undefined) throw ApplicationFailure.create({ type: failures.chainUnproven, nonRetryable: true, message: problem })
  const proposal = textOf(subject)
  const call = takeReattachable(proposal) ?? { proposal, generation, occurrence: count(proposal) }
  open.add(call)
  return { step: stepOf(call), close: () => open.delete(call) }
}

/** The step for a question, which counts as no proposal. */
export function standing(): ChainClaim {
  return stepOf({ generation, occurrence: 0 })
}

function stepOf({ generation: its, occurrence }: Pick<OpenCall, 'generation' | 'occurrence'>): ChainClaim {
  const { firstExecutionRunId } = workflowInfo()
  return { firstExecutionRunId, generation: its, occurrence, ...(parents.length === 0 ? {} : { parents: [...parents] }) }
}

/** What a child is told: the parents it has, and which of the innermost one's equal children it is. */
export function placeChild(headers: Headers, workflowType: string, args: readonly unknown[]): Headers {
  const { workflowId, firstExecutionRunId } = workflowInfo()
  const child = childDigest(workflowType, args)
  const unproven = unprovenPlace()
  return carry(headers, {
    generation: 0,
    open: [],
    parents: [...parents, { workflowId, firstExecutionRunId, generation, child, occurrence: count(`child ${child}`) }],
    ...(unproven === undefined ? {} : { unproven: `its parent cannot be placed: ${unproven}` }),
  })
}

/** In words, why nobody can tell this run from another one of its chain. */
function unprovenPlace(): string | undefined {
  const { cronSchedule, continuedFromExecutionRunId, attempt } = workflowInfo()
  if (cronSchedule) return 'a workflow with a cronSchedule shares one first run id over all its runs; use a Schedule'
  const continued = continuedFromExecutionRunId !== undefined && attempt === 1
  if (continued && generation === 0) return 'this run was continued without the kiff-chain header; the workflow worker needs KiffPlugin'
  return unplaced
}

/** The calls that have no answer yet. */
export const openCalls = (): readonly OpenCall[] => [...open, ...reattachable]

/** What the next run is told: its generation, and the calls left open, now or at the time it was asked for. */
export function handover(headers: Headers, before: readonly OpenCall[]): Headers {
  return carry(headers, {
    generation: generation + 1,
    open: [...new Set([...before, ...openCalls()])],
    ...(parents.length === 0 ? {} : { parents }),
    ...(unplaced === undefined ? {} : { unproven: unplaced }),
  })
}

function carry(headers: Headers, carried: Carried): Headers {
  return { ...headers, [chainHeader]: defaultPayloadConverter.toPayload(carried) }
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

function count(equal: string): number {
  const seen = counts.get(equal) ?? 0
  counts.set(equal, seen + 1)
  return seen
}

function takeReattachable(proposal: string): OpenCall | undefined {
  const index = reattachable.findIndex((call) => call.proposal === proposal)
  return index < 0 ? undefined : reattachable.splice(index, 1)[0]
}
