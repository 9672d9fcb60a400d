/** The tables of `docs/proofs.md`, written from the guards. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { Guard, SecondLine } from './guard.ts'
import type { Area } from './guards/index.ts'

const cell = (text: string): string => text.replaceAll('|', String.raw`\|`)
const row = (...cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`
/** `core/decide` for `test/core/decide.test.ts`. */
const test = ({ test, name, store }: Guard): string => `\`${test.replace(/^test\//, '').replace(/\.test\.ts$/, '')}\`${store === 'postgres' ? ' (Postgres)' : ''} — ${name}`

const ofArea = ({ name, guards }: Area): string => [`### ${name}`, '', '| guard | what cannot happen | the test that fails without it |', '|---|---|---|', ...guards.map((guard) => row(`\`${guard.id}\``, guard.guards, test(guard)))].join('\n')

/** Markdown: a table for each area, guard → test; then the guards that another one always comes before. */
export function markdownTables(areas: readonly Area[]): string {
  const second: readonly SecondLine[] = areas.flatMap(({ secondLines }) => secondLines)
  const lines = ['### Second lines of defence', '', 'Not provable alone: another guard always comes first.', '', '| guard | where | what cannot happen | comes first |', '|---|---|---|---|', ...second.map(({ id, file, guards, behind }) => row(`\`${id}\``, `\`${file}\``, guards, behind))]
  return [...areas.map(ofArea), ...(second.length === 0 ? [] : [lines.join('\n')])].join('\n\n')
}

/** What stands above the tables ends with this line. */
export const mark = '<!-- npm run proofs -- --table -->'
const page = new URL('../../docs/proofs.md', import.meta.url)

/** Writes the tables into the page, below the mark; what stands above it is left as it is. */
export function writeTables(areas: readonly Area[]): void {
  const [above = ''] = readFileSync(page, 'utf8').split(mark)
  writeFileSync(page, `${above}${mark}\n\n${markdownTables(areas)}\n`)
}
