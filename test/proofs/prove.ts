/** Proves guards: every named test passes as things are, and fails when its guard alone is weakened. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { weakened } from './copy.ts'
import { occurrences, type Guard } from './guard.ts'
import { judge, unfit, type Judgement } from './judge.ts'
import { runTests, type Project, type RunEnd } from './run-tests.ts'

export interface ProveOptions {
  /** Copies of the tree; one job each. */
  readonly folders: readonly string[]
  readonly projects: ReadonlyMap<string, readonly string[]>
  readonly env: Readonly<Record<string, string>>
  /** Without mutations, each named test runs by itself, not with the others of its file: shows tests that lean on others. */
  readonly alone: boolean
  readonly signal: AbortSignal
  readonly onProgress: (line: string) => void
  readonly onProof: (proof: Proof) => void
}

export interface Proof extends Judgement {
  readonly guard: Guard
  readonly ms: number
}

/** The project a guard's test runs in; `undefined` when no project has the file. */
export function projectOf(guard: Guard, projects: ProveOptions['projects']): Project | undefined {
  const found = projects.get(guard.test) ?? []
  if (found.includes('unit') && guard.store !== 'postgres') return 'unit'
  return found.includes('servers') ? 'servers' : undefined
}

export async function prove(guards: readonly Guard[], options: ProveOptions): Promise<void> {
  const { folders, env, signal, projects, onProgress } = options
  const fit: { readonly guard: Guard; readonly project: Project }[] = []
  const found = (guard: Guard, judgement: Judgement, ms = 0): void => options.onProof({ guard, ...judgement, ms })
  const stale = (guard: Guard, note: string): void => found(guard, { verdict: 'stale', note })

  for (const guard of guards) {
    const times = occurrences(sourceOf(folders[0] ?? '', guard.file), guard.from)
    const project = projectOf(guard, projects)
    if (times !== 1) stale(guard, `its text is in ${guard.file} ${times} times`)
    else if (project === undefined) stale(guard, `there is no test file ${guard.test}`)
    else fit.push({ guard, project })
  }

  const batches = [...Map.groupBy(fit, ({ guard, project }) => [project, guard.test, ...(options.alone ? [guard.name] : [])].join(' ')).values()]
  onProgress(`${fit.length} guards; first ${batches.length} runs without a mutation`)
  const ready: typeof fit = []
  await inJobs(batches, folders, async (batch, folder) => {
    const [first] = batch
    if (first === undefined) return
    const names = [...new Set(batch.map(({ guard }) => guard.name))]
    const run = await runTests({ folder, project: first.project, file: first.guard.test, names, env, signal })
    for (const each of batch) {
      const why = unfit(each.guard, run)
      if (why === undefined) ready.push(each)
      else stale(each.guard, why)
    }
  })

  let done = 0
  const order = new Map(guards.map((guard, at) => [guard, at]))
  ready.sort((a, b) => Number(a.project === 'servers') - Number(b.project === 'servers') || (order.get(a.guard) ?? 0) - (order.get(b.guard) ?? 0))
  await inJobs(ready, folders, async ({ guard, project }, folder) => {
    const since = Date.now()
    const run: RunEnd = await weakened(folder, guard, () => runTests({ folder, project, file: guard.test, names: [guard.name], env, signal }))
    const judgement = judge(guard, run)
    const ms = Date.now() - since
    onProgress(`${++done}/${ready.length} ${judgement.verdict} ${guard.id} (${(ms / 1000).toFixed(1)} s)`)
    found(guard, judgement, ms)
  })
}

function sourceOf(folder: string, file: string): string {
  try {
    return readFileSync(join(folder, file), 'utf8')
  } catch {
    return ''
  }
}

/** Each job takes the next item when it has done with one, in a folder of its own. When one fails, the others have ended too before that is told. */
async function inJobs<T>(items: readonly T[], folders: readonly string[], work: (item: T, folder: string) => Promise<void>): Promise<void> {
  const queue = items.values()
  let failed = false
  const jobs = folders.map(async (folder) => {
    for (const item of queue) {
      if (failed) return
      await work(item, folder).catch((error: unknown) => {
        failed = true
        throw error
      })
    }
  })
  await Promise.allSettled(jobs)
  await Promise.all(jobs)
}
