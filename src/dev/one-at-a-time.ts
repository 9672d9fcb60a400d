/** One stack a state folder: a second `npm start` beside a running one is told so. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Claims the folder for this process. @throws Error naming the process that has it. A claim left by a crash is taken over. */
export async function claim(stateDir: string): Promise<{ release(): Promise<void> }> {
  const file = join(stateDir, 'running.pid')
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' })
  } catch {
    const pid = Number(await readFile(file, 'utf8').catch(() => ''))
    if (isRunning(pid)) throw new Error(`it is running already here, as process ${pid}; stop that one first, or set KIFF_STATE to another folder`)
    await writeFile(file, String(process.pid))
  }
  return { release: () => rm(file, { force: true }) }
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
