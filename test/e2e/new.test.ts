/** `new`: what it makes type-checks, verifies, and passes its own test, whatever names are in it; and what it will not make. */
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { constantOf, entityOf } from '../../src/cli/new/names.ts'
import { startingFrom, type Generated } from '../../src/cli/new/generate.ts'
import { nextSteps } from '../../src/cli/new/next-steps.ts'
import { writeFolder } from '../../src/cli/new/write.ts'
import { isError } from '../../src/core/findings.ts'
import { executorFindings } from '../../src/core/verify-executors.ts'
import { verifyDomain } from '../../src/core/verify.ts'
import type { Domain } from '../../src/core/domain.ts'
import type { BoundDomain } from '../../src/gate/binding.ts'
import { anInstalledPackage } from '../pack/a-package.ts'
import { aCommand } from './a-command.ts'
import { a, generatedFrom, hostile, randomDescriptor, refund, starter, type Fields } from './descriptors.ts'

const run = promisify(execFile)

let folder: string
/** In the repository, so that what is written there can import the package. */
beforeAll(() => { folder = mkdtempSync('.new-') })
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })

async function newDomain(...args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  const command = aCommand(['new', ...args])
  const code = await command.exited
  return { code, out: command.lines.join('\n'), err: command.stderr().trim() }
}

function written(name: string, fields: Fields): string {
  const path = join(folder, name)
  writeFileSync(path, JSON.stringify(fields))
  return path
}

const folderOf = (index: number): string => join(folder, `all-${index}`)

describe('what is made', () => {
  /** Names that a constant of the module cannot have, or has already. */
  const awkward = ['class', 'new', 'await', 'arguments', 'eval', 'undefined', 'global-this', 'enum', 'let', 'static', 'type', 'as', 'z', 'text', 'cents',
    'note', 'entity', 'define-domain', 'test', 'scene', 'settle', 'bound', 'executors', 'assert', 'before-each', 'autonomous-limit-cents', 'params', 'a-', 'a--b', 'a-1']
  const all: readonly { readonly what: string; readonly generated: Generated }[] = [
    { what: 'to start from', generated: startingFrom('subscriptions', 'Subscription') },
    { what: 'the longest names', generated: startingFrom('a'.repeat(40), 'Ab'.repeat(15)) },
    ...['Object', 'Promise', 'Infinity', 'Scene', 'A'].map((entity) => ({ what: `entity ${entity}`, generated: startingFrom(`of-${entity.toLowerCase()}`, entity) })),
    ...awkward.map((name) => ({ what: `called ${name}`, generated: startingFrom(name, 'Thing') })),
    ...awkward.map((name) => ({ what: `described, called ${name}`, generated: generatedFrom({ ...starter, domain: name }) })),
    { what: "KIFF's starter template", generated: generatedFrom(starter) },
    { what: "KIFF's refund template", generated: generatedFrom(refund) },
    { what: 'names that would break out', generated: generatedFrom(hostile) },
    ...Array.from({ length: 20 }, (_, seed) => ({ what: `random ${seed}`, generated: generatedFrom(randomDescriptor(seed)) })),
  ]

  beforeAll(async () => {
    for (const [index, { generated }] of all.entries()) await writeFolder(folderOf(index), generated.files, false)
  })

  test('type-checks, as strictly as this repository, with nothing unused', () => {
    const files = all.flatMap(({ generated }, index) => generated.files.map(({ name }) => join(`all-${index}`, name)))
    expect(files).toHaveLength(all.length * 3)
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: '../tsconfig.json', include: [], files }))
    const { stdout } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '--noEmit', '-p', folder], { encoding: 'utf8' })
    expect(stdout.split('\n').filter((line) => line.startsWith(folder))).toEqual([])
  }, 120_000)

  test.each(all.map(({ what, generated }, index) => ({ what, generated, index })))('$what: verifies, and its executors are found to be stubs', async ({ index, generated }) => {
    const load = async (name: string): Promise<object> => await import(/* @vite-ignore */ pathToFileURL(resolve(folderOf(index), name)).href) as object
    const module = await load('domain.ts') as Record<string, Domain>
    const domain = module[constantOf(generated.domain)]
    if (domain === undefined) throw new Error('it is exported by another name')
    expect(domain.name).toBe(generated.domain)
    expect(verifyDomain(domain).filter(isError)).toEqual([])
    const { bound } = await load('executors.ts') as { bound: BoundDomain }
    const effectful = Object.entries(domain.actions).filter(([, { effect }]) => effect !== 'none').map(([action]) => action)
    expect(executorFindings(domain.actions, bound.executorOf).map(({ code, action }) => [code, action])).toEqual(effectful.map((action) => ['executor_stub', action]))
    await expect(Promise.resolve(bound.executorOf(effectful[0] ?? '')?.({} as never))).rejects.toMatchObject({ name: 'NotDone', message: expect.stringContaining('TODO') })
  })

  test('passes its own test', async () => {
    // What an awkward name could break, types have told above; each file is a process of its own here.
    const files = all.flatMap(({ what }, index) => (what.includes('called') ? [] : [join(folderOf(index), 'domain.test.ts')]))
    const { stdout } = await run(process.execPath, ['--conditions=kiff-source', '--test', '--test-reporter=tap', ...files], { maxBuffer: 16_000_000 })
    expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(files.length * 4)
  }, 180_000)

  test('has a test that fails where the rules do something else', async () => {
    const [domain = '', test = ''] = ['domain.ts', 'domain.test.ts'].map((name) => readFileSync(join(folderOf(0), name), 'utf8'))
    const changed = join(folder, 'changed')
    mkdirSync(changed)
    writeFileSync(join(changed, 'domain.test.ts'), test)
    for (const [from, to] of [['params.amountCents > autonomousLimitCents', 'params.amountCents > autonomousLimitCents + 1'], ["permission: 'subscriptions.settle'", "permission: 'subscriptions.review'"]] as const) {
      expect(domain).toContain(from)
      writeFileSync(join(changed, 'domain.ts'), domain.replace(from, to))
      expect(spawnSync(process.execPath, ['--conditions=kiff-source', '--test', join(changed, 'domain.test.ts')]).status).toBe(1)
    }
  }, 60_000)
})

