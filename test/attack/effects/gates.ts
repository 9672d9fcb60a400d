/** Gate processes, as the harness holds them: started, told where to fall, thawed, and asked what was under way when they fell. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Fall, LastWords } from './points.ts'

export interface GateSettings {
  readonly queue: string
  readonly fall?: Fall | undefined
  /** How many activities it takes at once. */
  readonly slots?: number
  /** Its clock is wrong by so much. */
  readonly clockMs?: number
  /** Its executors do not heed their deadline. */
  readonly patient?: boolean
}

export interface GateProcess {
  readonly settings: GateSettings
  /** Resolves when it is dead, by whatever hand. */
  readonly dead: Promise<unknown>
  /** What it wrote on its output. */
  readonly log: () => string
  /** What it said when it fell, if it has. */
  readonly lastWords: () => LastWords | undefined
  readonly signal: (signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT') => void
}

export interface Gates {
  readonly start: (settings: GateSettings) => GateProcess
  /** Every one there ever was, of this queue or of all. */
  readonly started: (queue?: string) => readonly GateProcess[]
  readonly close: () => Promise<void>
}

export interface GateSurroundings {
  readonly folder: string
  readonly temporalAddress: string
  readonly databaseUrl: string
  readonly reviewKeys: unknown
  readonly providerUrl: string
}

const ofThisFolder = (name: string): string => new URL(name, import.meta.url).pathname

process.setMaxListeners(50)

export function gatesIn(around: GateSurroundings): Gates {
  const processes: GateProcess[] = []
  // Also a frozen one, which does not notice that its standard input has ended.
  process.on('exit', () => { for (const gate of processes) gate.signal('SIGKILL') })
  const start: Gates['start'] = (settings) => {
    const wordsFile = join(around.folder, `words-${processes.length}.json`)
    const logFile = join(around.folder, `gate-${processes.length}.log`)
    const log = openSync(logFile, 'a')
    const clock = settings.clockMs === undefined ? [] : ['--import', ofThisFolder('wrong-clock.ts')]
    const child = spawn(process.execPath, ['--conditions=kiff-source', ...clock, ofThisFolder('gate.ts')], {
      env: {
        PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], TEMPORAL_ADDRESS: around.temporalAddress, KIFF_GATE_DATABASE_URL: around.databaseUrl,
        KIFF_REVIEW_KEYS: JSON.stringify(around.reviewKeys), PROVIDER_URL: around.providerUrl, KIFF_QUEUE: settings.queue, KIFF_SLOTS: String(settings.slots ?? 12),
        KIFF_LAST_WORDS: wordsFile, KIFF_FALL: settings.fall === undefined ? '' : JSON.stringify(settings.fall), KIFF_CLOCK_MS: String(settings.clockMs ?? 0),
        KIFF_PATIENT: settings.patient === true ? 'yes' : '',
      },
      stdio: ['pipe', log, log],
    })
    closeSync(log)
    child.stdin?.on('error', () => {})
    const dead = once(child, 'exit')
    const started: GateProcess = {
      settings, dead,
      log: () => readFileSync(logFile, 'utf8'),
      lastWords: () => (existsSync(wordsFile) ? (JSON.parse(readFileSync(wordsFile, 'utf8')) as LastWords) : undefined),
      signal: (signal) => { child.kill(signal) },
    }
    processes.push(started)
    return started
  }
  return {
    start,
    started: (queue) => processes.filter(({ settings }) => queue === undefined || settings.queue === queue),
    async close() {
      for (const gate of processes) gate.signal('SIGKILL')
      await Promise.all(processes.map(({ dead }) => dead))
    },
  }
}
