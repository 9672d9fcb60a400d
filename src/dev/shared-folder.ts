/** Root's place for what Postgres's user must reach, when the repository lies below a folder that only root may enter. */
import { lstat, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SetupError } from './setup-error.ts'

// The first outlives reboots and the cleaning of temporary files; the second is for systems that are read-only there.
const candidates = ['/var/lib/kiff-temporal', join(tmpdir(), 'kiff-temporal-root')]

/** A folder that everybody can enter and only we can change. Root only. @throws SetupError when there is none */
export async function sharedFolder(): Promise<string> {
  for (const folder of candidates) {
    await mkdir(folder, { mode: 0o755 }).catch(() => {})
    const found = await lstat(folder).catch(() => undefined)
    // In a temporary folder somebody else may have been there first.
    if (found?.isDirectory() === true && found.uid === process.getuid?.() && (found.mode & 0o022) === 0) return folder
  }
  throw new SetupError(`neither ${candidates.join(' nor ')} can hold Postgres's files; set DATABASE_URL to a Postgres of yours, or start as a user other than root`)
}
