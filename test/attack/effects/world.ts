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

/** What works with one Temporal server. */
export interface OnTemporal {
  readonly temporalAddress: string
  readonly client: Client
  /** The task queue of the one agent worker. */
  readonly agents: string
  readonly startAgents: (taskQueue: string) => Promise<{ readonly stop: () => Promise<void> }>
  readonly close: () => Promise<void>
}

/** What all worlds of one run share. */
export interface Ground extends ServerUrls, OnTemporal {
  readonly folder: string
  readonly bundle: WorkflowBundleWithSourceMap
  readonly books: Books
  /** At most so many batches at once, whatever they belong to. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>
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
  const [books, bundle] = await Promise.all([
    openBooks(folder),
    bundleWorkflowCode({ workflowsPath: new URL('workflows/index.ts', import.meta.url).pathname, plugins: [new KiffPlugin()], logger: new DefaultLogger('ERROR') }),
  ])
  const temporal = await onTemporal(urls.temporalAddress, bundle)
  return {
    ...urls, ...temporal, folder, bundle, books,
    inTurn: turnstile(atOnce),
    async close() {
      await temporal.close()
      await books.close()
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** A client and an agent worker of the server at this address. */
export async function onTemporal(address: string, bundle: WorkflowBundleWithSourceMap): Promise<OnTemporal> {
  const [connection, native] = await Promise.all([Connection.connect({ address }), NativeConnection.connect({ address })])
  const stops: (() => Promise<void>)[] = []
  const startAgents: OnTemporal['startAgents'] = async (taskQueue) => {
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
    temporalAddress: address, agents, startAgents,
    client: new Client({ connection }),
    async close() {
      await Promise.all(stops.map((stop) => stop()))
      await Promise.all([native.close(), connection.close()])
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
