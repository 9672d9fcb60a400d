/** Settings from the environment, read once, at the edge. */

/**
 * The named variables, with their defaults; a variable without a default is required. Ends the process with one sentence that
 * names what is missing.
 */
export function settings<const Names extends Readonly<Record<string, string | undefined>>>(defaults: Names): { readonly [Name in keyof Names]: string } {
  const missing: string[] = []
  const read = Object.entries(defaults).map(([name, fallback]) => {
    const value = process.env[name] ?? fallback
    if (value === undefined) missing.push(name)
    return [name, value ?? ''] as const
  })
  if (missing.length > 0) {
    console.error(`set ${missing.join(', ')} in the environment`)
    process.exit(2)
  }
  return Object.fromEntries(read) as { readonly [Name in keyof Names]: string }
}
