/** README's section as its reader follows it: the files written, the commands run in a shell, in order, in the folder where the package is installed. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { dirname, delimiter } from 'node:path'
import { createInterface } from 'node:readline'

export interface Shell {
  /** Runs lines to their end. @returns stdout. @throws Error with all that was said, unless they end with 0 */
  run(lines: string): Promise<string>
  /** Starts a line that goes on until `stop`. @returns once a line of its stdout or stderr matches */
  start(line: string, ready: RegExp): Promise<string>
  stop(): Promise<void>
  /** All that what was started has said. */
  readonly said: () => string
}

/** @param before lines that come before each, as in a terminal in which they were typed */
export function aShell(folder: string, env: Readonly<Record<string, string>>, before: string): Shell {
  const running: ChildProcess[] = []
  let saidByAll = ''
  const bash = (lines: string): ChildProcess => {
    const { PATH = '', HOME = '' } = process.env
    return spawn('bash', ['-euc', `${before}\n${lines}`], { cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { HOME, PATH: `${dirname(process.execPath)}${delimiter}${PATH}`, ...env } })
  }
  return {
    async run(lines) {
      const child = bash(lines)
      let [out, said] = ['', '']
      listen(child, (line, isResult) => {
        said += `${line}\n`
        if (isResult) out += `${line}\n`
      })
      const [code] = await once(child, 'close')
      if (code !== 0) throw new Error(`it ended with ${String(code)}:\n${said}`)
      return out
    },
    async start(line, ready) {
      const child = bash(line)
      running.push(child)
      let said = ''
      return new Promise((resolve, reject) => {
        listen(child, (text) => {
          said += `${text}\n`
          saidByAll += `${text}\n`
          if (ready.test(text)) resolve(text)
        })
        child.once('close', () => reject(new Error(`it ended:\n${said}`)))
      })
    },
    said: () => saidByAll,
    async stop() {
      await Promise.all(running.splice(0).map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
        const closed = once(child, 'close')
        process.kill(-child.pid, 'SIGKILL') // npx, and what it runs
        await closed
      }))
    },
  }
}

function listen(child: ChildProcess, onLine: (line: string, isResult: boolean) => void): void {
  for (const stream of ['stdout', 'stderr'] as const) {
    const input = child[stream]
    if (input !== null) createInterface({ input }).on('line', (line) => onLine(line, stream === 'stdout'))
  }
}
