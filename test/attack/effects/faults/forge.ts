/** Fault 4: completions of gate activities, forged by somebody who holds credentials of the namespace: by activity id, and by a task token of their own making. */
import { setTimeout as pause } from 'node:timers/promises'
import type { WorkflowHandle } from '@temporalio/client'
import protobuf from 'protobufjs'
import type { Draw } from '../random.ts'
import type { Fault } from '../run.ts'
import { anyEffect, keepGates, propose, settle, type Batch } from '../session.ts'
import type { Trial } from '../trial.ts'

const trialsEach = 30

export const forge: Fault = {
  name: 'forge',
  says: 'gate activities completed by somebody else, by id and by a self-made task token',
  plan: (_, trials) => Array.from({ length: Math.ceil(trials / trialsEach) }, () => forged),
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const payloadsOf = (value: unknown): { payloads: { metadata: Record<string, Uint8Array>; data: Uint8Array }[] } => ({ payloads: [{ metadata: { encoding: bytes('json/plain') }, data: bytes(JSON.stringify(value)) }] })
const record = { chain: 'forged', seq: 1, hash: '' }

/** What an attacker would have the workflow believe. */
const answers = [
  { outcome: 'allowed', output: { paymentId: 'forged' }, summary: '', record },
  { outcome: 'blocked', reason: 'approval_denied', message: 'forged', nextStep: 'do_not_retry', record },
  { outcome: 'approval_required', approvalId: 'forged', round: 1, summary: '', rule: '', reviewers: '', changed: null, answerBy: '', remainingMs: 500, link: null, rejected: 0, record },
] as const

/** Half of them before a gate is there, the others while it works. */
async function forged(batch: Batch): Promise<void> {
  const { draw } = batch
  const trials = await propose(batch, 'forge', trialsEach, () => ({ ...anyEffect(draw), conduct: [{ how: 'pay', delayMs: draw.int(200, 1_200) }] }))
  const forgeries = trials.map((trial) => ({ trial, early: draw.chance(0.4), afterMs: draw.int(0, 1_500), forgery: draw.fork(trial.fault + draw.int(0, 1_000_000)) }))
  await Promise.all(forgeries.filter(({ early }) => early).map(({ trial, forgery }) => forgeOnce(batch, trial, forgery)))
  keepGates(batch, [{}, {}])
  await Promise.all(forgeries.filter(({ early }) => !early).map(async ({ trial, afterMs, forgery }) => {
    for (const until = Date.now() + 10_000; Date.now() < until && batch.world.ground.books.paid(trial.order).length === 0; ) await pause(50)
    await pause(afterMs / 3)
    await forgeOnce(batch, trial, forgery)
  }))
  await settle(batch, { lingerMs: 4_000 })
}

/** One forgery, once there is an activity to forge. Refused, where the genuine answer was faster. */
async function forgeOnce(batch: Batch, trial: Trial, draw: Draw): Promise<void> {
  const answer = draw.pick(answers)
  const way = draw.pick(['by id', 'by token', 'as a failure'] as const)
  const [workflow] = trial.workflows
  if (workflow === undefined) return
  for (const until = Date.now() + 10_000; Date.now() < until; await pause(50)) {
    const { raw, status } = await workflow.describe()
    const activity = raw.pendingActivities?.[0]
    if (status.name !== 'RUNNING') return
    if (activity?.activityId == null) continue
    const service = batch.world.ground.client.workflowService
    const forger = { namespace: 'default', identity: 'mallory' }
    const taskToken = await tokenOf(batch, workflow, activity.activityId, activity.attempt ?? 1)
    const sent = way === 'by id' ? service.respondActivityTaskCompletedById({ ...forger, workflowId: workflow.workflowId, activityId: activity.activityId, result: payloadsOf(answer) })
      : way === 'by token' ? service.respondActivityTaskCompleted({ ...forger, taskToken, result: payloadsOf(answer) })
      : service.respondActivityTaskFailed({ ...forger, taskToken, failure: { message: 'forged', applicationFailureInfo: { type: 'forged', nonRetryable: draw.chance(0.5) } } })
    const accepted = await sent.then(() => true, () => false)
    if (!accepted) continue
    trial.hits.push(`forged ${way}: ${way === 'as a failure' ? '' : answer.outcome}`)
    trial.excused.add('answer_forged')
    batch.count()
    batch.reached(way)
    return
  }
}

// temporal.server.api.token.v1.Task: plain, unauthenticated data.
const token = new protobuf.Type('Task')
  .add(new protobuf.Field('namespaceId', 1, 'string')).add(new protobuf.Field('workflowId', 2, 'string')).add(new protobuf.Field('runId', 3, 'string'))
  .add(new protobuf.Field('scheduledEventId', 4, 'int64')).add(new protobuf.Field('attempt', 5, 'int32')).add(new protobuf.Field('activityId', 6, 'string'))

async function tokenOf({ world }: Batch, workflow: WorkflowHandle, activityId: string, attempt: number): Promise<Uint8Array> {
  const { client } = world.ground
  const [{ namespaceInfo }, { runId }, { events }] = await Promise.all([client.workflowService.describeNamespace({ namespace: 'default' }), workflow.describe(), workflow.fetchHistory()])
  const scheduled = events?.findLast((event) => event.activityTaskScheduledEventAttributes?.activityId === activityId)
  const task = { namespaceId: namespaceInfo?.id, workflowId: workflow.workflowId, runId, scheduledEventId: Number(scheduled?.eventId), attempt, activityId }
  return token.encode(token.create(task)).finish()
}
