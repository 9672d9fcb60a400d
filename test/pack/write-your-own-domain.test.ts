/** The page "write your own domain", followed to the letter in an empty folder, with the package as it would be installed. */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { freePort } from '../../src/dev/ports.ts'
import { startPostgres } from '../../src/dev/postgres-server.ts'
import { aShell } from './a-shell.ts'
import { anInstalledPackage, type InstalledPackage } from './a-package.ts'

const page = await readFile(join(import.meta.dirname, '../../docs/write-your-own-domain.md'), 'utf8')

/** What the page has its reader do, in its order. */
type Step =
  | { readonly do: 'write'; readonly path: string; readonly text: string }
  | { readonly do: 'run'; readonly line: string; readonly prints: string | null }
  /** For the next command only: this file without this text. */
  | { readonly do: 'without'; readonly path: string; readonly text: string }
  /** One shell for all of these: variables and processes stay. */
  | { readonly do: 'shell'; readonly script: string }

function stepsOf(markdown: string): readonly Step[] {
  const blocks = markdown.matchAll(/(?:<!-- (file|try|run):?(?: +(\S+))?(?: +(\S+))? +-->\n)?```(\w+)\n([\s\S]*?)```/g)
  return [...blocks].flatMap(([, marker, path = '', without = '', language, text = '']): Step[] => {
    if (marker === 'run') return [{ do: 'shell', script: text }]
    if (marker === 'file') return [{ do: 'write', path, text }]
    const commands = language === 'sh' ? text.trim().split('\n').map((line): Step => ({ do: 'run', line, prints: null })) : []
    const [, line = '', prints = ''] = /^\$ (.*)\n([\s\S]*)$/.exec(text) ?? []
    const shown: Step[] = language === 'console' ? [{ do: 'run', line, prints }] : []
    return [...(marker === 'try' ? [{ do: 'without' as const, path, text: without }] : []), ...commands, ...shown]
  })
}

const steps = stepsOf(page)
/** The first commands install what `anInstalledPackage` has installed already, from this very working tree. */
const isInstalling = (step: Step): boolean => step.do === 'run' && step.line.startsWith('npm ')

let installed: InstalledPackage
beforeAll(async () => {
  installed = await anInstalledPackage()
  await symlink('../typescript/bin/tsc', join(installed.folder, 'node_modules/.bin/tsc')) // as npm would have
}, 120_000)
afterAll(() => installed.remove())

const fileIn = (path: string): string => join(installed.folder, path)

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(fileIn(path)), { recursive: true })
  await writeFile(fileIn(path), text)
}

/** Runs one line as a shell would. What npm has to say of its own configuration is no part of the page. */
async function run(line: string): Promise<{ readonly code: number; readonly said: string }> {
  const { code, said } = await installed.run('sh', ['-c', line])
  return { code, said: said.replaceAll(/^npm (?:warn|notice).*\n/gm, '') }
}

function replaced(text: string, changes: Readonly<Record<string, string>>): string {
  return Object.entries(changes).reduce((changed, [from, to]) => {
    expect(changed).toContain(from)
    return changed.replaceAll(from, to)
  }, text)
}

describe('the page', () => {
  test('has files, commands, and a mistake to try', () => {
    expect(steps.map((step) => step.do)).toEqual(expect.arrayContaining(['write', 'run', 'without']))
    expect(page.match(/```(ts|json)\n/g)).toHaveLength(steps.filter((step) => step.do === 'write').length)
    expect(steps.filter(isInstalling).map((step) => step.do === 'run' && step.line)).toEqual([
      'npm init -y', 'npm pkg set type=module', 'npm install kiff-temporal zod', 'npm install --save-dev typescript @types/node',
    ])
  })

  test('works as it is printed: every file compiles, every command prints what is shown', async () => {
    let restore: (() => Promise<void>) | undefined
    for (const step of steps) {
      if (isInstalling(step)) continue
      if (step.do === 'write') await write(step.path, step.text)
      else if (step.do === 'shell') continue // below
      else if (step.do === 'without') {
        const before = await readFile(fileIn(step.path), 'utf8')
        expect(before).toContain(step.text)
        await write(step.path, before.replace(step.text, ''))
        restore = () => write(step.path, before)
      } else {
        const { code, said } = await run(step.line)
        if (step.prints !== null) expect(`$ ${step.line}\n${said}`).toBe(`$ ${step.line}\n${step.prints}`)
        expect({ line: step.line, code, said }).toEqual({ line: step.line, code: restore === undefined ? 0 : 5, said })
        await restore?.()
        restore = undefined
      }
    }
  }, 120_000)

  test('runs on servers as it is printed, with a Postgres and with ports of its own', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kiff-page-'))
    const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), databaseUrl: undefined, fsync: false, temporary: true, onProgress: () => {} })
    const billing = String(await freePort())
    const here = {
      'postgres://postgres:secret@127.0.0.1:5432/postgres': postgres.adminUrl,
      '127.0.0.1:5432': new URL(postgres.adminUrl).host,
      '127.0.0.1:7233': inject('temporalAddress'),
      'KIFF_INBOX_PERSON=nia': `KIFF_INBOX_PERSON=nia KIFF_INBOX_PORT=${await freePort()}`,
    }
    const script = steps.flatMap((step) => (step.do === 'shell' ? [step.script] : [])).join('')
    try {
      for (const path of ['billing.ts', 'activities/subscriptions.ts']) await write(path, (await readFile(fileIn(path), 'utf8')).replace('9000', billing))
      const { code, said } = await aShell(installed.folder, `set -e\n${replaced(script, here)}`)
      expect({ code, said }).toEqual({ code: 0, said: expect.stringMatching(/success-agent-1 holds success-agent in subscriptions now[\s\S]*\nstarted\n[\s\S]*credit-1\n/) })
    } finally {
      await postgres.stop()
      await rm(folder, { recursive: true, force: true })
    }
  }, 120_000)

  test('has workflows that bundle', async () => {
    const script = "const { KiffPlugin } = await import('kiff-temporal/worker'); const { bundleWorkflowCode } = await import('@temporalio/worker');"
      + "const { code } = await bundleWorkflowCode({ workflowsPath: process.cwd() + '/workflows/index.ts', plugins: [new KiffPlugin()], logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error: console.error } }); console.log(code.includes('apologize'))"
    expect(await installed.run(process.execPath, ['--input-type=module', '-e', script])).toEqual({ code: 0, said: 'true\n' })
  })
})
