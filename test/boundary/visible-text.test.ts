import { describe, expect, test } from 'vitest'
import { fits, visible } from '../../src/approvals/visible-text.ts'

test('ordinary words of any language stay as they are', () => {
  for (const text of ['Refund €999.00 on order-2', 'Żółć, straße, naïve', '999,00\u00A0€', 'שלום', 'مرحبا', '返金します', 'हिन्दी', '👍', '<b>&amp;']) {
    expect(visible(text)).toBe(text)
  }
})

test.for([
  ['a bidi override', '\u202E', 'U+202E'],
  ['a bidi isolate', '\u2066', 'U+2066'],
  ['a zero-width space', '\u200B', 'U+200B'],
  ['a byte order mark', '\uFEFF', 'U+FEFF'],
  ['a tag character', '\u{E0041}', 'U+E0041'],
  ['a variation selector', '\u{E0100}', 'U+E0100'],
  ['a soft hyphen', '\u00AD', 'U+00AD'],
  ['a Hangul filler', '\u3164', 'U+3164'],
  ['a Braille blank', '\u2800', 'U+2800'],
  ['an escape', '\u001B', 'U+001B'],
  ['a C1 control', '\u009B', 'U+009B'],
  ['a line separator', '\u2028', 'U+2028'],
  ['a tab', '\t', 'U+0009'],
  ['a line break, on one line', '\n', 'U+000A'],
  ['private use', '\uE000', 'U+E000'],
  ['a lone surrogate', '\uD800', 'U+D800'],
  ['an em space', '\u2003', 'U+2003'],
  ['our own bracket', '⟦', 'U+27E6'],
])('%s is written out', ([, character, name]) => {
  expect(visible(`a${character}b`)).toBe(`a⟦${name}⟧b`)
})

test('marks piled on one letter are written out from the fourth on', () => {
  expect(visible('e\u0301')).toBe('e\u0301')
  expect(visible(`e${'\u0301'.repeat(5)}`)).toBe(`e${'\u0301'.repeat(3)}⟦U+0301⟧⟦U+0301⟧`)
})

describe('a cut', () => {
  test('says how many characters more there are', () => {
    expect(visible('x'.repeat(2_000))).toBe('x'.repeat(2_000))
    expect(visible('x'.repeat(3_500))).toBe(`${'x'.repeat(2_000)} ⟦… 1,500 more characters⟧`)
    expect([fits('x'.repeat(2_000)), fits('x'.repeat(2_001))]).toEqual([true, false])
  })

  test('never halves a character', () => {
    expect(visible('ab👍', { limit: 3 })).toBe('ab ⟦… 2 more characters⟧')
  })

  test('keeps a block to 40 lines', () => {
    const text = Array.from({ length: 50 }, (_, index) => String(index)).join('\n')
    const shown = visible(text, { lines: true })
    expect(shown.split('\n')).toHaveLength(40)
    expect(shown).toMatch(/39 ⟦… 30 more characters⟧$/)
    expect(fits(text)).toBe(false)
  })

  test('of a megabyte takes no time to speak of', () => {
    const started = performance.now()
    visible('\u202E'.repeat(1_000_000))
    expect(performance.now() - started).toBeLessThan(200)
  })
})
