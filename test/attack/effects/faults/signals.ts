/** Fault 8: genuine reviews sent twice, out of turn, to the wrong workflow, between forged, undecodable and countless others; no relay brings order into it. */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Fault } from '../run.ts'
import { external, idempotent } from '../domain.ts'
import { points } from '../points.ts'
import { high, keepGates, propose, settle, type Batch } from '../session.ts'
import type { Trial } from '../trial.ts'

const trialsEach = 30

export const signals: Fault = {
  name: 'signals',
  says: 'signals twice, out of turn, to the wrong workflow, forged, undecodable, in floods',
  relay: false,
  plan: (_, trials) => Array.from({ length: Math.ceil(trials / trialsEach) }, () => confused),
}

type Kind = 'genuine' | 'of another' | 'forged' | 'undecodable' | 'flood' | 'nothing'

async function confused(batch: Batch): Promise<void> {
  const { draw } = batch
  const trials = await propose(batch, 'signals', trialsEach, () => ({ action: draw.pick([...idempotent, ...external]), amountCents: high }))
  const sequences = trials.map(() => Array.from({ length: draw.int(2, 5) }, (): { kind: Kind; pauseMs: number } => ({ kind: draw.pick(['genuine', 'genuine', 'of another', 'forged', 'undecodable', 'flood', 'nothing']), pauseMs: draw.int(0, 300) })))
  keepGates(batch, [{ fall: { point: draw.pick(points), nth: draw.int(2, 10), how: 'SIGKILL', delayMs: 1 } }, {}])
  const over = new AbortController()
  const sending = Promise.all(trials.map(async (trial, index) => {
    for (const { kind, pauseMs } of sequences[index] ?? []) {
      await send(batch, trial, kind, trials)
      await pause(pauseMs)
    }
    // In the end it comes through, as the relay would see to.
    while (!over.signal.aborted && trial.told.length === 0) {
      await send(batch, trial, 'genuine', trials)
      await pause(1_000)
    }
  }))
  await settle(batch)
  over.abort()
  await sending
}

async function reviewOf({ world }: Batch, order: string): Promise<{ readonly approval_id: string; readonly jws: readonly string[] } | undefined> {
  const { rows } = await world.db.pool('auditor').query<{ approval_id: string; jws: string }>(
    "select a.approval_id, r.jws from kiff.approvals a join kiff.reviews r using (approval_id) where a.request::jsonb ->> 'entity_id' = $1 order by a.round desc limit 1", [order])
  return rows[0] && { approval_id: rows[0].approval_id, jws: [rows[0].jws] }
}

async function send(batch: Batch, trial: Trial, kind: Kind, all: readonly Trial[]): Promise<void> {
  const [workflow] = trial.workflows
  if (workflow === undefined) return
  const signal = (...args: unknown[]): Promise<void> => workflow.signal('kiff.review', ...args).catch(() => {})
  if (kind === 'nothing') return signal()
  if (kind === 'flood') await Promise.all(Array.from({ length: 30 }, (_, index) => signal({ jws: `forged ${index}` })))
  else if (kind === 'forged') await signal({ approval_id: randomUUID(), jws: 'a.b.c' })
  else if (kind === 'undecodable') await raw(batch, workflow.workflowId)
  else {
    const other = all[(all.indexOf(trial) + 1) % all.length]
    const review = await reviewOf(batch, kind === 'genuine' ? trial.order : (other?.order ?? ''))
    if (review === undefined) return
    await Promise.all([signal(review), signal(review)])
  }
  trial.hits.push(kind)
  batch.count()
}

/** As no SDK would send it. */
async function raw({ world }: Batch, workflowId: string): Promise<void> {
  await world.ground.client.workflowService.signalWorkflowExecution({
    namespace: 'default', workflowExecution: { workflowId }, signalName: 'kiff.review', requestId: randomUUID(), identity: 'mallory',
    input: { payloads: [{ metadata: { encoding: new TextEncoder().encode('json/mallory') }, data: new TextEncoder().encode('{"') }] },
  }).catch(() => {})
}
