/**
 * `npm run effects`: tries to break "never more than one effect per proposal" on real servers and real processes. A table on
 * stdout, progress on stderr; exit 1 when something is not as it must be, with the command that repeats it.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '../../../src/dev/postgres-server.ts'
import { startTemporal } from '../../../src/dev/temporal-server.ts'
import { faults } from './faults/index.ts'
import { drawFrom } from './random.ts'
import { runFault } from './run.ts'
import { tableOf } from './table.ts'
import { breakGround } from './world.ts'

const help = `npm run effects -- [options]
  --fault <name,…>  only these: ${faults.map(({ fault }) => fault.name).join(', ')}
  --trials <n>      at least so many for each fault (default: each fault's own number)
  --seed <n>        what is drawn (default: by chance, and told)
  --batch <n>       only this batch of each fault
  --json            the reports, one JSON object a line, in place of the table
  --help
It starts a Postgres and a Temporal server of its own, or uses those of DATABASE_URL and TEMPORAL_ADDRESS.
`

const onProgress = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { fault: { type: 'string' }, trials: { type: 'string' }, seed: { type: 'string' }, batch: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } } })
  if (values.help === true) return process.stdout.write(help) ? 0 : 0
  const wanted = values.fault?.split(',')
  const chosen = faults.filter(({ fault }) => wanted?.includes(fault.name) ?? true)
  const seed = number('seed', values.seed) ?? Math.floor(Math.random() * 2 ** 31)
  const unknown = wanted?.find((name) => !faults.some(({ fault }) => fault.name === name))
  if (unknown !== undefined || chosen.length === 0) throw new TypeError(`there is no fault ${unknown}; there are ${faults.map(({ fault }) => fault.name).join(', ')}`)
  const [trials, batch] = [number('trials', values.trials), number('batch', values.batch)]
  const reports = await onServers(async (urls) => {
    onProgress(`seed ${seed}`)
    const ground = await breakGround(urls)
    try {
      return await Promise.all(chosen.map(({ fault, trials: usual }) => runFault(ground, drawFrom(seed), fault, { seed, trials: trials ?? usual, batch, onProgress })))
    } finally {
      await ground.close()
    }
  })
  const violations = reports.flatMap((report) => report.violations)
  process.stdout.write(values.json === true ? reports.map((report) => `${JSON.stringify({ seed, ...report })}\n`).join('') : `${tableOf(reports)}\nseed ${seed}\n`)
  for (const violation of violations) onProgress(`VIOLATED ${violation}`)
  return violations.length === 0 ? 0 : 1
}

function number(name: string, text: string | undefined): number | undefined {
  if (text !== undefined && !/^\d+$/.test(text)) throw new TypeError(`--${name} takes a whole number`)
  return text === undefined ? undefined : Number(text)
}

async function onServers<T>(work: (urls: { readonly postgresAdminUrl: string; readonly temporalAddress: string }) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'kiff-effects-servers-'))
  const starting = [
    startPostgres({ dataDir: join(folder, 'postgres'), databaseUrl: process.env['DATABASE_URL'], fsync: false, temporary: true, onProgress }),
    startTemporal({ stateDir: folder, address: process.env['TEMPORAL_ADDRESS'], namespace: 'default', ui: false, preferredPort: 0, onProgress }),
  ] as const
  try {
    const [postgres, temporal] = await Promise.all(starting)
    return await work({ postgresAdminUrl: postgres.adminUrl, temporalAddress: temporal.address })
  } finally {
    await Promise.allSettled(starting.map(async (server) => (await server).stop()))
    await rm(folder, { recursive: true, force: true })
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
try {
  process.exitCode = await main()
} catch (error) {
  onProgress(error instanceof Error ? error.message : String(error))
  process.exitCode = error instanceof TypeError ? 2 : 1
}
