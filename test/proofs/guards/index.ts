/** All guards, by area: each file of this folder is one, and exports a list named as the file, in camel case. */
import { readdirSync } from 'node:fs'
import { z } from 'zod'
import type { Guard, SecondLine } from '../guard.ts'

const text = z.string().min(1)
const guard: z.ZodType<Guard> = z.strictObject({
  id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/), file: text, guards: text, from: text, to: z.string(), test: text, name: text,
  store: z.enum(['memory', 'postgres']).exactOptional(),
})
const secondLine: z.ZodType<SecondLine> = z.strictObject({ id: text, file: text, guards: text, behind: text })

export interface Area {
  readonly name: string
  readonly guards: readonly Guard[]
  readonly secondLines: readonly SecondLine[]
}

/** @throws ZodError when a file exports something else */
export async function loadAreas(): Promise<readonly Area[]> {
  const names = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.ts') && file !== 'index.ts').map((file) => file.slice(0, -3)).sort()
  return Promise.all(names.map(async (name) => {
    const module: Record<string, unknown> = await import(new URL(`${name}.ts`, import.meta.url).href)
    const list = name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())
    return { name, guards: z.array(guard).parse(module[list]), secondLines: z.array(secondLine).parse(module['secondLines'] ?? []) }
  }))
}
