/** One of our commands as a process of its own, as a user runs it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface RunningCommand {
  readonly pid: number
  /** The next line of stdout. @throws when it ends first */
  readonly nextLine: () => Promise<string>
  readonly lines: readonly string[]
  readonly stderr: () => string
  readonly exited: Promise<number | null>
  readonly kill: (signal: NodeJS.Signals) => void
}

/** Starts `npm run -s kiff -- <args>`'s Node (or that of another script), in the repository, with these variables beside the usual ones. */
export function aCommand(args: readonly string[], env: Readonly<Record<string, string>> = {}, script = 'src/cli/entry.mjs'): RunningCommand {
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env
  const child = spawn(process.execPath, ['--conditions=kiff-source', script, ...args], { env: { PATH, HOME, NODE_COMPILE_CACHE, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  const waiting: (() => void)[] = []
  let taken = 0
  let ended = false
  let stderr = ''
  const wake = (): void => { for (const each of waiting.splice(0)) each() }
  createInterface({ input: child.stdout }).on('line', (line) => { lines.push(line); wake() }).on('close', () => { ended = true; wake() })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
  const exited = once(child, 'close').then(([code]: unknown[]) => (typeof code === 'number' ? code : null))
  return {
    pid: child.pid ?? 0, lines, exited,
    stderr: () => stderr,
    kill: (signal) => { child.kill(signal) },
    async nextLine() {
      while (taken >= lines.length) {
        if (ended) throw new Error(`it ended; it said: ${stderr.slice(-2_000)}`)
        await new Promise<void>((resolve) => { waiting.push(resolve) })
      }
      return lines[taken++] ?? ''
    },
  }
}
