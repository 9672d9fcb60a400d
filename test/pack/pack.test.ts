import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { anInstalledPackage, type InstalledPackage } from './a-package.ts'

const root = join(import.meta.dirname, '../..')
const manifest = z.object({
  exports: z.record(z.string(), z.union([z.string(), z.record(z.string(), z.string())])),
  bin: z.record(z.string(), z.string()),
  dependencies: z.record(z.string(), z.string()),
  peerDependencies: z.record(z.string(), z.string()),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
}).parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')))

/** The code blocks of README that a `<!-- sample: name -->` stands before, by name. */
function samplesOf(readme: string): Record<string, string> {
  return Object.fromEntries([...readme.matchAll(/<!-- sample: (\S+) -->\n```ts\n([\s\S]*?)```/g)].map(([, name = '', code = '']) => [name, code]))
}
const readme = existsSync(join(root, 'README.md')) ? await readFile(join(root, 'README.md'), 'utf8') : undefined
const samples = samplesOf(readme ?? '')

let installed: InstalledPackage
beforeAll(async () => { installed = await anInstalledPackage() }, 120_000)
afterAll(() => installed.remove())

const inPackage = (path: string): string => join(installed.folder, 'node_modules/kiff-temporal', path)

describe('the tarball', () => {
  const targets = Object.values(manifest.exports).flatMap((target) => (typeof target === 'string' ? [target] : Object.entries(target).filter(([condition]) => condition !== 'kiff-source').map(([, path]) => path)))

  test.each([...targets, ...Object.values(manifest.bin)])('holds %s, which package.json names', (path) => {
    expect(installed.files).toContain(path.replace(/^\.\//, ''))
  })

  test('holds every migration, unchanged', async () => {
    const migrations = installed.files.filter((path) => path.endsWith('.sql'))
    expect(migrations.length).toBeGreaterThan(4)
    for (const path of migrations) expect(await readFile(inPackage(path), 'utf8')).toBe(await readFile(join(root, path.replace(/^dist/, 'src')), 'utf8'))
  })

  test('holds nothing else: no source, test, state, or key', () => {
    expect(installed.files.filter((path) => !/^dist\/[\w/-]+\.(js|d\.ts|sql)$/.test(path) && path !== 'package.json' && path !== 'README.md')).toEqual([])
  })

  test('imports no package that it does not declare', async () => {
    const declared = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies }
    const undeclared: string[] = []
    for (const path of installed.files.filter((each) => /\.(js|d\.ts)$/.test(each))) {
      const code = (await readFile(inPackage(path), 'utf8')).replaceAll(/\/\*[\s\S]*?\*\//g, '')
      for (const [, target = ''] of code.matchAll(/^\s*(?:import|export)\s+(?:[^'";]*?\sfrom\s+)?['"]([^'".][^'"]*)['"]/gm)) {
        const name = target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : (target.split('/')[0] ?? target)
        if (!name.startsWith('node:') && !Object.hasOwn(declared, name)) undeclared.push(`${path} imports ${target}`)
      }
    }
    expect(undeclared).toEqual([])
  })
})

describe('installed in an empty folder', () => {
  const names = Object.keys(manifest.exports).filter((path) => path !== './package.json').map((path) => path.replace('.', 'kiff-temporal'))

  // `kiff-temporal/workflow` is for the sandbox, which has no `import()`; its bundle is tested with the workflows.
  test.each(names.filter((name) => name !== 'kiff-temporal/workflow'))('%s can be imported', async (name) => {
    const { code, said } = await installed.run(process.execPath, ['--input-type=module', '-e', `const all = await import('${name}'); console.log(Object.keys(all).length)`])
    expect({ code, said }).toEqual({ code: 0, said: expect.stringMatching(/^[1-9]\d*\n$/) })
  })

  test('the command tells what it can do', async () => {
    const { code, said } = await installed.run('npx', ['--no-install', 'kiff-temporal', '--help'])
    expect(said).toContain('Usage: kiff-temporal')
    expect(code).toBe(0)
  })

  test('a gate worker\'s plugin finds its workflow interceptors', async () => {
    const script = "const { KiffPlugin } = await import('kiff-temporal/worker'); const { bundleWorkflowCode } = await import('@temporalio/worker'); const { writeFileSync } = await import('node:fs');"
      + "writeFileSync('flows.mjs', \"export { governed } from 'kiff-temporal/workflow'\");"
      + "const { code } = await bundleWorkflowCode({ workflowsPath: process.cwd() + '/flows.mjs', plugins: [new KiffPlugin()], logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error: console.error } }); console.log(code.includes('kiff.review'))"
    expect(await installed.run(process.execPath, ['--input-type=module', '-e', script])).toEqual({ code: 0, said: 'true\n' })
  })
})

/** Type-checks these files as a user's project would. @returns what the compiler says; empty when all is well */
const typeCheck = async (files: Readonly<Record<string, string>>): Promise<string> => {
  const tsconfig = {
    compilerOptions: { target: 'es2024', module: 'nodenext', strict: true, exactOptionalPropertyTypes: true, noEmit: true, allowImportingTsExtensions: true, verbatimModuleSyntax: true, types: ['node'], skipLibCheck: true },
    files: Object.keys(files),
  }
  for (const [name, text] of Object.entries({ ...files, 'tsconfig.json': JSON.stringify(tsconfig) })) await writeFile(join(installed.folder, name), text)
  const { said } = await installed.run(process.execPath, [join(installed.folder, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json'])
  return said
}

describe.skipIf(readme === undefined)("README's sample", () => {
  test('is there: a domain, and a workflow', () => {
    expect(Object.keys(samples)).toEqual(['domain.ts', 'workflow.ts'])
  })

  test('type-checks against what is installed', async () => {
    expect(await typeCheck(samples)).toBe('')
  })

  test('is truly checked: a wrong parameter, a wrong domain and a wrong executor are not let through', async () => {
    const wrong = `
import { governed } from 'kiff-temporal/workflow'
import { executors } from 'kiff-temporal/worker'
import { refunds } from './domain.ts'
const order = governed<typeof refunds>('refunds', { actor: 'a', startToCloseTimeout: '1 minute' })
export const one = order.REFUND_ORDER('order-1', { amountCents: 'x' })
export const two = governed<typeof refunds>('payouts', { actor: 'a', startToCloseTimeout: '1 minute' })
export const three = executors(refunds, {})
`
    const said = await typeCheck({ ...samples, 'wrong.ts': wrong })
    expect([...said.matchAll(/^wrong\.ts\((\d+),\d+\): error (TS\d+)/gm)].map(([, line]) => Number(line))).toEqual([6, 7, 8])
  })

  test('runs as it stands: the domain loads', async () => {
    await writeFile(join(installed.folder, 'domain.ts'), samples['domain.ts'] ?? '')
    const { said } = await installed.run(process.execPath, ['--input-type=module', '-e', "const { refunds } = await import('./domain.ts'); console.log(refunds.name)"])
    expect(said).toBe('refunds\n')
  })
})
