/** Fault 5: an attacker's workflow takes the id of one that waits, or is being paid, and presents the genuine grant. */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { WorkflowHandle } from '@temporalio/client'
import type { Fault } from '../run.ts'
import { callOf, high, keepGates, propose, settle, type Batch } from '../session.ts'
import { external, idempotent } from '../domain.ts'
import type { Trial } from '../trial.ts'

const trialsEach = 16

export const takeOver: Fault = {
  name: 'take-over',
  says: "another run takes over the workflow's id, and presents the genuine grant",
  relay: false,
  plan: (_, trials) => Array.from({ length: Math.ceil(trials / trialsEach) }, () => takenOver),
}

/** A grant as an attacker finds it in the history: signed, and genuine. */
interface Grant { readonly approvalId: string; readonly jws: string }

async function takenOver(batch: Batch): Promise<void> {
  const { draw, world } = batch
  const trials = await propose(batch, 'take-over', trialsEach, () => ({ action: draw.pick([...idempotent, ...external]), amountCents: high, manners: { review: 'silent' }, conduct: [{ how: 'pay', delayMs: 800 }] }))
  const delivered = trials.map(() => draw.chance(0.5))
  keepGates(batch, [{}])
  await Promise.all(trials.map(async (trial, index) => {
    const [victim] = trial.workflows
    if (victim === undefined) return
    const grant = await granted(batch, trial.order)
    // Some are taken over while the victim's own grant is being used.
    if (delivered[index] === true) {
      await victim.signal('kiff.review', { approval_id: grant.approvalId, jws: grant.jws })
      for (const until = Date.now() + 10_000; Date.now() < until && world.ground.books.paid(trial.order).length === 0; ) await pause(50)
    }
    const effects = (): number => world.ground.books.paid(trial.order).filter(({ effect }) => effect).length
    const before = effects()
    const run = await replace(batch, trial, victim)
    trial.hits.push(delivered[index] === true ? 'taken over while it is paid' : 'taken over while it waits')
    batch.count()
    for (let turn = 0; turn < 6; turn++) {
      await run.signal('kiff.review', { approval_id: grant.approvalId, jws: grant.jws }).catch(() => {})
      await pause(400)
    }
    if (effects() > Math.max(before, delivered[index] === true ? 1 : 0)) batch.violated(`${trial.order}: the grant of the run before paid for the attacker's (${before} before, ${effects()} after)`)
    await run.terminate('the attack is over').catch(() => {})
  }))
  await settle(batch, { lingerMs: 3_000 })
}

async function granted({ world }: Batch, order: string): Promise<Grant> {
  for (const until = Date.now() + 30_000; Date.now() < until; await pause(100)) {
    const asked = (await world.desk.pending()).find(({ request }) => request.entity_id === order)
    if (asked === undefined) continue
    const { approval_id: approvalId } = asked.request
    await world.desk.review({ approvalId, digest: asked.digest, verdict: 'granted', reason: 'x', reviewer: 'maria' })
    const { rows } = await world.db.pool('auditor').query<{ jws: string }>('select jws from kiff.reviews where approval_id = $1', [approvalId])
    return { approvalId, jws: rows[0]?.jws ?? '' }
  }
  throw new Error(`nobody was asked about ${order}`)
}

/** @returns the attacker's run, under the victim's id */
async function replace(batch: Batch, trial: Trial, victim: WorkflowHandle): Promise<WorkflowHandle> {
  const { client, agents } = batch.world.ground
  trial.excused.add('workflow_terminated')
  await client.workflow.execute('takeOver', { taskQueue: agents, workflowId: `mallory-${randomUUID()}`, args: [victim.workflowId, callOf(batch, trial.order, trial)] })
  return client.workflow.getHandle(victim.workflowId)
}
