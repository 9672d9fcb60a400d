/** Where the running stack is: flags, then the environment, then what `npm start` wrote down. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { exit, Failure } from './exit.ts'

/** An environment variable; an empty one is not set. */
export function setIn(name: string): string | undefined {
  return process.env[name] === '' ? undefined : process.env[name]
}

/** Variables that must be set. @throws Failure (usage) naming all that are not */
export function allSet<const Names extends readonly string[]>(names: Names, more = ''): { readonly [Name in Names[number]]: string } {
  const missing = names.filter((name) => setIn(name) === undefined)
  if (missing.length > 0) throw new Failure(`set ${missing.join(', ')} in the environment${more}`, exit.usage)
  return Object.fromEntries(names.map((name) => [name, setIn(name) ?? ''])) as { readonly [Name in Names[number]]: string }
}

/** Where `dev` keeps everything that lasts. */
export const stateDir = (): string => setIn('KIFF_STATE') ?? '.kiff'

const ready = z.object({
  temporal: z.object({ address: z.string(), namespace: z.string(), ui: z.string().nullable() }),
  database: z.object({ auditor: z.string(), gate: z.string(), owner: z.string() }),
})

/** What the running `npm start` says of itself, or `undefined`. */
export async function readyStack(): Promise<z.infer<typeof ready> | undefined> {
  const text = await readFile(join(stateDir(), 'ready.json'), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : ready.parse(JSON.parse(text))
}

/** The auditor's database. @throws Failure saying how to name it */
export async function auditorUrl(flag?: string): Promise<string> {
  const url = flag ?? setIn('KIFF_AUDITOR_DATABASE_URL') ?? (await readyStack())?.database.auditor
  if (url === undefined) throw new Failure('no database: run "npm start" here, set KIFF_AUDITOR_DATABASE_URL, or give --database', exit.usage)
  return url
}

/** Temporal's address and namespace. @throws Failure saying how to name them */
export async function temporalAt(flags: { readonly address?: string; readonly namespace?: string } = {}): Promise<{ readonly address: string; readonly namespace: string }> {
  const running = await readyStack()
  const address = flags.address ?? setIn('TEMPORAL_ADDRESS') ?? running?.temporal.address
  if (address === undefined) throw new Failure('no Temporal server: run "npm start" here, set TEMPORAL_ADDRESS, or give --address', exit.usage)
  return { address, namespace: flags.namespace ?? setIn('TEMPORAL_NAMESPACE') ?? running?.temporal.namespace ?? 'default' }
}
