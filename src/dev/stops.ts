/** What has to be stopped, last first; and at once what comes up only after stopping has begun. */

export interface Stops {
  add(stop: () => Promise<void>): Promise<void>
  /** Never rejects; repeating it is harmless. */
  stop(): Promise<void>
}

export function createStops(onFault: (sentence: string) => void): Stops {
  const stops: (() => Promise<void>)[] = []
  let stopping = false
  const attempt = (stop: () => Promise<void>): Promise<void> =>
    stop().catch((error: unknown) => onFault(`while stopping: ${error instanceof Error ? error.message : String(error)}`))
  return {
    async add(stop) {
      if (stopping) await attempt(stop)
      else stops.push(stop)
    },
    async stop() {
      stopping = true
      for (const stop of stops.splice(0).toReversed()) await attempt(stop)
    },
  }
}
