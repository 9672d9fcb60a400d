/**
 * KiffPlugin, for an ordinary `Worker.create` and `bundleWorkflowCode`. An agent worker takes it bare (it adds the workflow
 * interceptors); a gate worker gives it `gate` (it adds the governed activities of one domain).
 */
import { fileURLToPath } from 'node:url'
import { Client } from '@temporalio/client'
import { SimplePlugin } from '@temporalio/plugin'
import type { BundleOptions, ReplayWorkerOptions, Worker, WorkerOptions } from '@temporalio/worker'
import type { JSONWebKeySet } from 'jose'
import { contractHash } from '../core/contract-hash.ts'
import type { GateStore } from '../core/store.ts'
import { openPool, type Pool } from '../postgres/connect.ts'
import { requireLogin } from '../postgres/database-fault.ts'
import { createGateStore, registeredContracts } from '../postgres/gate-store.ts'
import { gateQueue } from '../temporal/names.ts'
import { checkSearchAttributes } from '../temporal/search-attributes.ts'
import { gateActivities } from './activities.ts'
import type { BoundDomain } from './binding.ts'
import { createStepReader } from './step.ts'
import { startSweeper } from './sweeper.ts'
import { warnOfUnknownKeys } from './unknown-keys.ts'
import { createMandateVerifier, type MandateIssuer } from './mandate.ts'
import { observed, type GateObserver } from './observe.ts'
import { createReconciliationVerifier, createReviewVerifier } from '../temporal/verify-review.ts'

export interface KiffGateOptions {
  /** `executors(domain, {...})`. */
  readonly bound: BoundDomain
  /** Postgres, as the `kiff_gate` login. */
  readonly databaseUrl: string
  /** Public keys of the human-facing service (JWKS, Ed25519). From configuration, never from the database. */
  readonly reviewKeys: JSONWebKeySet
  /** The actors that may propose and report through this worker's task queue (I13). */
  readonly actors: readonly string[]
  /** Who may issue mandates for other actors, and for acting on somebody's behalf; nobody unless told. */
  readonly mandateIssuers?: readonly MandateIssuer[]
  /** Told after every commit, for logs and metrics. It cannot hold the gate up, nor make it fail. */
  readonly observer?: GateObserver
  /** The inbox's address, for links in the Temporal UI. */
  readonly inboxUrl?: string
}

const interceptorModule = fileURLToPath(new URL(`./../workflow/interceptors${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url))

export class KiffPlugin extends SimplePlugin {
  readonly #gate: KiffGateOptions | undefined
  readonly #pool: Pool | undefined
  #client: Client | undefined

  constructor(options: { readonly gate?: KiffGateOptions } = {}) {
    super({ name: 'kiff-temporal', workerInterceptors: { workflowModules: [interceptorModule] } })
    this.#gate = options.gate
    this.#pool = options.gate && openPool(options.gate.databaseUrl, { name: 'kiff-gate' })
  }

  override configureWorker(options: WorkerOptions): WorkerOptions {
    const configured = withUsersActivityInterceptors(super.configureWorker(withoutOurModule(options)), options)
    const { connection, namespace = 'default' } = options
    this.#client = connection && new Client({ connection, namespace })
    if (this.#gate === undefined || this.#pool === undefined) return configured
    if (this.#client === undefined) throw new TypeError('a gate worker needs a connection')
    const gate = {
      bound: this.#gate.bound,
      store: storeOf(this.#pool, this.#gate.observer),
      verify: createReviewVerifier(this.#gate.reviewKeys, warnOfUnknownKeys()),
      actors: this.#gate.actors,
      verifyMandate: createMandateVerifier(this.#gate.mandateIssuers ?? []),
      inboxUrl: this.#gate.inboxUrl,
    }
    const client = this.#client
    return {
      ...configured,
      taskQueue: options.taskQueue ?? gateQueue(gate.bound.domain.name),
      activities: { ...configured.activities, ...gateActivities(gate, createStepReader(() => client)) },
      // The SDK's default, 0, would cancel executors at each deploy.
      shutdownGraceTime: options.shutdownGraceTime ?? '1 minute',
    }
  }

  override configureReplayWorker(options: ReplayWorkerOptions): ReplayWorkerOptions {
    return super.configureReplayWorker(withoutOurModule(options))
  }

  override configureBundler(options: BundleOptions): BundleOptions {
    const hook = options.webpackConfigHook
    const conditions = process.execArgv.flatMap((arg) => (arg.startsWith('--conditions=') ? [arg.slice('--conditions='.length)] : []))
    return {
      ...super.configureBundler(options),
      // A bundle resolves packages by the same conditions as the process that makes it.
      webpackConfigHook(config) {
        const changed = hook?.(config) ?? config
        return { ...changed, resolve: { ...changed.resolve, conditionNames: [...conditions, '...'] } }
      },
    }
  }

  override async runWorker(worker: Worker, next: (worker: Worker) => Promise<void>): Promise<void> {
    const runsWorkflows = worker.options.workflowsPath !== undefined || worker.options.workflowBundle !== undefined
    if (this.#client !== undefined && runsWorkflows) await checkSearchAttributes(this.#client, worker.options.namespace)
    if (this.#gate === undefined || this.#pool === undefined || this.#client === undefined) return next(worker)
    try {
      await requireLogin(this.#pool, 'gate', this.#gate.databaseUrl)
      await checkContracts(this.#pool, this.#gate.bound)
      const sweeper = startSweeper(storeOf(this.#pool, this.#gate.observer), this.#client, {
        bound: this.#gate.bound,
        verify: createReconciliationVerifier(this.#gate.reviewKeys),
      })
      try {
        return await next(worker)
      } finally {
        await sweeper.stop()
      }
    } finally {
      await this.#pool.end()
    }
  }
}

/** A gate whose contracts nobody has registered would be refused by SQL at its first event: say so at start. */
async function checkContracts(pool: Pool, { domain }: BoundDomain): Promise<void> {
  const registered = await registeredContracts(pool, domain.name)
  const missing = Object.entries(domain.actions).filter(([action, contract]) => !registered.has(contractHash(domain.name, action, contract)))
  if (missing.length > 0) {
    throw new Error(`the database does not know this version of ${domain.name}.${missing.map(([action]) => action).join(', ')}; run "kiff-temporal migrate" as the owner first`)
  }
}

/** The plugin may stand on a connection and on a worker: its module is added once. */
function withoutOurModule<Options extends WorkerOptions | ReplayWorkerOptions>(options: Options): Options {
  const modules = options.interceptors?.workflowModules
  if (modules === undefined) return options
  return { ...options, interceptors: { ...options.interceptors, workflowModules: modules.filter((module) => module !== interceptorModule) } }
}

/** SimplePlugin drops `activityInbound`, by which other plugins register (SDK 1.23). */
function withUsersActivityInterceptors(configured: WorkerOptions, options: WorkerOptions): WorkerOptions {
  const activityInbound = options.interceptors?.activityInbound
  return activityInbound === undefined ? configured : { ...configured, interceptors: { ...configured.interceptors, activityInbound } }
}

function storeOf(pool: Pool, observer: GateObserver | undefined): GateStore {
  const store = createGateStore(pool)
  return observer === undefined ? store : observed(store, observer)
}
