/** One vitest run in a copy, read from its JSON report. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

export type Project = 'unit' | 'servers'

export interface TestRun {
  readonly folder: string
  readonly project: Project
  readonly file: string
  /** Parts of full names; the other tests of the file are skipped. */
  readonly names: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

export interface TestEnd {
  /** As vitest's `-t` takes it: `describe > test`. */
  readonly fullName: string
  readonly status: string
  readonly failures: readonly string[]
}

/** `hung`: it had to be killed. `unread`: no test was reached, with what vitest said. */
export type RunEnd = { readonly kind: 'ran'; readonly tests: readonly TestEnd[] } | { readonly kind: 'hung' } | { readonly kind: 'unread'; readonly why: string }

const report = z.object({
  testResults: z.array(z.object({
    message: z.string().optional(),
    assertionResults: z.array(z.object({ ancestorTitles: z.array(z.string()), title: z.string(), status: z.string(), failureMessages: z.array(z.string()).nullish() })),
  })),
})

/** Longer than any test's own timeout and its file's hooks together. */
const killAfterMs: Readonly<Record<Project, number>> = { unit: 120_000, servers: 420_000 }

export async function runTests(run: TestRun): Promise<RunEnd> {
  const output = join(run.folder, 'node_modules', '.proofs.json')
  await rm(output, { force: true })
  const pattern = run.names.map((name) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)).join('|')
  const ended = await vitest(run, ['run', '--project', run.project, run.file, '-t', pattern, '--reporter=json', `--outputFile=${output}`])
  if (ended.killed) return { kind: 'hung' }
  const text = await readFile(output, 'utf8').catch(() => undefined)
  if (text === undefined) return { kind: 'unread', why: lastLine(ended.talk) }
  const files = report.parse(JSON.parse(text)).testResults
  const tests = files.flatMap((file) => file.assertionResults).map(({ ancestorTitles, title, status, failureMessages }) => ({ fullName: [...ancestorTitles, title].join(' > '), status, failures: failureMessages ?? [] }))
  if (tests.some(({ status }) => status === 'passed' || status === 'failed')) return { kind: 'ran', tests }
  const why = files.map(({ message }) => message ?? '').find((message) => message !== '')
  return why === undefined && tests.length > 0 ? { kind: 'ran', tests } : { kind: 'unread', why: firstLine(why ?? lastLine(ended.talk)) }
}

/** Which project each test file belongs to; those of the conformance suite belong to both. */
export async function projectsOf(folder: string, signal: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>> {
  const output = join(folder, 'node_modules', '.projects.json')
  await vitest({ folder, project: 'unit', env: {}, signal }, ['list', '--filesOnly', `--json=${output}`])
  const files = z.array(z.object({ file: z.string(), projectName: z.string() })).parse(JSON.parse(await readFile(output, 'utf8')))
  return new Map([...Map.groupBy(files, ({ file }) => file.slice(folder.length + 1))].map(([file, found]) => [file, found.map(({ projectName }) => projectName)]))
}

async function vitest(run: Pick<TestRun, 'folder' | 'project' | 'env' | 'signal'>, args: readonly string[]): Promise<{ readonly talk: string; readonly killed: boolean }> {
  run.signal.throwIfAborted()
  const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', ...args], {
    cwd: run.folder, env: { ...process.env, CI: '1', NO_COLOR: '1', ...run.env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true,
  })
  let talk = ''
  let killed = false
  const listen = (text: string): void => {
    talk = (talk + text).slice(-4_000)
  }
  child.stdout.setEncoding('utf8').on('data', listen)
  child.stderr.setEncoding('utf8').on('data', listen)
  const kill = (): void => {
    if (child.pid === undefined || child.exitCode !== null) return
    killed = true
    process.kill(-child.pid, 'SIGKILL') // with all that it has started
  }
  const timer = setTimeout(kill, killAfterMs[run.project])
  run.signal.addEventListener('abort', kill)
  try {
    await once(child, 'exit')
  } finally {
    clearTimeout(timer)
    run.signal.removeEventListener('abort', kill)
  }
  run.signal.throwIfAborted()
  return { talk, killed }
}

export const firstLine = (text: string): string => text.split('\n').find((line) => line.trim() !== '')?.trim() ?? ''
const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1)?.trim() ?? ''
