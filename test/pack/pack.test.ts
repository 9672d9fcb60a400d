import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { logIn } from '../../src/dev/person.ts'
import { freePort } from '../../src/dev/ports.ts'
import { startPostgres } from '../../src/dev/postgres-server.ts'
import { startTemporal } from '../../src/dev/temporal-server.ts'
import { eventually } from '../a-stack.ts'
import { aShell } from './a-section.ts'
import { anInstalledPackage, type InstalledPackage } from './a-package.ts'

const root = join(import.meta.dirname, '../..')
const manifest = z.object({
  exports: z.record(z.string(), z.union([z.string(), z.record(z.string(), z.string())])),
  bin: z.record(z.string(), z.string()),
  dependencies: z.record(z.string(), z.string()),
  peerDependencies: z.record(z.string(), z.string()),
}).parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')))

/** The code blocks of README that a `<!-- sample: name -->` stands before, by name. */
function samplesOf(readme: string): Record<string, string> {
  return Object.fromEntries([...readme.matchAll(/<!-- sample: (\S+) -->\n```\w+\n([\s\S]*?)```/g)].map(([, name = '', code = '']) => [name, code]))
}
const readme = existsSync(join(root, 'README.md')) ? await readFile(join(root, 'README.md'), 'utf8') : undefined
const all = samplesOf(readme ?? '')
const samples = Object.fromEntries(Object.entries(all).filter(([name]) => name.endsWith('.ts')))

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
    expect(installed.files.filter((path) => !/^dist\/[\w/-]+\.(js|d\.ts|sql)$/.test(path) && !['package.json', 'README.md', 'dist/cli/entry.mjs'].includes(path))).toEqual([])
  })

  test('brings no Node, and nothing else that only some machines take', async () => {
    const published: unknown = JSON.parse(await readFile(inPackage('package.json'), 'utf8'))
    expect(published).not.toHaveProperty('optionalDependencies')
    expect(existsSync(join(installed.folder, 'node_modules/.bin/node'))).toBe(false)
  })

  test('imports no package that it does not declare', async () => {
    const declared = { ...manifest.dependencies, ...manifest.peerDependencies }
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

  test('the command says what to do under an old Node', async () => {
    const old = "Object.defineProperty(process.versions, 'node', { value: '20.11.1' }); process.argv = ['node', 'entry'];"
    const { code, said } = await installed.run(process.execPath, ['--input-type=module', '-e', `${old} await import('./node_modules/kiff-temporal/${manifest.bin['kiff-temporal']}')`])
    expect({ code, said }).toEqual({ code: 1, said: 'Node 20.11.1 is too old: install Node 22.22 or newer.\n' })
  })

  test.each(['tour', 'dev'])('%s, where there is no application, says so and ends', async (name) => {
    const { code, said } = await installed.run('npx', ['--no-install', 'kiff-temporal', name])
    expect({ code, said }).toEqual({ code: 2, said: expect.stringMatching(/^.\/activities\/app.ts does not exist; run this in the folder of an application, or name its description with --app$/m) })
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

const onProgress = (): void => {}

describe.skipIf(readme === undefined)("README's sample", () => {
  test('is there: every file and command of the section', () => {
    expect(Object.keys(all)).toEqual(['domain.ts', 'workflow.ts', 'executors.ts', 'gate-worker.ts', 'agent-worker.ts', 'setup.sh', 'setup.txt', 'run.sh', 'start.ts'])
    const [, section = ''] = /^## Add it to a worker you have\n([\s\S]*?)^## /m.exec(readme ?? '') ?? []
    expect([...section.matchAll(/(^<!-- sample: \S+ -->\n)?^```ts$/gm)].filter(([, named]) => named === undefined)).toEqual([])
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

  test('runs as it stands: keys, migrate, roles, serve, both workers; and a person grants', async () => {
    const servers = await mkdtemp(join(tmpdir(), 'kiff-section-'))
    const starting = await Promise.allSettled([
      startPostgres({ dataDir: join(servers, 'postgres'), fsync: false, temporary: true, onProgress }),
      startTemporal({ stateDir: servers, namespace: 'default', ui: false, preferredPort: 0, onProgress }),
      ...Object.entries(samples).map(([name, code]) => writeFile(join(installed.folder, name), code)),
    ])
    const [postgres, temporal] = starting
    if (postgres.status === 'rejected') throw postgres.reason
    if (temporal.status === 'rejected') throw temporal.reason
    const { host } = new URL(postgres.value.adminUrl)
    const env = { TEMPORAL_ADDRESS: temporal.value.address, KIFF_INBOX_PORT: String(await freePort()) }
    const typed = aShell(installed.folder, env, '')
    const terminal = aShell(installed.folder, env, `set -a; . ./.env; set +a; PG=${host}`)
    try {
      const setup = replaced(replaced(all['setup.sh'] ?? '', 'PG=127.0.0.1:5432', `PG=${host}`), 'postgres://postgres:secret@$PG/postgres', postgres.value.adminUrl)
      const migrations = installed.files.filter((path) => path.endsWith('.sql')).length
      expect(await typed.run(setup)).toBe(all['setup.txt']?.replace(/^\d+(?= migrations)/, String(migrations)))
      const [serve = '', gate = '', agent = '', start = ''] = (all['run.sh'] ?? '').trim().split('\n')
      const [link] = await Promise.all([terminal.start(serve, /^log in once at /), terminal.start(gate, /RUNNING/), terminal.start(agent, /RUNNING/)])
      const starts = terminal.run(start)
      const maria = await logIn(link.replace('log in once at ', ''))
      const early = starts.then((said) => { throw new Error(`nobody was asked: ${said}`) })
      const asked = await Promise.race([eventually(async () => (await maria.pending())[0]), early])
      expect(asked.request).toMatchObject({ entity_id: 'order-8', rule: 'above €100', summary: 'Refund 99900 cents on order-8' })
      expect(await maria.review(asked.request.approval_id, 'granted', 'it never came')).toMatchObject({ ok: true })
      expect(await starts).toMatch(/^allowed\norder-7-4200-\w{8}\nallowed\norder-8-99900-\w{8}\n$/)
      const check = `KIFF_AUDITOR_DATABASE_URL=postgres://kiff_auditor:$KIFF_PASSWORD_AUDITOR@$PG/kiff npx kiff-temporal replay ticket-2 --workflows ./workflow.ts --app ./domain.ts`
      expect(await terminal.run(check)).toContain('ticket-2: 2 governed steps, all as recorded')
    } catch (cause) {
      throw new Error(`${String(cause)}; serve and the workers said:\n${terminal.said()}`, { cause })
    } finally {
      await Promise.all([typed.stop(), terminal.stop()])
      await Promise.all([postgres.value.stop(), temporal.value.stop()])
      await rm(servers, { recursive: true, force: true })
    }
  }, 120_000)

  test('its domain has nothing said against it', async () => {
    await Promise.all(Object.entries(samples).map(([name, code]) => writeFile(join(installed.folder, name), code)))
    const { code, said } = await installed.run('npx', ['--no-install', 'kiff-temporal', 'verify', './domain.ts', '--executors', './executors.ts', '--strict', '--json'])
    expect({ code, said }).toEqual({ code: 0, said: expect.stringContaining('"findings":[]') })
  })

  test("a wrong start of its gate worker is told in one sentence", async () => {
    await Promise.all(Object.entries(samples).map(([name, code]) => writeFile(join(installed.folder, name), code)))
    const shell = aShell(installed.folder, { TEMPORAL_ADDRESS: inject('temporalAddress'), KIFF_REVIEW_KEYS: '{"keys":[]}' }, '')
    await expect(shell.run('KIFF_GATE_DATABASE_URL=postgres://kiff_gate:s3cret@127.0.0.1:1/kiff node gate-worker.ts')).rejects.toThrow(/Error: the database of kiff_gate: nothing answers at 127\.0\.0\.1:1 \(ECONNREFUSED\); start that Postgres or correct the address\n/)
  })
})

function replaced(text: string, part: string, by: string): string {
  if (!text.includes(part)) throw new Error(`README no longer says ${part}`)
  return text.replace(part, () => by)
}
