/** Fault 6: every workflow reset to every event that it can be reset to (workflow tasks completed, failed and timed out), with its signals and without. */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { WorkflowHandle } from '@temporalio/client'
import type { Draw } from '../random.ts'
import type { Fault } from '../run.ts'
import { anyEffect, aTrial, callOf, keepGates, settle, startFor, type Batch } from '../session.ts'
import { isExternal } from '../domain.ts'
import type { Trial } from '../trial.ts'

const trialsEach = 18

export const reset: Fault = {
  name: 'reset',
  says: 'workflows, and parents of workflows, reset to every resettable event, signals applied again or left out',
  plan: (_, trials) => Array.from({ length: Math.ceil(trials / trialsEach) }, () => resetEverywhere),
}

async function resetEverywhere(batch: Batch): Promise<void> {
  const { draw, world } = batch
  const taskQueue = `agents-${randomUUID()}`
  const wanted = Array.from({ length: trialsEach }, () => ({ ...anyEffect(draw), broken: draw.pick(['failed', 'timed out', 'none'] as const), started: draw.pick(['proposeOne', 'proposeOne', 'proposeInChild']), resets: draw.fork(String(draw.int(0, 1_000_000))) }))
  const made = await Promise.all(wanted.map(async (each) => ({ ...each, trial: await aTrial(batch, 'reset', each) })))
  await Promise.all(made.map(({ trial, started }) => startFor(batch, trial, started, [callOf(batch, trial.order, trial)], { taskQueue, workflowTaskTimeout: '1 second' })))
  await breakTasks(batch, taskQueue, made)
  const agents = await world.ground.startAgents(taskQueue)
  keepGates(batch, [{ fall: draw.chance(0.5) ? { point: 'before complete_execution', nth: draw.int(1, 6), how: 'SIGKILL', delayMs: 0 } : undefined }, {}])
  await settle(batch)
  await Promise.all(made.map(({ trial, resets }) => resetToAll(batch, trial, resets)))
  await settle(batch)
  await agents.stop()
}

/** Takes the first workflow tasks away before a worker is there: fails some, and lets some run out of time. */
async function breakTasks({ world }: Batch, queue: string, trials: readonly { readonly trial: Trial; readonly broken: 'failed' | 'timed out' | 'none' }[]): Promise<void> {
  const { workflowService, connection } = world.ground.client
  const brokenOf = new Map(trials.map(({ trial, broken }) => [trial.workflows[0]?.workflowId, broken]))
  for (let taken = 0; taken < trials.length; taken++) {
    const { taskToken, workflowExecution } = await connection.withDeadline(Date.now() + 60_000, () => workflowService.pollWorkflowTaskQueue({ namespace: 'default', taskQueue: { name: queue }, identity: 'thief' }))
    const broken = brokenOf.get(workflowExecution?.workflowId ?? '')
    if (broken === 'failed') await workflowService.respondWorkflowTaskFailed({ namespace: 'default', taskToken, identity: 'thief', cause: 1 })
  }
  await pause(1_200)
}

/** Each in turn: a new run ends before the next reset. Some are not waited for: then two runs of one chain follow on each other. */
async function resetToAll(batch: Batch, trial: Trial, draw: Draw): Promise<void> {
  const { client } = batch.world.ground
  const [workflow] = trial.workflows
  if (workflow === undefined) return
  const { runId } = await workflow.describe()
  for (const { eventId, what } of await resettable(workflow)) {
    const signals = draw.chance(0.5)
    const { runId: fresh } = await client.workflowService.resetWorkflowExecution({
      namespace: 'default', workflowExecution: { workflowId: workflow.workflowId, runId }, workflowTaskFinishEventId: eventId as never, requestId: randomUUID(), reason: 'a fault',
      ...(signals ? {} : { resetReapplyType: 2, resetReapplyExcludeTypes: [1] }),
    })
    batch.count()
    batch.reached(`${what}, signals ${signals ? 'again' : 'left out'}`)
    trial.hits.push(`reset to ${eventId} (${what}, signals ${signals ? 'again' : 'left out'})`)
    const run = client.workflow.getHandle(workflow.workflowId, fresh)
    // Where the review was left out, its round is over; the relay finds the run, and wakes it.
    const told = await Promise.race([run.result().catch(String), pause(90_000, 'late' as const)])
    if (told === 'late') batch.violated(`waits for nobody: ${trial.order}, run ${fresh} after a reset to ${eventId} (${what}, signals ${signals ? 'again' : 'left out'})`)
    else if (outcomeOf(told) !== outcomeOf(trial.told[0]) && !isExternal(trial.action)) batch.violated(`${trial.order}: told ${outcomeOf(trial.told[0])} before the reset to ${eventId}, and ${outcomeOf(told)} after it`)
  }
}

const outcomeOf = (told: unknown): string => (typeof told === 'string' ? told : String(Reflect.get(Object(told), 'reason') ?? Reflect.get(Object(told), 'outcome')))

async function resettable(workflow: WorkflowHandle): Promise<readonly { readonly eventId: number; readonly what: string }[]> {
  const { events } = await workflow.fetchHistory()
  return (events ?? []).flatMap((event) => {
    const what = event.workflowTaskCompletedEventAttributes ? 'completed' : event.workflowTaskFailedEventAttributes ? 'failed' : event.workflowTaskTimedOutEventAttributes ? 'timed out' : undefined
    return what === undefined ? [] : [{ eventId: Number(event.eventId), what }]
  })
}
