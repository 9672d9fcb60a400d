/** Where the embedded server's files are, and their first making. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { SetupError } from './setup-error.ts'
import { sharedFolder } from './shared-folder.ts'
import type { SystemUser } from './system-user.ts'

const run = promisify(execFile)

export interface ClusterOptions {
  /** `postgres`'s state: the password, and the files or a note that says where they are. */
  readonly dataDir: string
  readonly binaries: PostgresBinaries
  /** Left out: as we are. */
  readonly user: SystemUser | undefined
  readonly fsync: boolean
  /** Files that must be elsewhere go where the system cleans up, should nobody discard them. */
  readonly temporary: boolean
  readonly onProgress: (line: string) => void
}

export interface Cluster {
  /** Postgres's data directory. */
  readonly folder: string
  readonly adminPassword: string
}

/** Finds the database files that belong to `dataDir`, or makes new ones (about a second). @throws SetupError when they are gone or unreachable */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const folder = await clusterFolder(options)
  const passwordFile = join(options.dataDir, 'admin-password')
  const password = await readFile(passwordFile, 'utf8').catch(() => undefined)
  if (await exists(join(folder, 'PG_VERSION'))) {
    if (password === undefined) throw new SetupError(`${passwordFile} is gone, and with it the way into the database; remove ${options.dataDir} to start with an empty one`)
    return { folder, adminPassword: password }
  }
  options.onProgress(`creating a Postgres database in ${folder} (once, about a second)`)
  const adminPassword = password ?? randomBytes(24).toString('hex')
  await writeFile(passwordFile, adminPassword, { mode: 0o600 })
  await initialise(options, folder, adminPassword)
  return { folder, adminPassword }
}

/** Removes `dataDir` and the database files that belong to it, wherever they are. The server must have ended. */
export async function discardCluster(dataDir: string): Promise<void> {
  const elsewhere = await readNote(dataDir)
  // What a note says is believed only where it names a folder as we make them.
  if (/\/(kiff-postgres|cluster)-\w{6}\/cluster$/.test(elsewhere)) await rm(dirname(elsewhere), { recursive: true, force: true })
  await rm(dataDir, { recursive: true, force: true })
}

const noteIn = (dataDir: string): string => join(dataDir, 'cluster-is-at')
const readNote = async (dataDir: string): Promise<string> => (await readFile(noteIn(dataDir), 'utf8').catch(() => '')).trim()

async function clusterFolder({ dataDir, user, temporary }: ClusterOptions): Promise<string> {
  const inside = join(dataDir, 'cluster')
  const elsewhere = await readNote(dataDir)
  if (elsewhere !== '') {
    if (await exists(dirname(elsewhere))) return elsewhere
    throw new SetupError(`${noteIn(dataDir)} names ${elsewhere}, which is gone; remove ${dataDir} to start with an empty database`)
  }
  if (user === undefined) return inside
  await chmod(dataDir, 0o711)
  if (await canEnter(user, dataDir)) return inside
  if (await exists(inside)) throw new SetupError(`the user that Postgres runs as can no longer enter ${dataDir}; open the folders above it (chmod o+x), or remove it to start with an empty database`)
  const place = join(await reachableFolder(user, temporary), 'cluster')
  await writeFile(noteIn(dataDir), `${place}\n`)
  return place
}

async function reachableFolder(user: SystemUser, temporary: boolean): Promise<string> {
  if (temporary) {
    const folder = await mkdtemp(join(tmpdir(), 'kiff-postgres-'))
    await chmod(folder, 0o711)
    if (await canEnter(user, folder)) return folder
    await rm(folder, { recursive: true })
  }
  const folder = await mkdtemp(join(await sharedFolder(), 'cluster-'))
  await chmod(folder, 0o711)
  return folder
}

/** Made beside its place and renamed, so that one who is killed in between leaves nothing that looks whole. */
async function initialise({ binaries, user, fsync }: ClusterOptions, folder: string, adminPassword: string): Promise<void> {
  const half = `${folder}.new`
  const passwordFile = `${folder}.password`
  await rm(half, { recursive: true, force: true })
  await mkdir(half, { mode: 0o700 })
  await writeFile(passwordFile, adminPassword, { mode: 0o600 })
  try {
    if (user !== undefined) await Promise.all([half, passwordFile].map((file) => chown(file, user.uid, user.gid)))
    const args = ['--auth=scram-sha-256', '--username=postgres', '--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
    await run(binaries.initdb, [`--pgdata=${half}`, `--pwfile=${passwordFile}`, ...args, ...(fsync ? [] : ['--no-sync'])], {
      ...user, cwd: '/', env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' },
    })
    await rm(folder, { recursive: true, force: true })
    await rename(half, folder)
  } catch (cause) {
    await rm(half, { recursive: true, force: true })
    const reason = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim().split('\n').slice(-3).join(' | ') : String(cause)
    throw new SetupError(`the database files could not be made in ${folder}: ${reason}`, { cause })
  } finally {
    await rm(passwordFile, { force: true })
  }
}

/** Asked of the system, because permissions are more than mode bits. */
async function canEnter(user: SystemUser, folder: string): Promise<boolean> {
  return run('/bin/sh', ['-c', 'test -x "$1/."', 'sh', folder], { ...user, cwd: '/', env: {} }).then(() => true, () => false)
}

const exists = (path: string): Promise<boolean> => stat(path).then(() => true, () => false)
