import { randomUUID } from 'node:crypto'
import { Client, Connection } from '@temporalio/client'
import { msToTs } from '@temporalio/common/lib/time.js'
import { NativeConnection, Worker } from '@temporalio/worker'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { refunds } from '../../domains/refunds/domain.ts'
import { executors, KiffPlugin } from '../../src/gate/index.ts'
import { generateDevReviewKey } from '../../src/approvals/signing.ts'
import { aDatabase, type TestDatabase } from '../a-database.ts'
import { theBundle } from '../a-stack.ts'

let connection: Connection
let native: NativeConnection
let db: TestDatabase

beforeAll(async () => {
  const address = inject('temporalAddress')
  ;[connection, native, db] = await Promise.all([Connection.connect({ address }), NativeConnection.connect({ address }), aDatabase(inject('postgresAdminUrl'), [], {})])
})
afterAll(async () => {
  await Promise.all([connection.close(), db.close()]) // not the native one: workers that stopped at start still refer to it
})

const mine = (): object => ({})
const bound = executors(refunds, { REFUND_ORDER: () => Promise.reject(new Error('never')) })

async function aGatePlugin(): Promise<KiffPlugin> {
  const { publicKeys } = await generateDevReviewKey()
  return new KiffPlugin({ gate: { bound, databaseUrl: db.urls.gate, reviewKeys: publicKeys, actors: [] } })
}

describe('KiffPlugin', () => {
  test('a workflow worker whose namespace lacks the search attributes stops at start and says what to run', async () => {
    const namespace = `bare-${randomUUID()}`
    await new Client({ connection }).workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: msToTs('1 day') })
    const worker = await eventuallyCreated(async () => Worker.create({ connection: native, namespace, taskQueue: randomUUID(), workflowBundle: await theBundle(), plugins: [new KiffPlugin()] }))
    await expect(worker.run()).rejects.toThrow(/lacks the search attributes KiffStatus.*; run: temporal operator search-attribute create .* --namespace bare-/)
  })

  test('a gate worker whose contracts are not registered stops at start and says what to run', async () => {
    const worker = await Worker.create({ connection: native, taskQueue: randomUUID(), plugins: [await aGatePlugin()] })
    await expect(worker.run()).rejects.toThrow(/does not know this version of refunds.REFUND_ORDER, WAIVE_FEE; run "kiff-temporal migrate"/)
  })

  test('a gate worker never holds a private review key', async () => {
    const { privateKey } = await generateDevReviewKey()
    const plugin = new KiffPlugin({ gate: { bound, databaseUrl: db.urls.gate, reviewKeys: { keys: [privateKey] }, actors: [] } })
    await expect(Worker.create({ connection: native, taskQueue: randomUUID(), plugins: [plugin] })).rejects.toThrow(/must not hold a private review key/)
  })

  test("leaves the user's own activity interceptors, grace time and activities in place", async () => {
    const options = (await aGatePlugin()).configureWorker({
      connection: native, taskQueue: 'mine', shutdownGraceTime: '5 seconds',
      activities: { plain: () => Promise.resolve('plain') },
      interceptors: { activityInbound: [mine] },
    })
    expect(options.interceptors?.activityInbound).toEqual([mine])
    expect(options).toMatchObject({ taskQueue: 'mine', shutdownGraceTime: '5 seconds' })
    expect(Object.keys(options.activities ?? {})).toEqual(expect.arrayContaining(['plain', 'refunds.REFUND_ORDER', 'refunds.report', 'refunds.withdraw', 'default']))
  })

  test('registered twice, its workflow interceptors are there once', () => {
    const workflowsPath = 'workflows.ts'
    const once = new KiffPlugin().configureWorker({ taskQueue: 'a', workflowsPath })
    const twice = new KiffPlugin().configureWorker(once)
    expect(twice.interceptors?.workflowModules).toEqual(once.interceptors?.workflowModules)
    expect(once.interceptors?.workflowModules).toHaveLength(1)
  })
})

/** A namespace is known to every part of the server only after a moment. */
async function eventuallyCreated(create: () => Promise<Worker>): Promise<Worker> {
  for (const until = Date.now() + 20_000; ; ) {
    try {
      return await create()
    } catch (error) {
      if (Date.now() > until) throw error
      await new Promise((resolve) => { setTimeout(resolve, 200) })
    }
  }
}

