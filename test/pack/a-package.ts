/** The package as npm would publish it, installed in an empty folder, without the repository's sources or its `kiff-source` condition. */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)

export interface InstalledPackage {
  /** Where a user's code would be; `node_modules/kiff-temporal` is the tarball's content. */
  readonly folder: string
  /** The tarball's files, as paths within the package. */
  readonly files: readonly string[]
  /** Runs a command in that folder. @returns how it ended, and all it said */
  readonly run: (command: string, args: readonly string[]) => Promise<{ readonly code: number; readonly said: string }>
  readonly remove: () => Promise<void>
}

/** Peers, and what a user's own project has, at the repository's versions. */
const beside = ['@temporalio', 'zod', 'typescript', '@typescript', '@types']

export async function anInstalledPackage(): Promise<InstalledPackage> {
  const base = await mkdtemp(join(tmpdir(), 'kiff-pack-'))
  const [source, folder] = [join(base, 'source'), join(base, 'app')]
  await Promise.all([mkdir(source), mkdir(folder)])
  // Built and packed in a copy: nobody else's `dist` is touched.
  for (const name of ['src', 'package.json', 'README.md', 'tsconfig.json', 'tsconfig.build.json']) await cp(join(root, name), join(source, name), { recursive: true })
  await symlink(join(root, 'node_modules'), join(source, 'node_modules'))
  await command(source, 'npm', ['pack', '--pack-destination', base])
  const tarball = join(base, (await readdir(base)).find((name) => name.endsWith('.tgz')) ?? 'missing.tgz')
  const { stdout } = await run('tar', ['-tzf', tarball])

  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }))
  await command(folder, 'npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--legacy-peer-deps', tarball])
  for (const name of beside) await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  return {
    folder,
    files: stdout.split('\n').filter((line) => line !== '').map((line) => line.replace(/^package\//, '')),
    run: (name, args) => attempt(folder, name, args),
    remove: () => rm(base, { recursive: true, force: true }),
  }
}

/** The Node that runs the tests, and no condition of theirs. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...env } = process.env
  return { ...env, PATH: `${dirname(process.execPath)}${delimiter}${env['PATH'] ?? ''}` }
}

async function command(cwd: string, name: string, args: readonly string[]): Promise<void> {
  const { code, said } = await attempt(cwd, name, args)
  if (code !== 0) throw new Error(`${name} ${args.join(' ')} ended with ${code}:\n${said}`)
}

async function attempt(cwd: string, name: string, args: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
  try {
    const { stdout, stderr } = await run(name, [...args], { cwd, env: environment(), maxBuffer: 16_000_000 })
    return { code: 0, said: stdout + stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: number | string; stdout?: string; stderr?: string }
    if (typeof code !== 'number') throw error
    return { code, said: `${stdout ?? ''}${stderr ?? ''}` }
  }
}
