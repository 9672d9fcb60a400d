/** Everything but the browser, for one test file: a database, a gate worker, an agent worker, and a reviewer with a relay. */
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, Connection, type WorkflowHandle } from '@temporalio/client'
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker'
import type { JSONWebKeySet } from 'jose'
import { inject } from 'vitest'
import { createDesk } from '../src/approvals/review.ts'
import type { Desk, ReviewOutcome } from '../src/approvals/desk.ts'
import { startRelay } from '../src/approvals/relay.ts'
import { createReviewSigner, generateDevReviewKey } from '../src/approvals/signing.ts'
import type { Domain } from '../src/core/domain.ts'
import { verifyChains } from '../src/evidence/chain.ts'
import { KiffPlugin, type BoundDomain, type MandateIssuer } from '../src/gate/index.ts'
import { createReviewStore } from '../src/postgres/review-store.ts'
import { aDatabase, type TestDatabase } from './a-database.ts'

Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } })

export interface StackOptions {
  readonly bound: BoundDomain
  readonly actors: readonly string[]
  readonly members: Readonly<Record<string, string>>
  /** `false`: no gate worker is started; see `startGate`. */
  readonly gate?: boolean
  /** `false`: no review is delivered but by the test. */
  readonly relay?: boolean
  readonly mandateIssuers?: readonly MandateIssuer[]
  /** `false`: the test alters the ledger, which is otherwise verified when the stack closes. */
  readonly verified?: boolean
}

export interface StoppableWorker {
  stop(): Promise<void>
}

export interface GateChange {
  readonly bound?: BoundDomain
  readonly actors?: readonly string[]
  readonly queue?: string
  readonly reviewKeys?: JSONWebKeySet
  readonly worker?: Partial<WorkerOptions>
}

export interface Stack {
  readonly client: Client
  readonly db: TestDatabase
  readonly desk: Desk
  readonly queues: { readonly agent: string; readonly gate: string }
  readonly sign: Awaited<ReturnType<typeof createReviewSigner>>
  readonly publicKeys: Awaited<ReturnType<typeof generateDevReviewKey>>['publicKeys']
  /** Starts a workflow of `test/fixtures/workflows`; its id is unique unless given. */
  readonly start: (workflow: string, args: readonly unknown[], workflowId?: string) => Promise<WorkflowHandle>
  readonly run: (workflow: string, args: readonly unknown[]) => Promise<unknown>
  /** The approval that an entity's workflow waits for, once it does. */
  readonly asked: (entityId: string, round?: number) => Promise<string>
  readonly review: (approvalId: string, verdict: 'granted' | 'denied', reviewer: string, reason?: string) => Promise<ReviewOutcome>
  readonly audit: (entityId: string) => Promise<readonly { kind: string; data: Record<string, unknown>; actor_id: string; causation_id: string | null }[]>
  /** Another gate worker, on the stack's queue unless told. */
  readonly startGate: (change?: GateChange) => Promise<StoppableWorker>
  /** Any other worker; with `workflowBundle: await theBundle()`, another agent worker. */
  readonly startWorker: (options: Partial<WorkerOptions> & { readonly taskQueue: string }) => Promise<StoppableWorker>
  readonly close: () => Promise<void>
}

