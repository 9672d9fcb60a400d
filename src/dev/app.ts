/** The application that `dev` brings up, as its own module describes it: untrusted input, parsed once. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import type { Domain } from '../core/domain.ts'
import { SetupError } from './setup-error.ts'

/** What `defineDomain` returns. */
export function isDomain(value: unknown): value is Domain {
  return typeof value === 'object' && value !== null && 'name' in value && 'actions' in value && 'roles' in value && 'entities' in value
}

const domain = z.custom<Domain>(isDomain, 'not a domain; use defineDomain')

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
  if (!existsSync(file)) throw new SetupError(`${path} does not exist; run this in the folder of an application, or name its description with --app`, { exitCode: 2 })
  const parsed = app.safeParse((await loadModule(path))['default'])
  if (!parsed.success) throw new SetupError(`${path} does not describe an application: ${z.prettifyError(parsed.error)}`, { exitCode: 2 })
  return parsed.data
}

/**
 * The domains that a module exports, alone, in a list, or as those of an application.
 * @throws SetupError, one sentence, when there are none
 */
export async function loadDomains(path: string): Promise<readonly Domain[]> {
  if (!existsSync(resolve(path))) throw new SetupError(`${path} does not exist; name the module that exports your domains`, { exitCode: 2 })
  const exported = Object.values(await loadModule(path))
  const domains = new Set(exported.flatMap((value) => (app.safeParse(value).data?.domains ?? (Array.isArray(value) ? value : [value]))).filter(isDomain))
  if (domains.size === 0) throw new SetupError(`${path} exports no domain; export what defineDomain returns`, { exitCode: 2 })
  return [...domains]
}

async function loadModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(pathToFileURL(resolve(path)).href) as Readonly<Record<string, unknown>>
  } catch (cause) {
    throw new SetupError(`${path} cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}
