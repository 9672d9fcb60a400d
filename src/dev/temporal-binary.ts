/** Finds the `temporal` binary, or gets it. The first way that works wins; the order is documented in the README. */
import { execFile, spawn } from 'node:child_process'
import { access, constants, mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import { SetupError } from './setup-error.ts'
import { downloadTemporal, temporalArchive, temporalVersion, type Archive } from './temporal-download.ts'

const run = promisify(execFile)

export interface FindOptions {
  /** Where KIFF_TEMPORAL_CLI, PATH, HOME, XDG_CACHE_HOME and Go's variables are read. Default: ours. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Default: the released one for this machine. */
  readonly archive?: Archive | undefined
  readonly onProgress: (line: string) => void
}

const goModule = `github.com/temporalio/cli/cmd/temporal@v${temporalVersion}`
const buildWithinMs = 20 * 60_000
const sayEveryMs = 15_000

/**
 * The path of a `temporal` that runs: KIFF_TEMPORAL_CLI, PATH, our cache, Go's bin folders, then downloaded, then built by Go
 * (about two minutes) into our cache.
 * @throws SetupError that lists the ways
 */
export async function findTemporal(options: FindOptions): Promise<string> {
  const env = options.env ?? process.env
  const named = env['KIFF_TEMPORAL_CLI'] ?? ''
  if (named !== '') {
    if (await isTemporal(named)) return named
    throw new SetupError(`KIFF_TEMPORAL_CLI is "${named}", which does not run as a Temporal CLI; name the temporal binary by its full path, or unset it`, { exitCode: 2 })
  }
  const go = await onPath('go', env)
  const cached = join(cacheFolder(env), 'temporal')
  for (const place of [...onPathAs(env), cached, ...await goBinaries(go, env)]) if (await isTemporal(place)) return place

  const reasons: string[] = []
  const archive = 'archive' in options ? options.archive : temporalArchive()
  if (archive === undefined) reasons.push(`there is no release for ${process.platform} ${process.arch}`)
  else {
    const failure = await downloadTemporal(archive, cached, options.onProgress).then(() => undefined, rootCause)
    if (failure === undefined && (await isTemporal(cached))) return cached
    reasons.push(`the download from ${new URL(archive.url).host} failed (${failure ?? 'it does not run here'})`)
  }
  if (go === undefined) reasons.push('Go is not on the PATH to build it')
  else {
    const failure = await build(go, cacheFolder(env), env, options.onProgress)
    if (failure === undefined && (await isTemporal(cached))) return cached
    reasons.push(`"go install ${goModule}" failed (${failure ?? 'what it built does not run'})`)
  }
  throw new SetupError(
    `no Temporal server: ${reasons.join(', and ')}; set TEMPORAL_ADDRESS to one that runs, put the temporal CLI (https://docs.temporal.io/cli) on the PATH, name it in KIFF_TEMPORAL_CLI, or install Go`,
  )
}

function cacheFolder(env: NonNullable<FindOptions['env']>): string {
  const base = env['XDG_CACHE_HOME'] ?? ''
  return join(isAbsolute(base) ? base : join(home(env), '.cache'), 'kiff-temporal', 'temporal', `v${temporalVersion}`)
}

const home = (env: NonNullable<FindOptions['env']>): string => env['HOME'] ?? homedir()
const onPathAs = (env: NonNullable<FindOptions['env']>): readonly string[] => folders(env).map((folder) => join(folder, 'temporal'))
const folders = (env: NonNullable<FindOptions['env']>): readonly string[] => (env['PATH'] ?? '').split(delimiter).filter(isAbsolute)

async function onPath(name: string, env: NonNullable<FindOptions['env']>): Promise<string | undefined> {
  for (const folder of folders(env)) if (await isExecutable(join(folder, name))) return join(folder, name)
  return undefined
}

async function goBinaries(go: string | undefined, env: NonNullable<FindOptions['env']>): Promise<readonly string[]> {
  const asked = go === undefined ? '' : await run(go, ['env', 'GOBIN', 'GOPATH'], { env: { ...env } }).then(({ stdout }) => stdout, () => '')
  const [bin = '', paths = ''] = asked.split('\n').map((line) => line.trim())
  const places = [bin, ...paths.split(delimiter).filter(isAbsolute).map((path) => join(path, 'bin')), join(home(env), 'go', 'bin')]
  return places.filter(isAbsolute).map((folder) => join(folder, 'temporal'))
}

const isExecutable = (file: string): Promise<boolean> => access(file, constants.X_OK).then(() => true, () => false)

async function isTemporal(file: string): Promise<boolean> {
  if (!(await isExecutable(file))) return false
  return run(file, ['--version'], { timeout: 20_000 }).then(({ stdout }) => stdout.startsWith('temporal version'), () => false)
}

/** @returns what went wrong */
async function build(go: string, into: string, env: NonNullable<FindOptions['env']>, onProgress: (line: string) => void): Promise<string | undefined> {
  await mkdir(into, { recursive: true })
  const began = Date.now()
  onProgress(`building the Temporal server with Go, once, about two minutes (go install ${goModule})`)
  const telling = setInterval(() => onProgress(`building the Temporal server: ${Math.round((Date.now() - began) / 1000)} s so far`), sayEveryMs)
  try {
    return await new Promise((resolve) => {
      const child = spawn(go, ['install', goModule], { cwd: into, env: { ...env, GOBIN: into }, stdio: ['ignore', 'ignore', 'pipe'], timeout: buildWithinMs })
      let said = ''
      child.stderr.on('data', (chunk: Buffer) => { said = (said + chunk.toString()).slice(-2000) })
      child.once('error', (error) => resolve(error.message))
      child.once('close', (code, signal) => resolve(code === 0 ? undefined : said.trim().split('\n').slice(-2).join(' | ') || `it ended with ${signal ?? code}`))
    })
  } finally {
    clearInterval(telling)
  }
}

/** `fetch failed` says nothing; what it was caused by does. */
function rootCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : rootCause(error.cause)
}
