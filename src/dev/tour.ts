/** The story, in steps, on real servers: each does something, looks at what came of it, and says whether it is as told. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WorkflowHandle } from '@temporalio/client'
import { z } from 'zod'
import { createReviewSigner, generateDevReviewKey } from '../approvals/signing.ts'
import { verifyChains } from '../evidence/chain.ts'
import { replayCheck } from '../evidence/replay.ts'
import { fetchHistory } from '../evidence/history.ts'
import { openPool, transaction, type Pool } from '../postgres/connect.ts'
import { reviewSignal } from '../temporal/names.ts'
import type { DevApp } from './app.ts'
import { logIn, type Person } from './person.ts'
import type { Stack } from './stack.ts'

/** What one step came to. */
export interface StepResult {
  readonly step: string
  readonly outcome: string
  readonly reason?: string
  readonly entity?: string
  readonly ok: boolean
}

export interface TourSummary {
  readonly summary: true
  readonly ok: boolean
  /** Refunds that the payment provider's own ledger holds, by order. */
  readonly effects: Readonly<Record<string, number>>
}

export interface TourOptions {
  readonly stack: Stack
  readonly app: DevApp
  /** Told before each step what is about to happen, and after it what did. */
  readonly say: (line: string) => void
  readonly onStep: (result: StepResult) => void
  /** Between steps, for reading; milliseconds. */
  readonly pauseMs: number
  readonly workflowsPath: string
}

interface Scene {
  readonly stack: Stack
  readonly app: DevApp
  readonly person: Person
  readonly owner: Pool
  readonly auditor: Pool
  readonly workflowsPath: string
  readonly tour: string
  readonly open: Map<string, WorkflowHandle>
}

interface Told {
  readonly outcome: string
  readonly reason?: string
  readonly entity?: string
  readonly ok: boolean
  /** What happened, for the narration. */
  readonly told: string
}

const steps: readonly (readonly [step: string, announced: string, act: (scene: Scene) => Promise<Told>])[] = [
  ['allowed', 'A customer wants €42.00 back on order-1. The agent may do that alone.', allowed],
  ['held', 'Another wants €999.00 on order-2. That is above what the agent may do alone.', held],
  ['self_approval', 'The agent signs an approval itself and signals it to its own workflow, with every credential it has.', selfApproval],
  ['granted', 'Maria, from finance, logs in to the inbox, reads what will happen, and grants it.', granted],
  ['executed', 'Her signed review reaches the workflow. The gate checks everything again, and pays.', executed],
  ['repeated', 'The agent proposes the very same refund once more.', repeated],
  ['denied', 'A third customer wants €250.00 on order-3. Maria says no.', denied],
  ['killed', 'The provider hangs in the middle of paying order-4, and the gate worker is killed with SIGKILL. It comes up again.', killed],
  ['rebuilt', 'Every order is rebuilt from its events alone and compared with its state.', rebuilt],
  ['replayed', "The workflow of order-2 is replayed step by step against Temporal's history and the ledger.", replayed],
  ['tampered', 'The owner of the database alters an old record. Would anybody notice?', tampered],
]

/** Plays every step in turn. @throws nothing of a step: a step that fails is told as not ok */
export async function playTour(options: TourOptions): Promise<TourSummary> {
  const { stack, app, say, onStep, pauseMs, workflowsPath } = options
  const owner = openPool(stack.database.owner, { max: 2, name: 'kiff-tour' })
  const auditor = openPool(stack.database.auditor, { max: 2, name: 'kiff-tour' })
  let ok = true
  try {
    const scene: Scene = { stack, app, owner, auditor, workflowsPath, person: await logIn(stack.inbox.login), tour: randomUUID().slice(0, 8), open: new Map() }
    await placeOrders(scene)
    for (const [index, [step, announced, act]] of steps.entries()) {
      say(`\n${String(index + 1).padStart(2)}. ${announced}`)
      await sleep(pauseMs)
      const { told, ...result } = await act(scene).catch((error: unknown): Told => ({ outcome: 'fault', ok: false, told: error instanceof Error ? error.message : String(error) }))
      say(`    ${result.ok ? '→' : '✗'} ${told}`)
      onStep({ step, ...result })
      ok &&= result.ok
      await sleep(pauseMs)
    }
    const effects = Object.fromEntries(await Promise.all(Object.keys(orders).map(async (order) => [order, (await paid(scene, order)).length] as const)))
    ok &&= JSON.stringify(effects) === JSON.stringify({ 'order-1': 1, 'order-2': 1, 'order-3': 0, 'order-4': 1 })
    return { summary: true, ok, effects }
  } finally {
    await Promise.all([owner.end(), auditor.end()])
  }
}

