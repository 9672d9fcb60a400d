/** Processes of the machine, as /proc has them. */
import { readdir, readFile } from 'node:fs/promises'

interface Known { readonly pid: number; readonly parent: number; readonly command: string }

async function processes(): Promise<readonly Known[]> {
  const all = await readdir('/proc')
  const found = await Promise.all(all.filter((name) => /^\d+$/.test(name)).map(async (pid): Promise<Known[]> => {
    const [stat, command] = await Promise.all(['stat', 'cmdline'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')))
    if (stat === undefined || stat === '') return [] // it has just ended
    return [{ pid: Number(pid), parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]), command: command?.replaceAll('\0', ' ') ?? '' }]
  }))
  return found.flat()
}

export async function childrenOf(parent: number): Promise<readonly number[]> {
  return (await processes()).filter((each) => each.parent === parent).map(({ pid }) => pid)
}

/** Those whose command line has all of these words. */
export async function whoseCommand(...words: readonly string[]): Promise<readonly number[]> {
  return (await processes()).filter(({ command }) => words.every((word) => command.includes(word))).map(({ pid }) => pid)
}

/** SIGKILL, to one that may have ended by itself. */
export function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has.
  }
}
