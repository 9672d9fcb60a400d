/** Reading JSON that a person has written: of two members with one name nobody can tell which was meant (RFC 8259, section 4). */

/** Parses it. @throws SyntaxError for what is not JSON, and for a member that stands twice in one object */
export function parseJsonText(text: string): unknown {
  const value: unknown = JSON.parse(text)
  const open: Set<string>[] = []
  // Of valid JSON: a text before a colon is a member's name, any other text is skipped.
  for (const [token, name] of text.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') open.push(new Set())
    else if (token === '}') open.pop()
    else if (name !== undefined) {
      const member = JSON.parse(name) as string
      if (open.at(-1)?.has(member) === true) throw new SyntaxError(`${name} stands twice in one object`)
      open.at(-1)?.add(member)
    }
  }
  return value
}
