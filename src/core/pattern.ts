/** Patterns that say what a whole text may be. One that matches a part reads as a bound and is none. */

/**
 * Why a regular expression is no bound on a whole text, or `undefined`. KIFF's patterns were documented as whole and matched any
 * part (`DROP x; --` for `[a-z]+`); and a flag (`i`, `m`, `s`) is told by no JSON Schema, so that no reader and no hash sees it.
 */
export function problemOfPattern({ source, flags }: RegExp): string | undefined {
  if (/[^uv]/.test(flags)) return `the pattern /${source}/${flags}: a JSON Schema cannot tell the flag`
  if (!isWhole(source)) return `the pattern /${source}/ matches a part of the text; write /^(?:${source})$/, or startsWith, endsWith, includes where a part is meant`
  return undefined
}

/** It begins with `^`, ends with `$`, and no alternation outside brackets lets a branch go without one of them. */
function isWhole(source: string): boolean {
  if (!source.startsWith('^') || !source.endsWith('$')) return false
  let depth = 0
  let inClass = false
  for (let index = 0; index < source.length; index++) {
    const character = source[index]
    if (character === '\\') {
      index += 1
      if (index === source.length - 1) return false // the last `$` is escaped
    } else if (inClass) inClass = character !== ']'
    else if (character === '[') inClass = true
    else if (character === '(') depth += 1
    else if (character === ')') depth -= 1
    else if (character === '|' && depth === 0) return false
  }
  return true
}
