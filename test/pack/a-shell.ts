/** A script in a shell of its own, as somebody at a terminal runs it: what it leaves in the background ends with it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'

/** Runs it with the Node that runs the tests, for at most a minute and a half. @returns how it ended, and all that was said, also in the background */
export async function aShell(cwd: string, script: string): Promise<{ readonly code: number | null; readonly said: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'kiff-shell-'))
  const said = join(folder, 'said')
  const file = await open(said, 'w')
  const { NODE_OPTIONS: _, ...env } = process.env
  // A process group of its own: what is in the background belongs to it.
  const shell = spawn('sh', ['-c', script], {
    cwd, detached: true, stdio: ['ignore', file.fd, file.fd],
    env: { ...env, PATH: `${dirname(process.execPath)}${delimiter}${env['PATH'] ?? ''}` },
  })
  const overdue = setTimeout(() => { endGroup(shell.pid) }, 90_000)
  try {
    await once(shell, 'exit')
    return { code: shell.exitCode, said: await readFile(said, 'utf8') }
  } finally {
    clearTimeout(overdue)
    endGroup(shell.pid)
    await file.close()
    await rm(folder, { recursive: true, force: true })
  }
}

function endGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, 'SIGKILL')
  } catch {
    // it has ended by itself
  }
}
