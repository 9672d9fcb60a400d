/** The table of guards fits the code: `npm run proofs` shows that each named test fails without its guard, this that none of them has gone stale. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { occurrences, type Guard } from '../proofs/guard.ts'
import { loadAreas } from '../proofs/guards/index.ts'
import { mark, markdownTables } from '../proofs/table.ts'

const root = join(import.meta.dirname, '../..')
const areas = await loadAreas()
const guards = areas.flatMap((area) => area.guards)
const secondLines = areas.flatMap((area) => area.secondLines)

const texts = new Map<string, string>()
function textOf(file: string): string {
  const known = texts.get(file) ?? (existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : '')
  texts.set(file, known)
  return known
}

/** Letters and digits alone: quotes, escapes, and how a value is printed in a title are left aside. */
const spelt = (text: string): string => text.replaceAll(/\\u[\dA-F]{4}|[^\p{L}\p{N}]/giu, '')

const spelled = new Map<string, string>()
function sourceOf(file: string): string {
  const source = spelled.get(file) ?? spelt(textOf(file))
  spelled.set(file, source)
  return source
}

const titles = new Map<string, readonly (readonly string[])[]>()
/** The titles of a file that stand for several tests, each as the pieces around what `%s` or `$name` stand for. */
function piecesIn(file: string): readonly (readonly string[])[] {
  const found = titles.get(file) ?? [...textOf(file).matchAll(/\((['"`])((?:\\.|(?!\1).)*(?:%[sdifjo#]|\$)(?:\\.|(?!\1).)*)\1, /g)].map(([, , title = '']) => title.split(/%[sdifjo#]|\$[\w.]+|\$\{[^}]*\}/).map(spelt).filter((piece) => piece !== ''))
  titles.set(file, found)
  return found
}

/** Stands in the source, but for a beginning or an end that is part of a title's piece. */
function isPutIn(source: string, text: string, pieces: readonly string[]): boolean {
  return source.includes(text) || pieces.some((piece) => piece.split('').some((_, at) => {
    const [start, end] = [piece.slice(0, at + 1), piece.slice(at)]
    return (text.endsWith(start) && source.includes(text.slice(0, -start.length))) || (text.startsWith(end) && source.includes(text.slice(end.length)))
  }))
}

/** Each part of `describe > test` stands in that file, or is a title with what stands there put in. Which test it is exactly, a run says. */
function isNamed({ test: file, name }: Guard): boolean {
  const source = sourceOf(file)
  return name.split(' > ').map(spelt).every((part) => source.includes(part) || piecesIn(file).some((pieces) =>
    pieces.reduce((rest, piece) => rest.flatMap((text) => text.split(piece)), [part]).every((text) => isPutIn(source, text, pieces))))
}

test('each guard stands once in its file, so that weakening it weakens that and nothing else', () => {
  expect(guards.filter(({ file, from }) => occurrences(textOf(file), from) !== 1).map(({ id, file, from }) => `${id}: ${occurrences(textOf(file), from)} times in ${file}`)).toEqual([])
})

test('each weakened text is another one', () => {
  expect(guards.filter(({ from, to }) => from === to).map(({ id }) => id)).toEqual([])
})

test('each names a test that its file has', () => {
  expect(guards.filter((guard) => !isNamed(guard)).map(({ id, test: file, name }) => `${id}: ${file} — ${name}`)).toEqual([])
})

test('no two have one id', () => {
  const ids = [...guards, ...secondLines].map(({ id }) => id)
  expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([])
})

test('docs/proofs.md holds the tables that "npm run proofs -- --table" writes', () => {
  const [, tables = ''] = textOf('docs/proofs.md').split(mark)
  expect(tables.trim()).toBe(markdownTables(areas).trim())
})
