/** The domains whose rules an auditor's command applies again. */
import { existsSync } from 'node:fs'
import type { Domain } from '../core/domain.ts'
import { defaultApp, loadApp } from '../dev/app.ts'
import { exit, Failure } from './exit.ts'

/** Those of the module named; else those of the application in this folder, if there is one. */
export async function domainsOf(app: string | undefined): Promise<readonly Domain[]> {
  if (app === undefined) return existsSync(defaultApp) ? (await loadApp(defaultApp)).domains : []
  if (!existsSync(app)) throw new Failure(`${app} does not exist`, exit.usage)
  return (await loadApp(app)).domains
}
