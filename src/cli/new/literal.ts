/** Text of others in generated TypeScript: whatever it says, it stays the one string, key, or piece of a template that it was put in as. */

/** `text` as a string literal in single quotes. What cannot be seen, or would end the line, is written as an escape. */
export function literal(text: string): string {
  return `'${escaped(text).replaceAll("'", String.raw`\'`)}'`
}

/** `text` as the key of an object literal; never the one that would set the object's prototype. */
export function key(text: string): string {
  if (text === '__proto__') return `[${literal(text)}]`
  return isIdentifier(text) ? text : literal(text)
}

/** The member `text` of what `object` is the name of. */
export function member(object: string, text: string): string {
  return isIdentifier(text) ? `${object}.${text}` : `${object}[${literal(text)}]`
}

/** `text` as a piece between the backticks of a template. */
export function inTemplate(text: string): string {
  return escaped(text).replaceAll(/[`$]/g, String.raw`\$&`)
}

/** An import: names as they are written, from a module. A function, so that whoever reads this project's own imports does not find these. */
export const importing = (names: string, from: string): string => `import ${names} from ${literal(from)}`

/** These texts as string literals, one after the other. */
export const literals = (texts: readonly string[]): string => texts.map(literal).join(', ')

const isIdentifier = (text: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(text)

/** Letters, digits, marks, punctuation, symbols and the space stand as they are; all else could hide, or move its neighbours. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', String.raw`\\`)
    .replaceAll(/[^\p{L}\p{N}\p{M}\p{P}\p{S} ]|\p{Default_Ignorable_Code_Point}/gu, (character) => String.raw`\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
}
