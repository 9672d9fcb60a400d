/** What the repository's modules import, read from their text. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const root = join(import.meta.dirname, '../..')

export interface Import {
  /** As `src/core/gate.ts`, from the repository's root. */
  readonly from: string
  /** A file's path in the same form, or a package's name as written. */
  readonly to: string
  /** It is a file of this repository. */
  readonly local: boolean
  /** Erased by the compiler: it reaches no bundle and no process. */
  readonly typeOnly: boolean
}

/** The TypeScript modules of a folder, as paths from the repository's root. */
export function modulesIn(folder: string): string[] {
  return globSync(`${folder}/**/*.ts`, { cwd: root }).sort()
}

export function textOf(module: string): string {
  return readFileSync(join(root, module), 'utf8')
}

/** Static and dynamic imports and re-exports. `import { type A }` is not erased (verbatimModuleSyntax), so it counts as a value. */
export function importsOf(module: string): Import[] {
  const code = textOf(module).replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')
  const statements = [...code.matchAll(/^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm)].map(([, type, target]) => ({ type, target }))
  const dynamic = [...code.matchAll(/\b(?:import|require|import\.meta\.resolve)\(\s*['"]([^'"]+)['"]/g)].map(([, target]) => ({ type: undefined, target }))
  return [...statements, ...dynamic].flatMap(({ type, target }) => {
    if (target === undefined) return []
    const local = target.startsWith('.')
    return [{ from: module, to: local ? relative(root, join(root, dirname(module), target)) : target, local, typeOnly: type !== undefined }]
  })
}

/** Every import that loading `modules` leads to, within the repository; types do not lead anywhere. */
export function reachedFrom(modules: readonly string[]): Import[] {
  const seen = new Set<string>()
  const reached: Import[] = []
  const visit = (module: string): void => {
    if (seen.has(module) || !existsSync(join(root, module))) return
    seen.add(module)
    for (const each of importsOf(module).filter(({ typeOnly }) => !typeOnly)) {
      reached.push(each)
      if (each.local && each.to.endsWith('.ts')) visit(each.to)
    }
  }
  modules.forEach(visit)
  return reached
}
