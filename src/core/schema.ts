/** What the core asks of zod: schemas that yield JSON, and issues told as KIFF's reasons. */
import { z } from 'zod'

/**
 * The JSON Schema of a parameter, output, or payload schema.
 * @throws TypeError for schemas whose parsed value is not the JSON that came in (transform, pipe, coerce, preprocess, dates…):
 * the digest, the reviewer and the executor must all see one value.
 */
export function jsonSchemaOf(schema: z.ZodType, what: string): unknown {
  try {
    return z.toJSONSchema(schema, {
      io: 'output',
      unrepresentable: 'throw',
      override: ({ zodSchema }) => {
        const def = zodSchema._zod.def
        if (def.type === 'transform' || def.type === 'pipe' || ('coerce' in def && def.coerce === true)) {
          throw new TypeError(`${def.type === 'transform' || def.type === 'pipe' ? def.type : 'coerce'} is not allowed`)
        }
      },
    })
  } catch (error) {
    throw new TypeError(`${what}: the schema must yield plain JSON (${error instanceof Error ? error.message : String(error)})`, { cause: error })
  }
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
  const missing = issue.code === 'invalid_type' && issue.path.length > 0 && valueAt(raw, issue.path) === undefined
  return missing
    ? { reason: 'missing_parameter', message: `${path}: is required` }
    : { reason: 'invalid_parameter', message: `${path}: ${issue.message}` }
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = Reflect.get(value, key)
  }
  return value
}
