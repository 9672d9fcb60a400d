/**
 * A server that ends when we end, however we end. Ours is a session of its own, so that Ctrl-C in the terminal reaches
 * only us; and a pipe whose other end only we hold, so that a crash or SIGKILL of ours lets go of it too: letting go
 * is the one way to stop it. Only SIGKILL of the shell in between can orphan the server.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { SystemUser } from './system-user.ts'

export interface LeashOptions {
  readonly command: string
  readonly args: readonly string[]
  /** All that the server sees of the environment. */
  readonly env: Readonly<Record<string, string>>
  /** Receives stdout and stderr; emptied first. */
  readonly logFile: string
  /** What tells the server to shut down in order. */
  readonly stopSignal: 'INT' | 'TERM'
  /** Seconds for that, before SIGKILL. */
  readonly graceSeconds: number
  /** Left out: as we are. */
  readonly user?: SystemUser | undefined
}

export interface Leashed {
  /** The process (and process group) to look for when asking whether the server still runs. */
  readonly pid: number
  /** Fulfils with the exit code (128 + n for signal n) when the server is gone; never rejects. */
  readonly exited: Promise<number | null>
  /** Shuts the server down; resolves when it is gone. Repeating it is harmless. */
  stop(): Promise<void>
}

// `read` returns when the pipe closes. Tenths of seconds, so that a stopped server leaves no sleeper behind.
const script = `
umask 077
signal=$1; tenths=$2; shift 2
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
( read -r _ <&3; kill -s "$signal" $server
  while [ "$tenths" -gt 0 ] && kill -0 $server; do sleep 0.1; tenths=$((tenths - 1)); done
  kill -s KILL $server ) 2>/dev/null &
holder=$!
exec 3<&-
wait $server; code=$?
kill $holder 2>/dev/null
exit $code
`

/** Starts a server. It does not keep our process alive. @throws Error when `sh` or the log file cannot be opened */
export async function startLeashed(options: LeashOptions): Promise<Leashed> {
  const log = await open(options.logFile, 'w', 0o600)
  try {
    const child = spawn('/bin/sh', ['-c', script, 'sh', options.stopSignal, String(options.graceSeconds * 10), options.command, ...options.args], {
      ...options.user,
      cwd: '/',
      env: { ...options.env },
      detached: true,
      stdio: ['pipe', log.fd, log.fd],
    })
    await once(child, 'spawn')
    const { pid, stdin } = child
    if (pid === undefined || stdin === null) throw new Error('a spawned process without a pid')
    stdin.on('error', () => {})
    const exited = new Promise<number | null>((resolve) => { child.once('exit', resolve) })
    child.unref()
    if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref()
    return {
      pid,
      exited,
      async stop() {
        child.ref()
        stdin.destroy()
        const late = new AbortController()
        const gone = exited.then(() => late.abort())
        await Promise.race([gone, pause(options.graceSeconds * 1000 + 2000, undefined, { signal: late.signal }).catch(() => {})])
        if (child.exitCode === null && child.signalCode === null) process.kill(-pid, 'SIGKILL')
        await gone
      },
    }
  } finally {
    await log.close()
  }
}

/** The server, once `ready` has resolved; stopped, where that throws. */
export async function orStopped(server: Leashed, ready: () => Promise<void>): Promise<Leashed> {
  try {
    await ready()
    return server
  } catch (error) {
    await server.stop()
    throw error
  }
}

/** The last lines of a log, on one line; empty when there is none. */
export async function logTail(logFile: string, lines = 5): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '')
  return text.trim().split('\n').slice(-lines).map((line) => line.trim()).join(' | ')
}
