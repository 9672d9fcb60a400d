import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

interface Sentence {
  readonly number: string
  readonly tests: readonly { readonly file: string; readonly name: string }[]
  readonly isNotSoYet: boolean
}

const sentences: readonly Sentence[] = read('docs/protocol.md').split(/^- (?=\*\*)/m).slice(1).map((text) => ({
  number: /^\*\*(.+?)\*\* /.exec(text)?.[1] ?? text.slice(0, 20),
  tests: [...text.matchAll(/^ {2}- `(.+?)` — (.+)$/gm)].map(([, file = '', name = '']) => ({ file, name })),
  isNotSoYet: text.includes('*Not so yet:*'),
}))

/** True when a file has a test of this name, or a row of a table that gives one its name; of types, a line that must not type-check. */
function has(source: string, name: string): boolean {
  if (source.includes(`@ts-expect-error ${name}\n`)) return true
  const titles = source.replaceAll("\\'", "'")
  return ["'", '"', '`'].some((quote) => ['(', '['].some((before) => titles.includes(`${before}${quote}${name}${quote}`)))
}

test('the sentences of docs/protocol.md are numbered without a gap', () => {
  expect(sentences.length).toBeGreaterThan(0)
  expect(sentences.map(({ number }) => number)).toEqual(sentences.map((_, index) => `4.${index + 1}`))
})

test('each names a test, or says that it is not so yet', () => {
  expect(sentences.filter(({ tests, isNotSoYet }) => tests.length === 0 && !isNotSoYet)).toEqual([])
})

test('each test that is named exists', () => {
  const missing = sentences.flatMap(({ number, tests }) => tests
    .filter(({ file, name }) => !existsSync(new URL(`../${file}`, import.meta.url)) || !has(read(`test/${file}`), name))
    .map(({ file, name }) => `${number}: ${file} — ${name}`))
  expect(missing).toEqual([])
})