describe('the command', () => {
  test('makes a folder, and says what comes next', async () => {
    const { code, out, err } = await newDomain('subscriptions', '--dir', folder)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const made = join(folder, 'subscriptions')
    expect(readdirSync(made).sort()).toEqual(['domain.test.ts', 'domain.ts', 'executors.ts'])
    expect(out.split('\n').slice(0, 4)).toEqual(['domain subscriptions, entity Subscription', `  made ${made}/domain.ts`, `  made ${made}/executors.ts`, `  made ${made}/domain.test.ts`])
    for (const step of [`verify ${made}/domain.ts --executors ${made}/executors.ts`, `--test ${made}/domain.test.ts`, `migrate --domains ${made}/domain.ts`, 'roles grant agent-1 agent --type agent', 'roles grant maria reviewer --type human']) expect(out).toContain(step)
  })

  test('--entity says what one of them is called, --json tells all in one object', async () => {
    const { code, out, err } = await newDomain('expenses', '--entity', 'TravelClaim', '--dir', folder, '--json')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(JSON.parse(out)).toMatchObject({ domain: 'expenses', entity: 'TravelClaim', todos: 0, notes: [], files: [{ path: join(folder, 'expenses/domain.ts'), replaced: false }, {}, {}] })
    expect(readFileSync(join(folder, 'expenses/domain.ts'), 'utf8')).toContain('SETTLE_TRAVEL_CLAIM: TravelClaim.action({')
  })

  test('a folder that is not empty is left alone, unless --force, which says what it replaces and keeps the rest', async () => {
    const made = join(folder, 'taken')
    mkdirSync(made)
    writeFileSync(join(made, 'mine.ts'), 'mine')
    const refused = await newDomain('taken', '--dir', folder)
    expect(refused).toMatchObject({ code: 2, out: '' })
    expect(refused.err).toBe(`${made} is not empty (it has mine.ts); name another folder, or say --force: it replaces domain.ts, executors.ts, domain.test.ts`)
    expect(readdirSync(made)).toEqual(['mine.ts'])

    // A link is replaced, not what it leads to.
    writeFileSync(join(folder, 'elsewhere.ts'), 'elsewhere')
    symlinkSync('../elsewhere.ts', join(made, 'domain.ts'))
    const forced = await newDomain('taken', '--dir', folder, '--force')
    expect(forced.code).toBe(0)
    expect(forced.out).toContain(`  replaced ${made}/domain.ts\n  made ${made}/executors.ts`)
    expect(readFileSync(join(folder, 'elsewhere.ts'), 'utf8')).toBe('elsewhere')
    expect(readFileSync(join(made, 'mine.ts'), 'utf8')).toBe('mine')
    expect(readdirSync(made).sort()).toEqual(['domain.test.ts', 'domain.ts', 'executors.ts', 'mine.ts'])
  })

  test('what is in the way is said before anything is written', async () => {
    mkdirSync(join(folder, 'blocked/executors.ts'), { recursive: true })
    expect(await newDomain('blocked', '--dir', folder, '--force')).toMatchObject({ code: 2, err: `${join(folder, 'blocked/executors.ts')} is a folder; a file is to be written there` })
    expect(readdirSync(join(folder, 'blocked'))).toEqual(['executors.ts'])
    writeFileSync(join(folder, 'plain'), '')
    expect(await newDomain('plain', '--dir', folder)).toMatchObject({ code: 2, err: `${join(folder, 'plain')} is no folder` })
  })

  test.each([
    ['no name', [], 'name the domain, as in "kiff-temporal new subscriptions"'],
    ['a name that leaves the folder', ['../out'], '"../out" is no name of a domain: lower case letters, digits and dashes, at most 40, as support-ops'],
    ['a name in capitals', ['Orders'], '"Orders" is no name of a domain: lower case letters, digits and dashes, at most 40, as support-ops'],
    ['an entity that is no name', ['orders', '--entity', 'an order'], '"an order" is no name of an entity: letters and digits, at most 30, as VendorInvoice'],
    ['an entity that would break out', ['orders', '--entity', "O', {}); process.exit(7); //"], '"O\', {}); process.exit(7); //" is no name of an entity: letters and digits, at most 30, as VendorInvoice'],
    ['a guess that is too long', ['a'.repeat(40)], `"A${'a'.repeat(39)}" is no name of an entity: letters and digits, at most 30, as VendorInvoice; name it with --entity`],
    ['a descriptor that is not there', ['--descriptor', './nothing.json'], expect.stringMatching(/^the descriptor could not be read: ENOENT/)],
  ])('%s ends with 2, and nothing is made', async (_, args, err) => {
    const there = readdirSync(folder)
    expect(await newDomain(...args, '--dir', folder)).toEqual({ code: 2, out: '', err })
    expect(readdirSync(folder)).toEqual(there)
  })

  test('a descriptor: from a file, from stdin; its adapter is not generated, and that is said', async () => {
    const path = written('refund.json', refund)
    const { code, out, err } = await newDomain('--descriptor', path, '--dir', folder)
    expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(/^the adapter "refund" is not generated/) })
    const made = readFileSync(join(folder, 'refund/domain.ts'), 'utf8')
    expect(out).toContain(`, ${made.match(/\/\/ TODO: /g)?.length} decisions marked TODO\n`)

    const piped = execFileSync(process.execPath, ['--conditions=kiff-source', 'src/cli/entry.mjs', 'new', 'refund', '--descriptor', '-', '--dir', join(folder, 'piped'), '--json'], { input: JSON.stringify(refund), encoding: 'utf8' })
    expect(JSON.parse(piped)).toMatchObject({ domain: 'refund', notes: [expect.stringContaining('adapter')] })
    expect(readFileSync(join(folder, 'piped/refund/domain.ts'), 'utf8')).toBe(made)
  })

  test('problems of a descriptor are told one in a line, with the file; nothing is made', async () => {
    const path = written('wrong.json', a((fields) => { fields.domain = 'wrong'; fields.states.push('LOST'); fields.actions[0].allowed_states = ['PAYED'] }))
    expect(await newDomain('--descriptor', path, '--dir', folder)).toEqual({ code: 2, out: '', err: `${path}: states[3]: no chain of transitions leads to "LOST"\n${path}: actions[0].allowed_states[0]: "PAYED" is not in "states"` })
    expect(existsSync(join(folder, 'wrong'))).toBe(false)
  })

  test('two answers to one question are refused', async () => {
    const path = written('named.json', { ...refund, domain: 'named' })
    expect(await newDomain('other', '--descriptor', path, '--dir', folder)).toMatchObject({ code: 2, err: `${path}: domain: it is "named", and "other" was asked for; leave the name out, or make them one` })
    expect(await newDomain('--descriptor', path, '--entity', 'Order', '--dir', folder)).toMatchObject({ code: 2, err: 'the descriptor names the entity; leave --entity out' })
  })

  test('what the surroundings lack comes first, and a path is one word to a shell', () => {
    const bare = mkdtempSync(join(tmpdir(), "kiff new'"))
    try {
      const made = join(bare, 'orders')
      const commands = (): readonly string[] => nextSteps(made, []).map(({ command }) => command)
      expect(commands().slice(0, 4)).toEqual(['npm init -y', 'npm pkg set type=module', 'npm install kiff-temporal zod', 'npm install --save-dev typescript @types/node'])
      const words = execFileSync('sh', ['-c', `printf '%s\\n' ${commands()[5] ?? ''}`], { encoding: 'utf8' })
      expect(words).toBe(`node\n--test\n${made}/domain.test.ts\n`)
      writeFileSync(join(bare, 'package.json'), '{ "type": "module" }')
      mkdirSync(join(bare, 'node_modules/zod'), { recursive: true })
      writeFileSync(join(bare, 'node_modules/zod/package.json'), '{}')
      expect(commands()[0]).toBe('npm install kiff-temporal')
    } finally {
      rmSync(bare, { recursive: true, force: true })
    }
  })

  test.each([['subscriptions', 'Subscription'], ['support-tickets', 'SupportTicket'], ['policies', 'Policy'], ['addresses', 'Address'], ['invoices', 'Invoice'], ['movies', 'Movy'], ['status', 'Status'], ['accounts-payable', 'AccountsPayable'], ['a--b', 'AB']])('the entity of %s is guessed to be %s', (domain, entity) => {
    expect(entityOf(domain)).toBe(entity)
  })
})

