import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { REASONS } from '../../src/core/outcome.ts'

const readme = new URL('../../README.md', import.meta.url)
const text = existsSync(readme) ? readFileSync(readme, 'utf8') : undefined

/** The rows of the Markdown table whose header begins with `| reason | outcome |`: reason → what the table says of it. */
function reasonsTable(markdown: string): Record<string, { readonly outcome: string; readonly meaning: string }> {
  const [, table = ''] = /^\| reason \| outcome \| meaning \|\n\|[-| ]+\|\n((?:\|.*\n)+)/m.exec(markdown) ?? []
  const rows = [...table.matchAll(/^\| `(\w+)` \| (\w+) \| (.*) \|$/gm)]
  return Object.fromEntries(rows.map(([, reason = '', outcome = '', meaning = '']) => [reason, { outcome, meaning }]))
}

describe.skipIf(text === undefined)("README's table of reasons", () => {
  test('is the table of the code: each reason, its outcome, its meaning, and no other', () => {
    const ofCode = Object.fromEntries(Object.entries(REASONS).map(([reason, { outcome, meaning }]) => [reason, { outcome, meaning }]))
    expect(reasonsTable(text ?? '')).toEqual(ofCode)
  })
})
