import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { tsToMs } from '@temporalio/common/lib/time.js'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { freePort } from '../../src/dev/ports.ts'
import { SetupError } from '../../src/dev/setup-error.ts'
import { findTemporal } from '../../src/dev/temporal-binary.ts'
import { startTemporal, type TemporalOptions } from '../../src/dev/temporal-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'kiff-temporal-test-'))
const stateDir = join(folder, 'state')
let web: { readonly server: Server; readonly port: number }
let archive: { readonly url: string; readonly sha256: string }

beforeAll(async () => {
  // A release, as far as we look into it.
  writeFileSync(join(folder, 'temporal'), '#!/bin/sh\necho temporal version 9\n', { mode: 0o755 })
  execFileSync('tar', ['-czf', 'release.tar.gz', 'temporal'], { cwd: folder })
  const release = readFileSync(join(folder, 'release.tar.gz'))
  const port = await freePort()
  const server = createServer((request, response) => { response.writeHead(request.url === '/release' ? 200 : 404).end(release) })
  await new Promise<void>((resolve) => { server.listen(port, '127.0.0.1', resolve) })
  web = { server, port }
  archive = { url: `http://127.0.0.1:${port}/release`, sha256: createHash('sha256').update(release).digest('hex') }
})

afterAll(() => {
  web.server.close()
  rmSync(folder, { recursive: true })
})

const start = (more: Partial<TemporalOptions> = {}) =>
  startTemporal({ stateDir, namespace: 'default', ui: false, preferredPort: 0, onProgress: () => {}, ...more })

async function told(starting: Promise<unknown>): Promise<string> {
  const error: unknown = await starting.then(() => 'it worked', (reason: unknown) => reason)
  expect(error).toBeInstanceOf(SetupError)
  return error instanceof Error ? error.message : ''
}

async function withClient<T>(address: string, namespace: string, work: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address })
  try {
    return await work(new Client({ connection, namespace }))
  } finally {
    await connection.close()
  }
}

test('a server that is kept avoids taken ports, keeps its workflows over a restart, and forgets none within a week', async () => {
  const first = await start({ persistent: true, namespace: 'shop', ui: true, preferredPort: web.port })
  expect(first).toMatchObject({ started: true, namespace: 'shop' })
  expect(first.address).not.toBe(`127.0.0.1:${web.port}`)
  expect((await fetch(first.uiUrl ?? '')).status).toBe(200)
  await withClient(first.address, 'shop', async (client) => {
    await client.workflow.start('waits', { taskQueue: 'nobody', workflowId: 'kept' })
    const { config } = await client.workflowService.describeNamespace({ namespace: 'shop' })
    expect(tsToMs(config?.workflowExecutionRetentionTtl ?? null)).toBe(7 * 24 * 3_600_000)
    const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace: 'shop' })
    expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining(['KiffStatus', 'KiffEntity', 'KiffAction', 'KiffPendingApprovals']))
  })
  expect(await told(start({ persistent: true }))).toBe(`${stateDir} is in use by another kiff-temporal, process ${process.pid}; stop that one first`)
  await first.stop()

  const second = await start({ persistent: true, namespace: 'shop' })
  expect(second.uiUrl).toBeUndefined()
  const found = await withClient(second.address, 'shop', (client) => client.workflow.getHandle('kept').describe())
  expect(found.status.name).toBe('RUNNING')
  await second.stop()
  await expect(Connection.connect({ address: second.address, connectTimeout: 300 })).rejects.toThrow()
})

test('a server that cannot start is told with the end of its log', async () => {
  const ruined = join(folder, 'ruined')
  mkdirSync(ruined)
  writeFileSync(join(ruined, 'temporal.db'), 'this is no database, and long enough to be read as one'.repeat(100))
  const message = await told(start({ stateDir: ruined, persistent: true }))
  expect(message).toMatch(/^the Temporal server ended while it started, see .*temporal\.log: .*file is not a database/)
})

test('a TEMPORAL_ADDRESS is used as it is, and not stopped', async () => {
  const given = await start({ address: inject('temporalAddress') })
  expect(given).toMatchObject({ address: inject('temporalAddress'), started: false, uiUrl: undefined })
  await given.stop()
  await withClient(given.address, 'default', (client) => client.workflowService.describeNamespace({ namespace: 'default' }))
})

test('a TEMPORAL_ADDRESS that leads nowhere is told in one sentence', async () => {
  const free = await freePort()
  expect(await told(start({ address: `127.0.0.1:${free}` }))).toBe(`no Temporal server answers at 127.0.0.1:${free} (TEMPORAL_ADDRESS); start it, correct the address, or unset it to have one started here`)
  expect(await told(start({ address: `127.0.0.1:${web.port}` }))).toMatch(/^no Temporal server answers at/)
  expect(await told(start({ address: 'http://localhost:7233' }))).toMatch(/^TEMPORAL_ADDRESS is "http:\/\/localhost:7233", which cannot be read/)
  expect(await told(start({ address: inject('temporalAddress'), namespace: 'nowhere' }))).toMatch(/does not give access to the namespace "nowhere" .*; create it with: temporal operator namespace create --namespace nowhere/)
})

test('without a binary anywhere, the error lists the ways to one', async () => {
  const env = { PATH: join(folder, 'empty'), HOME: folder }
  const message = await told(findTemporal({ env, archive: { url: `http://127.0.0.1:${web.port}/gone`, sha256: '' }, onProgress: () => {} }))
  expect(message).toMatch(/^no Temporal server: the download from 127\.0\.0\.1:\d+ failed \(the answer is HTTP 404\), and Go is not on the PATH to build it; set TEMPORAL_ADDRESS/)
})

test('KIFF_TEMPORAL_CLI is never passed over in silence', async () => {
  const env = { KIFF_TEMPORAL_CLI: '/bin/true', PATH: process.env['PATH'] }
  expect(await told(findTemporal({ env, onProgress: () => {} }))).toMatch(/^KIFF_TEMPORAL_CLI is "\/bin\/true", which does not run as a Temporal CLI/)
})

test('a release is downloaded once into the cache, and only the one that was meant', async () => {
  const env = { PATH: '/usr/bin:/bin', HOME: join(folder, 'home'), XDG_CACHE_HOME: join(folder, 'cache') }
  const altered = { url: archive.url, sha256: archive.sha256.replace(/^./, (first) => (first === '0' ? '1' : '0')) }
  expect(await told(findTemporal({ env, archive: altered, onProgress: () => {} }))).toMatch(/its SHA-256 is/)
  const cached = join(folder, 'cache', 'kiff-temporal', 'temporal', 'v1.5.1', 'temporal')
  expect(await findTemporal({ env, archive, onProgress: () => {} })).toBe(cached)
  expect(await findTemporal({ env, archive: undefined, onProgress: () => {} })).toBe(cached)
})
