/** What is attacked: real servers, and on them a database, a person's desk, the provider, an agent worker, and gate processes. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker'
import type { Desk } from '../../../src/approvals/desk.ts'
import { createDesk } from '../../../src/approvals/review.ts'
import { createReviewSigner, generateDevReviewKey } from '../../../src/approvals/signing.ts'
import type { GateStore } from '../../../src/core/store.ts'
import { KiffPlugin } from '../../../src/gate/index.ts'
import { createGateStore } from '../../../src/postgres/gate-store.ts'
import { createReviewStore, type ReviewStore } from '../../../src/postgres/review-store.ts'
import { aDatabase, type TestDatabase } from '../../a-database.ts'
import { openBooks, type Books } from './books.ts'
import { payments } from './domain.ts'
import { gatesIn, type Gates } from './gates.ts'

export interface ServerUrls {
  readonly postgresAdminUrl: string
  readonly temporalAddress: string
}

/** What all worlds of one run share. */
export interface Ground extends ServerUrls {
  readonly folder: string
  readonly client: Client
  readonly native: NativeConnection
  readonly bundle: WorkflowBundleWithSourceMap
  /** The task queue of the one agent worker. */
  readonly agents: string
  readonly books: Books
  readonly startAgents: (taskQueue: string) => Promise<{ readonly stop: () => Promise<void> }>
  /** At most so many batches at once, whatever they belong to. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>
  readonly close: () => Promise<void>
}

/** One database, and what works on it. */
export interface World {
  readonly ground: Ground
  readonly db: TestDatabase
  readonly desk: Desk
  readonly reviews: ReviewStore
  readonly gateStore: GateStore
  readonly sign: Awaited<ReturnType<typeof createReviewSigner>>
  readonly gates: Gates
  readonly close: () => Promise<void>
}

/** On two cores. */
const atOnce = 4

export async function breakGround(urls: ServerUrls): Promise<Ground> {
  Runtime.install({ shutdownSignals: [], logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } })
  const folder = await mkdtemp(join(tmpdir(), 'kiff-effects-'))
  process.env['NODE_COMPILE_CACHE'] ??= join(folder, 'compiled')
  const { temporalAddress: address } = urls
  const [connection, native, books, bundle] = await Promise.all([
    Connection.connect({ address }), NativeConnection.connect({ address }), openBooks(folder),
    bundleWorkflowCode({ workflowsPath: new URL('workflows/index.ts', import.meta.url).pathname, plugins: [new KiffPlugin()], logger: new DefaultLogger('ERROR') }),
  ])
  const stops: (() => Promise<void>)[] = []
  const startAgents: Ground['startAgents'] = async (taskQueue) => {
    const worker = await Worker.create({ connection: native, taskQueue, workflowBundle: bundle })
    const run = worker.run()
    run.catch(() => {})
    let stopped = false
    const stop = async (): Promise<void> => {
      if (!stopped) worker.shutdown()
      stopped = true
      await run
    }
    stops.push(stop)
    return { stop }
  }
  const agents = `agents-${randomUUID()}`
  await startAgents(agents)
  return {
    ...urls, folder, native, bundle, books, agents, startAgents,
    client: new Client({ connection }),
    inTurn: turnstile(atOnce),
    async close() {
      await Promise.all(stops.map((stop) => stop()))
      await Promise.all([native.close(), connection.close(), books.close()])
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** @param postgresAdminUrl another Postgres than the run's */
export async function aWorld(ground: Ground, postgresAdminUrl = ground.postgresAdminUrl): Promise<World> {
  const db = await aDatabase(postgresAdminUrl, [payments], { 'agent-1': 'agent', shop: 'shop', maria: 'finance', rita: 'finance' })
  const { privateKey, publicKeys } = await generateDevReviewKey()
  const sign = await createReviewSigner(privateKey)
  const reviews = createReviewStore(db.pool('reviewer'))
  const folder = await mkdtemp(join(ground.folder, 'world-'))
  const gates = gatesIn({ folder, temporalAddress: ground.temporalAddress, databaseUrl: db.urls.gate, reviewKeys: publicKeys, providerUrl: ground.books.url })
  return {
    ground, db, reviews, sign, gates,
    desk: createDesk(reviews, sign),
    gateStore: createGateStore(db.pool('gate')),
    async close() {
      await gates.close()
      await db.close()
    },
  }
}

function turnstile(places: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let free = places
  return async (work) => {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => { waiting.push(resolve) })
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free += 1
      else next()
    }
  }
}
