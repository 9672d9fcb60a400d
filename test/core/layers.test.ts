import { describe, expect, test } from 'vitest'
import { importsOf, modulesIn, reachedFrom, textOf, type Import } from './imports.ts'

const told = ({ from, to }: Import): string => `${from} imports ${to}`

function layerOf(module: string): string | undefined {
  return /^src\/([^/]+)\//.exec(module)?.[1]
}

describe('imports go down one ladder: core < workflow, postgres, temporal < gate, approvals < evidence < testing, dev, cli', () => {
  const everything = ['core', 'workflow', 'postgres', 'temporal', 'gate', 'approvals', 'evidence', 'testing', 'dev', 'cli']
  const ladder: Readonly<Record<string, readonly string[]>> = {
    core: [],
    workflow: ['core', 'temporal'],
    postgres: ['core'],
    temporal: ['core'],
    gate: ['core', 'postgres', 'temporal'],
    approvals: ['core', 'postgres', 'temporal'],
    evidence: ['core', 'postgres', 'temporal'],
    // Of postgres and evidence only types: what tests a domain needs no database, see below.
    testing: ['core', 'postgres', 'temporal', 'gate', 'approvals', 'evidence'],
    dev: everything,
    cli: everything,
  }

  test.each(Object.keys(ladder))('src/%s', (layer) => {
    const wrong = modulesIn(`src/${layer}`).flatMap(importsOf).filter(({ to, local }) => {
      if (!local) return false
      const target = layerOf(to)
      return target === undefined || (target !== layer && !ladder[layer]?.includes(target))
    })
    expect(wrong.map(told)).toEqual([])
  })

  test('every folder of src is on the ladder', () => {
    const folders = new Set(modulesIn('src').map(layerOf).filter((folder) => folder !== undefined))
    expect([...folders].filter((folder) => !Object.hasOwn(ladder, folder))).toEqual([])
  })

  test('src/index.ts shows only the core', () => {
    expect(importsOf('src/index.ts').filter(({ to }) => layerOf(to) !== 'core').map(told)).toEqual([])
  })

  test('no module imports itself by way of others', () => {
    const modules = modulesIn('src')
    const cycles = modules.filter((module) => reachedFrom([module]).some(({ to }) => to === module))
    expect(cycles).toEqual([])
  })
})

describe('what tests a domain', () => {
  test('needs no database: neither our Postgres code, nor its driver, nor the inbox\'s server', () => {
    const reached = reachedFrom(modulesIn('src/testing'))
    expect(reached.length).toBeGreaterThan(50)
    expect(reached.filter(({ to }) => /^src\/(postgres|evidence|dev|cli)\//.test(to) || /^(pg|hono|@hono\/.*|@temporalio\/worker)$/.test(to)).map(told)).toEqual([])
  })

  test('is reached from nothing that ships to production', () => {
    const others = [...modulesIn('src'), ...modulesIn('activities'), ...modulesIn('workflows'), ...modulesIn('domains')].filter((module) => layerOf(module) !== 'testing')
    expect(others.flatMap(importsOf).filter(({ to }) => layerOf(to) === 'testing' || to === 'kiff-temporal/testing').map(told)).toEqual([])
  })
})

describe('the core is pure', () => {
  const imports = modulesIn('src/core').flatMap(importsOf)

  test('it imports no package but zod, and node:crypto in digest.ts alone', () => {
    const packages = imports.filter(({ to, local }) => !local && to !== 'zod')
    expect(packages.map(told)).toEqual(['src/core/digest.ts imports node:crypto'])
  })

  test('it reads no clock, no chance, no environment', () => {
    const impure = /\bDate\.now\b|\bnew Date\(\)|\bperformance\b|Math\.random|randomUUID|getRandomValues|\bprocess\.|\bfetch\(|setTimeout|setInterval/
    expect(modulesIn('src/core').filter((module) => impure.test(textOf(module)))).toEqual([])
  })
})

describe("what enters Temporal's sandbox", () => {
  const packages = reachedFrom([...modulesIn('src/workflow'), ...modulesIn('workflows')]).filter(({ local }) => !local)

  test('is nothing but Temporal\'s own workflow packages, ours, and a hash: no Node module, no schema library', () => {
    const allowed = ['@temporalio/workflow', '@temporalio/common', 'kiff-temporal/workflow', '@noble/hashes/sha2.js', '@noble/hashes/utils.js']
    expect(packages.filter(({ to }) => !allowed.includes(to)).map(told)).toEqual([])
  })

  test('is of our other layers only what stands for names and the protocol', () => {
    const reached = reachedFrom(modulesIn('src/workflow')).filter(({ local }) => local).map(({ to }) => to)
    expect(reached.filter((module) => !/^src\/(core|workflow)\//.test(module) && module !== 'src/temporal/names.ts')).toEqual([])
  })
})

describe('the reference application imports what a user\'s repository can', () => {
  const ours = Object.keys((JSON.parse(textOf('package.json')) as { exports: object }).exports).map((path) => path.replace('.', 'kiff-temporal'))
  const reach: Readonly<Record<string, readonly string[]>> = {
    domains: ['domains'],
    activities: ['domains', 'activities'],
    workflows: ['workflows'],
  }

  test.each(Object.keys(reach))('%s: public names, zod, Temporal, Node, each other', (folder) => {
    const wrong = modulesIn(folder).flatMap(importsOf).filter(({ to, local, typeOnly }) => {
      if (local) return !(typeOnly ? Object.keys(reach) : (reach[folder] ?? [])).includes(to.split('/')[0] ?? '')
      return !ours.includes(to) && to !== 'zod' && !to.startsWith('@temporalio/') && !to.startsWith('node:')
    })
    expect(wrong.map(told)).toEqual([])
  })

  test('domains are rules only: no Temporal, no Node', () => {
    const wrong = modulesIn('domains').flatMap(importsOf).filter(({ to }) => to.startsWith('@temporalio/') || to.startsWith('node:') || (to.startsWith('kiff-temporal/') && to !== 'kiff-temporal/testing'))
    expect(wrong.map(told)).toEqual([])
  })
})

describe('the private review key', () => {
  /** Who starts the human-facing service, who makes a key for it, and who tests with a throw-away one, have to pass it on. */
  const passOn = ['src/cli/serve.ts', 'src/cli/keys.ts', 'src/testing/test-gate.ts']
  const speaksOf = /privateKey|private_key|PRIVATE_KEY|createReviewSigner|generateDevReviewKey|approvals\/signing/

  test('is spoken of in src/approvals and src/dev only, and by the two commands and the test kit that hand it over', () => {
    const modules = [...modulesIn('src'), ...modulesIn('activities'), ...modulesIn('workflows'), ...modulesIn('domains')]
    const others = modules.filter((module) => !/^src\/(approvals|dev)\//.test(module) && !passOn.includes(module))
    expect(others.filter((module) => speaksOf.test(textOf(module)))).toEqual([])
  })

  test('cannot be reached from the gate, the agent\'s workflows, or their workers', () => {
    const reached = reachedFrom([...modulesIn('src/gate'), ...modulesIn('src/workflow'), ...modulesIn('activities'), ...modulesIn('workflows')])
    expect(reached.filter(({ to }) => to.startsWith('src/approvals/') || to === 'kiff-temporal/approvals').map(told)).toEqual([])
  })
})
