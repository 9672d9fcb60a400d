/** The domains whose rules an auditor's command applies again. */
import { existsSync } from 'node:fs'
import type { Domain } from '../core/domain.ts'
import { defaultApp, loadDomains } from '../dev/app.ts'

/**
 * Those of the module named; else those of the application in this folder, if there is one. What nobody has named is no
 * reason to fail: if it cannot be loaded, that is said, and the records are checked without rules.
 */
export async function domainsOf(module: string | undefined): Promise<readonly Domain[]> {
  if (module !== undefined) return loadDomains(module)
  if (!existsSync(defaultApp)) return []
  try {
    return await loadDomains(defaultApp)
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}; checking without its rules (--app names others)`)
    return []
  }
}
