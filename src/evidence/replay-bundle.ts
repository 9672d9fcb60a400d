/** The bundle for a replay check, and the replay itself: which activities the workflow code schedules, with which arguments. */
import { fileURLToPath } from 'node:url'
import type { DataConverter } from '@temporalio/common'
import { bundleWorkflowCode, DefaultLogger, ReplayError, Worker, type InjectedSinks, type WorkflowBundleWithSourceMap } from '@temporalio/worker'
import { DeterminismViolationError } from '@temporalio/workflow'
import type { History } from './history.ts'
import type { ReplaySinks } from './replay-interceptors.ts'

export interface BundleSource {
  /** The workflows' entry module. */
  readonly workflowsPath: string
  /** Workflow interceptor modules that the workflow worker runs beside ours, in its order. */
  readonly interceptorModules?: readonly string[]
  readonly payloadConverterPath?: string
}

/** An activity that replay scheduled. */
export interface ReplayedActivity {
  readonly type: string
  /** Its argument list. */
  readonly args: unknown
}

export interface Replayed {
  /** By activity id. */
  readonly activities: ReadonlyMap<string, ReplayedActivity>
  /** Where the code and the history part ways, or `null`. */
  readonly nondeterminism: { readonly eventId: number | null; readonly message: string } | null
}

/** Bundles workflows for `replay`, with KiffPlugin's interceptors first and the one that recovers arguments last. */
export async function replayBundle({ workflowsPath, interceptorModules = [], payloadConverterPath }: BundleSource): Promise<WorkflowBundleWithSourceMap> {
  const conditions = process.execArgv.flatMap((arg) => (arg.startsWith('--conditions=') ? [arg.slice('--conditions='.length)] : []))
  return bundleWorkflowCode({
    workflowsPath,
    workflowInterceptorModules: [moduleOf('../workflow/interceptors'), ...interceptorModules, moduleOf('./replay-interceptors')],
    ...(payloadConverterPath === undefined ? {} : { payloadConverterPath }),
    logger: new DefaultLogger('ERROR'),
    // A bundle resolves packages by the same conditions as the process that makes it.
    webpackConfigHook: (config) => ({ ...config, resolve: { ...config.resolve, conditionNames: [...conditions, '...'] } }),
  })
}

/**
 * Runs the workflow code against its history, without a server. @throws Error when the code cannot be run at all
 * (a workflow type that the bundle lacks)
 */
export async function replay(bundle: { readonly code: string }, history: History, workflowId: string, dataConverter?: DataConverter): Promise<Replayed> {
  const activities = new Map<string, ReplayedActivity>()
  const sinks: InjectedSinks<ReplaySinks> = {
    kiffReplay: {
      scheduled: {
        fn: (_, activityId, type, args) => { activities.set(activityId, { type, args: JSON.parse(args) }) },
        callDuringReplay: true,
      },
    },
  }
  try {
    await Worker.runReplayHistory({ workflowBundle: bundle, sinks, ...(dataConverter === undefined ? {} : { dataConverter }) }, history, workflowId)
  } catch (error) {
    if (error instanceof DeterminismViolationError) return { activities, nondeterminism: wordsOf(error.message) }
    if (error instanceof ReplayError) throw new Error(`the workflow code cannot run this history: ${/message: \\*"(.*?)\\*"/s.exec(error.message)?.[1] ?? error.message}`, { cause: error })
    throw error
  }
  return { activities, nondeterminism: null }
}

/** What the SDK says, shortened to the sentence that matters. */
function wordsOf(message: string): { readonly eventId: number | null; readonly message: string } {
  const eventId = /HistoryEvent\(id: (\d+)/.exec(message)?.[1]
  const words = /\[TMPRL1100\] Nondeterminism error: ([^"]*)/.exec(message)?.[1] ?? message
  return { eventId: eventId === undefined ? null : Number(eventId), message: words.trim().slice(0, 500) }
}

function moduleOf(path: string): string {
  return fileURLToPath(new URL(`${path}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url))
}
