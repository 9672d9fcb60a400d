/** The released Temporal CLI, which carries the development server: downloaded once, checked, kept in the user's cache. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

export const temporalVersion = '1.5.1'

export interface Archive {
  readonly url: string
  /** Hex, of the archive. */
  readonly sha256: string
}

const checksums: Readonly<Record<string, string>> = {
  'linux-amd64': 'ddc95e08b0b076efd4ea9733a3f488eb7d2be875f8834e616cd2a37358b4852d',
  'linux-arm64': 'bd1b0db9f18b051026de8bf6cc1505f2510f14bbb7a8b9a4a91fff46c77454f5',
  'darwin-amd64': 'bbb73e2a31135abe50a1f1cdb35030c42961df618e8ce9c60ae89f201540c5d9',
  'darwin-arm64': 'cca01b7ea35ad56e2a328d9ae596bf716bd22313ef63c7a761c88354457c2415',
}

const answerWithinMs = 5_000
const doneWithinMs = 300_000

/** The released archive for this machine; `undefined` when there is none. */
export function temporalArchive(): Archive | undefined {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch
  const sha256 = checksums[`${process.platform}-${arch}`]
  return sha256 === undefined ? undefined : { url: `https://temporal.download/cli/archive/v${temporalVersion}?platform=${process.platform}&arch=${arch}`, sha256 }
}

/**
 * Downloads the archive and puts its `temporal` at `place`, in one step. Gives up after 5 s without an answer.
 * @throws Error when it cannot be had, or is not the archive that was meant
 */
export async function downloadTemporal(archive: Archive, place: string, onProgress: (line: string) => void): Promise<void> {
  const bytes = await load(archive.url, onProgress)
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found !== archive.sha256) throw new Error(`its SHA-256 is ${found}, not ${archive.sha256}`)
  await mkdir(dirname(place), { recursive: true })
  const half = await mkdtemp(join(dirname(place), 'unpacking-'))
  try {
    await writeFile(join(half, 'archive.tar.gz'), bytes)
    await promisify(execFile)('tar', ['-xzf', 'archive.tar.gz', 'temporal'], { cwd: half })
    await chmod(join(half, 'temporal'), 0o755)
    await rename(join(half, 'temporal'), place)
  } finally {
    await rm(half, { recursive: true, force: true })
  }
}

async function load(url: string, onProgress: (line: string) => void): Promise<Buffer> {
  const aborting = new AbortController()
  const slow = (ms: number, what: string): NodeJS.Timeout => setTimeout(() => aborting.abort(new Error(what)), ms).unref()
  const timers = [slow(answerWithinMs, `no answer within ${answerWithinMs / 1000} s`), slow(doneWithinMs, `not done within ${doneWithinMs / 1000} s`)]
  try {
    const response = await fetch(url, { signal: aborting.signal })
    if (!response.ok) throw new Error(`the answer is HTTP ${response.status}`)
    clearTimeout(timers[0])
    onProgress(`downloading the Temporal server (${url})`)
    return Buffer.from(await response.arrayBuffer())
  } finally {
    timers.forEach((timer) => clearTimeout(timer))
  }
}
