/**
 * `npm run effects`: tries to break "never more than one effect per proposal" on real servers and real processes. A table on
 * stdout, progress on stderr; exit 1 when something is not as it must be, with the command that repeats it.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommanderError } from 'commander'
import { endWhenUnread, stopOnSignal } from '../../../src/cli/interrupts.ts'
import { createStops } from '../../../src/dev/stops.ts'
import { startOwnServers } from '../../own-servers.ts'
import { readOptions, type Options } from './options.ts'
import { drawFrom } from './random.ts'
import { runFault, type FaultReport } from './run.ts'
import { tableOf } from './table.ts'
import { breakGround } from './world.ts'

const onProgress = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2))
  const stopped = stopOnSignal(onProgress)
  // What a batch that is cut off still throws, as its servers go, is of no use.
  stopped.addEventListener('abort', () => process.on('uncaughtException', () => {}))
  const reports = await run(options, stopped).catch((error: unknown) => {
    if (stopped.aborted) process.exit(130)
    throw error
  })
  const { seed, json } = options
  const violations = reports.flatMap((report) => report.violations)
  process.stdout.write(json ? reports.map((report) => `${JSON.stringify({ seed, ...report })}\n`).join('') : `${tableOf(reports)}\nseed ${seed}\n`)
  for (const violation of violations) onProgress(`VIOLATED ${violation}`)
  return violations.length === 0 ? 0 : 1
}

async function run({ chosen, seed, batch }: Options, signal: AbortSignal): Promise<readonly FaultReport[]> {
  const stops = createStops(onProgress)
  try {
    const folder = await mkdtemp(join(tmpdir(), 'kiff-effects-servers-'))
    await stops.add(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }))
    const servers = await startOwnServers(folder, stops, onProgress)
    signal.throwIfAborted()
    onProgress(`seed ${seed}`)
    const ground = await breakGround(servers)
    await stops.add(() => ground.close())
    const runs = chosen.map(({ fault, trials }) => runFault(ground, drawFrom(seed), fault, { seed, trials, batch, signal, onProgress }))
    await Promise.allSettled(runs) // each has closed its world before the ground is
    return await Promise.all(runs)
  } finally {
    await stops.stop()
  }
}

endWhenUnread()
try {
  process.exitCode = await main()
} catch (error) {
  const isUsage = error instanceof CommanderError
  if (!isUsage || error.exitCode !== 0) onProgress(error instanceof Error ? error.message : String(error))
  process.exitCode = !isUsage ? 1 : error.exitCode === 0 ? 0 : 2
}