export async function aStack(options: StackOptions): Promise<Stack> {
  const domain: Domain = options.bound.domain
  const db = await aDatabase(inject('postgresAdminUrl'), [domain], options.members)
  const address = inject('temporalAddress')
  const [connection, native] = await Promise.all([Connection.connect({ address }), NativeConnection.connect({ address })])
  const client = new Client({ connection })
  const { privateKey, publicKeys } = await generateDevReviewKey()
  const sign = await createReviewSigner(privateKey)
  const store = createReviewStore(db.pool('reviewer'))
  const desk = createDesk(store, sign)
  const queues = { agent: `agents-${randomUUID()}`, gate: `gate-${randomUUID()}` }
  const running: StoppableWorker[] = []

  async function runWorker(worker: Worker): Promise<StoppableWorker> {
    const run = worker.run()
    run.catch(() => {})
    let stopped = false
    const handle = {
      async stop() {
        if (stopped) return
        stopped = true
        worker.shutdown()
        await run
      },
    }
    running.push(handle)
    return handle
  }

  const startWorker: Stack['startWorker'] = async (worker) => runWorker(await Worker.create({ connection: native, ...worker }))
  const startGate: Stack['startGate'] = async (change = {}) =>
    startWorker({
      taskQueue: change.queue ?? queues.gate,
      shutdownGraceTime: '1 second',
      ...change.worker,
      plugins: [new KiffPlugin({ gate: {
        bound: change.bound ?? options.bound,
        databaseUrl: db.urls.gate,
        reviewKeys: change.reviewKeys ?? publicKeys,
        actors: change.actors ?? options.actors,
        inboxUrl: 'http://inbox.test/',
        mandateIssuers: options.mandateIssuers ?? [],
      } })],
    })
  if (options.gate !== false) await startGate()
  await startWorker({ taskQueue: queues.agent, workflowBundle: await theBundle() })
  if (options.relay !== false) running.push(startRelay({ store, client, everyMs: 100 }))

  const start: Stack['start'] = (workflow, args, workflowId = `${workflow}-${randomUUID()}`) =>
    client.workflow.start(workflow, { taskQueue: queues.agent, workflowId, args: [...args] })

  return {
    client, db, desk, queues, sign, publicKeys, startGate, startWorker, start,
    async run(workflow, args) {
      return (await start(workflow, args)).result()
    },
    async asked(entityId, round = 1) {
      return eventually(async () => (await desk.pending()).find(({ request }) => request.entity_id === entityId && request.round === round)?.request.approval_id)
    },
    review: async (approvalId, verdict, reviewer, reason = 'because') => {
      const row = await desk.show(approvalId)
      return desk.review({ approvalId, digest: row?.digest ?? '', verdict, reason, reviewer })
    },
    async audit(entityId) {
      const { rows } = await db.pool('auditor').query('select kind, data, actor_id, causation_id from kiff.audit_records where entity_id = $1 order by chain, seq, position', [entityId])
      return rows
    },
    async close() {
      await Promise.all(running.map((each) => each.stop()))
      const ledger = options.verified === false ? null : await verifyChains(db.pool('auditor'), { domains: [domain] })
      await Promise.all([native.close(), connection.close(), db.close()])
      if (ledger?.ok === false) throw new Error(`the ledger does not verify: ${JSON.stringify(ledger.findings)}`)
    },
  }
}

/** Asks again until there is an answer; fails after `withinMs`. */
export async function eventually<T>(look: () => Promise<T | undefined | false>, withinMs = 20_000): Promise<T> {
  const until = Date.now() + withinMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (Date.now() > until) throw new Error(`it did not happen within ${withinMs} ms: ${look.toString().slice(0, 200)}`)
    await new Promise((resolve) => { setTimeout(resolve, 100) })
  }
}

/** The test workflows, bundled as a user would, with the plugin: by the first test file that needs them, for all of a run. */
export async function theBundle(): Promise<{ readonly code: string }> {
  const bundled = join(inject('sharedFolder'), 'workflows.js')
  const isFirst = await mkdir(`${bundled}.begun`).then(() => true, () => false)
  if (!isFirst) return { code: await eventually(async () => readFile(bundled, 'utf8').catch(() => undefined), 100_000) }
  const { code } = await bundleWorkflowCode({
    workflowsPath: new URL('./fixtures/workflows/index.ts', import.meta.url).pathname,
    plugins: [new KiffPlugin()],
    logger: new DefaultLogger('ERROR'),
  })
  await writeFile(`${bundled}.part`, code)
  await rename(`${bundled}.part`, bundled)
  return { code }
}
