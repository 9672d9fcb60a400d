/** Postgres refuses to run as root: root needs another user to run it as. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { SetupError } from './setup-error.ts'

const run = promisify(execFile)

export interface SystemUser {
  readonly uid: number
  readonly gid: number
}

/** Whether this process is root, and so has to hand Postgres to somebody else. */
export const isRoot = (): boolean => process.getuid?.() === 0

/** The user of this name, made (without home or login) where it is missing. Root only. @throws SetupError when it cannot be made */
export async function systemUser(name: string): Promise<SystemUser> {
  const found = await idOf(name)
  if (found !== undefined) return found
  const failure = await run('useradd', ['--system', '--user-group', '--no-create-home', '--home-dir', '/', '--shell', '/bin/false', name]).then(() => undefined, (error: unknown) => error)
  const made = await idOf(name)
  if (made === undefined) {
    throw new SetupError(`Postgres does not run as root and the user "${name}" could not be made; add that user, start as another user, or set DATABASE_URL to a Postgres of yours`, { cause: failure })
  }
  return made
}

async function idOf(name: string): Promise<SystemUser | undefined> {
  try {
    const [uid, gid] = await Promise.all(['-u', '-g'].map(async (which) => Number((await run('id', [which, name])).stdout)))
    return uid === undefined || gid === undefined ? undefined : { uid, gid }
  } catch {
    return undefined
  }
}
