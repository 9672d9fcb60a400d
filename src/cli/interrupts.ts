/** Ctrl-C and SIGTERM for commands that have servers to stop. */
import { once } from 'node:events'
import { SetupError } from '../dev/setup-error.ts'
import { exit, Failure } from './exit.ts'

/** One Ctrl-C arrives twice: from the terminal, and passed on by npm. */
const sameMs = 1_000

/** Aborts at the first signal, and says so at once; a second one ends the process, and with it all that it started. */
export function stopOnSignal(say: (line: string) => void): AbortSignal {
  const stop = new AbortController()
  let since = 0
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) {
        if (Date.now() - since > sameMs) process.exit(130)
        return
      }
      since = Date.now()
      say('stopping')
      stop.abort()
    })
  }
  return stop.signal
}

export async function whenAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}

/** Ends the process as `main.ts` would, whatever a server's library has left open. */
export function endWith(error: unknown): never {
  console.error(error instanceof Error ? error.message : error)
  process.exit(error instanceof Failure ? error.code : error instanceof SetupError ? error.exitCode : exit.failure)
}
