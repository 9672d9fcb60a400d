/** The commands that ask a gate, run as a user runs them, against the servers of the tests. */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { afterEach, inject } from 'vitest'
import { eventually, type Stack } from '../a-stack.ts'
import { aCommand, type RunningCommand } from './a-command.ts'

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** The environment of every command: where Temporal is, and who asks; no running `npm start` is found. */
export const environment = (actor: string): Record<string, string> => ({ KIFF_STATE: '/nowhere', TEMPORAL_ADDRESS: inject('temporalAddress'), KIFF_ACTOR: actor })

const started: RunningCommand[] = []
afterEach(() => { for (const command of started.splice(0)) command.kill('SIGKILL') }) // those of a test that failed

/** Starts `kiff-temporal <args>` against a task queue. */
export function asks(queue: string, actor: string, args: readonly string[]): RunningCommand {
  const command = aCommand([...args, '--task-queue', queue], environment(actor))
  started.push(command)
  return command
}

export async function ended(command: RunningCommand): Promise<Ended> {
  const code = await command.exited
  return { code, out: command.lines.join('\n'), err: command.stderr() }
}

/** The same, with something to read on stdin. */
export async function endedReading(input: string, queue: string, actor: string, args: readonly string[]): Promise<Ended> {
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env
  const child = spawn(process.execPath, ['--conditions=kiff-source', 'src/cli/entry.mjs', ...args, '--task-queue', queue], { env: { PATH, HOME, NODE_COMPILE_CACHE, ...environment(actor) } })
  child.stdin.end(input)
  const exited = new Promise<number | null>((resolve) => { child.on('close', resolve) })
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await exited, out: out.trim(), err }
}

/** Waits until the command has said this on stderr. */
export async function hasSaid(command: RunningCommand, words: RegExp): Promise<RegExpExecArray> {
  return eventually(async () => words.exec(command.stderr()) ?? undefined, 40_000)
}

/** How many rows there are of everything that a gate writes. */
export async function written(stack: Stack): Promise<number> {
  const { rows } = await stack.db.pool('auditor').query<{ rows: string }>('select (select count(*) from kiff.ledger) + (select count(*) from kiff.calls) + (select count(*) from kiff.chains) as rows')
  return Number(rows[0]?.rows)
}
