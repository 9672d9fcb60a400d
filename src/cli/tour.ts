/** `tour`: the story in 90 seconds, on servers of its own, with real refusals. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DefaultLogger, Runtime } from '@temporalio/worker'
import type { Command } from 'commander'
import { defaultApp, loadApp } from '../dev/app.ts'
import { startStack } from '../dev/stack.ts'
import { playTour } from '../dev/tour.ts'
import { exit } from './exit.ts'
import { setIn, stateDir } from './where.ts'

export function tourCommand(program: Command): void {
  program
    .command('tour')
    .description('the story in 90 seconds, narrated, on real servers that are gone afterwards')
    .option('--fast', 'without pauses for reading')
    .option('--json', 'print one JSON object a step, and a summary')
    .option('--app <module>', 'the reference application', defaultApp)
    .option('--workflows <path>', 'its workflows', './workflows/index.ts')
    .action(async (options: { fast?: true; json?: true; app: string; workflows: string }) => {
      const say = options.json ? (line: string): void => { console.error(line) } : (line: string): void => { console.log(line) }
      Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } })
      const folder = await mkdtemp(join(tmpdir(), 'kiff-tour-'))
      const app = await loadApp(options.app)
      let code: number = exit.failure
      try {
        const stack = await startStack({
          app, stateDir: folder, persistent: false,
          secretsDir: resolve(stateDir()),
          databaseName: `kiff_tour_${randomBytes(4).toString('hex')}`,
          databaseUrl: setIn('DATABASE_URL'),
          temporalAddress: setIn('TEMPORAL_ADDRESS'),
          onProgress: (line) => { console.error(line) },
        })
        const ended = async (): Promise<void> => {
          await stack.stop()
          await rm(folder, { recursive: true, force: true })
        }
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void ended().finally(() => process.exit(130)))
        try {
          const summary = await playTour({
            stack, app, say,
            pauseMs: options.fast ? 0 : 2_000,
            workflowsPath: resolve(options.workflows),
            onStep: (result) => { if (options.json) console.log(JSON.stringify(result)) },
          })
          if (options.json) console.log(JSON.stringify(summary))
          else say(summary.ok ? '\nAll as told. Paid once each, never without a record, never by the agent alone.' : '\nNot as told: see the steps marked ✗.')
          code = summary.ok ? exit.ok : exit.failure
        } finally {
          await ended()
        }
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
      process.exit(code) // whatever a server's library has left open
    })
}
