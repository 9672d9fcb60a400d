/** The application that `dev` brings up, as its own module describes it: untrusted input, parsed once. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import type { Domain } from '../core/domain.ts'

const domain = z.custom<Domain>((value) => typeof value === 'object' && value !== null && 'actions' in value && 'roles' in value, 'not a domain; use defineDomain')

const app = z.object({
  domains: z.array(domain).min(1),
  members: z.array(z.object({ domain: z.string(), actor: z.string(), role: z.string() })),
  person: z.string(),
  processes: z.object({ provider: z.string(), gate: z.string(), agent: z.string() }),
  queues: z.object({ agent: z.string(), gate: z.string() }),
  workflows: z.array(z.object({ id: z.string(), type: z.string(), entity: z.string().nullable(), args: z.array(z.unknown()) })),
})

export type DevApp = z.infer<typeof app>

/** Where the application describes itself, unless told otherwise. */
export const defaultApp = './activities/app.ts'

/** Loads and checks the module's default export. @throws Error, one sentence */
export async function loadApp(path: string): Promise<DevApp> {
  const file = resolve(path)
  if (!existsSync(file)) throw new Error(`${path} does not exist; run this in the folder of an application, or name its description with --app`)
  const module: unknown = await import(pathToFileURL(file).href)
  const parsed = app.safeParse(typeof module === 'object' && module !== null ? Reflect.get(module, 'default') : undefined)
  if (!parsed.success) throw new Error(`${path} does not describe an application: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}