describe('in a folder where the package is installed', () => {
  test('the steps that it prints work, with the tsconfig of the page', async () => {
    const installed = await anInstalledPackage()
    try {
      const page = readFileSync('docs/write-your-own-domain.md', 'utf8')
      writeFileSync(join(installed.folder, 'tsconfig.json'), /<!-- file: tsconfig\.json -->\n```json\n([\s\S]*?)```/.exec(page)?.[1] ?? '')
      const descriptor = join(installed.folder, 'refund.json')
      writeFileSync(descriptor, JSON.stringify(refund))
      for (const args of [['subscriptions'], ['--descriptor', 'refund.json']]) {
        const { code, said } = await installed.run('npx', ['kiff-temporal', 'new', ...args, '--dir', 'domains', '--json'])
        expect({ code, said }).toMatchObject({ code: 0 })
        const { next } = JSON.parse(/^\{.*\}$/m.exec(said)?.[0] ?? '') as { next: { command: string }[] }
        const [verify = '', test = ''] = next.map(({ command }) => command)
        expect(await installed.run('sh', ['-c', verify])).toMatchObject({ code: 5, said: expect.stringMatching(/ERROR {3}executor_stub \[\w+\]: .*\n(?!.*ERROR {3}(?!executor_stub))/) })
        expect(await installed.run('sh', ['-c', verify.replace(/ --executors .*/, '')])).toMatchObject({ code: 0, said: expect.stringMatching(/^OK {2}/m) })
        expect(await installed.run('sh', ['-c', test])).toMatchObject({ code: 0 })
      }
      expect(await installed.run(process.execPath, ['node_modules/typescript/bin/tsc'])).toEqual({ code: 0, said: '' })
    } finally {
      await installed.remove()
    }
  }, 180_000)
})
