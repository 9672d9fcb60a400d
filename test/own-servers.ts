/** One Postgres and one Temporal for what alters, breaks and kills them: always started here, so that they are nobody else's. */
import { join } from 'node:path'
import { startPostgres } from '../src/dev/postgres-server.ts'
import type { Stops } from '../src/dev/stops.ts'
import { startTemporal } from '../src/dev/temporal-server.ts'

/** @param folder holds their state */
export async function startOwnServers(folder: string, stops: Stops, onProgress: (line: string) => void): Promise<{ readonly postgresAdminUrl: string; readonly temporalAddress: string }> {
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), fsync: false, temporary: true, onProgress })
  await stops.add(() => postgres.stop())
  const temporal = await startTemporal({ stateDir: folder, namespace: 'default', ui: false, preferredPort: 0, onProgress })
  await stops.add(() => temporal.stop())
  return { postgresAdminUrl: postgres.adminUrl, temporalAddress: temporal.address }
}