const orders = { 'order-1': 4_200, 'order-2': 99_900, 'order-3': 25_000, 'order-4': 6_000 }

async function placeOrders({ stack, app, tour }: Scene): Promise<void> {
  const events = Object.entries(orders).flatMap(([orderId, amountCents]) => [
    { event: 'ORDER_PLACED', orderId, payload: { amountCents }, id: `${orderId}-placed` },
    { event: 'ORDER_PAID', orderId, payload: { paymentId: `payment-of-${orderId}` }, id: `${orderId}-paid` },
  ])
  await stack.client.workflow.execute('shopReports', { taskQueue: app.queues.agent, workflowId: `tour-${tour}-shop`, args: [events] })
}

async function allowed(scene: Scene): Promise<Told> {
  const result = await (await ticket(scene, 'order-1', '42.00')).result()
  const effects = await paid(scene, 'order-1')
  return { ...read(result), entity: 'order-1', ok: read(result).outcome === 'allowed' && effects.length === 1, told: `allowed, and paid: the provider's ledger has ${effects.length} refund on order-1.` }
}

async function held(scene: Scene): Promise<Told> {
  await ticket(scene, 'order-2', '999.00')
  const request = await waitingFor(scene, 'order-2')
  const effects = await paid(scene, 'order-2')
  return { outcome: 'approval_required', reason: 'approval_required', entity: 'order-2', ok: effects.length === 0, told: `held: ${request.rule}. The workflow waits, durably; nothing is paid.` }
}

async function selfApproval(scene: Scene): Promise<Told> {
  const request = await waitingFor(scene, 'order-2')
  const { privateKey } = await generateDevReviewKey()
  const forge = await createReviewSigner(privateKey)
  const jws = await forge({ purpose: 'approval', approval_id: request.approval_id, digest: '0'.repeat(64), verdict: 'granted', reviewer: 'maria', reason: 'looks fine', reviewed_at: new Date().toISOString() })
  await scene.open.get('order-2')?.signal(reviewSignal, { approval_id: request.approval_id, jws })
  const rejected = await eventually(async () => {
    const { rows } = await scene.auditor.query<{ reason: string }>(`select data ->> 'reason' as reason from kiff.audit_records where kind = 'approval_review_rejected' and data ->> 'approval_id' = $1`, [request.approval_id])
    return rows[0]?.reason
  })
  const effects = await paid(scene, 'order-2')
  return { outcome: 'rejected', reason: 'approval_review_rejected', entity: 'order-2', ok: effects.length === 0, told: `rejected and recorded: ${rejected}. Still waiting; nothing is paid.` }
}

async function granted(scene: Scene): Promise<Told> {
  const request = await waitingFor(scene, 'order-2')
  const { ok, message } = await scene.person.review(request.approval_id, 'granted', 'checked with the carrier')
  return { outcome: 'granted', entity: 'order-2', ok, told: `she grants exactly "${request.summary}". ${message}` }
}

async function executed(scene: Scene): Promise<Told> {
  const result = read(await scene.open.get('order-2')?.result())
  const effects = await paid(scene, 'order-2')
  return { ...result, entity: 'order-2', ok: result.outcome === 'allowed' && effects.length === 1, told: `allowed, and paid: the provider's ledger has ${effects.length} refund on order-2.` }
}

async function repeated(scene: Scene): Promise<Told> {
  const result = read(await (await ticket(scene, 'order-2', '999.00')).result())
  const effects = await paid(scene, 'order-2')
  return { ...result, entity: 'order-2', ok: result.reason === 'state_not_allowed' && effects.length === 1, told: `${result.outcome}: ${result.reason}. Still ${effects.length} refund on order-2.` }
}

async function denied(scene: Scene): Promise<Told> {
  const asking = await ticket(scene, 'order-3', '250.00')
  const request = await waitingFor(scene, 'order-3')
  await scene.person.review(request.approval_id, 'denied', 'worn, not returned')
  const result = read(await asking.result())
  const effects = await paid(scene, 'order-3')
  return { ...result, entity: 'order-3', ok: result.reason === 'approval_denied' && effects.length === 0, told: `${result.outcome}: ${result.reason}. The agent is told why; nothing is paid.` }
}

