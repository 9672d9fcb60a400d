/** One of our processes, with only its own secrets: it sees what it is given, and of our environment only what every process needs. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'

export interface ChildOptions {
  /** For messages. */
  readonly name: string
  /** Path of the module to run, `.ts` or `.js`. */
  readonly entry: string
  readonly args?: readonly string[]
  /** All that it sees, beside PATH, HOME, LANG, TZ and NODE_ENV of ours. */
  readonly env: Readonly<Record<string, string>>
  readonly onLine: (line: string, stream: 'stdout' | 'stderr') => void
  /** The line on stdout that says it works: a part of it, or a pattern. Left out: it is taken to work at once. */
  readonly readyLine?: string | RegExp
  /** Milliseconds until that line. Default: 60 000. */
  readonly readyWithinMs?: number
  /** Aborted before it is ready: it is stopped. */
  readonly signal?: AbortSignal
}

export interface Child {
  readonly pid: number
  /** Fulfils with the exit code, `null` after a signal; never rejects. */
  readonly exited: Promise<number | null>
  /** False when it is gone already. */
  kill(signal: NodeJS.Signals): boolean
  /** SIGTERM; SIGKILL, to it and what it started, after `graceMs`. Resolves when it is gone. */
  stop(graceMs: number): Promise<void>
}

const inherited = ['PATH', 'HOME', 'LANG', 'TZ', 'NODE_ENV']
const keptLines = 20
const leash = new URL(`./child-leash${extname(import.meta.url)}`, import.meta.url).href

/**
 * Starts Node as we were started (the same options) on `entry`, in a session of its own, so that Ctrl-C in the terminal
 * reaches only us. It gets SIGTERM when we are gone, however that came about.
 * @throws Error with its last lines when it ends, or says nothing in time, before it is ready
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const process_ = spawn(process.execPath, [...process.execArgv, '--import', leash, options.entry, ...options.args ?? []], {
    env: { ...Object.fromEntries(inherited.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))), ...options.env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  await once(process_, 'spawn')
  const { pid } = process_
  if (pid === undefined) throw new Error(`${options.name} has no process id`)
  const exited = new Promise<number | null>((resolve) => { process_.once('exit', resolve) })
  const child: Child = {
    pid,
    exited,
    kill: (signal) => process_.kill(signal),
    async stop(graceMs) {
      process_.kill('SIGTERM')
      const late = new AbortController()
      const gone = exited.then(() => late.abort())
      await Promise.race([gone, pause(graceMs, undefined, { signal: late.signal }).catch(() => {})])
      if (process_.exitCode === null && process_.signalCode === null) process.kill(-pid, 'SIGKILL')
      await gone
    },
  }
  await ready(process_, options).catch(async (error: unknown) => {
    await child.stop(0)
    throw error
  })
  return child
}

function ready(process_: ChildProcess, options: ChildOptions): Promise<void> {
  const last: string[] = []
  const said = (): string => (last.length === 0 ? 'it said nothing' : `it said last:\n${last.join('\n')}`)
  return new Promise((resolve, reject) => {
    const { readyWithinMs = 60_000, readyLine, signal } = options
    const abort = (): void => reject(new Error(`${options.name} was stopped before it was ready`))
    if (signal?.aborted === true) abort()
    signal?.addEventListener('abort', abort, { once: true })
    const timer = setTimeout(() => reject(new Error(`${options.name} was not ready within ${readyWithinMs / 1000} s; ${said()}`)), readyWithinMs)
    const isReady = (): void => { clearTimeout(timer); resolve() }
    // Its last lines arrive after its exit; 'close' comes after both.
    process_.once('close', (code, signal) => {
      clearTimeout(timer)
      reject(new Error(`${options.name} ended with ${signal ?? code} before it was ready; ${said()}`))
    })
    for (const stream of ['stdout', 'stderr'] as const) {
      const input = process_[stream]
      if (input === null) continue
      createInterface({ input }).on('line', (line) => {
        if (last.push(line) > keptLines) last.shift()
        options.onLine(line, stream)
        if (stream === 'stdout' && readyLine !== undefined && matches(line, readyLine)) isReady()
      })
    }
    if (readyLine === undefined) isReady()
  })
}

const matches = (line: string, ready: string | RegExp): boolean => (typeof ready === 'string' ? line.includes(ready) : line.search(ready) >= 0)
