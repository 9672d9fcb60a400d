/** Ctrl-C, SIGTERM, and a reader that has gone, for commands that have servers to stop. */
import { once } from 'node:events'
import { SetupError } from '../dev/setup-error.ts'
import { exit, Failure } from './exit.ts'

/** One Ctrl-C arrives twice: from the terminal, and passed on by npm. */
const sameMs = 1_000

/**
 * Aborts at the first signal, or when nobody reads the output any more (`| head`), and says so at once; a second signal ends the
 * process, and with it all that it started.
 */
export function stopOnSignal(say: (line: string) => void): AbortSignal {
  const stop = new AbortController()
  let since = 0
  const begin = (reason?: Error): void => {
    since = Date.now()
    say('stopping')
    stop.abort(reason)
  }
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (!stop.signal.aborted) begin()
      else if (Date.now() - since > sameMs) process.exit(130)
    })
  }
  for (const output of [process.stdout, process.stderr]) {
    output.on('error', (error) => {
      if (!isUnread(error)) throw error
      if (!stop.signal.aborted) begin(error)
    })
  }
  return stop.signal
}

/** Ends a command that has nothing to stop when nobody reads its output any more, as `entry.mjs` does. */
export function endWhenUnread(): void {
  process.stdout.on('error', (error) => {
    if (!isUnread(error)) throw error
    if (process.stdout.listenerCount('error') === 1) process.exit()
  })
}

/** The exit code of what was stopped: a reader that has seen enough is no failure. */
export function codeOfStopped({ reason }: AbortSignal): number {
  return isUnread(reason) ? exit.ok : 130
}

const isUnread = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EPIPE'

export async function whenAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}

/** Ends the process as `main.ts` would, whatever a server's library has left open. */
export function endWith(error: unknown): never {
  console.error(error instanceof Error ? error.message : error)
  process.exit(error instanceof Failure ? error.code : error instanceof SetupError ? error.exitCode : exit.failure)
}
