/** One Postgres and one Temporal for all runs, as `test/servers.setup.ts` starts them for one. */
import { join } from 'node:path'
import { startPostgres } from '../../src/dev/postgres-server.ts'
import type { Stops } from '../../src/dev/stops.ts'
import { startTemporal } from '../../src/dev/temporal-server.ts'

/** @returns the environment that hands them to vitest */
export async function startServers(folder: string, stops: Stops, onProgress: (line: string) => void): Promise<Readonly<Record<string, string>>> {
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), databaseUrl: process.env['DATABASE_URL'], fsync: false, temporary: true, onProgress })
  await stops.add(() => postgres.stop())
  const temporal = await startTemporal({ stateDir: folder, address: process.env['TEMPORAL_ADDRESS'], namespace: 'default', ui: false, preferredPort: 0, onProgress })
  await stops.add(() => temporal.stop())
  return { DATABASE_URL: postgres.adminUrl, TEMPORAL_ADDRESS: temporal.address }
}
