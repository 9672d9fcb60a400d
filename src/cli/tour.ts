/** `tour`: the story in 90 seconds, on servers of its own, with real refusals. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DefaultLogger, Runtime } from '@temporalio/worker'
import type { Command } from 'commander'
import { defaultApp, loadApp, type DevApp } from '../dev/app.ts'
import { startStack } from '../dev/stack.ts'
import { playTour } from '../dev/tour.ts'
import { exit, Failure } from './exit.ts'
import { codeOfStopped, endWith, stopOnSignal, whenAborted } from './interrupts.ts'
import { setIn, stateDir } from './where.ts'

interface TourFlags {
  readonly fast?: true
  readonly json?: true
  readonly takeOver?: true
  readonly app: string
  readonly workflows: string
}

export function tourCommand(program: Command): void {
  program
    .command('tour')
    .description('the story in 90 seconds, narrated, on real servers that are gone afterwards')
    .option('--fast', 'without pauses for reading')
    .option('--json', 'print one JSON object a step, and a summary')
    .option('--app <module>', 'the reference application', defaultApp)
    .option('--workflows <path>', 'its workflows', './workflows/index.ts')
    .option('--take-over', 'with DATABASE_URL: also on a server whose kiff_* logins were made elsewhere; their passwords change')
    .action(async (options: TourFlags) => {
      const app = await loadApp(options.app)
      if (!existsSync(options.workflows)) throw new Failure(`${options.workflows} does not exist; name the module that exports the workflows with --workflows`, exit.usage)
      const stopped = stopOnSignal((line) => { console.error(line) })
      Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } }, shutdownSignals: [] })
      const folder = await mkdtemp(join(tmpdir(), 'kiff-tour-'))
      // What an interrupted step says is of no use.
      const ending = await toldIn(folder, app, options, stopped).catch((error: unknown) => () => endWith(error))
      await rm(folder, { recursive: true, force: true })
      if (typeof ending === 'function' && !stopped.aborted) ending()
      process.exit(typeof ending === 'number' ? ending : codeOfStopped(stopped)) // whatever a server's library has left open
    })
}

/** @returns the exit code. @throws Error when it cannot start, or a server is lost */
async function toldIn(folder: string, app: DevApp, options: TourFlags, stopped: AbortSignal): Promise<number> {
  const say = (line: string): void => {
    if (stopped.aborted) return
    if (options.json) console.error(line)
    else console.log(line)
  }
  const stack = await startStack({
    app, stateDir: folder, persistent: false, signal: stopped,
    secretsDir: resolve(stateDir()),
    databaseName: `kiff_tour_${randomBytes(4).toString('hex')}`,
    databaseUrl: setIn('DATABASE_URL'),
    takeOver: options.takeOver === true,
    temporalAddress: setIn('TEMPORAL_ADDRESS'),
    onProgress: (line) => { console.error(line) },
  })
  try {
    const playing = playTour({
      stack, app, say,
      pauseMs: options.fast ? 0 : 2_000,
      workflowsPath: resolve(options.workflows),
      onStep: (result) => { if (options.json && !stopped.aborted) console.log(JSON.stringify(result)) },
    })
    const summary = await Promise.race([playing, whenAborted(stopped), stack.lost.then((sentence) => { throw new Failure(sentence) })])
    if (summary === undefined) return codeOfStopped(stopped)
    if (options.json) console.log(JSON.stringify(summary))
    else say(summary.ok ? '\nAll as told. Paid once each, never without a record, never by the agent alone.' : '\nNot as told: see the steps marked ✗.')
    return summary.ok ? exit.ok : exit.failure
  } finally {
    await stack.stop()
  }
}
