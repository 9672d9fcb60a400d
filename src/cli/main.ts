#!/usr/bin/env node
/** `kiff-temporal`: stdout is the result, stderr the talk; exit codes as in `exit.ts`. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { z } from 'zod'
import { SetupError } from '../dev/setup-error.ts'
import { allowedCommand } from './allowed.ts'
import { devCommand } from './dev.ts'
import { evaluateCommand } from './evaluate.ts'
import { eventCommand } from './event.ts'
import { evidenceCommand } from './evidence.ts'
import { exit, Failure } from './exit.ts'
import { keysCommand } from './keys.ts'
import { lifecycleCommand } from './lifecycle.ts'
import { migrateCommand } from './migrate.ts'
import { newCommand } from './new.ts'
import { proposeCommand } from './propose.ts'
import { replayCommand } from './replay.ts'
import { resetCommand } from './reset.ts'
import { rolesCommand } from './roles.ts'
import { serveCommand } from './serve.ts'
import { stateCommand } from './state.ts'
import { timelineCommand } from './timeline.ts'
import { tourCommand } from './tour.ts'
import { verifyCommand } from './verify.ts'

const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')))

const program = new Command('kiff-temporal')
  .description('Governance for durable agent workflows: a gate inside Temporal, approvals only a person can give, evidence in Postgres.')
  .version(version)
  .exitOverride() // before the sub-commands, which inherit it
  .configureHelp({ showGlobalOptions: true })
  .addHelpText('after', `\nExit codes: 0 ok, 1 failure, 2 usage or invalid input, 3 blocked, 4 approval required, 5 verification failed.`)

const commands = [
  evaluateCommand, proposeCommand, eventCommand, allowedCommand,
  devCommand, tourCommand, replayCommand, evidenceCommand, timelineCommand, lifecycleCommand, stateCommand, rolesCommand, migrateCommand, keysCommand, serveCommand, resetCommand, verifyCommand, newCommand,
]
for (const register of commands) register(program)

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exit.ok : exit.usage
  else {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = error instanceof Failure ? error.code : error instanceof SetupError ? error.exitCode : exit.failure
    if (process.env['KIFF_DEBUG'] !== undefined) console.error(error)
  }
}
