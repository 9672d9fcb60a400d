/** What the core asks of zod: schemas that yield JSON, and issues told as KIFF's reasons. */
import { z } from 'zod'
import { canonical } from './canonical.ts'
import { problemOfPattern } from './pattern.ts'

/**
 * The JSON Schema of a parameter, output, or payload schema.
 * @throws TypeError for schemas whose parsed value is not the JSON that came in (transform, pipe, coerce, preprocess, catch, dates…):
 * the digest, the reviewer and the executor must all see one value.
 */
export function jsonSchemaOf(schema: z.ZodType, what: string): unknown {
  try {
    const json = z.toJSONSchema(schema, {
      io: 'output',
      unrepresentable: 'throw',
      override: ({ zodSchema }) => {
        const def = zodSchema._zod.def
        if (changing.has(def.type)) throw new TypeError(`${def.type} is not allowed`)
        if ('coerce' in def && def.coerce) throw new TypeError('coerce is not allowed')
        for (const problem of patternsOf(def).map(problemOfPattern)) if (problem !== undefined) throw new TypeError(problem)
      },
    })
    canonical(json, 'schema') // it is part of the contract's hash
    return json
  } catch (error) {
    throw new TypeError(`${what}: the schema must yield plain JSON (${error instanceof Error ? error.message : String(error)})`, { cause: error })
  }
}

/** The patterns that an author wrote; those of named formats (email, uuid) are zod's own. */
function patternsOf({ checks = [] }: z.core.$ZodTypeDef): readonly RegExp[] {
  return checks.flatMap(({ _zod: { def } }) => ('format' in def && def.format === 'regex' && 'pattern' in def && def.pattern instanceof RegExp ? [def.pattern] : []))
}

/** Kinds of schema whose parsed value is another than the one that came in. */
const changing: ReadonlySet<string> = new Set(['transform', 'pipe', 'catch', 'success', 'promise', 'file'])

/** The path of the first value that parsing has changed or dropped (an unknown member, a trimmed text), or `undefined`. Defaults may be added. */
export function firstChange(raw: unknown, parsed: unknown, path: string): string | undefined {
  if (typeof raw !== 'object' || raw === null || typeof parsed !== 'object' || parsed === null) return raw === parsed ? undefined : path
  if (Array.isArray(raw) && (!Array.isArray(parsed) || raw.length !== parsed.length)) return path
  for (const [key, member] of Object.entries(raw)) {
    const change = firstChange(member, Reflect.get(parsed, key), `${path}.${key}`)
    if (change !== undefined) return change
  }
  return undefined
}

/** The first issue, in words, and whether it says that a parameter is absent or wrong. */
export function firstIssue(
  error: z.ZodError,
  raw: unknown,
  root: string,
): { readonly reason: 'missing_parameter' | 'invalid_parameter'; readonly message: string } {
  const [issue] = error.issues
  if (issue === undefined) return { reason: 'invalid_parameter', message: `${root}: not accepted` }
  const path = [root, ...issue.path.map(String)].join('.')
  const missing = absences.has(issue.code) && issue.path.length > 0 && valueAt(raw, issue.path) === undefined
  return missing
    ? { reason: 'missing_parameter', message: `${path}: is required` }
    : { reason: 'invalid_parameter', message: `${path}: ${issue.message}` }
}

/** What zod calls an absent value, by the kind of schema that misses it (an enum, a literal: `invalid_value`). */
const absences: ReadonlySet<string> = new Set(['invalid_type', 'invalid_value', 'invalid_union'])

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = Reflect.get(value, key)
  }
  return value
}
