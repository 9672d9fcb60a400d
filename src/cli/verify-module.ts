/** Loading what is to be verified: the domains a module exports, an application's, or what a module binds to them. */
import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { DomainError } from '../core/findings.ts'
import type { Domain } from '../core/domain.ts'
import { loadApp } from '../dev/app.ts'
import type { BoundDomain } from '../gate/binding.ts'
import { exit, Failure } from './exit.ts'

/**
 * The domains that a module (or a folder's `domain.ts`) exports; or the application's: all, or the one of that name.
 * @throws Failure (usage) when there is no such module or domain, DomainError when the module's domain is refused
 */
export async function domainsMeant(meant: string | undefined, app: string): Promise<readonly Domain[]> {
  if (meant !== undefined && (existsSync(meant) || /[./\\]/.test(meant))) return exportsOf(await load(fileAt(meant)), isDomain)
  if (!existsSync(app)) throw new Failure(`${app} does not exist; name a module that exports domains, or the application with --app`, exit.usage)
  const { domains } = await loading(app, () => loadApp(app))
  const named = domains.filter(({ name }) => meant === undefined || name === meant)
  if (named.length === 0) throw new Failure(`the application has no domain ${meant}; it has ${domains.map(({ name }) => name).join(', ')}`, exit.usage)
  return named
}

/** What `executors(…)` returned, wherever a module exports it. @throws Failure (usage) when there is none */
export async function boundIn(path: string): Promise<readonly BoundDomain[]> {
  const bound = exportsOf(await load(fileAt(path)), isBound)
  if (bound.length === 0) throw new Failure(`${path} exports nothing that \`executors(…)\` returned`, exit.usage)
  return bound
}

function fileAt(path: string): string {
  if (!existsSync(path)) throw new Failure(`${path} does not exist`, exit.usage)
  if (!statSync(path).isDirectory()) return path
  const inside = ['domain.ts', 'domain.js', 'domain.mjs'].map((file) => join(path, file)).find((file) => existsSync(file))
  if (inside === undefined) throw new Failure(`${path} has no domain.ts; name the module`, exit.usage)
  return inside
}

async function load(path: string): Promise<object> {
  const module: unknown = await loading(path, () => import(pathToFileURL(resolve(path)).href))
  return typeof module === 'object' && module !== null ? module : {}
}

/** @throws what the domain was refused with, as it is; Failure (usage) with any other reason why it could not be loaded */
async function loading<Module>(path: string, run: () => Promise<Module>): Promise<Module> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof DomainError) throw error
    throw new Failure(`${path} could not be loaded: ${error instanceof Error ? error.message : String(error)}`, exit.usage)
  }
}

/** Each value once, however many names it is exported by; arrays are looked into. */
function exportsOf<Wanted>(module: object, is: (value: unknown) => value is Wanted): readonly Wanted[] {
  const direct: unknown[] = Object.values(module)
  const inside = direct.flatMap((value): unknown[] => (Array.isArray(value) ? value : []))
  return [...new Set([...direct, ...inside].filter(is))]
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

function isDomain(value: unknown): value is Domain {
  return isObject(value) && ['name', 'actions', 'entities', 'roles'].every((key) => key in value)
}

function isBound(value: unknown): value is BoundDomain {
  return isObject(value) && 'executorOf' in value && typeof value.executorOf === 'function' && 'domain' in value && isDomain(value.domain)
}
