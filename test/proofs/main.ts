/** `npm run proofs`: weakens each guard alone, in a copy of the tree, and sees its named test fail. */
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { endWhenUnread, stopOnSignal } from '../../src/cli/interrupts.ts'
import { createStops, type Stops } from '../../src/dev/stops.ts'
import { startOwnServers } from '../own-servers.ts'
import { copyTree } from './copy.ts'
import { loadAreas } from './guards/index.ts'
import { projectOf, prove, type Proof } from './prove.ts'
import { projectsOf } from './run-tests.ts'
import { writeTables } from './table.ts'

const help = `npm run proofs -- [options]

Every guard is weakened alone, and the test named for it must fail. Those that need servers get a Postgres and a Temporal server
started for this alone.

  --only <id or area>  only these; may be repeated
  --since <commit>     only those whose source or test has changed since then
  --jobs <n>           runs at a time, each in a copy of the tree (default: number of cores)
  --alone              without mutations, run each named test by itself and not with the others of its file
  --list               name the guards and run nothing
  --table              write the tables of docs/proofs.md and run nothing
  --json               one object a line
  --help

Exit code: 0 when every guard is proven, 1 otherwise, 2 for wrong options, 130 when stopped.
The last line is "<n> proven, <n> survived, <n> stale"; stale means that the entry no longer fits the code or its test.`

const say = (line: string): void => {
  process.stderr.write(`${line}\n`)
}
const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: {
    only: { type: 'string', multiple: true, default: [] }, since: { type: 'string' }, jobs: { type: 'string', default: String(availableParallelism()) },
    alone: { type: 'boolean', default: false }, list: { type: 'boolean', default: false }, table: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
  } })
  if (values.help) {
    print(help)
    return 0
  }
  const areas = await loadAreas()
  if (values.table) {
    writeTables(areas)
    return 0
  }
  const all = areas.flatMap(({ name, guards }) => guards.map((guard) => ({ area: name, guard })))
  const unknown = values.only.filter((only) => !all.some(({ area, guard }) => area === only || guard.id === only))
  const jobs = Number(values.jobs)
  if (unknown.length > 0 || !Number.isSafeInteger(jobs) || jobs < 1) {
    say(unknown.length > 0 ? `no guard or area named ${unknown.join(', ')}; --list names them` : '--jobs takes a whole number from 1')
    return 2
  }
  const changed = values.since === undefined ? null : changedSince(values.since)
  const chosen = all
    .filter(({ area, guard }) => values.only.length === 0 || values.only.includes(area) || values.only.includes(guard.id))
    .filter(({ guard }) => changed === null || changed.has(guard.file) || changed.has(guard.test))
  const areaOf = new Map(chosen.map(({ area, guard }) => [guard, area]))
  if (values.list) {
    for (const { area, guard } of chosen) print(values.json ? JSON.stringify({ area, ...guard }) : `${area}  ${guard.id}  ${guard.guards}`)
    return 0
  }

  const signal = stopOnSignal(say)
  const stops = createStops(say)
  const proofs: Proof[] = []
  try {
    const folder = await mkdtemp(join(tmpdir(), 'kiff-proofs-'))
    await stops.add(() => rm(folder, { recursive: true, force: true, maxRetries: 5 })) // what a killed run has started may still write
    const folders = Array.from({ length: Math.min(jobs, chosen.length) }, (_, at) => join(folder, `copy-${at + 1}`))
    await Promise.all(folders.map(copyTree))
    const projects = await projectsOf(folders[0] ?? '', signal)
    const guards = chosen.map(({ guard }) => guard)
    const env = guards.some((guard) => projectOf(guard, projects) === 'servers') ? await serverUrls(folder, stops) : {}
    await prove(guards, {
      folders, projects, env, alone: values.alone, signal, onProgress: say,
      onProof(proof) {
        proofs.push(proof)
        const { guard: { id, file, guards, test, name }, ...judged } = proof
        if (values.json) print(JSON.stringify({ area: areaOf.get(proof.guard), id, ...judged, file, guards, test, name }))
      },
    })
  } catch (error) {
    if (!signal.aborted) throw error
    return 130
  } finally {
    await stops.stop()
  }
  const count = (verdict: Proof['verdict']): number => proofs.filter((proof) => proof.verdict === verdict).length
  const [proven, survived, stale] = [count('proven'), count('survived'), count('stale')]
  if (values.json) print(JSON.stringify({ proven, survived, stale }))
  else {
    for (const { guard } of chosen) for (const proof of proofs.filter((each) => each.guard === guard)) print(lineOf(proof))
    print(`${proven} proven, ${survived} survived, ${stale} stale`)
  }
  return survived + stale === 0 ? 0 : 1
}

/** As `test/servers.setup.ts` reads them: one of each for all runs. */
async function serverUrls(folder: string, stops: Stops): Promise<Readonly<Record<string, string>>> {
  const { postgresAdminUrl, temporalAddress } = await startOwnServers(folder, stops, say)
  return { DATABASE_URL: postgresAdminUrl, TEMPORAL_ADDRESS: temporalAddress }
}

/** Files that differ from that commit's, from the repository's root. @throws TypeError when there is no such commit */
function changedSince(commit: string): ReadonlySet<string> {
  const { status, stdout, stderr } = spawnSync('git', ['diff', '--name-only', `${commit}^{commit}`, '--'], { encoding: 'utf8' })
  if (status !== 0) throw new TypeError(`--since takes a commit of this repository: ${stderr.trim()}`)
  return new Set(stdout.split('\n'))
}

function lineOf({ guard, verdict, note }: Proof): string {
  const short = note.length > 110 ? `${note.slice(0, 109)}…` : note
  return `${verdict.padEnd(8)}  ${guard.id}  ${guard.test} — ${guard.name}\n          ${short}`
}

endWhenUnread()
try {
  process.exitCode = await main()
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = error instanceof TypeError ? 2 : 1
}
