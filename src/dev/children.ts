/** The processes of an application, by name. One that ends without being told to is announced and started again. */
import { startChild, type Child } from './child.ts'

export interface ProcessOptions {
  readonly name: string
  readonly entry: string
  readonly args?: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly readyLine: RegExp
}

export interface Children {
  /** @returns the line that said it was ready. @throws Error with its last lines when it ends before that */
  start(options: ProcessOptions): Promise<string>
  readonly pids: () => Readonly<Record<string, number>>
  /** SIGKILL, and it does not come back by itself. */
  kill(name: string): Promise<void>
  stop(): Promise<void>
}

/** @param signal what is being started is stopped when it aborts */
export function createChildren({ onProgress, onOutput, signal }: { readonly onProgress: (line: string) => void; readonly onOutput?: ((name: string, line: string) => void) | undefined; readonly signal: AbortSignal }): Children {
  const running = new Map<string, Child>()
  let stopped = false

  async function start(options: ProcessOptions): Promise<string> {
    const { name, readyLine } = options
    let ready = ''
    const child = await startChild({
      ...options, signal,
      onLine: (line) => {
        if (readyLine.test(line)) ready = line
        onOutput?.(name, line)
      },
    })
    if (stopped) {
      await child.stop(0)
      throw new Error(`${name} is not needed any more`)
    }
    running.set(name, child)
    void comeBack(child, options)
    return ready
  }

  async function comeBack(child: Child, options: ProcessOptions): Promise<void> {
    const { name } = options
    const code = await child.exited
    if (running.get(name) !== child) return // ended on purpose
    onProgress(`${name} has ended (${code === null ? 'killed' : `exit ${code}`}); starting it again`)
    try {
      onProgress(`${name} is back: ${await start(options)}`)
    } catch (error) {
      if (!stopped) onProgress(`${name} does not start again: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  return {
    start,
    pids: () => Object.fromEntries([...running].map(([name, child]) => [name, child.pid])),
    async kill(name) {
      const child = running.get(name)
      running.delete(name)
      child?.kill('SIGKILL')
      await child?.exited
    },
    async stop() {
      stopped = true
      const all = [...running.values()]
      running.clear()
      await Promise.all(all.map((child) => child.stop(4_000)))
    },
  }
}
