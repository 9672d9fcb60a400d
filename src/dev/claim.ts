/** One run at a time in a state folder: two servers on the same files would ruin them. */
import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { z } from 'zod'
import { SetupError } from './setup-error.ts'

/** A pid alone is reused; with the moment its process began it names one process for good. */
const Process = z.object({ pid: z.int().positive(), began: z.string() })
const Claim = z.object({ owner: Process, server: Process.optional() })
type Claim = z.infer<typeof Claim>

export interface FolderClaim {
  /** Remembers the server that now works in the folder, so that whoever comes after a crash of ours can wait for its end. */
  holds(serverPid: number): Promise<void>
  release(): Promise<void>
}

const patienceMs = 20_000

/**
 * Claims `folder` (made where it is missing) for this process and one kind of server. A claim of a process that is gone is
 * taken over; a server it left behind is given 20 s to end (it is on a leash) and is then killed.
 * @throws SetupError when a running process holds it, or the folder cannot be written
 */
export async function claimFolder(folder: string, what: string, onProgress: (line: string) => void): Promise<FolderClaim> {
  const file = join(folder, `${what}.claim`)
  const owner = await whoIs(process.pid)
  if (owner === undefined) throw new Error('this process does not find itself')
  const earlier = await read(file)
  if (earlier !== undefined) {
    if (await runs(earlier.owner)) throw new SetupError(`${folder} is in use by another kiff-temporal, process ${earlier.owner.pid}; stop that one first`)
    if (earlier.server !== undefined) await waitForEnd(earlier.server, onProgress)
  }
  const write = (claim: Claim, flag: 'wx' | 'w'): Promise<void> => writeFile(file, JSON.stringify(claim), { flag, mode: 0o600 })
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await rm(file, { force: true })
    await write({ owner }, 'wx')
  } catch (cause) {
    throw new SetupError(`${folder} cannot be used by this user, or was taken by another kiff-temporal this moment (${cause instanceof Error ? cause.message : String(cause)})`, { cause })
  }
  return {
    async holds(serverPid) {
      const server = await whoIs(serverPid)
      await write(server === undefined ? { owner } : { owner, server }, 'w')
    },
    release: () => rm(file, { force: true }),
  }
}

/** The command line of a running process; `undefined` when there is no such process. */
export async function commandLine(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return ps(pid, 'command=')
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return line === '' ? undefined : line.replaceAll('\0', ' ')
}

async function waitForEnd(server: Claim['owner'], onProgress: (line: string) => void): Promise<void> {
  if (!(await runs(server))) return
  onProgress('waiting for a server that an earlier run left behind')
  for (const until = Date.now() + patienceMs; Date.now() < until && (await runs(server)); ) await pause(50)
  if (await runs(server)) process.kill(-server.pid, 'SIGKILL')
}

async function runs(who: Claim['owner']): Promise<boolean> {
  return (await whoIs(who.pid))?.began === who.began
}

async function whoIs(pid: number): Promise<Claim['owner'] | undefined> {
  const began = process.platform === 'linux' ? await linuxStart(pid) : await ps(pid, 'lstart=')
  return began === undefined ? undefined : { pid, began }
}

/** Clock ticks after boot. The name of the command, in brackets, may itself hold spaces and brackets; a zombie runs no more. */
async function linuxStart(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? undefined : fields[19]
}

async function ps(pid: number, format: string): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)('ps', ['-o', format, '-p', String(pid)]).catch(() => ({ stdout: '' }))
  return stdout.trim() === '' ? undefined : stdout.trim()
}

async function read(file: string): Promise<Claim | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '')
  // A crash while it was written leaves a claim of nobody.
  try {
    return Claim.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
