/**
 * The relay: takes recorded reviews out of the outbox and signals the workflow that waits, until the round is closed. It also
 * closes rounds that nobody waits for any more (past their deadline, or of a workflow that has ended), and wakes runs that wait for
 * a round which is closed.
 */
import { WorkflowClient, WorkflowNotFoundError, type Client, type WorkflowHandle } from '@temporalio/client'
import type { ApprovalRequest, ApprovalStatus } from '../core/approval.ts'
import type { RunChain } from '../core/proposal.ts'
import type { Delivery, ReviewStore } from '../postgres/review-store.ts'
import { reviewSignal } from '../temporal/names.ts'
import { oneByOne } from '../temporal/one-by-one.ts'
import { repeat, type Repeated } from '../temporal/repeat.ts'
import { approvalBody } from './review.ts'
import { wakeReset } from './wake-reset.ts'

export interface RelayOptions {
  readonly store: ReviewStore
  /** Uses the same data converter as the user's workers. */
  readonly client: Client
  /** Between two looks at the outbox; milliseconds. */
  readonly everyMs?: number
  readonly onFault?: (fault: unknown) => void
}

const maxBackoffMs = 60_000
/** Looking for workflows that have ended costs a request an open round: every so many looks, at so many of them. */
const orphansEvery = 10
const orphansAtOnce = 200
/** Looking for runs that were reset costs a request a run that waits, whenever another number of its calls does. */
const resetsEvery = 50

/** Runs until stopped. Faults (a server that is down) delay it; nothing is lost, the outbox is in Postgres. */
export function startRelay(options: RelayOptions): Repeated {
  const known = new Map<string, number>()
  let looked: string | null = null
  return repeat(
    options.everyMs ?? 300,
    async (round) => {
      await deliverDue(options)
      await expireDue(options)
      if (round % orphansEvery === 0) looked = await withdrawOrphans(options, looked)
      if (round % resetsEvery === 0) await wakeReset(options, known)
    },
    options.onFault,
  )
}

/** Sends every review that is due. The server's dedup is per run and may be lost by a reset: each send has a fresh request id. */
export async function deliverDue({ store, client, onFault }: RelayOptions): Promise<void> {
  for (const delivery of await store.dueDeliveries()) {
    const backoffMs = Math.min(1_000 * 2 ** delivery.attempts, maxBackoffMs)
    try {
      await signalRun(client, delivery)
      await store.deliveryAttempted(delivery.approvalId, backoffMs, null)
    } catch (fault) {
      await store.deliveryAttempted(delivery.approvalId, backoffMs, fault instanceof Error ? fault.message : String(fault))
      onFault?.(fault)
    }
  }
}

/** Signals the current run, after looking up that it belongs to the run chain that asked: another run may have taken the id. */
async function signalRun(client: Client, delivery: Delivery): Promise<void> {
  const run = await currentRun(client, delivery)
  if (run === null) throw new Error(`workflow ${delivery.workflowId} no longer waits`)
  await run.signal(reviewSignal, { approval_id: delivery.approvalId, jws: delivery.reviews })
}

/** Closes rounds that are over and that no workflow has come back for, also those that a person has denied, or taken back. */
export async function expireDue({ store, onFault }: Pick<RelayOptions, 'store' | 'onFault'>): Promise<void> {
  await oneByOne(await store.overdueRounds(), async ({ request, status }) => close(store, request, 'approval_expired', expiryOf(status)), onFault)
}

/** A denial, or a revocation, stays one: what is over is the time in which somebody could come for it. */
function expiryOf(status: ApprovalStatus): string {
  return status === 'denied' || status === 'revoked' ? `approval ${status}, and closed: nobody has come for the answer` : 'approval expired'
}

/**
 * Withdraws requests whose workflow has been terminated, has ended, or whose id another run chain has taken: those of the page after
 * `looked`. One that cannot be looked up, as in a namespace that is gone, is left to expire. @returns where it has come to; `null` at the end
 */
export async function withdrawOrphans({ store, client, onFault }: RelayOptions, looked: string | null = null): Promise<string | null> {
  const page = await store.openRounds(looked, orphansAtOnce)
  await oneByOne(page, async ({ request }) => {
    const run = { namespace: request.namespace, workflowId: request.workflow_id, firstExecutionRunId: request.first_execution_run_id }
    if ((await currentRun(client, run)) === null) await close(store, request, 'approval_withdrawn', 'approval withdrawn: its workflow has ended')
  }, onFault)
  return page.length < orphansAtOnce ? null : (page.at(-1)?.request.approval_id ?? null)
}

async function close(store: ReviewStore, request: ApprovalRequest, kind: 'approval_expired' | 'approval_withdrawn', message: string): Promise<void> {
  await store.closeApproval(approvalBody(request, kind, 'kiff', [{ kind, message, data: { approval_id: request.approval_id, action: request.action } }]))
}

/** The open run of this very chain, in the namespace it asked from, or `null`. */
async function currentRun(client: Client, chain: RunChain): Promise<WorkflowHandle | null> {
  const { connection, options: { namespace, dataConverter } } = client
  const workflow = chain.namespace === namespace ? client.workflow : new WorkflowClient({ connection, namespace: chain.namespace, ...(dataConverter && { dataConverter }) })
  try {
    const { raw, runId, status } = await workflow.getHandle(chain.workflowId).describe()
    const isOpen = status.name === 'RUNNING' && raw.workflowExecutionInfo?.firstRunId === chain.firstExecutionRunId
    return isOpen ? workflow.getHandle(chain.workflowId, runId) : null
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null
    throw error
  }
}
