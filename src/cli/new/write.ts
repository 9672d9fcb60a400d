/** The new folder on disk: nothing that is there is written over, unless that was asked for, and then it is told. */
import { randomUUID } from 'node:crypto'
import { lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exit, Failure } from '../exit.ts'
import type { GeneratedFile } from './planned.ts'

export interface WrittenFile {
  readonly path: string
  /** There was one before. */
  readonly replaced: boolean
}

/**
 * Writes the files into a folder, which is made. With `force` it may have files in it; those of the same names are replaced, each as
 * a whole, and where one is a link, the link is.
 * @throws Failure (usage) when the folder is not empty and not forced, or when something that is no file is in the way
 */
export async function writeFolder(folder: string, files: readonly GeneratedFile[], force: boolean): Promise<readonly WrittenFile[]> {
  const there = await entriesOf(folder)
  if (there.length > 0 && !force) throw new Failure(`${folder} is not empty (it has ${there.slice(0, 3).join(', ')}${there.length > 3 ? ', …' : ''}); name another folder, or say --force: it replaces ${files.map(({ name }) => name).join(', ')}`, exit.usage)
  for (const { name } of files) {
    const found = await lstat(join(folder, name)).catch(() => undefined)
    if (found?.isDirectory()) throw new Failure(`${join(folder, name)} is a folder; a file is to be written there`, exit.usage)
  }
  await mkdir(folder, { recursive: true })
  const written: WrittenFile[] = []
  for (const { name, text } of files) {
    const path = join(folder, name)
    if (there.includes(name)) await replace(path, text)
    else await writeFile(path, text, { flag: 'wx' }) // not what somebody has just put there
    written.push({ path, replaced: there.includes(name) })
  }
  return written
}

async function entriesOf(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error
    if (error.code === 'ENOENT') return []
    if (error.code === 'ENOTDIR') throw new Failure(`${folder} is no folder`, exit.usage)
    throw error
  }
}

async function replace(path: string, text: string): Promise<void> {
  const beside = `${path}.${randomUUID()}`
  try {
    await writeFile(beside, text, { flag: 'wx' })
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
}
