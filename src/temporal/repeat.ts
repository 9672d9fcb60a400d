/** Work that is done again and again until the process ends: the relay, the sweeper. */

export interface Repeated {
  /** Lets the round under way finish. */
  stop(): Promise<void>
}

/** Runs `work`, waits `everyMs`, runs it again. A round that throws is told to `onFault` and only delays the next. */
export function repeat(everyMs: number, work: (round: number) => Promise<void>, onFault: (fault: unknown) => void = () => {}): Repeated {
  const stopping = new AbortController()
  const { signal } = stopping
  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, everyMs)
      signal.addEventListener('abort', () => { clearTimeout(timer); resolve() }, { once: true })
    })
  const running = (async () => {
    for (let round = 0; !signal.aborted; round++) {
      await work(round).catch(onFault)
      if (!signal.aborted) await pause()
    }
  })()
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }
}
