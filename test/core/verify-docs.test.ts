import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { FINDINGS, KIFF_FINDINGS } from '../../src/core/findings.ts'

const text = readFileSync(new URL('../../docs/verify.md', import.meta.url), 'utf8')

/** The rows of the Markdown table with this header, cell by cell. */
function rows(header: string): string[][] {
  const table = text.split('\n\n').map((block) => block.split('\n')).find(([first]) => first === header) ?? []
  return table.slice(2).map((row) => row.slice(2, -2).split(' | '))
}

test("docs/verify.md's table of codes is the table of the code: each code, and no other", () => {
  expect(rows('| code | severity | meaning | what to do |')).toEqual(Object.entries(FINDINGS).map(([code, { severity, meaning, fix }]) => [`\`${code}\``, severity, meaning, fix]))
})

test('and so is that of KIFF\'s other codes', () => {
  expect(rows("| KIFF's code | here |")).toEqual(Object.entries(KIFF_FINDINGS).map(([code, here]) => [`\`${code}\``, here]))
})

test('each of KIFF\'s codes is ours, or explained', () => {
  const kiff = [
    'not_a_domain', 'no_transitions', 'no_bootstrap', 'executor_missing', 'executor_stub', 'missing_risk', 'invalid_risk', 'missing_approval', 'invalid_approval',
    'no_allowed_states', 'unreachable_state', 'no_contract', 'undeclared_event', 'dead_action', 'no_actions',
  ]
  expect(kiff.filter((code) => !Object.hasOwn(FINDINGS, code) && !Object.hasOwn(KIFF_FINDINGS, code))).toEqual([])
})
