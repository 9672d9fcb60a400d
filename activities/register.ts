/** A register that others keep, as a JSON file: read anew at each look-up, so that what they change counts at once. */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'

/** A look-up by id, `null` for an id that is not in it. @throws Error when the file is missing or holds what `schema` does not allow */
export function openRegister<Entry>(path: string, schema: z.ZodType<Entry>): (id: string, signal: AbortSignal) => Promise<Entry | null> {
  const register = z.record(z.string(), schema)
  return async (id, signal) => {
    const entries = register.parse(JSON.parse(await readFile(path, { encoding: 'utf8', signal })))
    return (Object.hasOwn(entries, id) ? entries[id] : undefined) ?? null
  }
}
