/** Text of others, made safe to look at: nothing in it is invisible, reorders its neighbours, or goes on for pages. */

/** The most of one text that a page shows: UTF-16 units, and lines. */
const maxLength = 2_000
const maxLines = 40

// Controls, format characters (bidi, zero-width, tags), lone surrogates, private use and unassigned, line separators,
// whatever fonts draw as nothing, odd spaces; and our own brackets, so that nobody can write a mark by hand.
const hidden = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u{2800}⟦⟧]|(?![\u{20}\u{A0}\u{202F}])\p{Zs}/gu
// Marks that pile up on one letter and draw over the lines above and below it.
const piledMarks = /(?<=\p{M}{3})\p{M}/gu

interface Layout {
  /** Keeps line breaks, up to 40 lines, for a block that shows them; otherwise they are marked like any control character. */
  readonly lines?: boolean
  /** The most characters shown; 2,000 unless told. */
  readonly limit?: number
}

/**
 * `text` as plain text with every character that cannot be seen written out, as in `⟦U+202E⟧`; cut at 2,000 characters,
 * saying how many more there are. Not HTML: the page escapes it like any text.
 */
export function visible(text: string, { lines = false, limit = maxLength }: Layout = {}): string {
  const shown = beginning(text, limit, lines ? maxLines : Infinity)
  const written = (lines ? shown.replaceAll('\r\n', '\n').split('\n') : [shown]).map(withMarks).join('\n')
  const more = text.length - shown.length
  return more === 0 ? written : `${written} ⟦… ${more.toLocaleString('en')} more characters⟧`
}

/** True when `visible` would show all of `text` as a block. */
export function fits(text: string): boolean {
  return beginning(text, maxLength, maxLines).length === text.length
}

function beginning(text: string, limit: number, lineLimit: number): string {
  const start = text.slice(0, limit)
  const whole = start.length < text.length && /[\uD800-\uDBFF]$/.test(start) ? start.slice(0, -1) : start
  return lineLimit === Infinity ? whole : whole.split('\n').slice(0, lineLimit).join('\n')
}

function withMarks(line: string): string {
  return line.replace(hidden, mark).replace(piledMarks, mark)
}

function mark(character: string): string {
  return `⟦U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟧`
}