async function killed(scene: Scene): Promise<Told> {
  const { stack } = scene
  await provider(scene, '/behaviour', { mode: 'hang', times: 1 })
  const refund = await ticket(scene, 'order-4', '60.00')
  await eventually(async () => (await paid(scene, 'order-4')).length > 0)
  await stack.killGate()
  await stack.startGate()
  const result = read(await refund.result())
  const effects = await paid(scene, 'order-4')
  return { ...result, entity: 'order-4', ok: result.outcome === 'allowed' && effects.length === 1, told: `${result.outcome}: taken up with the same key. The provider's ledger has ${effects.length} refund on order-4.` }
}

async function rebuilt(scene: Scene): Promise<Told> {
  const report = await verifyChains(scene.auditor, { domains: scene.app.domains })
  return { outcome: report.ok ? 'verified' : 'differs', ok: report.ok, told: `${report.rows} ledger rows in ${report.chains} chains verified; every state equals what its events lead to.` }
}

async function replayed(scene: Scene): Promise<Told> {
  const workflowId = scene.open.get('order-2:first')?.workflowId ?? ''
  const history = await fetchHistory(scene.stack.client, workflowId)
  const report = await replayCheck({ history, workflowId, workflowsPath: scene.workflowsPath, auditor: scene.auditor, domains: scene.app.domains })
  return { outcome: report.ok ? 'verified' : 'differs', entity: 'order-2', ok: report.ok, told: `${report.steps.length} governed steps: replayed arguments, recorded inputs, ledger rows, and results agree.` }
}

async function tampered(scene: Scene): Promise<Told> {
  const { rows } = await scene.auditor.query<{ chain: string; seq: string; key: string }>(
    `select l.chain, l.seq, c.key from kiff.ledger l join kiff.chains c using (chain) where l.kind = 'executed' and c.key like '%/order-1' limit 1`)
  const row = rows[0]
  if (row === undefined) throw new Error('there is no row to alter')
  await transaction(scene.owner, async (owner) => {
    await owner.query('alter table kiff.ledger disable trigger append_only')
    await owner.query(`update kiff.ledger set body = replace(body, '4200', '42') where chain = $1 and seq = $2`, [row.chain, row.seq])
    await owner.query('alter table kiff.ledger enable trigger append_only')
  })
  const report = await verifyChains(scene.auditor, { domains: scene.app.domains })
  const found = report.findings.find((finding) => finding.chain === row.key && finding.seq === Number(row.seq))
  return { outcome: found === undefined ? 'unnoticed' : 'found', entity: 'order-1', ok: found !== undefined, told: found === undefined ? 'nobody noticed.' : `found: row ${found.seq} of ${found.chain}: ${found.message}.` }
}

/** A support ticket, taken up by a workflow of its own. */
async function ticket(scene: Scene, order: string, amount: string): Promise<WorkflowHandle> {
  const id = randomUUID().slice(0, 8)
  const handle = await scene.stack.client.workflow.start('supportAgent', {
    taskQueue: scene.app.queues.agent,
    workflowId: `tour-${scene.tour}-${order}-${id}`,
    args: [{ id, from: 'a customer', text: `${order}: please refund ${amount}` }],
  })
  if (!scene.open.has(`${order}:first`)) scene.open.set(`${order}:first`, handle)
  scene.open.set(order, handle)
  return handle
}

async function waitingFor(scene: Scene, order: string) {
  return eventually(async () => (await scene.person.pending()).find(({ request }) => request.entity_id === order)?.request)
}

const result = z.object({ outcome: z.string(), reason: z.string().optional() })
function read(value: unknown): { outcome: string; reason?: string } {
  const { outcome, reason } = result.parse(value)
  return reason === undefined ? { outcome } : { outcome, reason }
}

const refundsPaid = z.object({ refunds: z.array(z.unknown()) })
async function paid(scene: Scene, order: string): Promise<readonly unknown[]> {
  return refundsPaid.parse(await provider(scene, `/refunds?order_id=${order}`)).refunds
}

async function provider({ stack }: Scene, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${stack.provider.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${stack.provider.token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`the payment provider answered ${response.status}`)
  return response.status === 204 ? null : response.json()
}

async function eventually<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  const until = Date.now() + 30_000
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (Date.now() > until) throw new Error('what was told did not happen within 30 seconds')
    await sleep(100)
  }
}
