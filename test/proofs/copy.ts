/** A copy of the working tree to weaken: the repository itself is never touched. */
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Guard } from './guard.ts'

const root = join(import.meta.dirname, '../..')
const left = new Set(['node_modules', '.git', '.kiff', 'dist'])

/** @param folder made here; the packages are linked one by one, so that caches are written to the copy */
export async function copyTree(folder: string): Promise<void> {
  await cp(root, folder, { recursive: true, filter: (path) => !left.has(basename(path)) })
  const packages = join(root, 'node_modules')
  await mkdir(join(folder, 'node_modules'))
  for (const name of await readdir(packages)) {
    if (!name.startsWith('.') || name === '.bin') await symlink(join(packages, name), join(folder, 'node_modules', name))
  }
}

/** Weakens one guard while `run` runs. */
export async function weakened<T>(folder: string, guard: Guard, run: () => Promise<T>): Promise<T> {
  const path = join(folder, guard.file)
  const source = await readFile(path, 'utf8')
  await writeFile(path, source.replace(guard.from, () => guard.to))
  try {
    return await run()
  } finally {
    await writeFile(path, source)
  }
}
