/** Something that stops at each point where it waits for another, until it is told to go on; left there for ever, it has crashed. */

export interface Stepwise {
  /** Where it stands. */
  readonly at: string
  readonly over: boolean
  /** Its effect may be about to begin, or has begun. */
  readonly isUnderWay: boolean
  /** Lets it go on to its next stop, or to its end. */
  readonly goOn: () => Promise<void>
}

const nothing = (): void => {}

/** @param work what it does; it stops wherever it awaits `stop` */
export function stepwise(work: (stop: (at: string) => Promise<void>) => Promise<unknown>): Stepwise {
  let at = 'its beginning'
  let over = false
  let resume = nothing
  let stopped = nothing
  const stop = (where: string): Promise<void> => {
    at = where
    return new Promise((resolve) => {
      resume = resolve
      stopped()
    })
  }
  const begin = stop(at)
  // How it ends is for those who read the ledger: a fault is tried again, as the server would.
  const end = (): void => {
    over = true
    stopped()
  }
  void begin.then(() => work(stop)).then(end, end)
  return {
    get at() {
      return at
    },
    get over() {
      return over
    },
    get isUnderWay() {
      return at === 'after openExecution' || at === 'after resumeExecution' || at === 'before it asks the provider'
    },
    async goOn() {
      const next = new Promise<void>((resolve) => {
        stopped = resolve
      })
      resume()
      await next
    },
  }
}

/** The same object, each of whose methods stops before it is called, and before its answer arrives. */
export function stopping<Port extends object>(port: Port, stop: (at: string) => Promise<void>): Port {
  return new Proxy(port, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      return async (...args: unknown[]): Promise<unknown> => {
        await stop(`before ${String(name)}`)
        try {
          return await Reflect.apply(method, target, args)
        } finally {
          await stop(`after ${String(name)}`)
        }
      }
    },
  })
}
