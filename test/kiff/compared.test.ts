/** `docs/compared-with-kiff.md` against the tests: every case is on the page, every number on the page is a case, and every command finds it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const textOf = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const page = textOf('docs/compared-with-kiff.md')
/** Of this folder, what `vitest.config.ts` counts among the unit tests. */
const unit = (/test\/kiff\/\{([^}]*)\}/.exec(textOf('vitest.config.ts'))?.[1] ?? '').split(',').map((name) => `test/kiff/${name}.test.ts`)

interface TestName { readonly file: string; readonly name: string }

const files = readdirSync(new URL('test/kiff/', root)).filter((file) => file.endsWith('.test.ts')).map((file) => `test/kiff/${file}`)
/** Names as they are written: where a table fills them in, with its placeholders. */
const names: readonly TestName[] = files.flatMap((file) => [...textOf(file).matchAll(/\('(KIFF \d+: (?:[^'\\]|\\.)*)'/g)].map(([, name = '']) => ({ file, name })))
const numbers = [...Array(37).keys()].map((index) => index + 1)

/** The numbered rows: the case, and the command in its last cell. */
const rows = [...page.matchAll(/^\| (\d+) \| .* \| `(npx vitest [^`]*)` \|$/gm)].map(([, number = '', command = '']) => ({ number: Number(number), command }))
const commands = [...page.matchAll(/`(npx vitest run [^`]*)`/g)].map(([, command = '']) => command)

describe('the cases', () => {
  test('are all tested, each under its number', () => {
    const tested = names.map(({ name }) => Number(/\d+/.exec(name)?.[0]))
    expect([...new Set(tested)].sort((a, b) => a - b)).toEqual(numbers)
  })

  test('have one row each, in turn', () => {
    expect(rows.map(({ number }) => number)).toEqual(numbers)
  })

  test.each(rows)('number $number is shown by the command in its row', ({ number, command }) => {
    expect(command).toContain(` -t "KIFF ${number}:"`)
  })
})

describe('every command', () => {
  // Not named by its text: the command would find this test.
  test.each(commands)('number %# finds tests of its project', (command) => {
    const [, project = '', path = '', pattern = ''] = /^npx vitest run --project (unit|servers) (\S+)(?: -t "([^"]*)")?$/.exec(command) ?? []
    expect(existsSync(new URL(path, root))).toBe(true)
    if (pattern === '') return
    const found = names.filter(({ file, name }) => file.startsWith(path) && unit.includes(file) === (project === 'unit') && name.startsWith(`${pattern} `))
    expect(found).not.toEqual([])
  })
})

test('every file that the page names is there', () => {
  const paths = [...page.matchAll(/`((?:test|src|docs|domains)\/[^`\s]*)`/g)].map(([, path = '']) => path)
  expect(paths.length).toBeGreaterThan(30)
  expect(paths.filter((path) => !existsSync(new URL(path, root)))).toEqual([])
})
