/** A server that ends without being told to is announced and started again, so that nobody works against one that has gone. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Leashed } from './leash.ts'

export interface KeepUpOptions {
  /** For messages: `Postgres`. */
  readonly name: string
  /** Starts it, at the same place each time, and returns when it answers. */
  readonly launch: () => Promise<Leashed>
  readonly onProgress: (line: string) => void
  /** Why it cannot come back, where that is so. */
  readonly once?: string | undefined
  /** It does not come back. Left out: it is not started again, and nobody is told. */
  readonly onLost?: ((sentence: string) => void) | undefined
}

const attempts = 5
/** One that dies again so soon is ill. */
const healthyAfterMs = 2_000

/** @returns what ends it for good. @throws what the first launch throws */
export async function keepUp(options: KeepUpOptions): Promise<{ stop(): Promise<void> }> {
  const { name, launch, onProgress, once, onLost } = options
  const stopping = new AbortController()
  let server = await launch()
  const again = async (): Promise<Leashed> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await launch()
      } catch (error) {
        if (attempt === attempts || stopping.signal.aborted) throw error
        await pause(1_000, undefined, { signal: stopping.signal }).catch(() => {})
      }
    }
  }
  const watch = async (): Promise<void> => {
    for (;;) {
      const since = Date.now()
      const code = await server.exited
      if (stopping.signal.aborted || onLost === undefined) return
      const how = code === null || code > 128 ? 'killed' : `exit ${code}`
      if (Date.now() - since < healthyAfterMs) return onLost(`${name} has ended (${how}) as soon as it was up`)
      if (once !== undefined) return onLost(`${name} has ended (${how}): ${once}`)
      onProgress(`${name} has ended (${how}); starting it again`)
      try {
        server = await again()
      } catch (error) {
        return stopping.signal.aborted ? undefined : onLost(`${name} does not start again: ${error instanceof Error ? error.message : String(error)}`)
      }
      if (stopping.signal.aborted) return server.stop()
      onProgress(`${name} is back`)
    }
  }
  const watched = watch()
  return {
    async stop() {
      stopping.abort()
      await server.stop()
      await watched
    },
  }
}
