/** What to do with a new folder, as commands to type: first what its surroundings lack. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

export interface NextStep {
  readonly command: string
  readonly why: string
}

/** A role that somebody has to hold, for what the domain is to do. */
export interface Duty {
  readonly actor: string
  readonly role: string
  readonly type: 'agent' | 'human' | 'service'
}

export function nextSteps(folder: string, duties: readonly Duty[]): readonly NextStep[] {
  const above = parentsOf(resolve(folder))
  const manifest = above.map((parent) => join(parent, 'package.json')).find((path) => existsSync(path))
  const own = manifest === undefined ? {} : fieldsOf(manifest)
  const isClone = own['name'] === 'kiff-temporal'
  const kiff = isClone ? 'npm run -s kiff --' : 'npx kiff-temporal'
  const isMissing = (name: string): boolean => !(isClone && name === 'kiff-temporal') && !above.some((parent) => existsSync(join(parent, 'node_modules', name, 'package.json')))
  const [packages, tools] = [['kiff-temporal', 'zod'].filter(isMissing), ['typescript', '@types/node'].filter(isMissing)]
  const [domain, bound] = [quoted(join(folder, 'domain.ts')), quoted(join(folder, 'executors.ts'))]
  return [
    ...(manifest === undefined ? [{ command: 'npm init -y', why: 'there is no package.json yet' }] : []),
    ...(own['type'] === 'module' ? [] : [{ command: 'npm pkg set type=module', why: 'the files are ES modules' }]),
    ...(packages.length === 0 ? [] : [{ command: `npm install ${packages.join(' ')}`, why: 'what the files import' }]),
    ...(tools.length === 0 ? [] : [{ command: `npm install --save-dev ${tools.join(' ')}`, why: 'to check their types; docs/write-your-own-domain.md has a tsconfig.json' }]),
    { command: `${kiff} verify ${domain} --executors ${bound}`, why: 'no error but executor_stub, until the executors are written' },
    { command: `${isClone ? 'npx node --conditions=kiff-source' : 'node'} --test ${quoted(join(folder, 'domain.test.ts'))}`, why: 'the rules, without a server' },
    { command: `${kiff} migrate --domains ${domain}`, why: 'registers them in the database, as its owner' },
    ...duties.map(({ actor, role, type }) => ({ command: `${kiff} roles grant ${quoted(actor)} ${quoted(role)} --type ${type}`, why: `${{ agent: 'proposes', human: 'reviews, and settles what is in doubt', service: 'reports' }[type]}; name your own` })),
  ]
}

function parentsOf(folder: string): readonly string[] {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [folder, ...parentsOf(parent)]
}

function fieldsOf(manifest: string): Readonly<Record<string, unknown>> {
  try {
    const fields: unknown = JSON.parse(readFileSync(manifest, 'utf8'))
    return typeof fields === 'object' && fields !== null ? { ...fields } : {}
  } catch {
    return {} // npm will say what is wrong with it
  }
}

/** One word for a shell, whatever is in it. */
const quoted = (word: string): string => (/^[\w./@:-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`)
