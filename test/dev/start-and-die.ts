/** For the tests: brings up Postgres in the folder given, and a child, writes one row, tells both process ids, and waits to be killed. */
import { Client } from 'pg'
import { startChild } from '../../src/dev/child.ts'
import { startPostgres } from '../../src/dev/postgres-server.ts'

const { adminUrl } = await startPostgres({ dataDir: process.argv[2] ?? '', onProgress: () => {} })
const client = new Client({ connectionString: adminUrl })
await client.connect()
await client.query('create table kept (word text)')
await client.query("insert into kept values ('before the crash')")
await client.end()
const child = await startChild({ name: 'grandchild', entry: new URL('./print-env.ts', import.meta.url).pathname, env: {}, readyLine: 'ready now', onLine: () => {} })
console.log(`up ${JSON.stringify({ grandchild: child.pid })}`)
