/** One real Postgres and one real Temporal for the whole run: those of DATABASE_URL and TEMPORAL_ADDRESS, otherwise started here. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startPostgres } from '../src/dev/postgres-server.ts'
import { startTemporal } from '../src/dev/temporal-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** May create databases and roles. */
    postgresAdminUrl: string
    /** The namespace is `default`. */
    temporalAddress: string
    /** A folder for what the test files of one run share. */
    sharedFolder: string
  }
}

const onProgress = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'kiff-test-servers-'))
  process.env['NODE_COMPILE_CACHE'] ??= join(folder, 'compiled') // for the many processes that tests start: half of their start-up
  const starting = await Promise.allSettled([
    startPostgres({ dataDir: join(folder, 'postgres'), databaseUrl: process.env['DATABASE_URL'], fsync: false, temporary: true, onProgress }),
    startTemporal({ stateDir: folder, address: process.env['TEMPORAL_ADDRESS'], namespace: 'default', ui: false, preferredPort: 0, onProgress }),
  ])
  const [postgres, temporal] = starting
  const teardown = async (): Promise<void> => {
    await Promise.all(starting.map(async (server) => server.status === 'fulfilled' && server.value.stop()))
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  if (postgres.status === 'fulfilled' && temporal.status === 'fulfilled') {
    project.provide('postgresAdminUrl', postgres.value.adminUrl)
    project.provide('temporalAddress', temporal.value.address)
    project.provide('sharedFolder', folder)
    return teardown
  }
  await teardown()
  throw postgres.status === 'rejected' ? postgres.reason : temporal.status === 'rejected' ? temporal.reason : new Error('no servers')
}
